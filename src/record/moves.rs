//! What is done to voices while they are recorded: mutes and pauses shut gates, faders are noted for whoever renders.

use super::{event::Event, recorder::Recorder};
use crate::{
    speaker::SpeakerId,
    time::{SampleTime, Samples},
};

impl Recorder {
    /// A voice falls silent.
    pub fn mute(&mut self, speaker: SpeakerId, at: SampleTime) {
        if let Some(track) = self.present(speaker) {
            track.gates.mute(at.samples());
            self.note("mute", Some(speaker), at);
        }
    }

    /// A voice is heard again.
    pub fn unmute(&mut self, speaker: SpeakerId, at: SampleTime) {
        if let Some(track) = self.present(speaker) {
            track.gates.unmute(at.samples());
            self.note("unmute", Some(speaker), at);
        }
    }

    /// A voice becomes louder or softer on the mixes: for whoever renders them once more. Its track stays as it came.
    pub fn gain(&mut self, speaker: SpeakerId, to: f32, at: SampleTime, over: Samples) {
        self.automate(speaker, "gain", at, to, Some(over.count()));
    }

    /// A voice moves between left and right on the mixes; as [`Self::gain`].
    pub fn pan(&mut self, speaker: SpeakerId, to: f32, at: SampleTime) {
        self.automate(speaker, "pan", at, to, None);
    }

    /// Faders move often: such news waits for the next manifest.
    fn automate(
        &mut self,
        speaker: SpeakerId,
        verb: &'static str,
        at: SampleTime,
        to: f32,
        over_samples: Option<u64>,
    ) {
        if self.present(speaker).is_some() {
            let event = self.event(verb, Some(speaker), at);
            self.keep(Event { to: Some(to), over_samples, ..event });
        }
    }

    /// Nothing is kept from `at` on.
    pub fn pause(&mut self, at: SampleTime) {
        self.paused.begin(at.samples());
        self.tracks.values_mut().for_each(|track| track.gates.pause(at.samples()));
        self.note("pause", None, at);
    }

    /// What was paused while nothing was written stays so, and so does all that was said before `from`.
    pub(super) fn keep_nothing_before(&mut self, from: SampleTime) {
        self.paused.cover_before(from.samples());
        self.tracks.values_mut().for_each(|track| track.gates.keep_nothing_before(from.samples()));
    }

    /// Keeping goes on, as behind a gate that [opens](Self::open).
    pub fn resume(&mut self, at: SampleTime) {
        self.paused.end(at.samples());
        self.tracks.values_mut().for_each(|track| track.gates.resume(at.samples()));
        self.note("resume", None, at);
    }
}
