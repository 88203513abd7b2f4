//! What the stage measures, and the snapshot a caller gets. Histograms are built on the control side; recording into them
//! allocates nothing.

use crate::{
    engine::LaneStats,
    speaker::{BusId, SpeakerId},
    time::{Quantum, Samples},
};
use hdrhistogram::Histogram;

/// A room at one moment. A room of many lanes fills it over several ticks, so that asking never makes a tick late.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RoomStats {
    /// Room time.
    pub samples: u64,
    /// The block it advances by.
    pub quantum: Quantum,
    /// Ticks so far.
    pub ticks: u64,
    /// Of them, those that nobody heard, as they came too late.
    pub passed: u64,
    /// Ticks that were not needed, as the room was at rest.
    pub rested: u64,
    /// What a tick takes, from the first datagram drained to the last packet handed out.
    pub tick_ns: Quantiles,
    /// How late ticks begin.
    pub lateness_ns: Quantiles,
    /// Ticks that were not done when the next was due.
    pub deadline_misses: u64,
    /// Packets decoded or concealed.
    pub decodes: u64,
    /// Mixes encoded.
    pub encodes: u64,
    /// The deepest any limiter has gone.
    pub limiter_max_reduction_db: f32,
    /// Packets that the recorder's backlog had no room for.
    pub unrecorded: u64,
    /// Events that the control side was too slow for.
    pub events_lost: u64,
    /// By place.
    pub speakers: Vec<SpeakerStats>,
    /// By place.
    pub buses: Vec<BusStats>,
}

/// One speaker.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SpeakerStats {
    /// Whose.
    pub speaker: SpeakerId,
    /// The engine's exact counters.
    pub lane: LaneStats,
    /// Datagrams that never reached the engine: see [`super::PushError`].
    pub refused: u64,
    /// Playout delay over the quickest transit, by packets heard.
    pub delay_ms: Spread,
    /// The delay the lane aimed at, by packets received: mean and largest.
    pub target_ms: (f64, f64),
}

/// One bus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BusStats {
    /// Which.
    pub bus: BusId,
    /// Packets or quanta that its reader was too slow for.
    pub dropped: u64,
}

/// A distribution's tail.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quantiles {
    /// Half are below.
    pub p50: u64,
    /// 99 % are below.
    pub p99: u64,
    /// 99.9 % are below.
    pub p99_9: u64,
    /// 99.99 % are below.
    pub p99_99: u64,
    /// All are.
    pub max: u64,
}

/// A distribution, in short.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Spread {
    /// The average.
    pub mean: f64,
    /// Half are below.
    pub p50: f64,
    /// 95 % are below.
    pub p95: f64,
    /// All are.
    pub max: f64,
}

impl From<&Histogram<u32>> for Quantiles {
    fn from(histogram: &Histogram<u32>) -> Self {
        let below = |quantile| histogram.value_at_quantile(quantile);
        Self {
            p50: below(0.5),
            p99: below(0.99),
            p99_9: below(0.999),
            p99_99: below(0.9999),
            max: histogram.max(),
        }
    }
}

/// A lane's delays.
#[derive(Debug)]
pub(super) struct Delays {
    samples: Histogram<u32>,
    sum: u64,
    target_max: Samples,
    target_sum: u64,
    target_count: u64,
}

impl Delays {
    pub(super) fn new() -> Self {
        Self {
            samples: histogram(MAX_DELAY.count()),
            sum: 0,
            target_max: Samples::ZERO,
            target_sum: 0,
            target_count: 0,
        }
    }

    pub(super) fn played(&mut self, delay: Samples) {
        self.samples.saturating_record(delay.count());
        self.sum = self.sum.saturating_add(delay.count());
    }

    pub(super) fn aimed(&mut self, target: Samples) {
        self.target_max = self.target_max.max(target);
        self.target_sum = self.target_sum.saturating_add(target.count());
        self.target_count += 1;
    }

    pub(super) fn spread_ms(&self) -> Spread {
        let below = |quantile| Samples::new(self.samples.value_at_quantile(quantile)).as_ms();
        Spread {
            mean: mean_ms(self.sum, self.samples.len()),
            p50: below(0.5),
            p95: below(0.95),
            max: Samples::new(self.samples.max()).as_ms(),
        }
    }

    pub(super) fn target_ms(&self) -> (f64, f64) {
        (mean_ms(self.target_sum, self.target_count), self.target_max.as_ms())
    }
}

fn mean_ms(sum: u64, count: u64) -> f64 {
    Samples::new(sum).as_ms() / count.max(1) as f64
}

/// Longer delays are counted as this.
const MAX_DELAY: Samples = Samples::from_ms(10_000);

/// A histogram of 0…`max` in steps of 1 %.
///
/// # Panics
/// Never: the bounds are ours.
pub(super) fn histogram(max: u64) -> Histogram<u32> {
    Histogram::new_with_max(max, 2).expect("at least 2, and 2 digits")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_are_spread_in_milliseconds() {
        let mut delays = Delays::new();
        for ms in 1..=100 {
            delays.played(Samples::from_ms(ms));
            delays.aimed(Samples::from_ms(2 * ms));
        }
        let spread = delays.spread_ms();
        assert!((spread.mean - 50.5).abs() < 1e-9);
        // The histogram's steps are below 1 %.
        assert!((spread.p50 - 50.0).abs() < 0.5 && (spread.p95 - 95.0).abs() < 0.95);
        assert!((spread.max - 100.0).abs() < 1.0);
        assert_eq!(delays.target_ms(), (101.0, 200.0));
    }

    #[test]
    fn no_delay_at_all_is_zero_and_an_endless_one_is_the_longest() {
        let mut delays = Delays::new();
        assert_eq!(delays.spread_ms(), Spread::default());
        delays.played(Samples::new(u64::MAX));
        assert!((delays.spread_ms().max - MAX_DELAY.as_ms()).abs() < 100.0);
    }
}
