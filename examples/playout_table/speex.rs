//! A buffer in the manner of speexdsp's `jitter.c`: the timings of the last thousand packets come in, the shift that
//! minimises *delay + late packets* leaves; it moves by whole frames of 20 ms, at pulls of 20 ms. Own code.

use crate::{
    measure::{FRAME_MS, Score, Tally},
    trace::Trace,
};
use std::collections::{BTreeSet, VecDeque};

/// Of the packets of its windows only the latest are weighed, so that at most 4 % can be late by choice.
const TOP: usize = 40;
const WINDOW: usize = 100 * TOP / 4;
const SUBWINDOWS: usize = 3;
/// Its buffer.
const PLACES: usize = 200;
/// Frames missed in a row after which it starts anew.
const LOST: u32 = 20;
/// The first packet to be late counts for so many more.
const HYSTERESIS: usize = 4;
/// Its timings are samples; the rule that weighs lateness by their spread has a constant in that unit.
const PER_MS: f64 = 48.0;
/// The weight at the start.
const START_TRADEOFF: f64 = 32_000.0;
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

#[derive(Debug)]
struct Buffer {
    waiting: BTreeSet<usize>,
    /// The frame that is due, once something has come.
    next: Option<usize>,
    /// Frames to be invented before it, to gain delay.
    inserting: usize,
    lost: u32,
    /// The newest first.
    windows: VecDeque<Window>,
    /// What one late packet in the window is worth, in samples of delay.
    tradeoff: f64,
}

/// How early packets came (below 0: late), the latest of them sorted.
#[derive(Debug, Default)]
struct Window {
    early_ms: Vec<f64>,
    seen: usize,
}

impl Default for Buffer {
    fn default() -> Self {
        Self {
            waiting: BTreeSet::new(),
            next: None,
            inserting: 0,
            lost: 0,
            windows: VecDeque::new(),
            tradeoff: START_TRADEOFF,
        }
    }
}

impl Buffer {
    fn put(&mut self, place: usize) {
        if self.lost > LOST {
            *self = Self::default();
        }
        let next = *self.next.get_or_insert(place);
        self.learn((place as f64 - next as f64 + self.inserting as f64) * FRAME_MS);
        if place >= next {
            self.waiting.insert(place);
        }
        if self.waiting.len() > PLACES {
            self.waiting.pop_first();
        }
    }

    fn pull(&mut self) -> Option<usize> {
        self.adapt();
        if self.inserting > 0 {
            self.inserting -= 1;
            return None;
        }
        let place = self.next?;
        self.next = Some(place + 1);
        self.waiting = self.waiting.split_off(&place);
        let is_there = self.waiting.remove(&place);
        self.lost = if is_there { 0 } else { self.lost + 1 };
        is_there.then_some(place)
    }

    fn learn(&mut self, early_ms: f64) {
        if self.windows.front().is_none_or(|window| window.seen >= WINDOW / SUBWINDOWS) {
            self.windows.push_front(Window::default());
            self.windows.truncate(SUBWINDOWS);
        }
        if let Some(window) = self.windows.front_mut() {
            let at = window.early_ms.partition_point(|other| *other <= early_ms);
            window.early_ms.insert(at, early_ms);
            window.early_ms.truncate(TOP);
            window.seen += 1;
        }
    }

    /// Moves playout to the cheapest delay: on in the media when there is too much of it, by invented frames when there
    /// is too little.
    fn adapt(&mut self) {
        let (Some(frames), Some(next)) = (self.cheapest(), self.next.as_mut()) else { return };
        if frames > 0 {
            *next += frames as usize;
        } else {
            self.inserting += frames.unsigned_abs() as usize;
        }
        let shift_ms = frames as f64 * FRAME_MS;
        self.windows.iter_mut().flat_map(|window| &mut window.early_ms).for_each(|ms| *ms -= shift_ms);
    }

    /// How many frames less of delay would cost least, lateness included.
    fn cheapest(&mut self) -> Option<i64> {
        let seen: usize = self.windows.iter().map(|window| window.seen).sum();
        let mut latest: Vec<f64> = self.windows.iter().flat_map(|window| &window.early_ms).copied().collect();
        latest.sort_by(f64::total_cmp);
        latest.truncate(TOP);
        let (worst_ms, best_ms) = (*latest.first()?, *latest.last()?);
        let late_cost = self.tradeoff * WINDOW as f64 / seen as f64;
        self.tradeoff = 1.0 + (best_ms - worst_ms) * PER_MS / TOP as f64;
        let in_time = latest.partition_point(|ms| *ms < 0.0);
        let choice = |(late, early_ms): (usize, &f64)| {
            let frames = (early_ms / FRAME_MS).floor();
            let late = late + if late > in_time { HYSTERESIS } else { 0 };
            (late_cost * late as f64 - frames * FRAME_MS * PER_MS, frames as i64)
        };
        let (_, frames) = latest.iter().enumerate().map(choice).min_by(|a, b| a.0.total_cmp(&b.0))?;
        // Until it has seen enough it takes no delay back.
        (frames < 0 || seen >= TOP).then_some(frames)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::by_hand;

    #[test]
    fn a_steady_network_is_heard_whole_within_two_frames() {
        let score = speex(&by_hand(&[Some(30.0); 500], &[]));
        assert!(
            score.unheard == 0.0 && score.concealed == 0.0 && score.delay_ms <= 2.0 * FRAME_MS,
            "{score:?}"
        );
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
        transits.extend([Some(30.0); 10_000]);
        let score = speex(&by_hand(&transits, &[]));
        // The late ones are remembered for a thousand packets: a tenth of the mean is at 100 to 120 ms, the rest within
        // two frames.
        assert!(score.delay_ms < 0.1 * 120.0 + 0.9 * 40.0, "{score:?}");
    }
}
