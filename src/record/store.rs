//! The recorder's way to the disk: what is new is handed over at once, and made safe every second. A disk that takes
//! nothing is asked again, and meanwhile what there is waits in memory; then it becomes silence that is told.

use super::{
    disk::{Disk, is_gone},
    error::RecordError,
    journal::{FILE as JOURNAL, Journal},
    manifest::FILE as MANIFEST,
    track::{HELD, Track},
};
use crate::time::{SampleTime, Samples};
use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
};

/// A disk that took nothing is asked again after a second.
const AGAIN: Samples = Samples::from_ms(1_000);

/// A packet is held back until it is over.
const LONGEST: Samples = Samples::from_ms(50);

/// Disks are slow.
const MOST_OFTEN: Samples = Samples::from_ms(100);

/// The manifest is written at least this often in room time, and no more often than each second; a long one, seldom.
const MANIFEST_EVERY: Samples = Samples::from_ms(5_000);
const MANIFEST_BYTES_A_SAMPLE: u64 = 2;

/// Everything that goes to the disk.
#[derive(Debug)]
pub(super) struct Store {
    dir: PathBuf,
    disk: Box<dyn Disk>,
    pub(super) journal: Journal,
    /// How often all is made safe.
    every: Samples,
    sync_due: SampleTime,
    manifest_due: SampleTime,
    manifest_written: SampleTime,
    trouble: Option<Trouble>,
    /// Manifests of parts that are over: their names, their bytes.
    over: Vec<(String, Vec<u8>)>,
}

/// The disk takes nothing.
#[derive(Clone, Copy, Debug)]
struct Trouble {
    since: SampleTime,
    again: SampleTime,
}

/// What is due.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Due {
    pub(super) sync: bool,
    pub(super) manifest: bool,
}

impl Store {
    /// No more than `lost` may be lost of a voice: what is held back and what waits to be made safe.
    pub(super) fn new(dir: &Path, disk: Box<dyn Disk>, lost: Samples) -> Self {
        let every = (lost - (HELD + LONGEST)).max(MOST_OFTEN);
        Self {
            dir: dir.to_owned(),
            disk,
            journal: Journal::new(),
            every,
            sync_due: SampleTime::ZERO,
            manifest_due: SampleTime::ZERO,
            manifest_written: SampleTime::ZERO,
            trouble: None,
            over: Vec::new(),
        }
    }

    /// Since when the disk takes nothing.
    pub(super) fn trouble(&self) -> Option<SampleTime> {
        self.trouble.map(|trouble| trouble.since)
    }

    /// Something happened that the manifest should tell soon.
    pub(super) fn hurry(&mut self) {
        self.manifest_due = self.manifest_due.min(self.manifest_written + AGAIN);
    }

    /// What is due now, if the disk is to be asked at all.
    pub(super) fn due(&self, now: SampleTime) -> Option<Due> {
        let waits = self.trouble.is_some_and(|trouble| now < trouble.again);
        (!waits).then(|| Due { sync: now >= self.sync_due, manifest: now >= self.manifest_due })
    }

    /// Hands over what is new, the journal first: it explains what is in the pages, and so these wait until it is safe.
    /// The first error of a trouble.
    pub(super) fn hand_over(
        &mut self,
        tracks: &mut BTreeMap<String, Track>,
        manifest: Option<Vec<u8>>,
        now: SampleTime,
        sync: bool,
    ) -> Result<(), RecordError> {
        let mut tried = self.tell(sync);
        if sync && tried.is_ok() {
            let carried = tracks.values_mut().map(|track| self.carry(track));
            tried = carried.fold(Ok(()), Result::and).and_then(|()| self.end_parts());
        }
        if let Some(json) = manifest {
            tried = tried.and_then(|()| self.write_manifest(&json, now));
        }
        if sync {
            self.sync_due = now + self.every;
        }
        self.judge(tried, now)
    }

    /// Makes files for tracks that are new, so that they are there at once. A disk that does not want to is told later.
    pub(super) fn begin_tracks(&mut self, tracks: &mut BTreeMap<String, Track>, now: SampleTime) {
        if self.due(now).is_some() {
            let told = self.tell(true);
            let carried = tracks.values_mut().map(|track| self.carry(track)).fold(told, Result::and);
            // Tried once more, and told then.
            drop(carried);
        }
    }

    fn tell(&mut self, sync: bool) -> Result<(), RecordError> {
        let Self { journal, disk, .. } = self;
        let told = if sync { journal.sync(disk.as_mut()) } else { journal.write(disk.as_mut()) };
        if told.as_ref().is_err_and(is_gone) {
            self.journal.lose();
        }
        told.map_err(|source| self.failed(JOURNAL, source))
    }

    /// A part is over: its manifest is written once its tracks are.
    pub(super) fn part_is_over(&mut self, folder: &str, manifest: Vec<u8>) {
        self.over.push((format!("{folder}{MANIFEST}"), manifest));
    }

    /// How many bytes are free on the disk.
    pub(super) fn free_bytes(&mut self) -> Option<u64> {
        self.disk.free_bytes()
    }

    /// Is all written of the parts that are over?
    pub(super) fn has_ended_parts(&self, tracks: &BTreeMap<String, Track>) -> bool {
        self.over.is_empty() && !tracks.values().any(|track| track.tape.is_turning())
    }

    fn end_parts(&mut self) -> Result<(), RecordError> {
        while let Some((file, json)) = self.over.last() {
            self.disk.replace(file, json).map_err(|source| self.failed(file, source))?;
            self.over.pop();
        }
        Ok(())
    }

    fn carry(&mut self, track: &mut Track) -> Result<(), RecordError> {
        let carried = track.tape.sync(self.disk.as_mut());
        if carried.as_ref().is_err_and(is_gone) {
            track.lose();
        }
        carried.map_err(|source| self.failed(track.tape.file(), source))
    }

    fn write_manifest(&mut self, json: &[u8], now: SampleTime) -> Result<(), RecordError> {
        self.disk.replace(MANIFEST, json).map_err(|source| self.failed(MANIFEST, source))?;
        let every = Samples::new(json.len() as u64 / MANIFEST_BYTES_A_SAMPLE).max(MANIFEST_EVERY);
        (self.manifest_written, self.manifest_due) = (now, now + every);
        Ok(())
    }

    /// A trouble begins, goes on or is over.
    fn judge(&mut self, tried: Result<(), RecordError>, now: SampleTime) -> Result<(), RecordError> {
        let before = self.trouble.take();
        if tried.is_err() {
            let since = before.map_or(now, |before| before.since);
            self.trouble = Some(Trouble { since, again: now + AGAIN });
        }
        if before.is_some() { Ok(()) } else { tried }
    }

    /// The recording is whole: what explained it goes, what tells of it comes.
    pub(super) fn finish(
        &mut self,
        tracks: &mut BTreeMap<String, Track>,
        manifest: &[u8],
    ) -> Result<(), RecordError> {
        for track in tracks.values_mut() {
            self.carry(track)?;
        }
        self.end_parts()?;
        self.write_manifest(manifest, SampleTime::ZERO)?;
        self.disk.remove(JOURNAL).map_err(|source| self.failed(JOURNAL, source))
    }

    fn failed(&self, file: &str, source: io::Error) -> RecordError {
        RecordError::new(&self.dir.join(file), "write", source)
    }
}
