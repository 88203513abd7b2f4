//! What senders say of their clocks, and what the recorder knows of where their sound ends.

use super::recorder::Recorder;
use crate::{
    speaker::{SpeakerId, VoiceReport},
    time::SampleTime,
};

impl Recorder {
    /// Takes what a sender reports of its clock: how fast it goes and where it stood still is known better with it.
    pub fn report(&mut self, report: VoiceReport) {
        if let Some(seat) = self.seats.get(&report.speaker)
            && let Some(track) = self.tracks.get_mut(&seat.name)
        {
            track.report(seat.stay, &report);
        }
    }

    /// The first sample behind the last of a voice's packets in its track, where that can be known by now.
    #[must_use]
    pub fn sound_end(&self, speaker: SpeakerId) -> Option<SampleTime> {
        let seat = self.seats.get(&speaker)?;
        self.tracks.get(&seat.name)?.sound_end().map(SampleTime::from_samples)
    }
}
