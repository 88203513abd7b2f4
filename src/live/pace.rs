//! When a room's ticks are due, and how well that went. Tick k is due at epoch + k · quantum.

use super::{
    clock::Epoch,
    stats::{Quantiles, RoomStats, histogram},
};
use crate::time::{Quantum, SampleTime};
use hdrhistogram::Histogram;
use std::time::Instant;

/// One room's deadlines.
#[derive(Debug)]
pub(super) struct Pace {
    epoch: Epoch,
    quantum: Quantum,
    next: SampleTime,
    ticks: u64,
    misses: u64,
    busy_ns: Histogram<u64>,
    late_ns: Histogram<u64>,
}

impl Pace {
    pub(super) fn new(epoch: Epoch, quantum: Quantum) -> Self {
        Self {
            epoch,
            quantum,
            next: SampleTime::ZERO,
            ticks: 0,
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

    /// The tick that was due began at `began` and is done at `done`.
    pub(super) fn ticked(&mut self, began: Instant, done: Instant) {
        self.late_ns.saturating_record(began.saturating_duration_since(self.due()).as_nanos() as u64);
        self.busy_ns.saturating_record(done.saturating_duration_since(began).as_nanos() as u64);
        self.ticks += 1;
        self.next += self.quantum.samples();
        self.misses += u64::from(done > self.due());
    }

    /// Writes what it knows into `stats`.
    pub(super) fn tell(&self, stats: &mut RoomStats) {
        stats.samples = self.next.samples();
        stats.quantum = self.quantum;
        stats.ticks = self.ticks;
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
}
