//! The table for machines: one row a trace, buffer and knob.

use crate::{
    line::{Line, OURS, PRICES},
    measure::{Count, Score},
};
use std::fmt::Write;

const HEAD: &str = "fec,trace,player,ms_per_percent,d_ms,concealed_pct,unheard_pct,lost_pct,c_pct,j20,j100,j20_sum,j100_sum,\
                    stretched_pause_pct,stretched_speech_pct,long_per_min\n";

pub(crate) fn render(runs: &[(bool, Vec<Line>)]) -> String {
    let mut text = String::from(HEAD);
    for (fec, line) in runs.iter().flat_map(|(fec, lines)| lines.iter().map(move |line| (*fec, line))) {
        let ours = line.by_knob.iter().map(|(knob, score)| (OURS, *knob, score));
        let others = line.players.iter().filter(|player| player.name != OURS);
        let others = others.flat_map(|player| {
            PRICES.iter().zip(&player.scores).map(|(knob, score)| (player.name, *knob, score))
        });
        for (name, knob, score) in ours.chain(others) {
            row(&mut text, fec, &line.trace, name, knob, score);
        }
    }
    text
}

fn row(text: &mut String, fec: bool, trace: &str, name: &str, knob: u32, score: &Score) {
    let _ = write!(text, "{},{trace},{name},{knob}", u8::from(fec));
    let costs =
        [Count::Larger, Count::Sum].map(|count| PRICES.map(|price| score.cost(f64::from(price), count)));
    let [[j20, j100], [j20_sum, j100_sum]] = costs;
    let c = score.c(Count::Larger);
    let Score { delay_ms, concealed, unheard, lost, .. } = *score;
    let Score { stretched_in_pauses, stretched_in_speech, long_per_min, .. } = *score;
    let quality = [delay_ms, concealed, unheard, lost, c, j20, j100, j20_sum, j100_sum];
    let stretching = [stretched_in_pauses, stretched_in_speech, long_per_min];
    for value in quality.iter().chain(&stretching) {
        let _ = write!(text, ",{value:.3}");
    }
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::line::Player;

    #[test]
    fn every_row_has_every_column() {
        let player = |name| Player { name, scores: [Score::default(); 2] };
        let line = Line {
            trace: "a".into(),
            lost: 0.0,
            speech: 0.7,
            players: vec![player(OURS), player("x")],
            by_knob: vec![(20, Score::default()), (50, Score::default()), (100, Score::default())],
        };
        let text = render(&[(true, vec![line])]);
        assert_eq!(text.lines().count(), 1 + 3 + 2);
        let columns = |line: &str| line.split(',').count();
        assert!(text.lines().all(|line| columns(line) == columns(HEAD)), "{text}");
    }
}
