//! The table for people: our engine beside NetEq, what everybody costs, and the means that sum it up.

use crate::{
    line::{Line, NETEQ, OURS, Player},
    measure::{Count, Score, geometric_mean, median},
    reference::{BEST_RETUNED, Reference},
};
use std::fmt::Write;

/// As much more concealment still counts as equal, in percent.
const EQUAL: f64 = 0.05;

pub(crate) fn render(lines: &[Line], fec: bool) -> String {
    let width = lines.iter().map(|line| line.trace.len()).chain(["trace".len()]).max().unwrap_or_default();
    let redundancy = if fec { "with in-band FEC" } else { "without redundancy" };
    let mut text = format!("\nSenders {redundancy}. D and J in ms, C, stretched and dropped in percent.\n\n");
    beside_neteq(&mut text, lines, width);
    costs(&mut text, lines, width);
    text + &ratios(lines) + &at_equal_concealment(lines) + &worst(lines)
}

fn beside_neteq(text: &mut String, lines: &[Line], width: usize) {
    let _ = writeln!(
        text,
        "{:width$}        | ours, knob at 20     | ours, knob at 100    | stretched      long         beyond | NetEq",
        ""
    );
    let _ = writeln!(
        text,
        "{:width$}   lost |    D      C    J20 |    D      C   J100 | pause speech  /min dropped   loss |    D      C    J20   \
         J100  /min",
        "trace"
    );
    for line in lines {
        let (Some(ours), Some(neteq)) = (line.player(OURS), line.player(NETEQ)) else { continue };
        let [at_20, at_100] = ours.scores;
        let _ = write!(text, "{:width$} {:6.2} |", line.trace, line.lost);
        let _ = write!(text, "{}{:7.0} |", d_and_c(&at_20), ours.cost(0, Count::Larger));
        let _ = write!(text, "{}{:7.0} |", d_and_c(&at_100), ours.cost(1, Count::Larger));
        let Score { stretched_in_pauses, long_per_min, .. } = at_100;
        let stretched_in_speech = line.speech_stretched();
        let (dropped, beyond) = (at_100.dropped(), at_100.c(Count::Larger) - line.lost);
        let _ = write!(
            text,
            "{stretched_in_pauses:6.2} {stretched_in_speech:6.2} {long_per_min:5.1} {dropped:7.2} {beyond:6.2} |"
        );
        let (neteq_20, neteq_100) = (neteq.cost(0, Count::Larger), neteq.cost(1, Count::Larger));
        let long_per_min = neteq.scores[0].long_per_min;
        let _ =
            writeln!(text, "{}{neteq_20:7.0}{neteq_100:7.0} {long_per_min:5.1}", d_and_c(&neteq.scores[0]));
    }
}

fn d_and_c(score: &Score) -> String {
    format!("{:5.0} {:6.2}", score.delay_ms, score.c(Count::Larger))
}

fn costs(text: &mut String, lines: &[Line], width: usize) {
    let Some(first) = lines.first() else { return };
    let _ = write!(text, "\n{:width$}  J20/J100 of", "");
    let _ = write!(text, "\n{:width$}", "trace");
    for player in &first.players {
        let _ = write!(text, " {:>11}", player.name);
    }
    for line in lines {
        let _ = write!(text, "\n{:width$}", line.trace);
        for player in &line.players {
            let cell = format!("{:.0}/{:.0}", player.cost(0, Count::Larger), player.cost(1, Count::Larger));
            let _ = write!(text, " {cell:>11}");
        }
    }
    text.push('\n');
}

fn ratios(lines: &[Line]) -> String {
    let mut text = String::from(
        "\nOurs relative to                  with C = concealed + dropped\n                  J20   J100       J20   J100\n",
    );
    let others = lines.first().map_or(&[][..], |line| line.players.get(1..).unwrap_or_default());
    for other in others {
        let ratio = |price, count| ratio(lines, other.name, price, count);
        let _ = writeln!(
            text,
            "{:13} {:7.3}{:7.3}   {:7.3}{:7.3}",
            other.name,
            ratio(0, Count::Larger),
            ratio(1, Count::Larger),
            ratio(0, Count::Sum),
            ratio(1, Count::Sum)
        );
    }
    text
}

/// The geometric mean of our cost over another's.
pub(crate) fn ratio(lines: &[Line], other: &str, price: usize, count: Count) -> f64 {
    let cost = |line: &Line, name: &str| line.player(name).map(|player: &Player| player.cost(price, count));
    let both = lines.iter().filter_map(|line| Some((cost(line, OURS)?, cost(line, other)?)));
    // A bound may cost nothing at all on a perfect network: a ratio to it says nothing.
    geometric_mean(both.filter(|(ours, other)| *ours > 0.0 && *other > 0.0).map(|(ours, other)| ours / other))
}

fn at_equal_concealment(lines: &[Line]) -> String {
    let mut text = format!("\nWhere C is at most NetEq's + {EQUAL}:\n");
    let knobs = lines.first().map_or(&[][..], |line| &line.by_knob);
    for (place, (knob, _)) in knobs.iter().enumerate() {
        let both =
            lines.iter().filter_map(|line| Some((line.by_knob[place].1, line.player(NETEQ)?.scores[0])));
        let reached: Vec<f64> = both
            .filter(|(ours, neteq)| ours.c(Count::Larger) <= neteq.c(Count::Larger) + EQUAL)
            .map(|(ours, neteq)| 100.0 * (ours.delay_ms / neteq.delay_ms - 1.0))
            .collect();
        let lower = reached.iter().filter(|change| **change < 0.0).count();
        let _ = writeln!(
            text,
            "knob at {knob:4}: on {} of {} traces; delay lower on {lower}, median {:+.0} %",
            reached.len(),
            lines.len(),
            median(reached)
        );
    }
    text
}

/// Where our engine, its knob at 100, is worst at what no mean may hide.
fn worst(lines: &[Line]) -> String {
    let at_100 = |line: &Line| line.player(OURS).map(|player| player.scores[1]).unwrap_or_default();
    let neteq = |line: &Line| line.player(NETEQ).map(|player| player.scores[0]).unwrap_or_default();
    let long = |line: &Line| at_100(line).long_per_min - neteq(line).long_per_min;
    let stretched = Line::speech_stretched;
    let mut text = String::from("\nWorst, knob at 100:\n");
    let mut tell = |what: &str, unit: &str, of: &dyn Fn(&Line) -> f64| {
        if let Some(line) = lines.iter().max_by(|a, b| of(a).total_cmp(&of(b))) {
            let _ = writeln!(text, "{what}: {:.2}{unit}, on {}", of(line), line.trace);
        }
    };
    tell("concealments of 150 ms and more, beyond NetEq's", " a minute", &long);
    tell("speech stretched", " % of it", &stretched);
    text
}

/// How far the port of NetEq is from the real one, and our engine relative to the real one; nothing of traces it was never
/// measured on.
pub(crate) fn against(lines: &[Line], reference: &Reference, fec: bool) -> String {
    let known: Vec<&Line> = lines.iter().filter(|line| reference.cost(&line.trace, 0).is_some()).collect();
    if known.is_empty() {
        return String::new();
    }
    let mut text = String::from("\nAgainst the real NetEq, geometric means of        J20   J100\n");
    let over = |name, line: &Line, price| {
        let cost = line.player(name)?.cost(price, Count::Larger);
        Some(cost / reference.cost(&line.trace, price)?)
    };
    let mean = |name, price| geometric_mean(known.iter().filter_map(|line| over(name, line, price)));
    for (title, name) in [("the port over it", NETEQ), ("ours over it", OURS)] {
        let _ = writeln!(text, "{title:45} {:7.3}{:7.3}", mean(name, 0), mean(name, 1));
    }
    if !fec {
        let [at_20, at_100] = BEST_RETUNED;
        let (at_20, at_100) = (mean(OURS, 0) / at_20, mean(OURS, 1) / at_100);
        let _ = writeln!(text, "{:45} {at_20:7.3}{at_100:7.3}", "ours over its best retuning");
    }
    let both = |line: &&Line| {
        let ours = line.player(OURS)?.scores[1];
        let (delay_ms, concealed) = reference.delay_and_concealment(&line.trace)?;
        let reached = ours.c(Count::Larger) <= concealed + EQUAL;
        Some((reached, 100.0 * (ours.delay_ms / delay_ms - 1.0)))
    };
    let both: Vec<(bool, f64)> = known.iter().filter_map(both).collect();
    let reached: Vec<f64> = both.iter().filter(|(reached, _)| *reached).map(|(_, change)| *change).collect();
    let _ = writeln!(
        text,
        "C at most its + {EQUAL}, knob at 100: on {} of {} traces; delay lower on {}, median {:+.0} %",
        reached.len(),
        both.len(),
        reached.iter().filter(|change| **change < 0.0).count(),
        median(reached.clone())
    );
    for line in known {
        let off = |price| Some(100.0 * (over(NETEQ, line, price)? - 1.0));
        if let (Some(at_20), Some(at_100)) = (off(0), off(1)) {
            let _ = writeln!(text, "  port on {:35} {at_20:+6.1} %{at_100:+6.1} %", line.trace);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(trace: &str, ours: f64, neteq: f64) -> Line {
        let player = |name, delay_ms| {
            let score = Score { delay_ms, concealed: 1.0, ..Score::default() };
            Player { name, scores: [score; 2] }
        };
        let players = vec![player(OURS, ours), player(NETEQ, neteq)];
        let by_knob = vec![(20, players[0].scores[0])];
        Line { trace: trace.into(), lost: 0.0, speech: 0.7, players, by_knob }
    }

    #[test]
    fn the_means_are_of_all_traces() {
        let lines = [line("a", 30.0, 80.0), line("b", 80.0, 30.0)];
        assert!((ratio(&lines, NETEQ, 0, Count::Larger) - 1.0).abs() < 1e-12);
        let text = render(&lines, false);
        assert!(text.contains("knob at   20: on 2 of 2 traces; delay lower on 1, median +52 %"), "{text}");
        assert!(text.lines().any(|line| line.starts_with("NetEq           1.000  1.000")), "{text}");
    }

    #[test]
    fn the_real_one_is_compared_where_it_is_known() {
        let reference = Reference::parse("trace,j20,j100\na,200,360\nb,20,0\n").unwrap();
        let text = against(&[line("a", 30.0, 80.0), line("c", 1.0, 1.0)], &reference, false);
        assert!(text.contains("-50.0 % -50.0 %") && !text.contains("port on c"), "{text}");
    }
}
