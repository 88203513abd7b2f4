//! One recording a voice, aligned on the room clock. Never on a real-time thread.

use crate::{
    consent::Recordable,
    speaker::{SpeakerId, VoicePacket},
    time::{SampleTime, Samples},
};
use std::{collections::BTreeMap, path::Path};

/// How a session is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecorderConfig {
    /// How long a track waits for stragglers before it writes a gap.
    pub repair: Samples,
    /// Wall time of room sample 0, if it is to stand in the manifest.
    pub epoch_unix_ms: Option<u64>,
}

/// Writes `tracks/NAME.opus` and `session.json`. A plain machine too: time is an argument, files are its output.
#[derive(Debug)]
pub struct Recorder {}

/// A recording that could not be written: which file, and what happened.
#[derive(Debug)]
pub struct RecordError {}

impl Recorder {
    /// Begins a session in `dir`, which is made if need be.
    pub fn create(dir: &Path, config: RecorderConfig) -> Result<Self, RecordError> {
        let _ = (dir, config);
        Ok(Self {})
    }
    /// A speaker joins; a name that was here before goes on in its track.
    pub fn join(&mut self, speaker: SpeakerId, name: &str, at: SampleTime) {
        let _ = (speaker, name, at);
    }
    /// A speaker leaves.
    pub fn leave(&mut self, speaker: SpeakerId, at: SampleTime) {
        let _ = (speaker, at);
    }
    /// Opens a voice's gate.
    pub fn open(&mut self, consent: Recordable) {
        let _ = consent;
    }
    /// Closes a voice's gate: the first sample that may not be kept.
    pub fn close(&mut self, speaker: SpeakerId, at: SampleTime) {
        let _ = (speaker, at);
    }
    /// A voice falls silent.
    pub fn mute(&mut self, speaker: SpeakerId, at: SampleTime) {
        let _ = (speaker, at);
    }
    /// A voice is heard again.
    pub fn unmute(&mut self, speaker: SpeakerId, at: SampleTime) {
        let _ = (speaker, at);
    }
    /// Nothing is kept from `at` on.
    pub fn pause(&mut self, at: SampleTime) {
        let _ = at;
    }
    /// Keeping goes on.
    pub fn resume(&mut self, at: SampleTime) {
        let _ = at;
    }
    /// Takes a packet that the engine kept.
    pub fn packet(&mut self, packet: VoicePacket<'_>) {
        let _ = packet;
    }
    /// Room time has come to `now`: writes what is settled.
    pub fn advance(&mut self, now: SampleTime) -> Result<(), RecordError> {
        let _ = now;
        Ok(())
    }
    /// Ends every track at `at` and writes the manifest.
    pub fn finish(self, at: SampleTime) -> Result<Session, RecordError> {
        let _ = at;
        Ok(Session::default())
    }
}

/// A finished session.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Session {
    /// The room's length.
    pub samples: u64,
    /// By name.
    pub tracks: BTreeMap<String, TrackSummary>,
}

/// One finished track. `recorded + gated + refused` is what the engine kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrackSummary {
    /// Packets in the file.
    pub recorded: u64,
    /// Packets left out because a gate was closed: no consent, muted, paused, not joined.
    pub gated: u64,
    /// Packets that had no place any more: past the repair window, or where another packet lies.
    pub refused: u64,
    /// What is not the speaker's own sound, in order, without overlap.
    pub gaps: Vec<Gap>,
}

/// A stretch without the speaker's own sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// First sample.
    pub from_sample: u64,
    /// First sample after it.
    pub to_sample: u64,
    /// Why.
    pub cause: Cause,
}

/// Why a track has a gap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cause {
    /// Never arrived.
    Loss,
    /// Arrived after the repair window.
    Late,
    /// Muted.
    Mute,
    /// The sender sent nothing.
    Dtx,
    /// No consent, or the recording was paused.
    Gate,
    /// The sender's clock stood still.
    Stall,
    /// The codec could not read it.
    Undecodable,
    /// Not in the room.
    NotJoined,
}
