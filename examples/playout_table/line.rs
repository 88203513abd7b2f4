//! One trace's line: our engine and every comparator on it.

use crate::{
    clairvoyant::clairvoyant,
    fixed::{best_fixed, fixed},
    measure::{Count, Score},
    neteq::{RETUNED_20, RETUNED_100, neteq},
    neteq_target::Tuning,
    ours::ours,
    speex::speex,
    talkspurt::best_talkspurts,
    trace::Trace,
    voice::Speaker,
};

/// The two prices of one percent of concealment, in milliseconds of delay.
pub(crate) const PRICES: [u32; 2] = [20, 100];

pub(crate) const OURS: &str = "ours";
pub(crate) const NETEQ: &str = "NetEq";

#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) trace: String,
    pub(crate) lost: f64,
    /// The share of the trace that is speech.
    pub(crate) speech: f64,
    /// Ours first.
    pub(crate) players: Vec<Player>,
    /// Our engine with its knob elsewhere too, for comparisons at equal concealment.
    pub(crate) by_knob: Vec<(u32, Score)>,
}

/// One buffer or bound: what it does where one percent costs 20 ms, and where it costs 100 ms. Those that do not know
/// the price do the same at both.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Player {
    pub(crate) name: &'static str,
    pub(crate) scores: [Score; 2],
}

impl Player {
    pub(crate) fn cost(&self, price: usize, count: Count) -> f64 {
        self.scores[price].cost(f64::from(PRICES[price]), count)
    }
}

impl Line {
    /// Of speech, percent that our engine, its knob at 100, has stretched.
    pub(crate) fn speech_stretched(&self) -> f64 {
        let of_all = self.player(OURS).map_or(0.0, |ours| ours.scores[1].stretched_in_speech);
        of_all / self.speech.max(f64::MIN_POSITIVE)
    }

    pub(crate) fn player(&self, name: &str) -> Option<&Player> {
        self.players.iter().find(|player| player.name == name)
    }
}

/// Plays one trace in every way.
pub(crate) fn line(trace: &Trace, speaker: &Speaker, more: &[u32]) -> Result<Line, String> {
    let voice = &speaker.says(trace)?;
    let trace = &trace.clone().carrying(voice);
    let mut knobs: Vec<u32> = PRICES.iter().chain(more).copied().collect();
    knobs.sort_unstable();
    knobs.dedup();
    let runs = knobs.into_iter().map(|knob| Ok((knob, ours(trace, voice, knob)?)));
    let by_knob = runs.collect::<Result<Vec<_>, String>>()?;
    let at = |price| by_knob.iter().find(|(knob, _)| *knob == price).map_or_else(Score::default, |run| run.1);
    let mut players = vec![Player { name: OURS, scores: PRICES.map(at) }];
    players.extend(comparators(trace));
    let frames = trace.frames.len().max(1) as f64;
    let speech = trace.frames.iter().filter(|frame| frame.is_speech).count() as f64 / frames;
    Ok(Line { trace: trace.name.clone(), lost: players[0].scores[0].lost, speech, players, by_knob })
}

fn comparators(trace: &Trace) -> Vec<Player> {
    let same = |name, score| Player { name, scores: [score; 2] };
    let priced = |name, play: fn(&Trace, f64) -> Score| Player {
        name,
        scores: PRICES.map(|price| play(trace, f64::from(price))),
    };
    vec![
        same(NETEQ, neteq(trace, Tuning::default())),
        same("NetEq .3", neteq(trace, RETUNED_20)),
        same("NetEq .8", neteq(trace, RETUNED_100)),
        same("speex", speex(trace)),
        same("60 ms", fixed(trace, 60.0)),
        same("100 ms", fixed(trace, 100.0)),
        priced("best fixed", best_fixed),
        priced("talkspurt", best_talkspurts),
        priced("clairvoyant", clairvoyant),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::by_hand;

    #[test]
    fn a_line_has_everybody_and_both_prices() {
        let is_speech: Vec<bool> = (0..200).map(|at| at % 50 < 40).collect();
        let trace = by_hand(&[Some(30.0); 200], &is_speech);
        let line = line(&trace, &Speaker::read(None, false).unwrap(), &[50, 20]).unwrap();
        assert_eq!(line.by_knob.iter().map(|(knob, _)| *knob).collect::<Vec<_>>(), [20, 50, 100]);
        assert_eq!(line.players.len(), 10);
        assert!((line.player("60 ms").unwrap().scores[1].delay_ms - 60.0).abs() < 1e-9);
        assert!(line.player("clairvoyant").unwrap().cost(0, Count::Larger) < 1e-9);
    }
}
