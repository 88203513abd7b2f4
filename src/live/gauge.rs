//! What workers tell while they run: counters that they write and anybody reads, without either waiting for the other.

use super::{ladder::Rung, pace::Went, stats::Quantiles};
use histogram::{AtomicHistogram, Histogram};
use std::{
    sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed},
    time::Duration,
};

/// One worker's gauges. Only that worker writes them.
#[derive(Debug)]
pub(super) struct WorkerGauge {
    load_permille: AtomicU32,
    rung: AtomicU32,
    ticks: AtomicU64,
    misses: AtomicU64,
    passed: AtomicU64,
    wakes: AtomicU64,
    tick_ns: AtomicHistogram,
    late_ns: AtomicHistogram,
}

/// A worker at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct WorkerStats {
    /// Rooms it has.
    pub rooms: usize,
    /// The part of its time that went into ticks lately, 0…1.
    pub load: f32,
    /// What it sheds.
    pub rung: Rung,
    /// Ticks so far.
    pub ticks: u64,
    /// Ticks that were not done when the next was due.
    pub deadline_misses: u64,
    /// Ticks that nobody heard, as they came too late.
    pub passed: u64,
    /// How often it woke.
    pub wakes: u64,
    /// What a tick takes. Steps of 3 %, rounded up.
    pub tick_ns: Quantiles,
    /// How late ticks begin. Steps of 3 %, rounded up.
    pub lateness_ns: Quantiles,
}

impl WorkerGauge {
    pub(super) fn new() -> Self {
        Self {
            load_permille: AtomicU32::default(),
            rung: AtomicU32::default(),
            ticks: AtomicU64::default(),
            misses: AtomicU64::default(),
            passed: AtomicU64::default(),
            wakes: AtomicU64::default(),
            tick_ns: histogram(),
            late_ns: histogram(),
        }
    }

    pub(super) fn ticked(&self, went: &Went) {
        self.ticks.fetch_add(1, Relaxed);
        self.misses.fetch_add(went.missed.into(), Relaxed);
        self.passed.fetch_add(went.passed.into(), Relaxed);
        // Longer ones are counted as the longest, so neither fails.
        let _ = self.late_ns.increment(whole_ns(went.late).min(LONGEST_NS));
        let _ = self.tick_ns.increment(whole_ns(went.busy).min(LONGEST_NS));
    }

    pub(super) fn woke(&self) {
        self.wakes.fetch_add(1, Relaxed);
    }

    /// Counts anew. What the worker counts at the same moment falls on one side or the other.
    pub(super) fn reset(&self) {
        let counters = [&self.ticks, &self.misses, &self.passed, &self.wakes];
        counters.into_iter().for_each(|counter| counter.store(0, Relaxed));
        drop((self.tick_ns.drain(), self.late_ns.drain()));
    }

    pub(super) fn stands(&self, load: f32, rung: Rung) {
        self.load_permille.store((load * 1e3) as u32, Relaxed);
        self.rung.store(rung as u32, Relaxed);
    }

    pub(super) fn load(&self) -> f32 {
        self.load_permille.load(Relaxed) as f32 / 1e3
    }

    pub(super) fn rung(&self) -> Rung {
        Rung::ALL.get(self.rung.load(Relaxed) as usize).copied().unwrap_or_default()
    }

    pub(super) fn read(&self, rooms: usize) -> WorkerStats {
        WorkerStats {
            rooms,
            load: self.load(),
            rung: self.rung(),
            ticks: self.ticks.load(Relaxed),
            deadline_misses: self.misses.load(Relaxed),
            passed: self.passed.load(Relaxed),
            wakes: self.wakes.load(Relaxed),
            tick_ns: quantiles(&self.tick_ns.load()),
            lateness_ns: quantiles(&self.late_ns.load()),
        }
    }
}

fn whole_ns(span: Duration) -> u64 {
    span.as_nanos() as u64
}

/// 2³⁴ ns: 17 s.
const LONGEST_NS: u64 = (1 << LONGEST_BITS) - 1;
const LONGEST_BITS: u8 = 34;

/// 8 KB: 32 steps an octave.
///
/// # Panics
/// Never: the bounds are ours.
fn histogram() -> AtomicHistogram {
    AtomicHistogram::new(5, LONGEST_BITS).expect("32 steps an octave, 34 octaves")
}

fn quantiles(histogram: &Histogram) -> Quantiles {
    let below =
        |quantile| histogram.quantile_bucket(quantile).ok().flatten().map_or(0, |bucket| bucket.end());
    Quantiles {
        p50: below(0.5),
        p99: below(0.99),
        p99_9: below(0.999),
        p99_99: below(0.9999),
        max: below(1.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_worker_writes_can_be_read_beside_it() {
        let gauge = WorkerGauge::new();
        assert_eq!(gauge.read(0), WorkerStats::default());
        let went = |late, busy| Went {
            late: Duration::from_nanos(late),
            busy: Duration::from_nanos(busy),
            ..Went::default()
        };
        for tick in 1..=1000 {
            gauge.ticked(&went(10 * tick, 1000 * tick));
        }
        gauge.ticked(&went(u64::MAX, 1));
        gauge.stands(0.25, Rung::Voices);
        let stats = gauge.read(3);
        assert_eq!((stats.rooms, stats.ticks, stats.rung), (3, 1001, Rung::Voices));
        assert!((stats.load - 0.25).abs() < 1e-6 && stats.lateness_ns.max == LONGEST_NS);
        // Steps of 1/32, rounded up.
        let within = |value: u64, of: u64| value >= of && value <= of + of / 32 + 1;
        assert!(within(stats.tick_ns.p99, 990_000) && within(stats.tick_ns.max, 1_000_000), "{stats:?}");
        gauge.reset();
        assert_eq!((gauge.read(3).ticks, gauge.read(3).tick_ns), (0, Quantiles::default()));
    }
}
