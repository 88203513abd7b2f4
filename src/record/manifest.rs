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
    seal::Seal,
    tape::Place,
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
    /// The room's length.
    pub samples: u64,
    /// When nothing was kept of anybody.
    pub paused: Spans,
    /// By name.
    pub speakers: BTreeMap<String, TrackEntry>,
    /// In the order they were told.
    pub events: Vec<Event>,
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
}

impl TrackEntry {
    /// How a track stands, its gaps told up to the session's `end` or up to what is settled.
    pub(super) fn new(track: &Track, end: Option<u64>) -> Self {
        let Track { gates, tape, .. } = track;
        Self {
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
        }
    }

    /// Notes what the finished file is known by.
    pub(super) fn seal(&mut self, (bytes, sha256): Seal) {
        (self.file_bytes, self.sha256) = (Some(bytes), Some(sha256));
    }

    fn check(&self) -> Result<(), &'static str> {
        let is_inside = |part: Component<'_>| matches!(part, Component::Normal(_));
        if self.file.is_empty() || !Path::new(&self.file).components().all(is_inside) {
            return Err("expected a file inside the session's folder");
        }
        if ![&self.joined, &self.consent, &self.muted].iter().all(|spans| spans.are_in_order()) {
            return Err("expected spans in order, none empty");
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

    /// Takes the place of the one in `dir`, on disk.
    pub(super) fn write(&self, dir: &Path) -> Result<(), RecordError> {
        let written = Folder::create(dir, true).and_then(|mut folder| folder.replace(FILE, &self.json()));
        written.map_err(|source| RecordError::new(&dir.join(FILE), "write", source))
    }

    /// The file's bytes.
    pub(super) fn json(&self) -> Vec<u8> {
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
