//! When which room of a worker is due next. Memory is fixed when it is built; a room stands in it at most once.

use std::{cmp::Reverse, collections::BinaryHeap, time::Instant};

/// Rooms by seat, the most overdue first.
#[derive(Debug)]
pub(super) struct Agenda(BinaryHeap<Reverse<(Instant, u32)>>);

impl Agenda {
    pub(super) fn new(seats: usize) -> Self {
        Self(BinaryHeap::with_capacity(seats))
    }

    /// The room on `seat`, which must not stand here yet, is due at `due`.
    pub(super) fn enter(&mut self, seat: u32, due: Instant) {
        self.0.push(Reverse((due, seat)));
    }

    /// Takes out the most overdue room, if one is due by `now`.
    pub(super) fn take_due(&mut self, now: Instant) -> Option<u32> {
        self.next_due().filter(|due| *due <= now)?;
        self.0.pop().map(|Reverse((_, seat))| seat)
    }

    /// Takes out the room on `seat`, if it stands here.
    ///
    /// Looks at every room: for those that come and go, and not for each tick.
    pub(super) fn strike(&mut self, seat: u32) {
        self.0.retain(|Reverse((_, other))| *other != seat);
    }

    pub(super) fn next_due(&self) -> Option<Instant> {
        self.0.peek().map(|Reverse((due, _))| *due)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::clock;
    use std::time::Duration;

    #[test]
    fn the_most_overdue_comes_first_and_nobody_early() {
        let start = clock::now();
        let ms = |ms| start + Duration::from_millis(ms);
        let mut agenda = Agenda::new(8);
        for (seat, due) in [(1, 30), (2, 10), (3, 20), (4, 40)] {
            agenda.enter(seat, ms(due));
        }
        agenda.strike(3);
        agenda.strike(7);
        assert_eq!(agenda.next_due(), Some(ms(10)));
        let mut due = || agenda.take_due(ms(35));
        assert_eq!([due(), due(), due()], [Some(2), Some(1), None]);
    }

    #[test]
    fn it_never_grows() {
        let mut agenda = Agenda::new(16);
        let (now, capacity) = (clock::now(), agenda.0.capacity());
        (0..16).for_each(|seat| agenda.enter(seat, now));
        for _ in 0..1000 {
            let seat = agenda.take_due(now).unwrap();
            agenda.enter(seat, now);
            agenda.strike(seat);
            agenda.enter(seat, now);
        }
        assert_eq!((agenda.0.len(), agenda.0.capacity()), (16, capacity));
    }
}
