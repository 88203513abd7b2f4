//! When a room's ticks are due, and how well that went. Tick k is due at epoch + k · quantum.

use super::{
    clock::Epoch,
    stats::{Quantiles, RoomStats, histogram},
};
use crate::time::{Quantum, SampleTime, Samples};
use hdrhistogram::Histogram;
use std::time::{Duration, Instant};

/// One room's deadlines.
#[derive(Debug)]
pub(super) struct Pace {
    epoch: Epoch,
    quantum: Quantum,
    next: SampleTime,
    ticks: u64,
    passed: u64,
    rested: u64,
    misses: u64,
    busy_ns: Histogram<u32>,
    late_ns: Histogram<u32>,
}

/// How one tick went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Went {
    /// How late it began.
    pub(super) late: Duration,
    /// How long it took.
    pub(super) busy: Duration,
    /// It was not done when the next was due.
    pub(super) missed: bool,
    /// Nobody heard it.
    pub(super) passed: bool,
}

impl Pace {
    pub(super) fn new(epoch: Epoch, quantum: Quantum) -> Self {
        Self {
            epoch,
            quantum,
            next: SampleTime::ZERO,
            ticks: 0,
            passed: 0,
            rested: 0,
            misses: 0,
            busy_ns: histogram(LONGEST_NS),
            late_ns: histogram(LONGEST_NS),
        }
    }

    /// When the next tick is due.
    pub(super) fn due(&self) -> Instant {
        self.epoch.instant_of(self.next)
    }

    /// The next tick's first sample.
    pub(super) fn next(&self) -> SampleTime {
        self.next
    }

    pub(super) fn quantum(&self) -> Samples {
        self.quantum.samples()
    }

    /// Room time at `instant`.
    pub(super) fn sample_at(&self, instant: Instant) -> SampleTime {
        self.epoch.sample_at(instant)
    }

    /// When room sample `at` is due.
    pub(super) fn instant_of(&self, at: SampleTime) -> Instant {
        self.epoch.instant_of(at)
    }

    /// How late a tick that begins at `now` would be.
    pub(super) fn lateness(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.due())
    }

    /// The tick that was due began at `began` and is done at `done`.
    pub(super) fn ticked(&mut self, began: Instant, done: Instant) -> Went {
        let (late, busy) = (self.lateness(began), done.saturating_duration_since(began));
        self.late_ns.saturating_record(late.as_nanos() as u64);
        self.busy_ns.saturating_record(busy.as_nanos() as u64);
        self.ticks += 1;
        self.next += self.quantum();
        let missed = done > self.due();
        self.misses += u64::from(missed);
        Went { late, busy, missed, passed: false }
    }

    /// The same, for a tick that came too late to be heard. It was missed.
    pub(super) fn passed(&mut self, began: Instant, done: Instant) -> Went {
        self.passed += 1;
        Went { passed: true, ..self.ticked(began, done) }
    }

    /// How many ticks are due before `until`.
    pub(super) fn due_before(&self, until: SampleTime) -> u64 {
        until.since(self.next).count().div_ceil(self.quantum().count())
    }

    /// So many ticks were not needed.
    pub(super) fn rested(&mut self, ticks: u64) {
        self.rested += ticks;
        self.next += Samples::new(ticks * self.quantum().count());
    }

    /// Writes what it knows into `stats`.
    pub(super) fn tell(&self, stats: &mut RoomStats) {
        stats.samples = self.next.samples();
        stats.quantum = self.quantum;
        stats.ticks = self.ticks;
        stats.passed = self.passed;
        stats.rested = self.rested;
        stats.deadline_misses = self.misses;
        stats.tick_ns = Quantiles::from(&self.busy_ns);
        stats.lateness_ns = Quantiles::from(&self.late_ns);
    }
}

/// Longer ticks are counted as this.
const LONGEST_NS: u64 = 10_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::clock;
    use std::time::Duration;

    #[test]
    fn deadlines_do_not_drift_and_late_ends_are_misses() {
        let start = clock::now();
        let mut pace = Pace::new(Epoch::at(start), Quantum::Ms10);
        let ms = |ms| start + Duration::from_millis(ms);
        pace.ticked(ms(2), ms(4));
        pace.ticked(ms(15), ms(21));
        pace.ticked(ms(21), ms(22));
        assert_eq!(pace.due(), ms(30));
        let mut stats = RoomStats::default();
        pace.tell(&mut stats);
        assert_eq!((stats.ticks, stats.deadline_misses, stats.samples), (3, 1, 1440));
        // The histogram's steps are below 1 %.
        assert!(stats.tick_ns.max.abs_diff(6_000_000) < 60_000);
        assert!(stats.lateness_ns.p50.abs_diff(2_000_000) < 20_000);
    }

    #[test]
    fn a_rest_ends_with_the_first_tick_that_is_not_over() {
        let mut pace = Pace::new(Epoch::at(clock::now()), Quantum::Ms10);
        assert_eq!(pace.due_before(SampleTime::ZERO), 0);
        for (until, ticks) in [(1, 1), (480, 1), (481, 2), (48_000, 100)] {
            assert_eq!(pace.due_before(SampleTime::from_samples(until)), ticks);
        }
        pace.rested(100);
        assert_eq!((pace.next().samples(), pace.due_before(SampleTime::from_samples(48_000))), (48_000, 0));
    }
}
