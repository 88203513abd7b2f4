//! The way of a render: blocks are made by threads, a window of them at a time; the window before is limited, cut to the
//! range and handed out meanwhile.

use super::{
    Move, RenderError, What, automation,
    block::{self, BLOCK, Block, Raw},
    what::Plan,
};
use crate::{mix::Limiter, record::Recording};
use std::{
    ops::Range,
    panic::resume_unwind,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

/// After so long at the latest nothing of a limiter's past is left: its gain comes back by 1/480,000 a sample at least,
/// and its windows span 40 samples.
const LIMITER_FORGETS: u64 = 480_480;

/// Renders a recording and hands it out block by block, in order. The look-ahead of the limiter is taken out: all
/// samples of a block are of the same moment.
///
/// # Errors
/// The recording cannot be read, what is asked for cannot be, or what `take` says.
pub fn render(
    recording: &Recording,
    what: &What,
    take: &mut dyn FnMut(&Block<'_>) -> Result<(), RenderError>,
) -> Result<(), RenderError> {
    let moves = automation::moves(&what.automation, recording.manifest());
    let plan = what.plan(recording, &moves)?;
    let first = plan.range.start.saturating_sub(LIMITER_FORGETS) / BLOCK;
    let last = (plan.range.end + Limiter::LOOKAHEAD.count()).div_ceil(BLOCK);
    let kitchen = Kitchen { recording, plan: &plan, moves: &moves };
    // Two blocks of work for each thread, so that none waits long for another.
    let window = (2 * plan.threads).div_ceil(plan.voices.len().max(1)) as u64;
    let (mut way_out, mut made) = (WayOut::new(&plan, take), Vec::new());
    let mut next = first;
    while next < last || !made.is_empty() {
        let blocks = next..(next + window).min(last);
        made = kitchen.make(blocks.clone(), || {
            std::mem::take(&mut made).into_iter().try_for_each(|raw| way_out.push(raw))
        })?;
        next = blocks.end;
    }
    way_out.finish()
}

/// What blocks are made of.
struct Kitchen<'a> {
    recording: &'a Recording,
    plan: &'a Plan,
    moves: &'a [Move],
}

type Stem = Result<Option<Vec<f32>>, RenderError>;

impl Kitchen<'_> {
    /// Makes these blocks while `meanwhile` is done.
    fn make(
        &self,
        blocks: Range<u64>,
        meanwhile: impl FnOnce() -> Result<(), RenderError>,
    ) -> Result<Vec<Raw>, RenderError> {
        let next = AtomicUsize::new(0);
        let mut stems = thread::scope(|scope| {
            let cook = || self.stems(&blocks, &next);
            let threads: Vec<_> = (0..self.plan.threads).map(|_| scope.spawn(cook)).collect();
            meanwhile()?;
            let made = threads
                .into_iter()
                .flat_map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic)));
            Ok::<_, RenderError>(made.collect::<Vec<_>>())
        })?;
        stems.sort_by_key(|(job, _)| *job);
        let mut stems = stems.into_iter().map(|(_, stem)| stem);
        let row = |number| {
            let stems = stems.by_ref().take(self.plan.voices.len()).collect::<Result<_, _>>()?;
            Ok(Raw::new(number * BLOCK, self.plan.channels, stems))
        };
        blocks.map(row).collect()
    }

    /// One thread's share: whatever stem is next, until there is none.
    fn stems(&self, blocks: &Range<u64>, next: &AtomicUsize) -> Vec<(usize, Stem)> {
        let voices = &self.plan.voices;
        let jobs = (blocks.end - blocks.start) as usize * voices.len();
        let job = || Some(next.fetch_add(1, Ordering::Relaxed)).filter(|job| *job < jobs);
        let stem = |job: usize| {
            let number = blocks.start + (job / voices.len()) as u64;
            let name = &voices[job % voices.len()];
            (job, block::stem(self.recording, self.plan, self.moves, name, number * BLOCK))
        };
        std::iter::from_fn(job).map(stem).collect()
    }
}

/// Blocks come in order; limited and cut they are handed out, one later: the limiter looks ahead.
struct WayOut<'a> {
    plan: &'a Plan,
    limiter: Limiter,
    held: Option<Raw>,
    take: &'a mut dyn FnMut(&Block<'_>) -> Result<(), RenderError>,
}

impl<'a> WayOut<'a> {
    fn new(plan: &'a Plan, take: &'a mut dyn FnMut(&Block<'_>) -> Result<(), RenderError>) -> Self {
        Self { plan, limiter: Limiter::new(plan.channels), held: None, take }
    }

    fn ahead(&self) -> usize {
        Limiter::LOOKAHEAD.len() * self.plan.channels.count()
    }

    fn push(&mut self, raw: Raw) -> Result<(), RenderError> {
        let mut begins = raw.sum[..self.ahead()].to_vec();
        match self.held.replace(raw) {
            Some(before) => self.hand_out(&before, &begins),
            None => {
                self.limiter.process(&mut begins);
                Ok(())
            }
        }
    }

    fn finish(mut self) -> Result<(), RenderError> {
        let nothing = vec![0.0; self.ahead()];
        self.held.take().map_or(Ok(()), |last| self.hand_out(&last, &nothing))
    }

    /// Limits a block, of which the limiter knows the beginning, with what comes behind it.
    fn hand_out(&mut self, raw: &Raw, behind: &[f32]) -> Result<(), RenderError> {
        let mut mix = [&raw.sum[self.ahead()..], behind].concat();
        self.limiter.process(&mut mix);
        let (channels, range) = (self.plan.channels, &self.plan.range);
        let from = range.start.clamp(raw.at, raw.at + BLOCK);
        let to = range.end.clamp(from, raw.at + BLOCK);
        if from == to {
            return Ok(());
        }
        let part = [from, to].map(|at| (at - raw.at) as usize * channels.count());
        (self.take)(&Block {
            at: from,
            channels,
            mix: &mix[part[0]..part[1]],
            sum: &raw.sum[part[0]..part[1]],
            voices: &self.plan.voices,
            stems: &raw.stems,
            from: part[0],
        })
    }
}
