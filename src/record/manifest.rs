//! `session.json`: who was there, what may be heard where and why not elsewhere. Whole at any moment: it is written
//! beside the old one and takes its name. The same structs are written and read back; what a newer version adds is
//! passed over.

use super::{
    clock_map::ClockPoint,
    counts::Counts,
    disk::{Disk as _, Folder},
    error::RecordError,
    event::Event,
    gap::Gap,
    gate::{Gates, Spans},
    parts::{Part, TrackPart, own_name},
    place::Place,
    seal::Seal,
    track::Track,
};
use crate::time::RATE_HZ;
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    fs, io,
    path::{Component, Path},
};

/// Its name in the session's folder.
pub(super) const FILE: &str = "session.json";

/// The version of the file's shape that is written and read.
pub(super) const SCHEMA: u32 = 1;

/// The whole file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// The version of its shape: 1.
    pub schema: u32,
    /// Was the recording ended, or did it break off?
    pub finished: bool,
    /// Was it ended by [`recover`](super::recover()), behind a recorder that died?
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub recovered: bool,
    /// 48000.
    pub sample_rate_hz: u32,
    /// Wall time of room sample 0, if it was told.
    pub epoch_unix_ms: Option<u64>,
    /// The room sample at which its tracks begin: 0, but for a part of a longer session.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub from_sample: u64,
    /// The room's length.
    pub samples: u64,
    /// When nothing was kept of anybody.
    pub paused: Spans,
    /// By name.
    pub speakers: BTreeMap<String, TrackEntry>,
    /// In the order they were told.
    pub events: Vec<Event>,
    /// The parts behind the first, which is this folder: each with a manifest of its own once it is over.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Part>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes by reference")]
fn is_zero(sample: &u64) -> bool {
    *sample == 0
}

/// One speaker's part.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrackEntry {
    /// From the session's folder.
    pub file: String,
    /// What players skip at its start, in samples: room sample 0 is the one behind.
    pub pre_skip: u64,
    /// When the speaker was in the room.
    pub joined: Spans,
    /// When it had agreed.
    pub consent: Spans,
    /// When it was muted.
    pub muted: Spans,
    /// Where the sender's clocks stand.
    pub placed: Vec<Place>,
    /// What is said where on the room clock.
    #[serde(default)]
    pub clock: Vec<ClockPoint>,
    /// What became of its packets.
    pub packets: Counts,
    /// Where the track is not the speaker's own sound, in order, without overlap.
    pub gaps: Vec<Gap>,
    /// The finished file's length.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_bytes: Option<u64>,
    /// And its hash, in hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// All its files in order, if there are several parts; the first is `file`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<TrackPart>,
}

impl TrackEntry {
    /// How a track stands, its gaps told up to the session's `end` or up to what is settled.
    pub(super) fn new(track: &Track, end: Option<u64>) -> Self {
        let Track { gates, tape, .. } = track;
        let mut entry = Self {
            file: tape.file().to_owned(),
            pre_skip: tape.pre_skip(),
            joined: Gates::present(gates),
            consent: gates.given().clone(),
            muted: gates.muted().clone(),
            placed: tape.places().to_vec(),
            clock: track.clock(),
            packets: track.counts(),
            gaps: track.gaps(end.unwrap_or_else(|| track.reached())),
            file_bytes: None,
            sha256: None,
            parts: Vec::new(),
        };
        entry.lies_in(track.files().collect());
        entry
    }

    /// Notes what the finished file, or the last of them, is known by.
    pub(super) fn seal(&mut self, (bytes, sha256): Seal) {
        match self.parts.last_mut() {
            Some(last) => *last = last.clone().sealed((bytes, sha256)),
            None => (self.file_bytes, self.sha256) = (Some(bytes), Some(sha256)),
        }
    }

    /// Notes what this file of it is known by now.
    pub(super) fn known_by(&mut self, file: &str, (bytes, sha256): Seal) {
        let (bytes, sha256) = (Some(bytes), Some(sha256));
        for part in self.parts.iter_mut().filter(|part| part.file == file) {
            (part.file_bytes, part.sha256) = (bytes, sha256.clone());
        }
        if self.file == file {
            (self.file_bytes, self.sha256) = (bytes, sha256);
        }
    }

    /// Notes its files.
    pub(super) fn lies_in(&mut self, files: Vec<TrackPart>) {
        if let Some(first) = files.first() {
            (self.file, self.pre_skip) = (first.file.clone(), first.pre_skip);
            (self.file_bytes, self.sha256) = (first.file_bytes, first.sha256.clone());
        }
        self.parts = if files.len() > 1 { files } else { Vec::new() };
    }

    /// Its files: which, and from which room sample on; `from` is the session's first.
    pub(super) fn files(&self, from: u64) -> Vec<(&str, u64)> {
        match &self.parts[..] {
            [] => vec![(&self.file, from)],
            parts => parts.iter().map(|part| (&*part.file, part.from_sample)).collect(),
        }
    }

    /// The entry of a part by itself.
    fn part(&self, folder: &str, from: u64, to: u64) -> Option<Self> {
        let here = self.parts.iter().find(|part| part.file.starts_with(folder))?.clone();
        let gaps = self.gaps.iter().filter_map(|gap| gap.within(from, to)).collect();
        let packets = Counts { received: here.recorded, recorded: here.recorded, ..Counts::default() };
        let mut entry = Self { packets, gaps, ..self.clone() };
        entry.lies_in(vec![TrackPart { file: own_name(&here.file).to_owned(), ..here }]);
        Some(entry)
    }

    fn check(&self) -> Result<(), &'static str> {
        let is_inside = |part: Component<'_>| matches!(part, Component::Normal(_));
        let is_fine = |file: &str| !file.is_empty() && Path::new(file).components().all(is_inside);
        if !is_fine(&self.file) || !self.parts.iter().all(|part| is_fine(&part.file)) {
            return Err("expected a file inside the session's folder");
        }
        if ![&self.joined, &self.consent, &self.muted].iter().all(|spans| spans.are_in_order()) {
            return Err("expected spans in order, none empty");
        }
        if !self.parts.is_sorted_by(|one, next| one.from_sample < next.from_sample) {
            return Err("expected parts in order, none empty");
        }
        let in_order = self.gaps.windows(2).all(|pair| pair[0].to_sample <= pair[1].from_sample);
        if !in_order || self.gaps.iter().any(|gap| gap.from_sample >= gap.to_sample) {
            return Err("expected gaps in order, none empty");
        }
        Ok(())
    }
}

impl Manifest {
    /// Reads `session.json` in `dir`.
    ///
    /// # Errors
    /// There is none, or it is no manifest: which place, and what was expected there.
    pub fn read(dir: &Path) -> Result<Self, RecordError> {
        let path = dir.join(FILE);
        let failed = |source| RecordError::new(&path, "read", source);
        Self::parse(&fs::read(&path).map_err(failed)?)
            .map_err(|why| failed(io::Error::new(io::ErrorKind::InvalidData, why)))
    }

    /// Reads the bytes of one.
    pub(crate) fn parse(json: &[u8]) -> Result<Self, String> {
        let manifest: Self = serde_json::from_slice(json).map_err(|error| error.to_string())?;
        if manifest.schema != SCHEMA {
            return Err(format!("expected schema {SCHEMA}, found {}", manifest.schema));
        }
        if manifest.sample_rate_hz != RATE_HZ {
            return Err(format!("expected sample_rate_hz {RATE_HZ}, found {}", manifest.sample_rate_hz));
        }
        for (name, track) in &manifest.speakers {
            track.check().map_err(|why| format!("speakers.{name}: {why}"))?;
        }
        Ok(manifest)
    }

    /// The manifest of the part in `folder` by itself, of `from..to`: its tracks begin there, and all is told on the room's clock, up
    /// to its end.
    pub(super) fn part(&self, folder: &str, from: u64, to: u64) -> Self {
        let entries = self.speakers.iter();
        let speakers =
            entries.filter_map(|(name, entry)| Some((name.clone(), entry.part(folder, from, to)?)));
        Self {
            finished: true,
            from_sample: from,
            samples: to,
            speakers: speakers.collect(),
            parts: Vec::new(),
            ..self.clone()
        }
    }

    /// Takes the place of the one in `dir`, on disk.
    pub(super) fn write(&self, dir: &Path) -> Result<(), RecordError> {
        let written = Folder::create(dir, true).and_then(|mut folder| folder.replace(FILE, &self.json()));
        written.map_err(|source| RecordError::new(&dir.join(FILE), "write", source))
    }

    /// The file's bytes.
    pub(crate) fn json(&self) -> Vec<u8> {
        // Numbers, strings and lists of them: all of it is JSON.
        let mut json = serde_json::to_vec_pretty(self).unwrap_or_default();
        json.push(b'\n');
        json
    }
}

/// A speaker's file, from the session's folder.
pub(super) fn file_name(name: &str) -> String {
    format!("tracks/{name}.opus")
}
