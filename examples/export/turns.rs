//! Who speaks when: from each voice's sound, so that labels and pictures need no transcript.

use std::{collections::BTreeMap, ops::Range};
use tertulia::{
    frame::Channels,
    mix::Activity,
    render::{Bits, Block, Peaks},
};

/// What is judged at once: 20 ms.
const STEP: u64 = 960;
/// A breath is no end: pauses up to 600 ms belong to a turn.
const BREATH: u64 = 28_800;
/// Less than 200 ms is no turn.
const LEAST: u64 = 9_600;
/// 256 samples a pixel, as waveform players have it.
const PIXEL: u32 = 256;

/// One voice, listened to from the beginning to the end.
struct Listener {
    activity: Activity,
    turns: Vec<Range<u64>>,
    peaks: Peaks,
}

/// All voices.
pub(crate) struct Listeners(BTreeMap<String, Listener>);

/// What was heard of one voice.
pub(crate) struct Heard {
    pub(crate) turns: Vec<Range<u64>>,
    pub(crate) peaks: Peaks,
}

impl Listeners {
    pub(crate) fn new<'a>(names: impl Iterator<Item = &'a String>) -> Self {
        Self(names.map(|name| (name.clone(), Listener::new())).collect())
    }

    pub(crate) fn hear(&mut self, block: &Block<'_>) {
        let silence = vec![0.0; block.sum.len()];
        for (name, listener) in &mut self.0 {
            listener.hear(block, block.stem(name).unwrap_or(&silence));
        }
    }

    pub(crate) fn finish(self) -> BTreeMap<String, Heard> {
        let heard = |listener: Listener| {
            let long = |turn: &Range<u64>| turn.end - turn.start >= LEAST;
            Heard { turns: listener.turns.into_iter().filter(long).collect(), peaks: listener.peaks.finish() }
        };
        self.0.into_iter().map(|(name, listener)| (name, heard(listener))).collect()
    }
}

impl Listener {
    fn new() -> Self {
        Self {
            activity: Activity::new(),
            turns: Vec::new(),
            peaks: Peaks::new(Channels::Mono, PIXEL, Bits::Eight),
        }
    }

    fn hear(&mut self, block: &Block<'_>, stem: &[f32]) {
        let width = block.channels.count();
        for (at, frame) in (block.at..).step_by(STEP as usize).zip(stem.chunks(STEP as usize * width)) {
            if !self.activity.is_pause(block.channels, frame, false) {
                self.speaks(at..at + (frame.len() / width) as u64);
            }
        }
        // One waveform a voice: the louder side of a panned one.
        let louder =
            |pair: &[f32]| pair.iter().copied().fold(0.0, |a: f32, b| if b.abs() > a.abs() { b } else { a });
        let mono: Vec<f32> = stem.chunks_exact(width).map(louder).collect();
        self.peaks.push(&mono);
    }

    fn speaks(&mut self, now: Range<u64>) {
        match self.turns.last_mut() {
            Some(turn) if now.start <= turn.end + BREATH => turn.end = now.end,
            _ => self.turns.push(now),
        }
    }
}
