//! What the faders did, or are to do: the log in the manifest becomes moves, moves scale a voice.

use super::Automation;
use crate::{
    frame::Channels,
    mix::Fader,
    record::Manifest,
    time::{SampleTime, Samples},
};

/// Something that changes how one hears a voice, from one sample on. Of a voice's moves at one sample sixteen count.
#[derive(Clone, Debug, PartialEq)]
pub struct Move {
    /// Whose.
    pub speaker: String,
    /// The first sample that is changed.
    pub at: u64,
    /// How.
    pub change: Change,
}

/// How one hears a voice.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Change {
    /// Louder or softer, in a straight line.
    Gain {
        /// The linear factor to reach.
        to: f32,
        /// The ramp's length in samples; 0 is a step.
        over: u64,
    },
    /// Further left (−1) or right (1).
    Pan {
        /// Where to.
        to: f32,
    },
    /// No more.
    Mute,
    /// Again.
    Unmute,
}

impl Move {
    pub(super) fn is_to_a_side(&self) -> bool {
        matches!(self.change, Change::Pan { to } if to != 0.0)
    }
}

/// All moves of all voices, in order.
pub(super) fn moves(automation: &Automation, manifest: &Manifest) -> Vec<Move> {
    let mut moves = match automation {
        Automation::AsItHappened => as_it_happened(manifest),
        Automation::Flat => Vec::new(),
        Automation::Own(moves) => moves.clone(),
    };
    moves.sort_by_key(|it| it.at);
    moves
}

/// The log's moves. Whoever comes in is at unity in the middle: it comes by a new lane.
fn as_it_happened(manifest: &Manifest) -> Vec<Move> {
    let mut moves = Vec::new();
    for event in &manifest.events {
        let Some(speaker) = &event.speaker else { continue };
        let changes: &[Change] = match (&*event.verb, event.to) {
            ("join", _) => &[Change::Gain { to: 1.0, over: 0 }, Change::Unmute, Change::Pan { to: 0.0 }],
            ("mute", _) => &[Change::Mute],
            ("unmute", _) => &[Change::Unmute],
            ("gain", Some(to)) => &[Change::Gain { to, over: event.over_samples.unwrap_or(0) }],
            ("pan", Some(to)) => &[Change::Pan { to }],
            _ => &[],
        };
        let at = event.at_sample;
        moves.extend(changes.iter().map(|change| Move { speaker: speaker.clone(), at, change: *change }));
    }
    moves
}

/// Scales a voice's `frame`, which begins at room sample `at`, by its moves.
pub(super) fn apply<'a>(
    moves: impl Iterator<Item = &'a Move> + Clone,
    at: u64,
    channels: Channels,
    frame: &mut [f32],
) {
    let mut fader = fader_at(moves.clone().take_while(|it| it.at < at), at);
    let end = at + (frame.len() / channels.count()) as u64;
    let turns = moves.filter(|it| (at..end).contains(&it.at));
    let (mut from, mut rest) = (at, frame);
    for turn in turns {
        let (part, behind) = rest.split_at_mut((turn.at - from) as usize * channels.count());
        fader.apply(SampleTime::from_samples(from), channels, part);
        plan(&mut fader, turn);
        (from, rest) = (turn.at, behind);
    }
    fader.apply(SampleTime::from_samples(from), channels, rest);
}

/// The fader as all moves before `at` have left it. Each gain is a ramp of its own length, so that only the clock counts
/// and not what was heard.
fn fader_at<'a>(moves: impl Iterator<Item = &'a Move>, at: u64) -> Fader {
    let (mut fader, mut now) = (Fader::new(), 0);
    // A fader that has heard nothing would make its first mute a step.
    fader.apply(SampleTime::ZERO, Channels::Mono, &mut [1.0]);
    for turn in moves {
        fader.skip(SampleTime::from_samples(now), Samples::new(turn.at - now));
        plan(&mut fader, turn);
        now = turn.at;
    }
    fader.skip(SampleTime::from_samples(now), Samples::new(at - now));
    fader
}

/// The fader stands at the move's sample, so only what belongs to the same one waits in it.
fn plan(fader: &mut Fader, turn: &Move) {
    let at = SampleTime::from_samples(turn.at);
    let _taken = match turn.change {
        Change::Gain { to, over } => fader.gain(to, at, Samples::new(over)),
        Change::Pan { to } => fader.pan(to, at),
        Change::Mute => fader.mute(at),
        Change::Unmute => fader.unmute(at),
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn change() -> impl Strategy<Value = Change> {
        prop_oneof![
            (0.0..2.0_f32, 0..3_000_u64).prop_map(|(to, over)| Change::Gain { to, over }),
            (-1.0..1.0_f32).prop_map(|to| Change::Pan { to }),
            Just(Change::Mute),
            Just(Change::Unmute),
        ]
    }

    proptest! {
        #[test]
        fn where_a_block_begins_changes_no_bit(
            changes in prop::collection::vec((0..20_000_u64, change()), 0..12),
            cuts in prop::collection::vec(1..20_000_usize, 0..4),
        ) {
            let mut moves: Vec<_> =
                changes.into_iter().map(|(at, change)| Move { speaker: String::new(), at, change }).collect();
            moves.sort_by_key(|it| it.at);
            let mut whole = vec![1.0; 40_000];
            apply(moves.iter(), 0, Channels::Stereo, &mut whole);
            for cut in cuts {
                let mut part = vec![1.0; 40_000 - 2 * cut];
                apply(moves.iter(), cut as u64, Channels::Stereo, &mut part);
                prop_assert!(part == whole[2 * cut..]);
            }
        }
    }
}
