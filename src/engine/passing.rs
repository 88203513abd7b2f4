//! A voice that no mix wants: its packets pass at the pace they would be played at, counted and undecoded, whether nobody hears
//! it or they are sent as they are. When it is to be mixed again, the last of them are decoded first, as a codec's memory is part
//! of its sound.

use super::{
    ears::Ears,
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
/// So many before it is mixed where its own packets were heard: the decoder is then itself again for the last 80 ms.
const RECALLED: u64 = 6;
/// Of a rest, so much is invented, so that no word is repeated.
const REST: Samples = Samples::from_ms(20);
/// What nobody would hear of a hole, beyond its first 180 ms, counts as silence.
const AUDIBLE_HOLE: Samples = Samples::from_ms(180);

impl Voice {
    /// Lets a quantum pass. Time is made up for at once where nobody hears it.
    pub(super) fn pass(&mut self, quantum: Samples, ears: Ears, mut pull: Pull<'_>) {
        let relayed = ears == Ears::Relay;
        while self.passing < quantum {
            let missing = quantum - self.passing;
            match pull.jitter.decide(pull.now, self.passing) {
                Decision::Wait => {
                    pull.stats.samples.silence += missing.count();
                    self.passing = quantum;
                }
                Decision::Play { slot, pause } if relayed => self.forward_packet(&slot, pause, &mut pull),
                Decision::Play { slot, pause } => self.pass_packet(&slot, pause, &mut pull),
                Decision::Recover(next) if relayed => self.forward_copy(&next, &mut pull),
                Decision::RecoverDeep { length, .. } if relayed => {
                    self.settle(Samples::ZERO, &mut pull);
                    pull.stats.samples.dred += length.count();
                    self.passing += length;
                }
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
        self.hole.rests(slot.dtx, self.decoder.is_silence(pull.jitter.payload(slot)));
    }

    /// A packet that is sent as it is. Its sound cannot be stretched: in a pause time passes faster by a packet that is left out, and
    /// slower by a gap.
    fn forward_packet(&mut self, slot: &Slot, pause: Samples, pull: &mut Pull<'_>) {
        self.settle(pause, pull);
        self.hole.rests(slot.dtx, self.decoder.is_silence(pull.jitter.payload(slot)));
        let (begins, length) = (self.passing, slot.duration);
        let is_voice = slot.speech.is_none_or(|speech| speech.voice);
        let sound = if is_voice { Sound::Music } else { Sound::Pause };
        let samples = &mut pull.stats.samples;
        samples.played += length.count();
        let after = match pull.jitter.steer(pull.now, begins + length, sound, length) {
            Move::Faster(by) if 10 * by.count() >= 9 * length.count() => {
                samples.removed += length.count();
                return pull.report(begins, slot.sequence, slot.media, Source::Skipped);
            }
            Move::Faster(_) | Move::Stay => Samples::ZERO,
            Move::Slower(by) => by,
        };
        samples.inserted += after.count();
        self.passing += length + after;
        let source = if slot.red { Source::Red } else { Source::Primary };
        pull.report(begins, slot.sequence, slot.media, source);
    }

    /// A lost packet of which `next` carries a copy: a gap in what is sent, and who hears it has the copy too.
    fn forward_copy(&mut self, next: &Slot, pull: &mut Pull<'_>) {
        self.settle(Samples::ZERO, pull);
        pull.stats.samples.fec += next.duration.count();
        let (sequence, media) = (next.sequence.saturating_sub(1), next.media - next.duration);
        pull.report(self.passing, sequence, media, Source::Fec);
        self.passing += next.duration;
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
        self.hole.resting || self.hole.length() >= AUDIBLE_HOLE
    }

    /// One packet decoded for the ear of the room alone: whether it is speech.
    pub(super) fn listen(&mut self, payload: &[u8]) -> &[f32] {
        let width = self.channels.count();
        let space = self.pending.space(Samples::new(MAX_PACKET_SAMPLES as u64));
        let decoded = self.decoder.decode(payload, space).unwrap_or(0);
        self.decodes += 1;
        &space[..decoded * width]
    }

    /// From now on no mix wants it.
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

    /// From now on it is mixed, on buses whose listeners have heard its own packets up to now: `past` becomes the sound of those,
    /// and what of it still lies ahead waits to be played.
    pub(super) fn recall(&mut self, jitter: &JitterBuffer, past: &mut [f32]) {
        let ahead = std::mem::take(&mut self.passing);
        past.fill(0.0);
        self.pending.space(ahead).fill(0.0);
        self.pending.push(ahead);
        for slot in (1..=RECALLED).rev().filter_map(|back| jitter.played(back)) {
            let space = self.pending.space(Samples::new(MAX_PACKET_SAMPLES as u64));
            let Ok(decoded) = self.decoder.decode(jitter.payload(&slot), space) else { continue };
            self.decodes += 1;
            let sound = self.pending.push(Samples::new(decoded as u64));
            self.hole.close(sound, self.channels.count());
            self.hand_over(ahead, past);
        }
        let silent = self.hole.length().min(AUDIBLE_HOLE);
        let gap = if self.hole.resting { silent.max(REST) } else { silent };
        if ahead.is_empty() && !gap.is_empty() {
            let width = self.channels.count();
            self.decodes += u32::from(self.hole.fill(gap, width, &mut self.decoder, &mut self.pending));
            self.hand_over(ahead, past);
        }
    }

    /// Whatever waits before the newest `ahead` moves to the end of `past`.
    fn hand_over(&mut self, ahead: Samples, past: &mut [f32]) {
        let width = self.channels.count();
        let beyond = (self.pending.len() - ahead).len() * width;
        let moved = beyond.min(past.len());
        self.pending.keep(ahead + Samples::new((moved / width) as u64));
        past.copy_within(moved.., 0);
        let end = past.len() - moved;
        self.pending.pop(&mut past[end..]);
    }
}
