//! What a lane has to say, read from the packet that is up next while it still waits: whoever begins to speak has a place
//! before the first packet is played.

use super::Lane;
use crate::{
    jitter::JitterBuffer,
    mix::{Db, Level, Presence},
    packet::Speech,
    time::SampleTime,
};

/// Follows one lane's packets.
#[derive(Debug, Default)]
pub(super) struct Attention {
    presence: Presence,
    /// The packet that was noted last.
    noted: Option<u64>,
    /// The packets say nothing: what was decoded last has to.
    untold: bool,
    measured: Option<Speech>,
    /// Did it speak before the packet that is up next?
    begun: bool,
}

/// Softer than this, decoded sound is no speech: −50 dBFS.
const QUIET: Db = Db(-50.0);

impl Attention {
    /// Takes note of the packet that is up next at `now`.
    pub(super) fn note(&mut self, jitter: &JitterBuffer, now: SampleTime) {
        let Some(slot) = jitter.upcoming().filter(|slot| self.noted != Some(slot.sequence)) else { return };
        self.noted = Some(slot.sequence);
        self.untold = slot.speech.is_none();
        self.begun = self.presence.speaks(now);
        let speech = slot.speech.or(self.measured).unwrap_or(SUPPOSED);
        self.presence.note(speech.voice, Db(-f32::from(speech.dbov)), now, slot.duration);
        if slot.dtx {
            self.presence.rest(now);
        }
    }

    /// The last resort, where packets say nothing: how loud is what was decoded?
    pub(super) fn measure(&mut self, sound: &[f32]) {
        if self.untold {
            let rms = Level::of(sound).rms;
            self.measured = Some(Speech { voice: rms > QUIET, dbov: (-rms.0).clamp(0.0, 127.0) as u8 });
        }
    }

    /// Do its packets say nothing?
    pub(super) fn is_untold(&self) -> bool {
        self.untold
    }

    /// Was it speaking before the packet that is up next?
    pub(super) fn has_begun(&self) -> bool {
        self.begun
    }

    pub(super) fn presence(&self) -> &Presence {
        &self.presence
    }
}

/// Of a lane that was never listened to.
const SUPPOSED: Speech = Speech { voice: true, dbov: 40 };

impl Lane {
    /// Listens to the packet that is up next, and to the one before it, as a decoder has to get going.
    pub(super) fn probe(&mut self) {
        for slot in [self.jitter.played(1), self.jitter.upcoming()].into_iter().flatten() {
            let sound = self.voice.listen(self.jitter.payload(&slot));
            self.attention.measure(sound);
        }
    }

    /// Its weight among those who want to be heard; none if it is out of every mix in any case.
    pub(super) fn weight(&self, now: SampleTime) -> u32 {
        if self.fader.is_silent() { 0 } else { self.attention.presence().weight(now, self.heard) }
    }
}
