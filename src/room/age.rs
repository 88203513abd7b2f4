//! How old a room is, by two witnesses that are both passed in: the wall's clock, which may jump, and the room's own, which
//! may stand still while the machine is down or the room is over. Whichever says that more has passed is believed.

use crate::time::{SampleTime, UnixMs};

/// The witnesses may differ by this much before one of them is held to have jumped: what rounding and a slewed clock make.
const SLACK_MS: u64 = 1_000;

/// Time that has passed, in milliseconds; it never runs backwards. A wall clock that is set back is outvoted by the room's,
/// one that jumps forward shortens what is left, so that no jump makes anything be kept for longer. Only what passes while
/// the room's clock stands still *and* the wall's is set back goes unseen.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Age {
    /// Where both witnesses were last in step, and the age then.
    at: SampleTime,
    wall: UnixMs,
    base_ms: u64,
    now_ms: u64,
}

impl Age {
    /// As it was when both clocks stood so.
    pub(super) fn new(at: SampleTime, wall: UnixMs, age_ms: u64) -> Self {
        Self { at, wall, base_ms: age_ms, now_ms: age_ms }
    }

    /// Both clocks have come so far. Says whether the wall's was set back.
    pub(super) fn pass(&mut self, at: SampleTime, wall: UnixMs) -> bool {
        let by_room = at.since(self.at).as_ms() as u64;
        let by_wall = wall.ms_since(self.wall);
        self.now_ms = self.now_ms.max(self.base_ms.saturating_add(by_wall.max(by_room)));
        let set_back = wall.0.saturating_add(SLACK_MS) < self.wall.0.saturating_add(by_room);
        let ahead = by_wall > by_room.saturating_add(SLACK_MS);
        if set_back || ahead || at < self.at {
            *self = Self::new(at, wall, self.now_ms);
        }
        set_back
    }

    /// Milliseconds since the room opened.
    pub(super) fn ms(self) -> u64 {
        self.now_ms
    }

    /// Has `period_ms` passed since the age was `from_ms`? A second early rather than late: what the witnesses may hide.
    pub(super) fn is_over(self, from_ms: u64, period_ms: u64) -> bool {
        self.now_ms.saturating_add(SLACK_MS) >= from_ms.saturating_add(period_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at_ms(ms: u64) -> SampleTime {
        SampleTime::from_ms(ms as f64)
    }

    #[test]
    fn without_jumps_it_is_the_time_that_passed() {
        let mut age = Age::new(SampleTime::ZERO, UnixMs(5_000), 0);
        for ms in (0..100_000).step_by(7) {
            // The wall's clock counts whole milliseconds, the room's samples.
            assert!(!age.pass(SampleTime::from_samples(ms * 48 + 31), UnixMs(5_000 + ms)));
            assert_eq!(age.ms(), ms);
        }
    }

    #[test]
    fn a_room_clock_that_stands_still_leaves_it_to_the_wall() {
        let mut age = Age::new(at_ms(9_000), UnixMs(0), 9_000);
        for day in 1..=30 {
            assert!(!age.pass(at_ms(9_000), UnixMs(day * 86_400_000)));
        }
        assert_eq!(age.ms(), 9_000 + 30 * 86_400_000);
    }

    proptest! {
        /// The wall jumps as it likes; steps are up to an hour; now and then the age is written down and read again.
        #[test]
        fn no_jump_makes_a_period_longer(
            steps in prop::collection::vec((1_u64..3_600_000, -100_000_000_i64..100_000_000, any::<[bool; 2]>()), 1..60),
            begin in 0_usize..60,
        ) {
            let (mut now, mut offset) = (0_u64, 1_u64 << 40);
            let mut age = Age::new(SampleTime::ZERO, UnixMs(offset), 0);
            let mut from = None;
            for (count, (step, jump, [jumps, restarts])) in steps.into_iter().enumerate() {
                now += step;
                if jumps {
                    offset = offset.saturating_add_signed(jump);
                }
                let wall = UnixMs(now + offset);
                age.pass(at_ms(now), wall);
                if restarts {
                    age = Age::new(at_ms(now), wall, age.ms());
                }
                let (then, age_then) = *from.get_or_insert_with(|| (now, age.ms()));
                if count < begin {
                    from = None;
                    continue;
                }
                prop_assert!(age.is_over(age_then, now - then), "{} passed as {}", now - then, age.ms() - age_then);
            }
        }
    }
}
