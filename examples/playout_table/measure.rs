//! What is measured, and how: D, C and what they cost. Comparators and our engine are counted by the same [`Tally`].

/// One frame of a trace.
pub(crate) const FRAME_MS: f64 = 20.0;

/// A concealment as long as this is an interruption, as in libwebrtc's statistics.
const LONG_MS: f64 = 150.0;

/// What a playout made of one trace.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Score {
    /// D: mean of playout − send − smallest transit of the trace, first samples of heard packets.
    pub(crate) delay_ms: f64,
    /// Percent of the output that was invented.
    pub(crate) concealed: f64,
    /// Percent of the content that was never heard.
    pub(crate) unheard: f64,
    /// Percent of the content that the network lost, with whatever copies it carried.
    pub(crate) lost: f64,
    /// Inserted and removed, in percent of the duration.
    pub(crate) stretched_in_pauses: f64,
    pub(crate) stretched_in_speech: f64,
    /// Concealments of 150 ms and more, a minute.
    pub(crate) long_per_min: f64,
}

/// How concealment is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Count {
    /// C: invented or never heard, whichever is more.
    Larger,
    /// Invented, and content dropped beyond the network's loss on top.
    Sum,
}

impl Score {
    pub(crate) fn c(&self, count: Count) -> f64 {
        match count {
            Count::Larger => self.concealed.max(self.unheard),
            Count::Sum => self.concealed + self.dropped(),
        }
    }

    /// Percent of the content that arrived, and was not heard.
    pub(crate) fn dropped(&self) -> f64 {
        (self.unheard - self.lost).max(0.0)
    }

    /// J: delay, and concealment at this price.
    pub(crate) fn cost(&self, ms_per_percent: f64, count: Count) -> f64 {
        self.delay_ms + ms_per_percent * self.c(count)
    }

    /// The mean of several runs.
    pub(crate) fn mean(runs: &[Self]) -> Self {
        let of = |part: fn(&Self) -> f64| runs.iter().map(part).sum::<f64>() / runs.len().max(1) as f64;
        Self {
            delay_ms: of(|run| run.delay_ms),
            concealed: of(|run| run.concealed),
            unheard: of(|run| run.unheard),
            lost: of(|run| run.lost),
            stretched_in_pauses: of(|run| run.stretched_in_pauses),
            stretched_in_speech: of(|run| run.stretched_in_speech),
            long_per_min: of(|run| run.long_per_min),
        }
    }
}

/// Counts one run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    delay_ms: f64,
    heard: u32,
    output_ms: f64,
    concealed_ms: f64,
    hole_ms: f64,
    long: u32,
    stretched_ms: [f64; 2],
}

impl Tally {
    /// A packet begins to sound, `delay_ms` after it was sent and crossed the network at its quickest.
    pub(crate) fn heard(&mut self, delay_ms: f64) {
        self.heard += 1;
        self.delay_ms += delay_ms;
        self.end_hole();
    }

    /// Output that packets gave, stretched or not.
    pub(crate) fn sounded(&mut self, ms: f64) {
        self.output_ms += ms;
    }

    /// Output that was invented.
    pub(crate) fn concealed(&mut self, ms: f64) {
        self.output_ms += ms;
        self.concealed_ms += ms;
        self.hole_ms += ms;
    }

    /// Output of `sounded` or `concealed` that was left out (below 0) or added.
    pub(crate) fn stretched(&mut self, ms: f64, in_speech: bool) {
        self.output_ms += ms;
        self.stretched_ms[usize::from(in_speech)] += ms.abs();
    }

    pub(crate) fn score(mut self, sent: usize, lost: usize) -> Score {
        self.end_hole();
        let output_ms = self.output_ms.max(f64::MIN_POSITIVE);
        let of_sent = |part: f64| 100.0 * part / sent.max(1) as f64;
        let of_output = |ms: f64| 100.0 * ms / output_ms;
        Score {
            delay_ms: self.delay_ms / f64::from(self.heard.max(1)),
            concealed: of_output(self.concealed_ms),
            unheard: of_sent(sent as f64 - f64::from(self.heard)),
            lost: of_sent(lost as f64),
            stretched_in_pauses: of_output(self.stretched_ms[0]),
            stretched_in_speech: of_output(self.stretched_ms[1]),
            long_per_min: f64::from(self.long) / (output_ms / 60_000.0),
        }
    }

    /// What is concealed from here on is another concealment.
    pub(crate) fn end_hole(&mut self) {
        self.long += u32::from(self.hole_ms >= LONG_MS);
        self.hole_ms = 0.0;
    }
}

/// The mean of ratios; 1 of none.
pub(crate) fn geometric_mean(ratios: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = ratios.fold((0.0, 0u32), |(sum, count), ratio| (sum + ratio.ln(), count + 1));
    (sum / f64::from(count.max(1))).exp()
}

pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => f64::NAN,
        n if n.is_multiple_of(2) => (values[middle - 1] + values[middle]) / 2.0,
        _ => values[middle],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-9
    }

    #[test]
    fn a_run_is_counted_as_the_definitions_say() {
        let mut tally = Tally::default();
        for delay_ms in [10.0, 20.0, 30.0] {
            tally.heard(delay_ms);
            tally.sounded(20.0);
        }
        tally.concealed(40.0);
        tally.stretched(-5.0, false);
        tally.stretched(5.0, true);
        let score = tally.score(5, 1);
        assert!(close(score.delay_ms, 20.0) && close(score.concealed, 40.0) && close(score.unheard, 40.0));
        assert!(close(score.lost, 20.0) && close(score.dropped(), 20.0));
        assert!(close(score.stretched_in_pauses, 5.0) && close(score.stretched_in_speech, 5.0));
        assert!(close(score.cost(20.0, Count::Larger), 20.0 + 20.0 * 40.0));
        assert!(close(score.cost(100.0, Count::Sum), 20.0 + 100.0 * 60.0));
    }

    #[test]
    fn only_an_unbroken_concealment_is_long() {
        let long = |hole: &[f64]| {
            let mut tally = Tally::default();
            tally.sounded(60_000.0 - hole.iter().sum::<f64>());
            for ms in hole {
                tally.concealed(*ms);
                if *ms > 100.0 {
                    tally.heard(0.0);
                }
            }
            tally.score(1, 0).long_per_min
        };
        assert!(close(long(&[75.0, 75.0]), 1.0));
        assert!(close(long(&[149.0, 149.0]), 0.0));
        assert!(close(long(&[150.0, 10.0, 150.0]), 2.0));
    }

    #[test]
    fn means_and_medians_are_what_they_are() {
        assert!(close(geometric_mean([0.5, 2.0].into_iter()), 1.0));
        assert!(close(geometric_mean([0.25, 1.0, 2.0].into_iter()), 0.5f64.cbrt()));
        assert!(close(median(vec![3.0, 1.0, 2.0]), 2.0) && close(median(vec![4.0, 1.0]), 2.5));
    }
}
