//! How a room at rest is woken: by a bit that its worker looks at now and then. A network thread sets it after the datagram
//! is in the ring; nobody waits, and nobody calls the system.

use crossbeam::utils::CachePadded;
use std::sync::{
    Arc,
    atomic::{
        AtomicBool, AtomicU32, AtomicU64,
        Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst},
        fence,
    },
};

/// The bells of one worker: a bit for each seat of the stage.
#[derive(Debug)]
pub(super) struct Bells {
    rung: CachePadded<AtomicBool>,
    seats: Box<[AtomicU64]>,
}

impl Bells {
    pub(super) fn new(seats: usize) -> Self {
        let words = std::iter::repeat_with(AtomicU64::default).take(seats.div_ceil(64));
        Self { rung: CachePadded::default(), seats: words.collect() }
    }

    fn ring(&self, seat: u32) {
        if let Some(word) = self.seats.get(seat as usize / 64) {
            word.fetch_or(1 << (seat % 64), Release);
            self.rung.store(true, Release);
        }
    }

    /// The seats whose bell has rung since the last question.
    pub(super) fn answer(&self) -> impl Iterator<Item = u32> + '_ {
        let any = self.rung.load(Relaxed) && self.rung.swap(false, Acquire);
        let words = if any { &*self.seats } else { &[] };
        words.iter().enumerate().filter(|(_, word)| word.load(Relaxed) != 0).flat_map(|(at, word)| {
            let mut bits = word.swap(0, Acquire);
            std::iter::from_fn(move || {
                let bit = (bits != 0).then(|| bits.trailing_zeros())?;
                bits &= bits - 1;
                Some(at as u32 * 64 + bit)
            })
        })
    }
}

/// A room's door, shared by its worker and those who bring datagrams.
#[derive(Debug)]
pub(super) struct Door {
    seat: u32,
    resting: AtomicBool,
    worker: AtomicU32,
    bells: Arc<[Bells]>,
}

impl Door {
    pub(super) fn new(seat: u32, worker: usize, bells: Arc<[Bells]>) -> Self {
        Self { seat, resting: AtomicBool::new(false), worker: AtomicU32::new(worker as u32), bells }
    }

    /// Rings if the room rests; called when a datagram is in its ring.
    pub(super) fn knock(&self) {
        // Either the datagram is seen by the worker that has just gone to rest, or the rest is seen here.
        fence(SeqCst);
        if self.resting.load(Relaxed)
            && self.resting.swap(false, AcqRel)
            && let Some(bells) = self.bells.get(self.worker.load(Acquire) as usize)
        {
            bells.ring(self.seat);
        }
    }

    /// From now on whoever comes must knock. Look once more, after this, whether somebody has come.
    pub(super) fn shut(&self) {
        self.resting.store(true, SeqCst);
        fence(SeqCst);
    }

    /// The room is awake.
    pub(super) fn open(&self) {
        self.resting.store(false, Release);
    }

    /// The room, awake, is `worker`'s now.
    pub(super) fn moved_to(&self, worker: usize) {
        self.worker.store(worker as u32, Release);
    }

    pub(super) fn is_shut(&self) -> bool {
        self.resting.load(Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rtrb::RingBuffer;
    use std::thread;

    fn door(seat: u32) -> (Arc<[Bells]>, Door) {
        let bells: Arc<[Bells]> = [Bells::new(200), Bells::new(200)].into();
        (Arc::clone(&bells), Door::new(seat, 0, bells))
    }

    #[test]
    fn a_room_at_rest_is_rung_for_once_and_one_awake_never() {
        let (bells, door) = door(130);
        door.knock();
        assert_eq!(bells[0].answer().count(), 0);
        door.shut();
        door.knock();
        door.knock();
        assert_eq!(bells[0].answer().collect::<Vec<_>>(), [130]);
        assert_eq!(bells[0].answer().count(), 0);
    }

    #[test]
    fn the_bell_is_the_present_workers() {
        let (bells, door) = door(7);
        door.moved_to(1);
        door.shut();
        door.knock();
        assert_eq!((bells[0].answer().count(), bells[1].answer().collect::<Vec<_>>()), (0, vec![7]));
    }

    /// Whatever the two threads' steps are, a datagram is taken: no knock is lost.
    #[test]
    fn nobody_is_left_before_a_shut_door() {
        let (bells, door) = door(3);
        let (mut tx, mut rx) = RingBuffer::new(4);
        let door = &door;
        thread::scope(|threads| {
            threads.spawn(move || {
                for number in 0..20_000 {
                    while tx.push(number).is_err() {
                        thread::yield_now();
                    }
                    door.knock();
                }
            });
            let (mut expected, mut awake) = (0, true);
            while expected < 20_000 {
                awake |= bells[0].answer().count() > 0;
                if !awake {
                    thread::yield_now();
                    continue;
                }
                while let Ok(number) = rx.pop() {
                    assert_eq!(number, expected);
                    expected += 1;
                }
                door.shut();
                awake = !rx.is_empty();
                if awake {
                    door.open();
                }
            }
        });
    }
}
