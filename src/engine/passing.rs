//! A voice that nobody hears: its packets pass at the pace they would be played at, counted and undecoded. When it is to be
//! heard again, the last of them are decoded first, as a codec's memory is part of its sound.

use super::{
    event::Source,
    voice::{Pull, Voice},
};
use crate::{
    codec::MAX_PACKET_SAMPLES,
    jitter::{Decision, JitterBuffer, Move, Slot, Sound},
    time::Samples,
};

/// So many packets are decoded unheard before a voice is heard: a decoder has forgotten everything after three.
const WARM_UP: u64 = 4;
/// What nobody would hear of a hole, beyond its first 180 ms, counts as silence.
const AUDIBLE_HOLE: Samples = Samples::from_ms(180);

impl Voice {
    /// Lets a quantum pass. Time is made up for at once, as nobody hears it.
    pub(super) fn pass(&mut self, quantum: Samples, mut pull: Pull<'_>) {
        while self.passing < quantum {
            let missing = quantum - self.passing;
            match pull.jitter.decide(pull.now, self.passing) {
                Decision::Wait => {
                    pull.stats.samples.silence += missing.count();
                    self.passing = quantum;
                }
                Decision::Play { slot, pause } => self.pass_packet(&slot, pause, &mut pull),
                Decision::Recover(Slot { duration: length, .. }) | Decision::RecoverDeep { length, .. } => {
                    self.settle(Samples::ZERO, &mut pull);
                    self.pass_sound(length, &mut pull);
                }
                Decision::Skip(slot) => pull.report(self.passing, slot.sequence, slot.media, Source::Skipped),
                Decision::Conceal => {
                    let audible = !self.passes_silence();
                    self.hole.count(missing, audible, pull.jitter, &mut pull.stats.samples);
                    self.passing = quantum;
                }
            }
        }
        self.passing = self.passing - quantum;
    }

    fn pass_packet(&mut self, slot: &Slot, pause: Samples, pull: &mut Pull<'_>) {
        self.settle(pause, pull);
        pull.report(self.passing, slot.sequence, slot.media, Source::Unmixed);
        self.pass_sound(slot.duration, pull);
        self.hole.resting = slot.dtx;
    }

    fn pass_sound(&mut self, length: Samples, pull: &mut Pull<'_>) {
        let samples = &mut pull.stats.samples;
        samples.unmixed += length.count();
        self.passing += length;
        match pull.jitter.steer(pull.now, self.passing, Sound::Pause, length) {
            Move::Stay => {}
            Move::Faster(by) => {
                let by = by.min(length);
                samples.removed += by.count();
                self.passing = self.passing - by;
            }
            Move::Slower(by) => {
                samples.inserted += by.count();
                self.passing += by;
            }
        }
    }

    /// Is there nothing in it any more but silence?
    pub(super) fn passes_silence(&self) -> bool {
        self.hole.resting || self.hole.length() > AUDIBLE_HOLE
    }

    /// One packet decoded for the ear of the room alone: whether it is speech.
    pub(super) fn listen(&mut self, payload: &[u8]) -> &[f32] {
        let width = self.channels.count();
        let space = self.pending.space(Samples::new(MAX_PACKET_SAMPLES as u64));
        let decoded = self.decoder.decode(payload, space).unwrap_or(0);
        self.decodes += 1;
        &space[..decoded * width]
    }

    /// From now on nobody hears it.
    pub(super) fn step_back(&mut self) {
        self.passing = self.pending.len();
        self.pending.clear();
    }

    /// From now on it is heard: the decoder hears what has just passed, and what of it still lies ahead waits to be played.
    pub(super) fn warm_up(&mut self, jitter: &JitterBuffer) {
        let ahead = std::mem::take(&mut self.passing);
        self.pending.space(ahead).fill(0.0);
        self.pending.push(ahead);
        for slot in (1..=WARM_UP).rev().filter_map(|back| jitter.played(back)) {
            let space = self.pending.space(Samples::new(MAX_PACKET_SAMPLES as u64));
            let Ok(decoded) = self.decoder.decode(jitter.payload(&slot), space) else { continue };
            self.decodes += 1;
            let sound = self.pending.push(Samples::new(decoded as u64));
            self.hole.close(sound, self.channels.count());
            self.pending.keep(ahead);
        }
    }
}
