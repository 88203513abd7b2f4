//! What nobody can beat who may only stretch: the cheapest path of delays with full knowledge of the trace, on a grid of
//! 2 ms, moved by at most a tenth of the time in speech and by a frame a frame in pauses. By dynamic programming.

use crate::{
    fixed::best_fixed,
    measure::{Count, Score},
    talkspurt::price_of_a_miss,
    trace::Trace,
};
use std::collections::VecDeque;

const GRID_MS: f64 = 2.0;
/// Steps of the grid that a frame of 20 ms may move by.
const IN_SPEECH: usize = 1;
const IN_PAUSES: usize = 10;
/// No path is looked for above this.
const HIGHEST_MS: f64 = 4000.0;
/// See [`price_of_a_miss`].
const ROUNDS: usize = 3;

pub(crate) fn clairvoyant(trace: &Trace, ms_per_percent: f64) -> Score {
    let mut best = best_fixed(trace, ms_per_percent);
    for _ in 0..ROUNDS {
        let score = cheapest_path(trace, price_of_a_miss(&best, ms_per_percent));
        if score.cost(ms_per_percent, Count::Larger) >= best.cost(ms_per_percent, Count::Larger) {
            break;
        }
        best = score;
    }
    best
}

/// The cheapest way to a delay, and what it has heard.
#[derive(Clone, Copy, Debug, Default)]
struct Way {
    cost: f64,
    delay_ms: f64,
    heard: u32,
}

fn cheapest_path(trace: &Trace, price_ms: f64) -> Score {
    let late: Vec<Option<usize>> =
        trace.late_ms().map(|late| late.map(|ms| (ms / GRID_MS - 1e-9).ceil().max(0.0) as usize)).collect();
    let highest = late.iter().flatten().copied().max().unwrap_or_default();
    let places = 1 + highest.min((HIGHEST_MS / GRID_MS) as usize);
    let (mut ways, mut before) = (vec![Way::default(); places], vec![Way::default(); places]);
    let mut window = VecDeque::new();
    for (frame, late) in trace.frames.iter().zip(&late) {
        std::mem::swap(&mut ways, &mut before);
        let reach = if frame.is_speech { IN_SPEECH } else { IN_PAUSES };
        cheapest_within(&before, reach, &mut window, &mut ways);
        let first_heard = late.unwrap_or(places).min(places);
        let (deaf, hearing) = ways.split_at_mut(first_heard);
        deaf.iter_mut().for_each(|way| way.cost += price_ms);
        for (way, place) in hearing.iter_mut().zip(first_heard..) {
            let delay_ms = place as f64 * GRID_MS;
            *way = Way { cost: way.cost + delay_ms, delay_ms: way.delay_ms + delay_ms, heard: way.heard + 1 };
        }
    }
    let end = ways.into_iter().min_by(|a, b| a.cost.total_cmp(&b.cost)).unwrap_or_default();
    let percent = |part: f64| 100.0 * part / trace.frames.len() as f64;
    let unheard = percent(trace.frames.len() as f64 - f64::from(end.heard));
    Score {
        delay_ms: end.delay_ms / f64::from(end.heard.max(1)),
        concealed: unheard,
        unheard,
        lost: percent(trace.lost() as f64),
        ..Score::default()
    }
}

/// For each place the cheapest of those at most `reach` away, in one pass.
fn cheapest_within(from: &[Way], reach: usize, window: &mut VecDeque<usize>, to: &mut [Way]) {
    window.clear();
    let mut next = 0;
    for (place, way) in to.iter_mut().enumerate() {
        while next < from.len() && next <= place + reach {
            while window.back().is_some_and(|last| from[*last].cost >= from[next].cost) {
                window.pop_back();
            }
            window.push_back(next);
            next += 1;
        }
        while window.front().is_some_and(|first| first + reach < place) {
            window.pop_front();
        }
        *way = window.front().map_or_else(Way::default, |first| from[*first]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{fixed::best_fixed, talkspurt::best_talkspurts, trace::by_hand};
    use tertulia::sim::Rng;

    #[test]
    fn the_window_finds_what_looking_everywhere_finds() {
        let mut rng = Rng::new(1);
        let way = |cost| Way { cost, ..Way::default() };
        let from: Vec<Way> = (0..50).map(|_| way(rng.between(0.0, 9.0).floor())).collect();
        for reach in [0, 1, 3, 10, 60] {
            let mut to = vec![Way::default(); from.len()];
            cheapest_within(&from, reach, &mut VecDeque::new(), &mut to);
            for (place, way) in to.iter().enumerate() {
                let near = &from[place.saturating_sub(reach)..(place + reach + 1).min(from.len())];
                let least = near.iter().map(|way| way.cost).fold(f64::INFINITY, f64::min);
                assert!((way.cost - least).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn the_delay_moves_no_faster_than_it_may() {
        // Known in advance, a step of 20 ms takes ten frames of speech, and one of a pause.
        let mut transits = vec![Some(10.0); 30];
        transits.extend([Some(30.0); 30]);
        let speech = clairvoyant(&by_hand(&transits, &[]), 20.0);
        assert!(speech.unheard <= 0.0);
        let ramp: f64 = (1..10).map(|step| 2.0 * f64::from(step)).sum();
        assert!((speech.delay_ms - (ramp + 30.0 * 20.0) / 60.0).abs() < 1e-9, "{}", speech.delay_ms);
        let pauses = clairvoyant(&by_hand(&transits, &[false; 60]), 20.0);
        assert!((pauses.delay_ms - 10.0).abs() < 1e-9);
    }

    #[test]
    fn who_knows_more_pays_less() {
        let mut rng = Rng::new(7);
        for _ in 0..20 {
            let transit = |rng: &mut Rng| (!rng.chance(0.1)).then(|| 10.0 + rng.exponential(15.0));
            let transits: Vec<_> = (0..300).map(|_| transit(&mut rng)).collect();
            let speech: Vec<bool> = (0..300).map(|at| at % 60 < 40).collect();
            let trace = by_hand(&transits, &speech);
            for ms_per_percent in [1.0, 20.0] {
                let cost = |score: Score| score.cost(ms_per_percent, Count::Larger);
                let all = cost(clairvoyant(&trace, ms_per_percent));
                let spurts = cost(best_talkspurts(&trace, ms_per_percent));
                let fixed = cost(best_fixed(&trace, ms_per_percent));
                // The grid may cost up to one step.
                assert!(all <= spurts + GRID_MS && spurts <= fixed, "{all} {spurts} {fixed}");
            }
        }
    }
}
