//! Does a disk answer? Whoever asks one says when it begins to wait, for which recording, and when it is through; another looks. A
//! disk that is merely slow is given time by what it took lately.

use super::{clock, take::TakeId};
use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

/// What a disk may take for one thing that it is asked: so much, or four times what it took lately, but never more than a second.
const PATIENCE: Duration = Duration::from_millis(250);
const TIMES: u32 = 4;
const LONGEST: Duration = Duration::from_secs(1);

/// What it took lately is forgotten evenly within so long.
const FORGETS: Duration = Duration::from_secs(60);

/// The disks of one thread.
#[derive(Debug)]
pub(super) struct Pulse {
    origin: Instant,
    /// When the present question was asked, in microseconds since `origin`, and one more; none is 0.
    since_us: AtomicU64,
    /// When the recording that is being written last showed a sign of life, as `since_us`: not all that it waits for is asked here.
    alive_us: AtomicU64,
    /// For which recording.
    asked: Mutex<Option<TakeId>>,
    /// How long the slowest answer of late took, in microseconds, and when the last one came.
    slowest_us: AtomicU64,
    answered_us: AtomicU64,
}

impl Pulse {
    pub(super) fn new() -> Self {
        Self {
            origin: clock::now(),
            since_us: AtomicU64::new(0),
            alive_us: AtomicU64::new(0),
            asked: Mutex::new(None),
            slowest_us: AtomicU64::new(0),
            answered_us: AtomicU64::new(0),
        }
    }

    /// Writes a recording.
    pub(super) fn attend<T>(&self, take: TakeId, write: impl FnOnce() -> T) -> T {
        *self.asked.lock().unwrap_or_else(PoisonError::into_inner) = Some(take);
        self.alive_us.store(mark(self.now()), Relaxed);
        let written = write();
        self.alive_us.store(0, Relaxed);
        written
    }

    /// Asks the disk of the recording that is being written.
    pub(super) fn ask<T>(&self, question: impl FnOnce() -> T) -> T {
        let since = self.now();
        self.since_us.store(mark(since), Relaxed);
        let answer = question();
        let now = self.now();
        self.since_us.store(0, Relaxed);
        self.alive_us.store(mark(now), Relaxed);
        self.learn(since, now);
        answer
    }

    /// A question was asked then and is answered now. Only the thread that asks does this.
    fn learn(&self, since: Duration, now: Duration) {
        let before = Duration::from_micros(self.slowest_us.load(Relaxed));
        let answered = Duration::from_micros(self.answered_us.load(Relaxed));
        let forgotten = now.saturating_sub(answered).div_duration_f64(FORGETS).min(1.0);
        // One that stood still is no slow one.
        let took = Some(now.saturating_sub(since)).filter(|took| *took < LONGEST).unwrap_or_default();
        let slowest = took.max(before.mul_f64(1.0 - forgotten));
        self.slowest_us.store(slowest.as_micros() as u64, Relaxed);
        self.answered_us.store(now.as_micros() as u64, Relaxed);
    }

    fn now(&self) -> Duration {
        clock::now().saturating_duration_since(self.origin)
    }

    /// Whose disk has not answered for too long, and for how long.
    pub(super) fn stuck(&self) -> Option<(TakeId, Duration)> {
        let now = self.now();
        let lasts = |since: &AtomicU64| {
            let since = since.load(Relaxed).checked_sub(1)?;
            Some(now.saturating_sub(Duration::from_micros(since)))
        };
        let lately = Duration::from_micros(self.slowest_us.load(Relaxed));
        let asked = lasts(&self.since_us).filter(|lasts| *lasts >= patience(lately));
        let silent = lasts(&self.alive_us).filter(|lasts| *lasts >= LONGEST);
        let take = *self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        take.zip(asked.or(silent))
    }
}

/// A moment as it is kept: 0 is none.
fn mark(moment: Duration) -> u64 {
    moment.as_micros() as u64 + 1
}

/// How long a disk is waited for that took so long lately.
fn patience(lately: Duration) -> Duration {
    (lately * TIMES).clamp(PATIENCE, LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::room::RoomId;

    const TAKE: TakeId = TakeId { room: RoomId { number: 0, seat: 0 }, number: 0 };

    #[test]
    fn a_slow_disk_is_given_time_and_one_that_stood_still_teaches_nothing() {
        let (pulse, ms) = (Pulse::new(), Duration::from_millis);
        let lately = || Duration::from_micros(pulse.slowest_us.load(Relaxed));
        assert_eq!(patience(lately()), PATIENCE);
        pulse.learn(ms(1_000), ms(1_150));
        pulse.learn(ms(1_200), ms(11_200));
        let allowed = patience(lately());
        assert!((400..=600).contains(&allowed.as_millis()), "{allowed:?}");
        (12..400).for_each(|second| pulse.learn(ms(second * 1_000), ms(second * 1_000 + 1)));
        assert_eq!(patience(lately()), PATIENCE);
        pulse.learn(ms(400_000), ms(400_900));
        assert_eq!(patience(lately()), LONGEST);
    }

    #[test]
    fn who_asks_nothing_waits_for_nothing() {
        let pulse = Pulse::new();
        assert_eq!(pulse.attend(TAKE, || pulse.ask(|| pulse.stuck())), None);
        let earlier = Pulse { origin: pulse.origin - LONGEST, ..pulse };
        for since in [&earlier.since_us, &earlier.alive_us] {
            since.store(1, Relaxed);
            assert_eq!(earlier.stuck().map(|(take, _)| take), Some(TAKE));
            since.store(0, Relaxed);
            assert_eq!(earlier.stuck(), None);
        }
    }
}
