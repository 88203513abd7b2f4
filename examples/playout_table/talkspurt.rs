//! What no algorithm that changes its delay between talkspurts only can beat: the best delay for each talkspurt with the
//! pause after it, in hindsight and without a limit on the jump between two (Moon, Kurose, Towsley 1998).

use crate::{
    fixed::{best_fixed, play_at},
    measure::{Count, Score},
    trace::Trace,
};
use std::ops::Range;

/// The mean delay counts heard packets only, so a packet's price depends on the solution; a few rounds settle it.
const ROUNDS: usize = 4;

pub(crate) fn best_talkspurts(trace: &Trace, ms_per_percent: f64) -> Score {
    let late_ms: Vec<Option<f64>> = trace.late_ms().collect();
    let spurts = talkspurts(trace);
    // One delay for all is a choice too.
    let mut best = best_fixed(trace, ms_per_percent);
    for _ in 0..ROUNDS {
        let price_ms = price_of_a_miss(&best, ms_per_percent);
        let delays = spurts
            .iter()
            .flat_map(|spurt| std::iter::repeat_n(cheapest(&late_ms[spurt.clone()], price_ms), spurt.len()));
        let score = play_at(trace, delays);
        if score.cost(ms_per_percent, Count::Larger) >= best.cost(ms_per_percent, Count::Larger) {
            break;
        }
        best = score;
    }
    best
}

/// What one more packet unheard costs, in the unit of summed delays: J = A/H + 100λ(N−H)/N for a summed delay A and H
/// heard of N; times H, its change is dA − dH·(A/H + 100λH/N).
pub(crate) fn price_of_a_miss(so_far: &Score, ms_per_percent: f64) -> f64 {
    so_far.delay_ms + 100.0 * ms_per_percent * (1.0 - so_far.unheard / 100.0)
}

/// Each begins where speech begins after a pause.
fn talkspurts(trace: &Trace) -> Vec<Range<usize>> {
    let frames = &trace.frames;
    let begins = (1..frames.len()).filter(|at| frames[*at].is_speech && !frames[*at - 1].is_speech);
    let edges: Vec<usize> = [0].into_iter().chain(begins).chain([frames.len()]).collect();
    edges.windows(2).map(|two| two[0]..two[1]).collect()
}

fn cheapest(late_ms: &[Option<f64>], price_ms: f64) -> f64 {
    let mut candidates: Vec<f64> = late_ms.iter().copied().flatten().collect();
    candidates.sort_by(f64::total_cmp);
    let all = candidates.len() as f64;
    let cost = |heard: f64, delay_ms: f64| heard * delay_ms + (all - heard) * price_ms;
    let costs = candidates.iter().zip(1u32..).map(|(ms, heard)| (cost(f64::from(heard), *ms), *ms));
    // Below 0 nothing is heard at all.
    let none = (cost(0.0, 0.0), -1.0);
    std::iter::once(none).chain(costs).min_by(|(a, _), (b, _)| a.total_cmp(b)).map_or(-1.0, |(_, ms)| ms)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::by_hand;

    #[test]
    fn each_talkspurt_has_its_own_delay() {
        let transits = [10.0, 10.0, 12.0, 60.0, 60.0, 61.0].map(Some);
        let trace = by_hand(&transits, &[true, true, false, true, true, false]);
        assert_eq!(talkspurts(&trace), [0..3, 3..6]);
        let score = best_talkspurts(&trace, 20.0);
        assert!((score.delay_ms - (3.0 * 2.0 + 3.0 * 51.0) / 6.0).abs() < 1e-9);
        assert!(score.unheard <= 0.0);
    }

    #[test]
    fn without_pauses_it_is_the_best_fixed_delay() {
        let transits = [10.0, 15.0, 300.0, 11.0, 12.0].map(Some);
        let trace = by_hand(&transits, &[]);
        for ms_per_percent in [0.1, 1.0, 20.0] {
            assert_eq!(best_talkspurts(&trace, ms_per_percent), best_fixed(&trace, ms_per_percent));
        }
    }
}
