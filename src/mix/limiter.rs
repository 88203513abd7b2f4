//! A look-ahead limiter for one output: the mix comes in, the same mix leaves 0.5 ms later and never above −1 dBTP.
//!
//! Each frame's true peak says how far it must be turned down. The least such gain of the next 0.5 ms, let go slowly, and
//! smoothed by two moving averages, multiplies the delayed mix: it is down before the peak leaves, and it has no
//! corner. An average over the span of the minimum cannot exceed what any frame in that span asks for (P. Hämäläinen,
//! "Smoothing of the control signal without clipped output in digital peak limiters", DAFx 2002). Gains are whole
//! numbers, so that running sums are exact: at rest the gain is exactly 1, and nothing drifts or becomes denormal.

use super::{
    Db,
    true_peak::{BLOCK, REACH, peak_of, true_peaks},
};
use crate::{frame::Channels, time::Samples};

/// One gain for all channels of one output. Until something is too loud it is a delay that leaves every bit alone.
#[derive(Clone, Debug)]
pub struct Limiter {
    channels: Channels,
    /// What has come in and not yet left, then the chunk that is coming in; interleaved.
    line: [f32; LINE],
    gain: Gain,
}

impl Limiter {
    /// Between what comes in and what leaves.
    pub const LOOKAHEAD: Samples = Samples::new(DELAY as u64);
    /// What the limiter aims at. A little below −1 dBTP, because a moving gain bends the wave between
    /// samples, and because meters differ.
    pub const CEILING: Db = Db(-1.1);

    /// A limiter at rest.
    ///
    /// # Real-time
    /// Safe.
    #[must_use]
    pub fn new(channels: Channels) -> Self {
        Self { channels, line: [0.0; LINE], gain: Gain::new() }
    }

    /// Takes a frame of the mix and leaves in its place what came [`Limiter::LOOKAHEAD`] earlier, limited. What is
    /// not finite counts as 0. Frames of any length give the same samples.
    ///
    /// # Real-time
    /// Safe.
    pub fn process(&mut self, frame: &mut [f32]) {
        for chunk in frame.chunks_mut(CHUNK * self.channels.count()) {
            self.process_chunk(chunk);
        }
    }

    /// The deepest it has turned down so far, as a positive number.
    ///
    /// # Real-time
    /// Safe.
    #[must_use]
    pub fn max_reduction_db(&self) -> f32 {
        0.0 - Db::from_linear(gain_of(self.gain.lowest)).0
    }

    /// Is it a mere delay at the moment?
    ///
    /// # Real-time
    /// Safe.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.gain.is_resting()
    }

    /// Becomes what `other` is, memory and all: for a mix that forks from another.
    ///
    /// # Real-time
    /// Safe.
    pub fn copy_from(&mut self, other: &Self) {
        self.clone_from(other);
    }

    fn process_chunk(&mut self, chunk: &mut [f32]) {
        let width = self.channels.count();
        let (delayed, new) = (DELAY * width, chunk.len());
        take_in(&mut self.line[delayed..], chunk);
        chunk.copy_from_slice(&self.line[..new]);
        let seen = &self.line[delayed - REACH * width..delayed + new];
        if peak_of(seen) > QUIET || !self.is_idle() {
            self.turn_down(chunk, width);
        }
        self.line.copy_within(new..new + delayed, 0);
    }

    /// Scales `chunk`, which is about to leave, by what the true peaks of the chunk that has come in ask for.
    fn turn_down(&mut self, chunk: &mut [f32], width: usize) {
        let mut peaks = [0.0; 2 * CHUNK];
        let peaks = &mut peaks[..chunk.len()];
        true_peaks(&self.line[(DELAY - REACH) * width..], width, QUIET, peaks);
        if self.is_idle() && peak_of(peaks) <= CEILING {
            return;
        }
        let frames = chunk.len() / width;
        if width > 1 {
            (0..frames).for_each(|frame| peaks[frame] = peak_of(&peaks[frame * width..][..width]));
        }
        let gains = &mut peaks[..frames];
        self.gain.follow(gains);
        scale(chunk, width, gains);
    }
}

/// Multiplies each frame of `width` samples by its gain.
fn scale(chunk: &mut [f32], width: usize, gains: &[f32]) {
    if width == 1 {
        return chunk.iter_mut().zip(gains).for_each(|(sample, gain)| *sample *= gain);
    }
    for (frame, gain) in chunk.chunks_exact_mut(width).zip(gains) {
        frame.iter_mut().for_each(|sample| *sample *= gain);
    }
}

/// Look-ahead, in frames.
const DELAY: usize = 24;
/// The most that is worked on at once, in frames; bounds the memory, nothing else.
const CHUNK: usize = 120;
/// Two channels, and what the filters may read beyond.
const LINE: usize = 2 * (DELAY + CHUNK) + BLOCK;
/// The same as a factor.
const CEILING: f32 = 0.881_048_9;
/// Where no sample is above this no filter can answer more than the ceiling: the largest of them sums to 2.023.
const QUIET: f32 = CEILING / 2.03;

/// Copies `from` to `to`, 0 for what is not finite.
fn take_in(to: &mut [f32], from: &[f32]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to = if from.abs() < f32::INFINITY { *from } else { 0.0 };
    }
}

/// Gain 1 as a whole number.
const ONE: u32 = 1 << 30;
/// How many frames the least gain is held for: the look-ahead and the newest.
const HOLD: usize = DELAY + 1;
/// The moving averages. Together they span 14 frames, what the filters' reach leaves of the look-ahead.
const LONG: usize = 8;
const SHORT: usize = 7;
/// Both averages' sum at rest.
const RESTING: i64 = ONE as i64 * (LONG * SHORT) as i64;
/// Frames in which a release covers 63 % of the way back: 150 ms.
const RELEASE: u32 = 7200;
/// The slowest release, so that it ends: the whole way in 10 s.
const CRAWL: u32 = ONE / 480_000;

/// From true peaks to the gain of the frame that leaves.
#[derive(Clone, Debug)]
struct Gain {
    least: Least,
    held: u32,
    long: Average<LONG>,
    short: Average<SHORT>,
    /// The lowest sum so far.
    lowest: i64,
}

impl Gain {
    fn new() -> Self {
        Self {
            least: Least::new(),
            held: ONE,
            long: Average::resting_at(i64::from(ONE)),
            short: Average::resting_at(i64::from(ONE) * LONG as i64),
            lowest: RESTING,
        }
    }

    /// At rest the newest of everything held is 1, so the least of the look-ahead is 1 as well.
    fn is_resting(&self) -> bool {
        self.short.sum == RESTING
    }

    /// Each frame's peak becomes the gain of the frame that leaves then. Step by step for all of them, as loops of one step each are
    /// three times as fast.
    fn follow(&mut self, peaks: &mut [f32]) {
        let mut sums = [0; CHUNK];
        let sums = &mut sums[..peaks.len()];
        for (held, peak) in sums.iter_mut().zip(&*peaks) {
            let least = self.least.next(wanted(*peak));
            *held = i64::from(self.hold(least));
        }
        self.long.run(sums);
        self.short.run(sums);
        self.lowest = sums.iter().copied().fold(self.lowest, i64::min);
        peaks.iter_mut().zip(sums).for_each(|(gain, sum)| *gain = gain_of(*sum));
    }

    /// Down at once, back slowly.
    fn hold(&mut self, least: u32) -> u32 {
        let back = least.saturating_sub(self.held);
        self.held = least.min(self.held + back.min(back / RELEASE + CRAWL));
        self.held
    }
}

/// The gain that brings `peak` down to the ceiling.
fn wanted(peak: f32) -> u32 {
    if peak <= CEILING { ONE } else { (CEILING / peak * ONE as f32) as u32 }
}

fn gain_of(sum: i64) -> f32 {
    (sum as f64 / RESTING as f64) as f32
}

/// The sum of the last `N` values, exact.
#[derive(Clone, Debug)]
struct Average<const N: usize> {
    /// The oldest first.
    values: [i64; N],
    sum: i64,
}

impl<const N: usize> Average<N> {
    fn resting_at(value: i64) -> Self {
        Self { values: [value; N], sum: value * N as i64 }
    }

    /// Each value becomes the sum that ends with it.
    fn run(&mut self, values: &mut [i64]) {
        let mut line = [0; LONG + CHUNK];
        let line = &mut line[..N + values.len()];
        line[..N].copy_from_slice(&self.values);
        line[N..].copy_from_slice(values);
        for (value, oldest) in values.iter_mut().zip(&*line) {
            self.sum += *value - oldest;
            *value = self.sum;
        }
        self.values.copy_from_slice(&line[line.len() - N..]);
    }
}

/// The least of the last [`HOLD`] values, in constant time on average: van Herk, "A fast algorithm for local minimum and
/// maximum filters", Pattern Recognition Letters 13 (1992).
#[derive(Clone, Debug)]
struct Least {
    /// Up to `at` the values of this round; from there on, each the least of the last round from that place on.
    values: [u32; HOLD],
    /// The least of this round so far.
    recent: u32,
    at: usize,
}

impl Least {
    fn new() -> Self {
        Self { values: [ONE; HOLD], recent: ONE, at: 0 }
    }

    fn next(&mut self, value: u32) -> u32 {
        if let Some(place) = self.values.get_mut(self.at) {
            *place = value;
        }
        self.recent = self.recent.min(value);
        self.at += 1;
        if let Some(earlier) = self.values.get(self.at) {
            return self.recent.min(*earlier);
        }
        let least = std::mem::replace(&mut self.recent, ONE);
        self.at = 0;
        self.values.iter_mut().rev().fold(ONE, |least, value| {
            *value = least.min(*value);
            *value
        });
        least
    }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "what is tested is exact")]
mod tests {
    use super::*;
    use crate::mix::true_peak::{FILTERS, TAPS};
    use ebur128::{EbuR128, Mode};
    use proptest::prelude::*;
    use std::f32::consts::TAU;

    struct Noise(u32);

    impl Noise {
        /// White, −1…1.
        fn next(&mut self) -> f32 {
            self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (self.0 >> 8) as f32 / (1 << 23) as f32 - 1.0
        }
    }

    fn limited(channels: Channels, input: &[f32], block: usize) -> Vec<f32> {
        let mut limiter = Limiter::new(channels);
        let mut out = input.to_vec();
        out.chunks_mut(block * channels.count()).for_each(|frame| limiter.process(frame));
        out
    }

    /// The true peak of one channel by both meters: libebur128's and the letter of BS.1770-4.
    fn true_peak(signal: &[f32]) -> Db {
        let mut meter = EbuR128::new(1, 48_000, Mode::TRUE_PEAK).unwrap();
        meter.add_frames_f32(signal).unwrap();
        let mut peak = meter.true_peak(0).unwrap() as f32;
        for window in signal.windows(TAPS) {
            for filter in [&FILTERS[0], &FILTERS[2]] {
                let at = |value: f32, (tap, sample): (&f32, &f32)| value + tap * sample;
                let ahead = filter.iter().zip(window).fold(0.0, at);
                let back = filter.iter().rev().zip(window).fold(0.0, at);
                peak = peak.max(ahead.abs()).max(back.abs());
            }
        }
        Db::from_linear(peak)
    }

    fn sine(hz: f32, phase: f32, gain: f32) -> Vec<f32> {
        (0..24_000).map(|n| gain * (TAU * (hz * n as f32 / 48_000.0).fract() + phase).sin()).collect()
    }

    /// What a mix should never be, by name.
    fn hostile() -> Vec<(String, Vec<f32>)> {
        let mut noise = Noise(7);
        let mut all: Vec<(String, Vec<f32>)> = Vec::new();
        for half in [1, 2, 3, 5, 24, 240, 2400] {
            let square = (0..24_000).map(|n| if n / half % 2 == 0 { 1.0 } else { -1.0 }).collect();
            all.push((format!("square wave, {half} samples up"), square));
        }
        for gain in [1.0, 2.0, 10.0, 100.0] {
            for hz in [50.0, 440.0, 3000.0, 9000.0, 12_000.0, 14_500.0, 17_000.0, 19_000.0] {
                all.push((format!("sine of {hz} Hz × {gain}"), sine(hz, TAU / 8.0, gain)));
            }
            let bursts = |n| gain * noise.next() * if n / 700 % 3 == 0 { 1.0 } else { 0.05 };
            all.push((format!("noise bursts × {gain}"), (0..24_000).map(bursts).collect()));
            let signs = |_| gain * noise.next().signum();
            all.push((format!("random signs × {gain}"), (0..24_000).map(signs).collect()));
            let clicks = |n| if n % 501 == 0 { gain } else { 0.8 * noise.next() };
            all.push((format!("clicks × {gain} in noise"), (0..24_000).map(clicks).collect()));
            let pairs = |n| if n % 701 < 2 { gain } else { 0.0 };
            all.push((format!("pairs of samples × {gain}"), (0..24_000).map(pairs).collect()));
        }
        let voices =
            |n: i32| (1..65).map(|k| (TAU * 97.3 * k as f32 * n as f32 / 48_000.0).sin() * 0.5).sum();
        all.push(("64 voices".to_owned(), (0..24_000).map(voices).collect()));
        all
    }

    #[test]
    fn nothing_leaves_above_minus_1_dbtp() {
        for (name, signal) in hostile() {
            let peak = true_peak(&limited(Channels::Mono, &signal, 480));
            assert!(peak.0 <= -1.0, "{name}: {} dBTP", peak.0);
        }
    }

    #[test]
    fn below_the_ceiling_it_is_a_delay_that_leaves_every_bit_alone() {
        // The filters' gain in the passband is up to 0.02 dB above 1.
        let signal = sine(997.0, 0.3, CEILING * 0.997);
        let out = limited(Channels::Mono, &signal, 480);
        assert_eq!(out[..DELAY], [0.0; DELAY]);
        assert!(out[DELAY..] == signal[..signal.len() - DELAY]);
    }

    #[test]
    fn the_gain_is_down_before_the_peak_leaves_and_both_channels_share_it() {
        let mut signal = vec![0.5; 2 * 960];
        signal[2 * 480] = 8.0;
        let out = limited(Channels::Stereo, &signal, 480);
        let peak = out[2 * (480 + DELAY)];
        assert!(peak > 0.8 && peak <= CEILING, "{peak}");
        assert!(
            out.chunks(2)
                .skip(2 * DELAY)
                .enumerate()
                .all(|(n, pair)| n + 2 * DELAY == 480 + DELAY || pair[0] == pair[1])
        );
    }

    #[test]
    fn the_gain_never_jumps() {
        let mut signal = vec![0.01; 4800];
        signal[1000] = 100.0;
        let mut out = limited(Channels::Mono, &signal, 480);
        out[1000 + DELAY] = out[999 + DELAY];
        let steepest = out[DELAY..].windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f32::max);
        // The whole way down spread over 8 frames or more.
        assert!(steepest <= 0.01 / 8.0 * 1.001, "{steepest}");
    }

    #[test]
    fn it_comes_to_rest_again() {
        let mut limiter = Limiter::new(Channels::Mono);
        let mut frame = [10.0; 480];
        limiter.process(&mut frame);
        assert!(!limiter.is_idle());
        for _ in 0..200 {
            limiter.process(&mut [0.0; 480]);
        }
        assert!(limiter.is_idle());
        // 20 dB, what the ceiling takes, and the overshoot of the wave at the edge.
        assert!((21.1..23.0).contains(&limiter.max_reduction_db()), "{}", limiter.max_reduction_db());
        let signal = sine(440.0, 0.0, 0.5);
        let mut out = signal.clone();
        limiter.process(&mut out);
        assert!(out[DELAY..] == signal[..signal.len() - DELAY]);
    }

    #[test]
    fn what_is_not_finite_counts_as_zero() {
        let bad =
            [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MAX, f32::MIN, -f32::NAN, f32::MIN_POSITIVE];
        let mut signal = vec![0.1; 2000];
        for (at, value) in bad.iter().cycle().take(600).enumerate() {
            signal[300 + at] = *value;
        }
        let out = limited(Channels::Mono, &signal, 480);
        assert!(out.iter().all(|sample| sample.abs() <= Db(-1.0).to_linear()));
        let mut with_nan = vec![0.1; 960];
        let mut with_zero = with_nan.clone();
        (with_nan[500], with_zero[500]) = (f32::NAN, 0.0);
        assert_eq!(limited(Channels::Mono, &with_nan, 480), limited(Channels::Mono, &with_zero, 480));
    }

    #[test]
    fn a_copy_goes_on_as_the_original_does() {
        let signal = sine(300.0, 0.0, 3.0);
        let mut original = Limiter::new(Channels::Mono);
        original.process(&mut signal.clone());
        let mut copy = Limiter::new(Channels::Mono);
        copy.copy_from(&original);
        let (mut one, mut other) = (signal.clone(), signal);
        original.process(&mut one);
        copy.process(&mut other);
        assert_eq!(one, other);
    }

    #[test]
    fn the_quiet_bound_covers_every_filter() {
        for filter in FILTERS {
            let highest: f32 = filter.iter().map(|tap| tap.abs()).sum();
            assert!(highest * QUIET < CEILING);
        }
        assert!((Db::from_linear(CEILING).0 - Limiter::CEILING.0).abs() < 1e-5);
    }

    proptest! {
        #[test]
        fn the_least_is_the_naive_one(values in prop::collection::vec(0..ONE, 1..500)) {
            let mut least = Least::new();
            for (at, value) in values.iter().enumerate() {
                let window = &values[at.saturating_sub(HOLD - 1)..=at];
                prop_assert_eq!(least.next(*value), *window.iter().min().unwrap());
            }
        }

        #[test]
        fn the_block_length_does_not_matter(seed: u32, block in 1..1000_usize, stereo: bool) {
            let mut noise = Noise(seed);
            let mut level = 0.0;
            let signal: Vec<f32> = (0..6000).map(|n| {
                if n % 500 == 0 { level = 2.0 * noise.next() }
                level * noise.next()
            }).collect();
            let channels = if stereo { Channels::Stereo } else { Channels::Mono };
            prop_assert_eq!(limited(channels, &signal, block), limited(channels, &signal, 480));
        }

        #[test]
        fn random_noise_stays_below_minus_1_dbtp(seed: u32, gain in 0.5..30.0_f32, length in 1..400_usize) {
            let mut noise = Noise(seed);
            let signal: Vec<f32> = (0..4000)
                .map(|n| if n / length % 2 == 0 { gain * noise.next() } else { 0.1 * noise.next() })
                .collect();
            prop_assert!(true_peak(&limited(Channels::Mono, &signal, 240)).0 <= -1.0);
        }
    }
}
