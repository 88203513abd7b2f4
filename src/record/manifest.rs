//! `session.json`: who was there, what may be heard where and why not elsewhere. Whole at any moment: it is written
//! beside the old one and takes its name.

use super::{
    clock_map::ClockPoint,
    error::RecordError,
    gap::Gap,
    gate::{Gates, Spans},
    tape::Place,
    track::{Counts, Track},
};
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Read},
    path::Path,
};

/// The whole file.
#[derive(Debug, Serialize)]
pub(super) struct Manifest<'a> {
    pub(super) schema: u32,
    pub(super) finished: bool,
    pub(super) sample_rate_hz: u32,
    pub(super) epoch_unix_ms: Option<u64>,
    pub(super) samples: u64,
    pub(super) paused: &'a Spans,
    pub(super) speakers: BTreeMap<&'a str, Voice<'a>>,
    pub(super) events: &'a [Event],
}

/// One speaker's part.
#[derive(Debug, Serialize)]
pub(super) struct Voice<'a> {
    file: String,
    pre_skip: u64,
    joined: Spans,
    consent: &'a Spans,
    muted: &'a Spans,
    placed: &'a [Place],
    clock: Vec<ClockPoint>,
    packets: Counts,
    gaps: Vec<Gap>,
    #[serde(flatten)]
    pub(super) seal: Option<Seal>,
}

/// What a finished file is known by.
#[derive(Debug, Serialize)]
pub(super) struct Seal {
    file_bytes: u64,
    sha256: String,
}

/// Something that was done to the recording.
#[derive(Debug, Serialize)]
pub(super) struct Event {
    pub(super) at_sample: u64,
    #[serde(rename = "do")]
    pub(super) verb: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) speaker: Option<String>,
}

impl<'a> Voice<'a> {
    /// How a track stands, its gaps told up to the session's `end` or up to what is settled.
    pub(super) fn new(name: &str, track: &'a Track, end: Option<u64>) -> Self {
        let Track { gates, tape, .. } = track;
        Self {
            file: file_name(name),
            pre_skip: tape.pre_skip(),
            joined: Gates::present(gates),
            consent: gates.given(),
            muted: gates.muted(),
            placed: tape.places(),
            clock: track.clock(),
            packets: track.counts(),
            gaps: track.gaps(end.unwrap_or_else(|| track.settled())),
            seal: None,
        }
    }
}

impl Seal {
    /// Reads a finished file.
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        let (mut file, mut hash, mut block) = (File::open(path)?, Sha256::new(), vec![0; 1 << 16]);
        let mut file_bytes = 0;
        loop {
            match file.read(&mut block)? {
                0 => break,
                length => {
                    hash.update(&block[..length]);
                    file_bytes += length as u64;
                }
            }
        }
        let sha256 = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { file_bytes, sha256 })
    }
}

impl Manifest<'_> {
    /// Replaces `session.json` in `dir`.
    pub(super) fn write(&self, dir: &Path) -> Result<(), RecordError> {
        let (path, new) = (dir.join("session.json"), dir.join("session.json.new"));
        let failed = |source| RecordError::new(&path, "write", source);
        let mut json = serde_json::to_vec_pretty(self).map_err(|error| failed(error.into()))?;
        json.push(b'\n');
        fs::write(&new, json).and_then(|()| fs::rename(&new, &path)).map_err(failed)
    }
}

/// A speaker's file, from the session's folder.
pub(super) fn file_name(name: &str) -> String {
    format!("tracks/{name}.opus")
}
