//! Ten seconds of the room: each voice's stem, made by itself, and their sum.

use super::{Move, RenderError, automation, voice, warp::Warp, what::Plan};
use crate::{
    frame::Channels,
    mix,
    record::{Recording, Spans, TrackReader},
};
use std::ops::Range;

/// A block's length in samples. They begin at multiples of it.
pub(super) const BLOCK: u64 = 480_000;

/// What was rendered of a stretch of the room's time; all of it begins at the same sample and is interleaved.
#[derive(Clone, Copy, Debug)]
pub struct Block<'a> {
    /// The first sample.
    pub at: u64,
    /// One channel or two.
    pub channels: Channels,
    /// What one hears: the sum, limited to −1 dBTP.
    pub mix: &'a [f32],
    /// The stems' sum, before the limiter.
    pub sum: &'a [f32],
    pub(super) voices: &'a [String],
    pub(super) stems: &'a [Option<Vec<f32>>],
    /// From here on the stems are this block's.
    pub(super) from: usize,
}

impl<'a> Block<'a> {
    /// One voice with its gain and pan; nothing where it is silent in all of the block, or not asked for.
    #[must_use]
    pub fn stem(&self, name: &str) -> Option<&'a [f32]> {
        let place = self.voices.binary_search_by(|voice| voice.as_str().cmp(name)).ok()?;
        let stem = self.stems.get(place)?.as_deref()?;
        stem.get(self.from..self.from + self.sum.len())
    }

    /// How many samples it lasts.
    #[must_use]
    pub fn samples(&self) -> u64 {
        (self.sum.len() / self.channels.count()) as u64
    }
}

/// A whole block before it is limited and cut.
#[derive(Debug)]
pub(super) struct Raw {
    pub(super) at: u64,
    pub(super) stems: Vec<Option<Vec<f32>>>,
    pub(super) sum: Vec<f32>,
}

impl Raw {
    /// Sums stems in their order.
    pub(super) fn new(at: u64, channels: Channels, stems: Vec<Option<Vec<f32>>>) -> Self {
        let mut sum = vec![0.0; BLOCK as usize * channels.count()];
        stems.iter().flatten().for_each(|stem| mix::add(&mut sum, stem));
        Self { at, stems, sum }
    }
}

/// One voice in the block at `at`: decoded, spread to the render's channels, faded.
pub(super) fn stem(
    recording: &Recording,
    plan: &Plan,
    moves: &[Move],
    name: &str,
    at: u64,
) -> Result<Option<Vec<f32>>, RenderError> {
    let end = (at + BLOCK).min(recording.manifest().samples);
    if at >= end {
        return Ok(None);
    }
    let mut track = recording.track(name)?;
    let warp = Warp::new(&recording.manifest().speakers[name].clock);
    let Some(sound) = said(&mut track, &warp, at..end)? else { return Ok(None) };
    let mut stem = spread(sound, track.channels(), plan.channels);
    stem.resize(BLOCK as usize * plan.channels.count(), 0.0);
    silence_outside(&recording.manifest().speakers[name].joined, at, &mut stem, plan.channels.count());
    automation::apply(moves.iter().filter(|it| it.speaker == name), at, plan.channels, &mut stem);
    Ok(Some(stem))
}

/// A codec rings a little before a sound begins; who is not in the room is not heard, not even so.
fn silence_outside(joined: &Spans, at: u64, stem: &mut [f32], width: usize) {
    let end = at + (stem.len() / width) as u64;
    let place = |sample: u64| (sample.clamp(at, end) - at) as usize * width;
    let mut heard = 0;
    for span in joined.iter() {
        stem[heard..place(span.from).max(heard)].fill(0.0);
        heard = place(span.to).max(heard);
    }
    stem[heard..].fill(0.0);
}

/// What a voice said in `range` of the room, interleaved as its track.
fn said(track: &mut TrackReader, warp: &Warp, range: Range<u64>) -> Result<Option<Vec<f32>>, RenderError> {
    if warp.is_straight() {
        return voice::decode(track, range);
    }
    let needed = warp.needed(&range);
    let sound = voice::decode(track, needed.clone())?;
    Ok(sound.map(|sound| warp.apply(&sound, needed.start, range, track.channels().count())))
}

/// A voice of one channel stands in the middle of two, at unity on both sides; two become one by halves.
fn spread(sound: Vec<f32>, from: Channels, to: Channels) -> Vec<f32> {
    match (from, to) {
        (Channels::Mono, Channels::Stereo) => sound.iter().flat_map(|sample| [*sample; 2]).collect(),
        (Channels::Stereo, Channels::Mono) => {
            sound.chunks_exact(2).map(|pair| 0.5 * (pair[0] + pair[1])).collect()
        }
        _ => sound,
    }
}
