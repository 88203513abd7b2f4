//! A lane with nothing in it costs nothing: it sleeps until a packet or a command comes, and its counters of silence are
//! put right then, or when somebody asks.

use super::{Engine, Lane, LaneStats, ears::Ears};
use crate::{mix::Limiter, speaker::SpeakerId, time::SampleTime};

impl Engine {
    /// `speaker`'s lane takes part in ticks again.
    pub(super) fn wake(&mut self, speaker: SpeakerId) {
        if let Some(Some(lane)) = self.lanes.get_mut(speaker.index()) {
            lane.wake(self.now);
            self.awake.insert(speaker);
        }
    }
}

impl Lane {
    /// Falls asleep at `now`, if nothing waits and nothing of what was there is left to be heard; whether it did.
    pub(super) fn falls_asleep(&mut self, now: SampleTime) -> bool {
        let over = match self.ears {
            _ if !self.jitter.has_begun() => true,
            Ears::Mixes => self.voice.hole.is_over() && self.voice.pending.is_empty(),
            Ears::Relay => self.voice.passing.is_empty() && self.voice.hole.resting,
            Ears::Nobody => self.voice.passing.is_empty() && self.voice.passes_silence(),
        };
        let asleep = over && self.jitter.is_drained();
        self.asleep = asleep.then_some(now);
        asleep
    }

    /// All that would have been done meanwhile is done: silence is counted, and the hole it lies in grows by it.
    pub(super) fn wake(&mut self, now: SampleTime) {
        let Some(since) = self.asleep.take() else { return };
        let over = now.since(since);
        let samples = &mut self.stats.samples;
        if self.jitter.has_begun() {
            self.voice.hole.count(over, false, &mut self.jitter, samples);
        } else {
            samples.silence += over.count();
        }
        self.fader.skip(since + Limiter::LOOKAHEAD, over);
    }

    /// What it has done by `now`.
    pub(super) fn stats_at(&self, now: SampleTime) -> LaneStats {
        let mut stats = self.stats;
        if let Some(since) = self.asleep {
            stats.samples.silence += now.since(since).count();
        }
        stats
    }
}
