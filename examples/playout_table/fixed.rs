//! A fixed delay over the smallest transit: what comes later is not heard. And the best one, chosen in hindsight.

use crate::{
    measure::{FRAME_MS, Score, Tally},
    trace::Trace,
};

/// Plays everything that is there `delay_ms` after the quickest packet would be.
pub(crate) fn fixed(trace: &Trace, delay_ms: f64) -> Score {
    let delays = std::iter::repeat_n(delay_ms, trace.frames.len());
    play_at(trace, delays)
}

/// Plays each frame at a delay of its own, if it is there by then.
pub(crate) fn play_at(trace: &Trace, delays_ms: impl Iterator<Item = f64>) -> Score {
    let mut tally = Tally::default();
    for (late_ms, delay_ms) in trace.late_ms().zip(delays_ms) {
        if late_ms.is_some_and(|late_ms| late_ms <= delay_ms) {
            tally.heard(delay_ms);
            tally.sounded(FRAME_MS);
        } else {
            tally.concealed(FRAME_MS);
        }
    }
    tally.score(trace.frames.len(), trace.lost())
}

/// The fixed delay that costs least. Only delays at which one more packet is heard can be that.
pub(crate) fn best_fixed(trace: &Trace, ms_per_percent: f64) -> Score {
    let mut candidates: Vec<f64> = trace.late_ms().flatten().collect();
    candidates.sort_by(f64::total_cmp);
    let sent = trace.frames.len() as f64;
    let cost = |(place, delay_ms): (usize, f64)| {
        delay_ms + ms_per_percent * 100.0 * (sent - (place + 1) as f64) / sent
    };
    let costs = candidates.iter().copied().enumerate().map(cost);
    let cheapest = costs.enumerate().min_by(|(_, a), (_, b)| a.total_cmp(b)).map(|(place, _)| place);
    fixed(trace, cheapest.map_or(0.0, |place| candidates[place]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{measure::Count, trace::by_hand};

    fn trace() -> Trace {
        by_hand(&[Some(10.0), Some(40.0), None, Some(20.0), Some(100.0)], &[])
    }

    #[test]
    fn a_fixed_delay_hears_what_is_there_by_then() {
        let score = fixed(&trace(), 30.0);
        let expected =
            Score { delay_ms: 30.0, concealed: 40.0, unheard: 40.0, lost: 20.0, ..Score::default() };
        assert_eq!(score, expected);
        assert!((fixed(&trace(), 29.9).unheard - 60.0).abs() < 1e-9);
    }

    #[test]
    fn the_best_is_no_worse_than_any_other() {
        for ms_per_percent in [0.0, 0.5, 2.0, 20.0] {
            let best = best_fixed(&trace(), ms_per_percent).cost(ms_per_percent, Count::Larger);
            let others = (0..200).map(|ms| fixed(&trace(), f64::from(ms) / 2.0));
            let least =
                others.map(|score| score.cost(ms_per_percent, Count::Larger)).fold(f64::INFINITY, f64::min);
            assert!((best - least).abs() < 1e-9, "{ms_per_percent}: {best} {least}");
        }
    }
}
