//! The recorder's way to the disk: what is new is made safe every second in one file, what came last, and then written where it
//! belongs; every few seconds all files are made safe themselves. A disk that takes nothing is asked again, and meanwhile what
//! there is waits in memory; then it becomes silence that is told.

#[cfg(feature = "live")]
use super::nowhere::Nowhere;
use super::{
    disk::{Disk, is_gone},
    error::RecordError,
    journal::{FILE as JOURNAL, Journal},
    latest::{self, FILE as LATEST, Latest},
    manifest::FILE as MANIFEST,
    ogg,
    tape::Tape,
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

/// A packet is held back until it is over, and looked at some time later.
const LONGEST: Samples = Samples::from_ms(70);

/// Disks are slow.
const MOST_OFTEN: Samples = Samples::from_ms(100);

/// All files are made safe by themselves each so many times, and before more than this of one of them is kept in memory for it.
const SETTLE_EVERY: u32 = 22;
const KEPT_BYTES: usize = 64 << 10;

/// So many times the span after which all is made safe is far too long.
const BEHIND: u64 = 3;

/// The manifest is written at least this often in room time, and no more often than each second; a long one, seldom.
const MANIFEST_EVERY: Samples = Samples::from_ms(5_000);
const MANIFEST_BYTES_A_SAMPLE: u64 = 2;

/// Everything that goes to the disk.
#[derive(Debug)]
pub(super) struct Store {
    dir: PathBuf,
    disk: Box<dyn Disk>,
    pub(super) journal: Journal,
    /// What makes all that is new safe at once; none if every file is made safe each time.
    latest: Option<Latest>,
    /// How often all is made safe.
    every: Samples,
    /// When it last was, in a room that had begun.
    secured: Option<SampleTime>,
    sync_due: SampleTime,
    /// How many times more until all files are made safe themselves.
    settles_in: u32,
    manifest_due: SampleTime,
    manifest_written: SampleTime,
    trouble: Option<Trouble>,
    /// Manifests of parts that are over: their names, their bytes.
    over: Vec<(String, Vec<u8>)>,
}

/// How a tape is handed to the disk.
type HandOver = fn(&mut Tape, &mut dyn Disk) -> io::Result<()>;

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
    /// No more than `lost` may be lost of a voice, when the power fails too if it is to be `durable`: what is held back and what
    /// waits to be made safe.
    pub(super) fn new(dir: &Path, disk: Box<dyn Disk>, lost: Samples, durable: bool) -> Self {
        let every = (lost - (HELD + LONGEST)).max(MOST_OFTEN);
        // Recordings that began together do not settle together.
        let settles_in = ogg::serial(&dir.to_string_lossy()) % SETTLE_EVERY + 1;
        Self {
            dir: dir.to_owned(),
            disk,
            journal: Journal::new(),
            latest: durable.then(Latest::new),
            every,
            secured: None,
            sync_due: SampleTime::ZERO,
            settles_in,
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

    /// Is what comes made safe far too seldom, though the disk takes all of it?
    pub(super) fn is_behind(&self, now: SampleTime) -> bool {
        let longest = Samples::new(self.every.count() * BEHIND);
        self.trouble.is_none() && self.secured.is_some_and(|secured| now > secured + longest)
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

    /// What another recording has left here goes before anything of this one is written.
    pub(super) fn begin(&mut self) -> Result<(), RecordError> {
        latest::remove(self.disk.as_mut()).map_err(|source| self.failed(LATEST, source))
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
        // Another journal may not take the place of the one that what came last belongs to.
        let secures = sync || self.journal.is_another();
        let mut tried = if secures { self.secure(tracks) } else { self.write_journal() };
        if let Some(json) = manifest {
            tried = tried.and_then(|()| self.write_manifest(&json, now));
        }
        if sync {
            self.sync_due = now + self.every;
            self.secured = Some(now).filter(|now| tried.is_ok() && *now > SampleTime::ZERO).or(self.secured);
        }
        let tried = self.doubt_unless(tried, tracks);
        self.judge(tried, now)
    }

    /// Makes files for tracks that are new, so that they are there at once. A disk that does not want to is told later.
    pub(super) fn begin_tracks(&mut self, tracks: &mut BTreeMap<String, Track>, now: SampleTime) {
        if self.due(now).is_some() {
            let tried = self.tell_latest(tracks).and_then(|()| self.write(tracks));
            // Tried once more, and told then.
            drop(self.doubt_unless(tried, tracks));
        }
    }

    /// What was written and not made safe is written once more, unless all is well.
    fn doubt_unless(
        &mut self,
        tried: Result<(), RecordError>,
        tracks: &mut BTreeMap<String, Track>,
    ) -> Result<(), RecordError> {
        tried.inspect_err(|_| {
            self.journal.doubt();
            tracks.values_mut().for_each(|track| track.tape.doubt());
        })
    }

    /// Makes all that is new safe.
    fn secure(&mut self, tracks: &mut BTreeMap<String, Track>) -> Result<(), RecordError> {
        self.tell_latest(tracks)?;
        self.write(tracks)?;
        self.settles_in = self.settles_in.saturating_sub(1);
        let keeps_much = |track: &Track| track.tape.kept() > KEPT_BYTES || track.tape.is_turning();
        let settles = self.settles_in == 0 || !self.over.is_empty() || tracks.values().any(keeps_much);
        if settles || self.latest.is_none() { self.settle(tracks) } else { Ok(()) }
    }

    /// Tells what is new among what came last. From then on it is safe, and what becomes of the files themselves can be mended.
    fn tell_latest(&mut self, tracks: &mut BTreeMap<String, Track>) -> Result<(), RecordError> {
        let Self { journal, disk, latest: Some(latest), dir, settles_in, .. } = self else { return Ok(()) };
        let failed = |file: &str, source| RecordError::new(&dir.join(file), "write", source);
        for track in tracks.values_mut() {
            track.tape.sync_keys().map_err(|source| failed(track.tape.file(), source))?;
        }
        let news = journal.news().into_iter().chain(tracks.values().flat_map(|track| track.tape.news()));
        let told = latest.tell(disk.as_mut(), news);
        if told.as_ref().is_err_and(is_gone) {
            // What it held is nowhere safe.
            latest.begin_anew();
            *settles_in = 0;
        }
        told.map_err(|source| failed(LATEST, source))
    }

    /// Writes what is new where it belongs.
    fn write(&mut self, tracks: &mut BTreeMap<String, Track>) -> Result<(), RecordError> {
        self.journal.was_told();
        self.write_journal()?;
        let written = tracks.values_mut().map(|track| self.carry(track, Tape::write));
        written.fold(Ok(()), Result::and)
    }

    /// Makes all files safe by themselves: what came last begins anew.
    fn settle(&mut self, tracks: &mut BTreeMap<String, Track>) -> Result<(), RecordError> {
        let synced = self.journal.sync(self.disk.as_mut());
        self.look_for_the_journal(synced)?;
        let carried = tracks.values_mut().map(|track| self.carry(track, Tape::sync));
        carried.fold(Ok(()), Result::and)?;
        self.end_parts()?;
        self.latest.iter_mut().for_each(Latest::begin_anew);
        self.settles_in = SETTLE_EVERY;
        Ok(())
    }

    fn write_journal(&mut self) -> Result<(), RecordError> {
        let written = self.journal.write(self.disk.as_mut());
        self.look_for_the_journal(written)
    }

    fn look_for_the_journal(&mut self, tried: io::Result<()>) -> Result<(), RecordError> {
        if tried.as_ref().is_err_and(is_gone) {
            self.journal.lose();
        }
        tried.map_err(|source| self.failed(JOURNAL, source))
    }

    /// A part is over: its manifest is written once its tracks are.
    pub(super) fn part_is_over(&mut self, folder: &str, manifest: Vec<u8>) {
        self.over.push((format!("{folder}{MANIFEST}"), manifest));
    }

    /// Puts something between itself and its disk.
    #[cfg(feature = "live")]
    pub(super) fn exchange_disk(&mut self, by: impl FnOnce(Box<dyn Disk>) -> Box<dyn Disk>) {
        self.disk = by(std::mem::replace(&mut self.disk, Box::new(Nowhere)));
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

    fn carry(&mut self, track: &mut Track, how: HandOver) -> Result<(), RecordError> {
        let carried = how(&mut track.tape, self.disk.as_mut());
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
        self.tell_latest(tracks)?;
        self.settle(tracks)?;
        latest::remove(self.disk.as_mut()).map_err(|source| self.failed(LATEST, source))?;
        self.write_manifest(manifest, SampleTime::ZERO)?;
        self.disk.remove(JOURNAL).map_err(|source| self.failed(JOURNAL, source))
    }

    fn failed(&self, file: &str, source: io::Error) -> RecordError {
        RecordError::new(&self.dir.join(file), "write", source)
    }
}
