//! A transcript without a stage: what a room's scribe would be told, for audits and tests.

use crate::{
    consent::{Opening, Transcribable},
    record::{Recorder, RecorderConfig},
};

/// A recorder that writes nothing, to be driven like any other.
#[must_use]
pub fn scribe(config: RecorderConfig) -> Recorder {
    Recorder::scribe(config)
}

/// Lets a voice into a [`scribe`]'s transcript.
pub fn write_down(scribe: &mut Recorder, consent: &Transcribable) {
    scribe.unlock(&Opening::by(consent));
}

/// The packets that a [`scribe`] was told since this was last asked.
pub fn take_said(scribe: &mut Recorder) -> Vec<Vec<u8>> {
    scribe.take_said().map(|(_, packet)| packet.payload).collect()
}
