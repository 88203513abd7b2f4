//! The only clock. Instants come in from the machine, positions on a room's sample clock leave; and a thread sleeps here.

use crate::time::{SampleTime, Samples};
use std::{
    thread,
    time::{Duration, Instant},
};

/// Reads the machine's monotonic clock.
#[expect(
    clippy::disallowed_methods,
    reason = "the stage is where wall time enters, and this is its one door"
)]
pub(super) fn now() -> Instant {
    Instant::now()
}

/// Sleeps. A plain sleep: the kernel wakes a `SCHED_FIFO` thread some 50–100 µs late, which is 1 % of a quantum; spinning
/// that away would cost a core.
#[expect(clippy::disallowed_methods, reason = "pacing is the stage's work, and this is its one wait")]
pub(super) fn sleep(span: Duration) {
    thread::sleep(span);
}

/// Sleeps until `deadline`; returns at once if that has passed.
pub(super) fn sleep_until(deadline: Instant) {
    let span = deadline.saturating_duration_since(now());
    if !span.is_zero() {
        sleep(span);
    }
}

/// Where a room's sample 0 stands on the machine's clock.
#[derive(Clone, Copy, Debug)]
pub(super) struct Epoch(Instant);

impl Epoch {
    pub(super) fn at(instant: Instant) -> Self {
        Self(instant)
    }

    /// The sample nearest to `instant`, sample 0 for what was before.
    pub(super) fn sample_at(self, instant: Instant) -> SampleTime {
        SampleTime::from_ms(instant.saturating_duration_since(self.0).as_secs_f64() * 1e3)
    }

    /// When `at` is due.
    pub(super) fn instant_of(self, at: SampleTime) -> Instant {
        self.0 + Duration::from_secs_f64(at.as_ms() / 1e3)
    }
}

/// When a room's ticks are due.
#[derive(Clone, Copy, Debug)]
pub(super) struct Beat {
    pub(super) epoch: Epoch,
    pub(super) quantum: Samples,
}

impl Beat {
    /// The first that is due after `instant`.
    pub(super) fn after(self, instant: Instant) -> Instant {
        let quantum = self.quantum.count().max(1);
        let ticks = self.epoch.sample_at(instant).samples() / quantum + 1;
        self.epoch.instant_of(SampleTime::from_samples(ticks * quantum))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_tick_is_less_than_a_quantum_away() {
        let epoch = Epoch::at(now());
        let beat = Beat { epoch, quantum: Samples::from_ms(10) };
        let ms = |ms| epoch.instant_of(SampleTime::from_ms(ms));
        assert_eq!(
            [beat.after(ms(0.5)), beat.after(ms(9.5)), beat.after(ms(10.5))],
            [ms(10.0), ms(10.0), ms(20.0)]
        );
    }

    #[test]
    fn samples_and_instants_convert_both_ways() {
        let epoch = Epoch::at(now());
        for samples in [0, 1, 480, 48_000 * 86_400 * 30 + 7] {
            let at = SampleTime::from_samples(samples);
            assert_eq!(epoch.sample_at(epoch.instant_of(at)), at);
        }
    }

    #[test]
    fn what_came_before_the_room_opened_came_at_its_opening() {
        let instant = now();
        let epoch = Epoch::at(instant + Duration::from_millis(20));
        assert_eq!(epoch.sample_at(instant), SampleTime::ZERO);
    }
}
