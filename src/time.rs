//! One clock. Everything is counted in samples at 48 kHz: the room clock ([`SampleTime`]), a sender's own clock
//! ([`MediaTime`]), and stretches of either ([`Samples`]). Conversions from and to milliseconds live here only. Policy
//! knows wall time too ([`UnixMs`]), as an argument.

use std::ops::{Add, AddAssign, Sub};

/// Samples a second on every clock of the engine; also the RTP clock rate of Opus (RFC 7587 §4.1).
pub const RATE_HZ: u32 = 48_000;

const SAMPLES_PER_MS: u64 = RATE_HZ as u64 / 1000;

/// A moment on the room clock: samples since the room opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "room", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
pub struct SampleTime(u64);

impl SampleTime {
    /// The moment the room opened.
    pub const ZERO: Self = Self(0);

    /// The moment `samples` after the room opened.
    #[must_use]
    pub const fn from_samples(samples: u64) -> Self {
        Self(samples)
    }

    /// The sample nearest to `ms` milliseconds after the room opened; negative times are the opening.
    #[must_use]
    pub fn from_ms(ms: f64) -> Self {
        Self((ms * SAMPLES_PER_MS as f64).round() as u64)
    }

    /// Samples since the room opened.
    #[must_use]
    pub const fn samples(self) -> u64 {
        self.0
    }

    /// Milliseconds since the room opened.
    #[must_use]
    pub fn as_ms(self) -> f64 {
        self.0 as f64 / SAMPLES_PER_MS as f64
    }

    /// What has passed since `earlier`; nothing if it lies ahead.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Samples {
        Samples(self.0.saturating_sub(earlier.0))
    }

    /// The moment `span` before this one, the opening at the earliest.
    #[must_use]
    pub const fn before(self, span: Samples) -> Self {
        Self(self.0.saturating_sub(span.0))
    }
}

impl Add<Samples> for SampleTime {
    type Output = Self;

    fn add(self, span: Samples) -> Self {
        Self(self.0.saturating_add(span.0))
    }
}

impl AddAssign<Samples> for SampleTime {
    fn add_assign(&mut self, span: Samples) {
        *self = *self + span;
    }
}

/// A moment on a sender's own clock: its RTP timestamps, unwrapped. The origin is arbitrary and far from zero, so that
/// what was sent before the first arrival has a place too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MediaTime(u64);

impl MediaTime {
    /// Where a sender's first packet is put.
    pub const ORIGIN: Self = Self(1 << 40);

    /// The moment `samples` after the clock's zero.
    #[must_use]
    pub const fn from_samples(samples: u64) -> Self {
        Self(samples)
    }

    /// Samples since the clock's zero.
    #[must_use]
    pub const fn samples(self) -> u64 {
        self.0
    }

    /// What has passed since `earlier`; nothing if it lies ahead.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Samples {
        Samples(self.0.saturating_sub(earlier.0))
    }

    /// How far `arrived` on the room clock is ahead of this moment: transit time plus the clocks' unknown distance.
    #[must_use]
    pub const fn transit(self, arrived: SampleTime) -> i64 {
        (arrived.0 as i64).wrapping_sub(self.0 as i64)
    }
}

impl Add<Samples> for MediaTime {
    type Output = Self;

    fn add(self, span: Samples) -> Self {
        Self(self.0.saturating_add(span.0))
    }
}

impl Sub<Samples> for MediaTime {
    type Output = Self;

    fn sub(self, span: Samples) -> Self {
        Self(self.0.saturating_sub(span.0))
    }
}

/// A stretch of time, in samples at 48 kHz (per channel).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "room", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
pub struct Samples(u64);

impl Samples {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// A stretch of `count` samples.
    #[must_use]
    pub const fn new(count: u64) -> Self {
        Self(count)
    }

    /// A stretch of `ms` milliseconds.
    #[must_use]
    pub const fn from_ms(ms: u32) -> Self {
        Self(ms as u64 * SAMPLES_PER_MS)
    }

    /// A stretch of `ms` milliseconds, however long.
    #[must_use]
    pub const fn from_long_ms(ms: u64) -> Self {
        Self(ms.saturating_mul(SAMPLES_PER_MS))
    }

    /// How many samples.
    #[must_use]
    pub const fn count(self) -> u64 {
        self.0
    }

    /// How many samples, as a slice's length.
    #[must_use]
    pub const fn len(self) -> usize {
        self.0 as usize
    }

    /// Is it nothing?
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// In milliseconds.
    #[must_use]
    pub fn as_ms(self) -> f64 {
        self.0 as f64 / SAMPLES_PER_MS as f64
    }
}

impl Add for Samples {
    type Output = Self;

    fn add(self, more: Self) -> Self {
        Self(self.0.saturating_add(more.0))
    }
}

impl AddAssign for Samples {
    fn add_assign(&mut self, more: Self) {
        *self = *self + more;
    }
}

impl Sub for Samples {
    type Output = Self;

    fn sub(self, less: Self) -> Self {
        Self(self.0.saturating_sub(less.0))
    }
}

/// A moment on a sender's wall clock as RTCP tells it: seconds since 1900 in 32 bits, and 32 bits of their fraction
/// (RFC 3550 §4). Which clock that is, and whether it is right, only the sender knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NtpTime(pub u64);

impl NtpTime {
    /// The same moment in samples, counted from the same beginning.
    #[must_use]
    pub const fn samples(self) -> i64 {
        ((self.0 as u128 * RATE_HZ as u128) >> 32) as i64
    }

    /// The moment so many samples after the beginning.
    #[must_use]
    pub const fn from_samples(samples: u64) -> Self {
        Self((((samples as u128) << 32).div_ceil(RATE_HZ as u128)) as u64)
    }
}

/// Wall time: milliseconds since the Unix epoch. It may jump; nothing that is heard depends on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "room", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
pub struct UnixMs(pub u64);

impl UnixMs {
    /// What has passed since `earlier`, in milliseconds; nothing if it lies ahead.
    #[must_use]
    pub const fn ms_since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// The block a room advances by at each tick.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Quantum {
    /// 2.5 ms, 120 samples.
    Ms2_5,
    /// 5 ms, 240 samples.
    Ms5,
    /// 10 ms, 480 samples: the default.
    #[default]
    Ms10,
    /// 20 ms, 960 samples.
    Ms20,
}

impl Quantum {
    /// Its length.
    #[must_use]
    pub const fn samples(self) -> Samples {
        Samples(match self {
            Self::Ms2_5 => 120,
            Self::Ms5 => 240,
            Self::Ms10 => 480,
            Self::Ms20 => 960,
        })
    }

    /// The quantum of `ms` milliseconds: 2.5, 5, 10 or 20.
    #[must_use]
    pub fn from_ms(ms: f64) -> Option<Self> {
        [Self::Ms2_5, Self::Ms5, Self::Ms10, Self::Ms20]
            .into_iter()
            .find(|quantum| (quantum.samples().as_ms() - ms).abs() < 1e-9)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn milliseconds_and_samples_convert_both_ways() {
        assert_eq!(SampleTime::from_ms(2.5).samples(), 120);
        assert!((SampleTime::from_samples(481).as_ms() - 10.020_833).abs() < 1e-6);
        assert_eq!(SampleTime::from_ms(-3.0), SampleTime::ZERO);
        assert_eq!(Samples::from_ms(20).count(), 960);
    }

    #[test]
    fn differences_never_wrap() {
        let early = SampleTime::from_samples(5);
        assert_eq!(early.since(SampleTime::from_samples(9)), Samples::ZERO);
        assert_eq!(early.before(Samples::new(9)), SampleTime::ZERO);
        assert_eq!(Samples::new(3) - Samples::new(4), Samples::ZERO);
    }

    #[test]
    fn transit_is_signed() {
        let media = MediaTime::ORIGIN;
        assert_eq!(media.transit(SampleTime::ZERO), -(1 << 40));
        assert_eq!((media + Samples::new(7)).transit(SampleTime::from_samples(10)), 3 - (1 << 40));
    }

    #[test]
    fn only_four_quanta_exist() {
        assert_eq!(Quantum::from_ms(2.5), Some(Quantum::Ms2_5));
        assert_eq!(Quantum::from_ms(10.0), Some(Quantum::Ms10));
        assert_eq!(Quantum::from_ms(15.0), None);
    }
}
