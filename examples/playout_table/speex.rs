//! A buffer in the manner of speexdsp's `jitter.c`: the timings of the last three windows of 40 packets come in, the
//! shift that minimises *delay + late packets* leaves; it moves by whole frames of 20 ms, at pulls of 20 ms. Own code.

use crate::{
    measure::{FRAME_MS, Score, Tally},
    trace::Trace,
};
use std::collections::{BTreeSet, VecDeque};

/// Packets whose timings are weighed, and packets in a window.
const TOP: usize = 40;
const WINDOWS: usize = 3;
/// Its buffer.
const PLACES: usize = 200;
/// Frames missed in a row after which it starts anew.
const LOST: u32 = 20;
/// Late packets are worth as many more as soon as there is one: the more delay, the rarer.
const HYSTERESIS: usize = 4;
/// Its timings are samples; the rule has a constant in that unit.
const PER_MS: f64 = 48.0;
const PHASES_MS: [f64; 5] = [0.0, 4.0, 8.0, 12.0, 16.0];

/// The mean of five pull phases.
pub(crate) fn speex(trace: &Trace) -> Score {
    let runs = PHASES_MS.map(|phase_ms| run(trace, phase_ms));
    Score::mean(&runs)
}

fn run(trace: &Trace, phase_ms: f64) -> Score {
    let arrivals = trace.frames.iter().enumerate().filter_map(|(at, frame)| Some((frame.there_ms()?, at)));
    let mut arrivals: VecDeque<_> = {
        let mut sorted: Vec<_> = arrivals.collect();
        sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
        sorted.into()
    };
    let Some((first_ms, _)) = arrivals.front().copied() else { return Score::default() };
    let mut buffer = Buffer::default();
    let mut tally = Tally::default();
    let mut now_ms = phase_ms + ((first_ms - phase_ms) / FRAME_MS).ceil().max(0.0) * FRAME_MS;
    while !arrivals.is_empty() || !buffer.waiting.is_empty() {
        while arrivals.front().is_some_and(|(ms, _)| *ms <= now_ms) {
            let place = arrivals.pop_front().map_or(0, |(_, place)| place);
            buffer.put(place);
        }
        match buffer.pull() {
            Some(place) => {
                tally.heard(now_ms - trace.frames[place].send_ms - trace.quickest_ms);
                tally.sounded(FRAME_MS);
            }
            None => tally.concealed(FRAME_MS),
        }
        now_ms += FRAME_MS;
    }
    tally.score(trace.frames.len(), trace.lost())
}

#[derive(Debug, Default)]
struct Buffer {
    waiting: BTreeSet<usize>,
    /// The frame that is due, once something has come.
    next: Option<i64>,
    lost: u32,
    /// How early packets came (below 0: late), sorted, and how many a window has seen; the newest window first.
    windows: VecDeque<Window>,
    /// What one frame of lateness is worth, from the spread of timings.
    tradeoff: Option<f64>,
}

#[derive(Debug, Default)]
struct Window {
    early_ms: Vec<f64>,
    seen: usize,
}

impl Buffer {
    fn put(&mut self, place: usize) {
        let next = *self.next.get_or_insert(place as i64);
        self.learn((place as i64 - next) as f64 * FRAME_MS);
        if place as i64 >= next {
            self.waiting.insert(place);
        }
        if self.waiting.len() > PLACES {
            self.waiting.pop_first();
        }
    }

    fn pull(&mut self) -> Option<usize> {
        self.adapt();
        let due = self.next.as_mut()?;
        let place = usize::try_from(*due).unwrap_or(usize::MAX);
        self.waiting = self.waiting.split_off(&(*due).max(0).try_into().unwrap_or(0));
        if self.waiting.remove(&place) {
            *due += 1;
            self.lost = 0;
            return Some(place);
        }
        *due += 1;
        self.lost += 1;
        if self.lost > LOST {
            self.restart();
        }
        None
    }

    fn restart(&mut self) {
        self.windows.clear();
        self.lost = 0;
        self.next = self.waiting.first().map(|first| *first as i64);
    }

    fn learn(&mut self, early_ms: f64) {
        if self.windows.front().is_none_or(|window| window.seen >= TOP) {
            self.windows.push_front(Window::default());
            self.windows.truncate(WINDOWS);
        }
        if let Some(window) = self.windows.front_mut() {
            let at = window.early_ms.partition_point(|other| *other <= early_ms);
            window.early_ms.insert(at, early_ms);
            window.seen += 1;
        }
    }

    /// Moves playout to the cheapest delay: forward in the media when there is too much of it.
    fn adapt(&mut self) {
        let (Some(early_ms), Some(next)) = (self.cheapest(), self.next.as_mut()) else { return };
        let frames = (early_ms / FRAME_MS).floor() as i64;
        *next += frames;
        let shift_ms = frames as f64 * FRAME_MS;
        self.windows.iter_mut().flat_map(|window| &mut window.early_ms).for_each(|ms| *ms -= shift_ms);
    }

    /// How much earlier than needed the packet comes at which delay and lateness together cost least.
    fn cheapest(&mut self) -> Option<f64> {
        let seen: usize = self.windows.iter().map(|window| window.seen).sum();
        let mut latest: Vec<f64> =
            self.windows.iter().flat_map(|window| &window.early_ms).copied().collect();
        latest.sort_by(f64::total_cmp);
        latest.truncate(TOP);
        let (worst, best) = (*latest.first()?, *latest.last()?);
        let late_cost = self.tradeoff.unwrap_or(1.0) * (WINDOWS * TOP) as f64 / seen as f64;
        self.tradeoff = Some(1.0 + (best - worst) * PER_MS / TOP as f64);
        let cost = |(late, early_ms): (usize, &f64)| {
            let early_ms = (early_ms / FRAME_MS).floor() * FRAME_MS;
            let penalty = if late > 0 && latest[..late].iter().any(|ms| *ms >= 0.0) { HYSTERESIS } else { 0 };
            (late_cost * (late + penalty) as f64 - early_ms * PER_MS, early_ms)
        };
        let (_, early_ms) = latest.iter().enumerate().map(cost).min_by(|a, b| a.0.total_cmp(&b.0))?;
        // Until it has seen enough it takes no delay back.
        (early_ms < 0.0 || seen >= TOP).then_some(early_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::by_hand;

    #[test]
    fn a_steady_network_is_heard_whole_within_two_frames() {
        let score = speex(&by_hand(&[Some(30.0); 500], &[]));
        assert!(score.unheard == 0.0 && score.concealed == 0.0 && score.delay_ms <= 2.0 * FRAME_MS, "{score:?}");
    }

    #[test]
    fn packets_that_keep_coming_late_move_it() {
        let mut transits = vec![Some(30.0); 200];
        transits.extend([Some(130.0); 800]);
        let score = speex(&by_hand(&transits, &[]));
        assert!(score.delay_ms > 75.0 && score.delay_ms < 125.0, "{score:?}");
        assert!(score.unheard < 2.0, "{score:?}");
    }

    #[test]
    fn it_takes_back_what_is_not_needed_any_more() {
        let mut transits = vec![Some(130.0); 20];
        transits.extend([Some(30.0); 2000]);
        let score = speex(&by_hand(&transits, &[]));
        assert!(score.delay_ms < 30.0, "{score:?}");
    }
}
