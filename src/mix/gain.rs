//! A voice's level: changes with the sample they begin at come in, the voice's frames leave scaled.
//!
//! Everything is computed from the room clock, never from where a frame happens to begin, so that quanta of any length
//! give the same bytes.

use crate::{
    frame::Channels,
    time::{SampleTime, Samples},
};

/// A level or a gain in decibels: 20 dB are a factor of ten.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
pub struct Db(pub f32);

impl Db {
    /// Nothing to hear. The level that stands for silence in RFC 6464 §3; as a gain, zero.
    pub const SILENCE: Self = Self(-127.0);

    /// The factor it stands for.
    ///
    /// # Real-time
    /// Safe.
    #[must_use]
    pub fn to_linear(self) -> f32 {
        if self <= Self::SILENCE { 0.0 } else { 10f32.powf(self.0 / 20.0) }
    }

    /// The level of a factor, [`Db::SILENCE`] at the least.
    ///
    /// # Real-time
    /// Safe.
    #[must_use]
    pub fn from_linear(factor: f32) -> Self {
        Self((20.0 * factor.log10()).max(Self::SILENCE.0))
    }
}

/// One voice's level on every mix: gain × mute × pan. Changes wait for their sample; a moment that has already passed
/// means the first sample of the next frame.
///
/// Pan is a balance: the far side is turned down linearly, the near side stays, both are at unity in the centre (as
/// GStreamer's `audiopanorama` does by its `simple` method).
#[derive(Clone, Debug)]
pub struct Fader {
    gain: Ramp,
    mute: Ramp,
    pan: Ramp,
    /// In the order they happen.
    pending: Vec<Change>,
    /// The end of the last frame.
    now: SampleTime,
    /// Has any sound come by? Until then there is nothing that a step could click in.
    heard: bool,
}

impl Fader {
    /// How many changes can wait for their sample.
    pub const MAX_PENDING: usize = 16;
    /// The longest that a mute, an unmute or a pan takes: short enough to be at once, long enough not to click.
    pub const FADE: Samples = Samples::from_ms(5);
    /// The highest gain, +60 dB.
    pub const MAX_GAIN: f32 = 1000.0;

    /// A fader at unity.
    ///
    /// # Real-time
    /// Allocates.
    #[must_use]
    pub fn new() -> Self {
        Self {
            gain: Ramp::resting(1.0),
            mute: Ramp::resting(1.0),
            pan: Ramp::resting(0.0),
            pending: Vec::with_capacity(Self::MAX_PENDING),
            now: SampleTime::ZERO,
            heard: false,
        }
    }

    /// Brings the gain to the factor `to` (0…[`Fader::MAX_GAIN`]) in a straight line: `at` is the first sample that
    /// differs, `at + over − 1` the first with the new gain. False if too many changes wait already.
    ///
    /// # Real-time
    /// Safe.
    pub fn gain(&mut self, to: f32, at: SampleTime, over: Samples) -> bool {
        self.plan(Change { at, over, dial: Dial::Gain, to: within(to, 0.0, Self::MAX_GAIN) })
    }

    /// Silences the voice within [`Fader::FADE`], at once if nothing of it was heard yet; `at` is the first sample that
    /// differs. False as for [`Fader::gain`].
    ///
    /// # Real-time
    /// Safe.
    pub fn mute(&mut self, at: SampleTime) -> bool {
        self.plan(Change { at, over: Self::FADE, dial: Dial::Mute, to: 0.0 })
    }

    /// Lets the voice be heard again; `at` is the first sample that differs. False as for [`Fader::gain`].
    ///
    /// # Real-time
    /// Safe.
    pub fn unmute(&mut self, at: SampleTime) -> bool {
        self.plan(Change { at, over: Self::FADE, dial: Dial::Mute, to: 1.0 })
    }

    /// Moves the voice to −1 (left) … 1 (right); mono rooms ignore it. False as for [`Fader::gain`].
    ///
    /// # Real-time
    /// Safe.
    pub fn pan(&mut self, to: f32, at: SampleTime) -> bool {
        self.plan(Change { at, over: Self::FADE, dial: Dial::Pan, to: within(to, -1.0, 1.0) })
    }

    /// Scales a frame whose first sample is room sample `at`.
    ///
    /// # Real-time
    /// Safe.
    pub fn apply(&mut self, at: SampleTime, channels: Channels, frame: &mut [f32]) {
        let mut now = at;
        let mut rest = frame;
        while !rest.is_empty() {
            self.take_due(now);
            let steps = self.next_turn(now).map_or(usize::MAX, |turn| turn.since(now).len());
            let split = steps.saturating_mul(channels.count()).min(rest.len());
            let (part, later) = rest.split_at_mut(split);
            self.heard = self.heard || part.iter().any(|sample| *sample != 0.0);
            self.scale(now, channels, part);
            now += Samples::new((split / channels.count()) as u64);
            rest = later;
        }
        self.now = now;
    }

    /// Lets `over` samples from `at` pass unheard, for a voice that has no frame: what falls due meanwhile is done.
    ///
    /// # Real-time
    /// Safe.
    pub fn skip(&mut self, at: SampleTime, over: Samples) {
        let end = at + over;
        while let Some(due) = self.pending.first().map(|change| change.at).filter(|due| *due < end) {
            self.take_due(due.max(at));
        }
        self.now = end;
    }

    /// Is the voice out of every mix for good: muted or at gain zero, no ramp on its way, no change to come?
    ///
    /// # Real-time
    /// Safe.
    #[must_use]
    pub fn is_silent(&self) -> bool {
        let out = |ramp: &Ramp| ramp.to == 0.0 && ramp.lands() <= self.now;
        self.pending.is_empty() && (out(&self.mute) || out(&self.gain))
    }

    /// Does it leave every bit alone from `at` on, as far as is known?
    ///
    /// # Real-time
    /// Safe.
    #[must_use]
    #[expect(clippy::float_cmp, reason = "a fader at rest is at exactly 1 or 0")]
    pub fn is_unity(&self, at: SampleTime) -> bool {
        let rests = |ramp: &Ramp, level: f32| ramp.to == level && ramp.lands() <= at;
        self.pending.is_empty() && rests(&self.gain, 1.0) && rests(&self.mute, 1.0) && rests(&self.pan, 0.0)
    }

    fn plan(&mut self, change: Change) -> bool {
        let room = self.pending.len() < Self::MAX_PENDING;
        if room {
            let place = self.pending.partition_point(|other| other.at <= change.at);
            self.pending.insert(place, change);
        }
        room
    }

    fn take_due(&mut self, now: SampleTime) {
        while let Some(change) = self.pending.first().copied().filter(|change| change.at <= now) {
            self.pending.remove(0);
            let at_once = !self.heard && !matches!(change.dial, Dial::Gain);
            let over = if at_once { Samples::ZERO } else { change.over };
            let ramp = match change.dial {
                Dial::Gain => &mut self.gain,
                Dial::Mute => &mut self.mute,
                Dial::Pan => &mut self.pan,
            };
            ramp.turn(change.to, now, over);
        }
    }

    /// The first sample after `now` at which a ramp lands or a change begins.
    fn next_turn(&self, now: SampleTime) -> Option<SampleTime> {
        let landings = [self.gain.lands(), self.mute.lands(), self.pan.lands()];
        landings
            .into_iter()
            .chain(self.pending.first().map(|change| change.at))
            .filter(|turn| *turn > now)
            .min()
    }

    /// Scales a part in which nothing begins and no ramp lands.
    fn scale(&self, from: SampleTime, channels: Channels, part: &mut [f32]) {
        let steady = [&self.gain, &self.mute, &self.pan].iter().all(|ramp| ramp.lands() <= from);
        match (steady, channels) {
            (true, Channels::Mono) => multiply(part, self.level(from)),
            (true, Channels::Stereo) => multiply_pairs(part, self.sides(from)),
            (false, Channels::Mono) => {
                for (passed, sample) in (0..).zip(part) {
                    *sample *= self.level(from + Samples::new(passed));
                }
            }
            (false, Channels::Stereo) => {
                for (passed, pair) in (0..).zip(part.chunks_mut(2)) {
                    scale_pair(pair, self.sides(from + Samples::new(passed)));
                }
            }
        }
    }

    fn level(&self, at: SampleTime) -> f32 {
        self.gain.at(at) * self.mute.at(at)
    }

    fn sides(&self, at: SampleTime) -> [f32; 2] {
        let (level, pan) = (self.level(at), self.pan.at(at));
        [level * (1.0 - pan).min(1.0), level * (1.0 + pan).min(1.0)]
    }
}

impl Default for Fader {
    fn default() -> Self {
        Self::new()
    }
}

#[derive(Clone, Copy, Debug)]
struct Change {
    at: SampleTime,
    over: Samples,
    dial: Dial,
    to: f32,
}

#[derive(Clone, Copy, Debug)]
enum Dial {
    Gain,
    Mute,
    Pan,
}

/// A straight line from one value to another, then rest.
#[derive(Clone, Copy, Debug)]
struct Ramp {
    from: f32,
    to: f32,
    start: SampleTime,
    over: Samples,
}

impl Ramp {
    const fn resting(at: f32) -> Self {
        Self { from: at, to: at, start: SampleTime::ZERO, over: Samples::ZERO }
    }

    /// Heads for `to`, from the value that the sample before `at` had.
    fn turn(&mut self, to: f32, at: SampleTime, over: Samples) {
        *self = Self { from: self.after(at.since(self.start)), to, start: at, over };
    }

    fn at(&self, at: SampleTime) -> f32 {
        self.after(at.since(self.start) + Samples::new(1))
    }

    /// The value of the last of `passed` samples.
    fn after(&self, passed: Samples) -> f32 {
        if passed >= self.over {
            return self.to;
        }
        self.from + (self.to - self.from) * (passed.count() as f32 / self.over.count() as f32)
    }

    /// The first sample that has the value aimed at.
    fn lands(&self) -> SampleTime {
        self.start + (self.over - Samples::new(1))
    }
}

/// `value` between the limits; the lower one for what is not a number.
fn within(value: f32, low: f32, high: f32) -> f32 {
    value.max(low).min(high)
}

#[expect(clippy::float_cmp, reason = "a fader at rest is at exactly 1 or 0")]
fn multiply(part: &mut [f32], by: f32) {
    if by == 0.0 {
        part.fill(0.0);
    } else if by != 1.0 {
        part.iter_mut().for_each(|sample| *sample *= by);
    }
}

#[expect(clippy::float_cmp, reason = "both sides are the same product unless the voice is panned")]
fn multiply_pairs(part: &mut [f32], by: [f32; 2]) {
    if by[0] == by[1] {
        multiply(part, by[0]);
    } else {
        part.chunks_mut(2).for_each(|pair| scale_pair(pair, by));
    }
}

fn scale_pair(pair: &mut [f32], by: [f32; 2]) {
    for (sample, factor) in pair.iter_mut().zip(by) {
        *sample *= factor;
    }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "what is tested is exact")]
mod tests {
    use super::*;
    use crate::time::Quantum;
    use proptest::prelude::*;

    const QUANTA: [Quantum; 4] = [Quantum::Ms2_5, Quantum::Ms5, Quantum::Ms10, Quantum::Ms20];

    fn moment(sample: u64) -> SampleTime {
        SampleTime::from_samples(sample)
    }

    /// `total` samples of ones through the fader, in blocks of `block`.
    fn ones(fader: &mut Fader, channels: Channels, total: usize, block: usize) -> Vec<f32> {
        let mut out = vec![1.0; total * channels.count()];
        let mut at = SampleTime::ZERO;
        for frame in out.chunks_mut(block * channels.count()) {
            fader.apply(at, channels, frame);
            at += Samples::new((frame.len() / channels.count()) as u64);
        }
        out
    }

    #[test]
    fn decibels_convert_both_ways() {
        assert!((Db(20.0).to_linear() - 10.0).abs() < 1e-5);
        assert!((Db::from_linear(0.5).0 + 6.0206).abs() < 1e-3);
        assert_eq!(Db(f32::NEG_INFINITY).to_linear(), 0.0);
        assert_eq!(Db::from_linear(0.0), Db::SILENCE);
    }

    #[test]
    fn a_change_begins_at_its_sample_at_every_offset_of_every_quantum() {
        for quantum in QUANTA.map(|quantum| quantum.samples().len()) {
            for offset in quantum..2 * quantum {
                let mut fader = Fader::new();
                assert!(fader.mute(moment(offset as u64)));
                let out = ones(&mut fader, Channels::Mono, 4 * 960, quantum);
                assert_eq!(out.iter().position(|sample| *sample != 1.0), Some(offset));
                assert_eq!(out.iter().position(|sample| *sample == 0.0), Some(offset + 239));
                assert!(fader.is_silent());
            }
        }
    }

    #[test]
    fn a_ramp_over_nothing_is_a_step() {
        let mut fader = Fader::new();
        fader.gain(0.5, moment(7), Samples::ZERO);
        let out = ones(&mut fader, Channels::Mono, 20, 20);
        assert!(out[..7].iter().all(|sample| *sample == 1.0) && out[7..].iter().all(|sample| *sample == 0.5));
    }

    #[test]
    fn changes_at_the_same_sample_happen_in_the_order_given() {
        let mut fader = Fader::new();
        fader.gain(0.0, moment(10), Samples::ZERO);
        fader.gain(1.0, moment(10), Samples::new(4));
        let out = ones(&mut fader, Channels::Mono, 16, 16);
        assert_eq!(out[9..15], [1.0, 0.25, 0.5, 0.75, 1.0, 1.0]);
    }

    #[test]
    fn unity_leaves_every_bit_alone() {
        let bits = [0x8000_0000, 0x7fc0_1234, 0x0000_0001, 0x3f80_0001_u32];
        let mut frame = bits.map(f32::from_bits);
        Fader::new().apply(SampleTime::ZERO, Channels::Stereo, &mut frame);
        assert_eq!(frame.map(f32::to_bits), bits);
    }

    #[test]
    fn a_full_queue_refuses() {
        let mut fader = Fader::new();
        for _ in 0..Fader::MAX_PENDING {
            assert!(fader.mute(moment(1000)));
        }
        assert!(!fader.unmute(moment(1)));
        assert_eq!(ones(&mut fader, Channels::Mono, 5, 5), [1.0; 5]);
    }

    #[test]
    fn a_voice_that_was_never_heard_is_muted_without_a_fade() {
        let (mut fader, mut frame) = (Fader::new(), vec![0.0; 480]);
        fader.apply(SampleTime::ZERO, Channels::Mono, &mut frame);
        fader.mute(SampleTime::from_samples(500));
        frame.fill(1.0);
        frame[..20].fill(0.0);
        fader.apply(SampleTime::from_samples(480), Channels::Mono, &mut frame);
        assert_eq!(frame, [0.0; 480]);
    }

    #[test]
    fn a_muted_voice_with_a_change_to_come_is_not_out_for_good() {
        let mut fader = Fader::new();
        fader.mute(SampleTime::ZERO);
        fader.unmute(moment(1000));
        ones(&mut fader, Channels::Mono, 480, 480);
        assert!(!fader.is_silent());
        fader.skip(moment(480), Samples::new(1000));
        let mut frame = [1.0; 4];
        fader.apply(moment(1480), Channels::Mono, &mut frame);
        assert_eq!(frame, [1.0; 4]);
    }

    #[test]
    fn what_is_no_number_or_out_of_range_stays_in_range() {
        let mut fader = Fader::new();
        fader.gain(f32::NAN, SampleTime::ZERO, Samples::ZERO);
        fader.pan(f32::INFINITY, SampleTime::ZERO);
        fader.gain(f32::INFINITY, moment(2), Samples::ZERO);
        let out = ones(&mut fader, Channels::Mono, 3, 3);
        assert_eq!(out, [0.0, 0.0, Fader::MAX_GAIN]);
    }

    #[test]
    fn panned_aside_the_near_side_stays_at_unity() {
        let mut fader = Fader::new();
        fader.pan(-0.5, SampleTime::ZERO);
        let out = ones(&mut fader, Channels::Stereo, 480, 480);
        assert!(out.chunks(2).all(|pair| pair[0] == 1.0));
        assert_eq!(out[959], 0.5);
    }

    /// One change as drawn by proptest: the dial, its target, its sample, its length, and the block before which it is
    /// handed over.
    type Drawn = (u8, f32, u64, u64, usize);

    /// The same law, sample by sample and without cleverness.
    fn oracle(changes: &[Drawn], block: usize, total: usize) -> Vec<f32> {
        let mut waiting: Vec<Drawn> = Vec::new();
        // Of each dial: value of the previous sample, where its ramp began, from, to, length.
        let mut dials = [(1.0, 0, 1.0, 1.0, 0), (1.0, 0, 1.0, 1.0, 0), (0.0, 0, 0.0, 0.0, 0_u64)];
        let mut out = Vec::new();
        for now in 0..total {
            if now % block == 0 {
                waiting.extend(changes.iter().filter(|change| change.4 == now / block));
                waiting.sort_by_key(|change| change.2);
            }
            while waiting.first().is_some_and(|change| change.2 <= now as u64) {
                let (dial, to, _, over, _) = waiting.remove(0);
                // Before the first sample nothing was heard that a step could click in.
                let fade = if now == 0 { 0 } else { 240 };
                let (index, to, over) = match dial {
                    0 => (0, to.abs(), over),
                    1 => (1, f32::from(u8::from(to > 0.0)), fade),
                    _ => (2, to, fade),
                };
                dials[index] = (dials[index].0, now as u64, dials[index].0, to, over);
                if over == 0 {
                    dials[index].0 = to;
                }
            }
            for (value, start, from, to, over) in &mut dials {
                let passed = now as u64 - *start + 1;
                *value = if passed >= *over {
                    *to
                } else {
                    *from + (*to - *from) * (passed as f32 / *over as f32)
                };
            }
            let [level, pan] = [dials[0].0 * dials[1].0, dials[2].0];
            out.extend([level * (1.0 - pan).min(1.0), level * (1.0 + pan).min(1.0)]);
        }
        out
    }

    fn hand_over(fader: &mut Fader, &(dial, to, at, over, _): &Drawn) {
        assert!(match dial {
            0 => fader.gain(to.abs(), moment(at), Samples::new(over)),
            1 if to > 0.0 => fader.unmute(moment(at)),
            1 => fader.mute(moment(at)),
            _ => fader.pan(to, moment(at)),
        });
    }

    proptest! {
        #[test]
        fn every_sample_is_what_the_naive_fader_says(
            changes in prop::collection::vec(
                (0..3_u8, -1.0..1.0_f32, 0..3000_u64, prop_oneof![Just(0), Just(1), 2..700_u64], 0..3_usize), 0..12),
            quantum in 0..4_usize,
        ) {
            let block = QUANTA[quantum].samples().len();
            let mut fader = Fader::new();
            let mut out = vec![1.0; 2 * 3840];
            for (index, frame) in out.chunks_mut(2 * block).enumerate() {
                changes.iter().filter(|change| change.4 == index).for_each(|change| hand_over(&mut fader, change));
                fader.apply(moment((index * block) as u64), Channels::Stereo, frame);
            }
            prop_assert_eq!(out, oracle(&changes, block, 3840));
        }

        #[test]
        fn the_block_length_does_not_matter(
            changes in prop::collection::vec((0..3_u8, -1.0..1.0_f32, 0..1000_u64, 0..700_u64, Just(0)), 0..12),
            block in 1..961_usize,
        ) {
            let run = |block| {
                let mut fader = Fader::new();
                changes.iter().for_each(|change| hand_over(&mut fader, change));
                ones(&mut fader, Channels::Mono, 1920, block)
            };
            prop_assert_eq!(run(block), run(1920));
        }
    }
}
