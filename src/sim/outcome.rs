//! What a simulated room leaves behind when it is over: the report, and each voice's log.

use super::{
    error::SimError,
    outputs::write_error,
    playout::{VoiceLog, write_csv},
    report::{Report, RoomLine, SpeakerLine},
    voice::Voice,
};
use crate::record::Session;
use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufWriter, Write},
    path::{Path, PathBuf},
};

/// A room that was run.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// What `report.json` says.
    pub report: Report,
    /// What `playout.csv` says, and when who was there; in the scenario's order.
    pub voices: Vec<VoiceLog>,
}

impl Outcome {
    /// Every packet of every speaker is in exactly one counter, or there is no outcome.
    pub(super) fn new(room: RoomLine, voices: Vec<Voice>, session: &Session) -> Result<Self, SimError> {
        let mut report = Report { schema: 1, room, speakers: BTreeMap::new() };
        let mut logs = Vec::with_capacity(voices.len());
        for mut voice in voices {
            let log = voice.take_log();
            let track = session.tracks.get(&log.name).cloned().unwrap_or_default();
            let line = SpeakerLine::new(&log, &voice.sender, voice.stats(), voice.target_ms(), &track);
            let (arrived, accounted) = (line.packets.arrived, line.packets.accounted());
            if arrived != accounted {
                return Err(SimError::Unbalanced { speaker: log.name, arrived, accounted });
            }
            report.speakers.insert(log.name.clone(), line);
            logs.push(log);
        }
        Ok(Self { report, voices: logs })
    }

    /// Writes `playout.csv` and `report.json`.
    pub(super) fn write(&self, out: &Path) -> Result<(), SimError> {
        let create = |name: &str| -> Result<(PathBuf, BufWriter<File>), SimError> {
            let path = out.join(name);
            let file = File::create(&path).map_err(|error| write_error(&path, error))?;
            Ok((path, BufWriter::new(file)))
        };
        let (path, mut csv) = create("playout.csv")?;
        write_csv(&mut csv, &self.voices)
            .and_then(|()| csv.flush())
            .map_err(|error| write_error(&path, error))?;
        let (path, mut json) = create("report.json")?;
        serde_json::to_writer_pretty(&mut json, &self.report)
            .map_err(Into::into)
            .and_then(|()| writeln!(json))
            .and_then(|()| json.flush())
            .map_err(|error| write_error(&path, error))
    }
}
