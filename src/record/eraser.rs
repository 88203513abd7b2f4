//! Which of a track's packets go when its voice is taken back: those in the stretch, and those behind that may tell of it, as
//! behind a gate.

use super::{fill, gap::Cause, manifest::Manifest, memory::EncoderMemory, place::Place, waiting::Run};
use std::{collections::VecDeque, ops::Range};

/// Decides packet by packet, from the track's first on.
pub(super) struct Eraser {
    range: Range<i64>,
    memory: EncoderMemory,
    places: Vec<Place>,
    /// Was the last packet erased, so that no decoder may make up anything behind it?
    silent: bool,
    pub(super) packets: u64,
    /// In room samples, neighbours made one.
    pub(super) erased: Vec<Range<u64>>,
    /// The room sample that the present file begins with. What lies before it is a copy of what the file before ends with.
    from: i64,
    /// What became of the last packets: where they lay, what is left.
    recent: VecDeque<(i64, Option<Vec<u8>>)>,
    /// Is the present file another than it was?
    pub(super) has_changed: bool,
}

/// More packets than a file can begin with for its decoder alone: 80 ms and one, the shortest 2.5 ms long.
const RECENT: usize = 200;

impl Eraser {
    pub(super) fn new(manifest: &Manifest, speaker: &str, range: &Range<u64>) -> Self {
        let bound = |sample: u64| sample.min(i64::MAX as u64) as i64;
        Self {
            range: bound(range.start)..bound(range.end),
            memory: EncoderMemory::default(),
            places: manifest.speakers.get(speaker).map(|entry| entry.placed.clone()).unwrap_or_default(),
            silent: false,
            packets: 0,
            erased: Vec::new(),
            from: i64::MIN,
            recent: VecDeque::new(),
            has_changed: false,
        }
    }

    /// What comes is in the file that begins with this room sample.
    pub(super) fn goes_on_at(&mut self, from: u64) {
        self.from = if self.recent.is_empty() { i64::MIN } else { from.min(i64::MAX as u64) as i64 };
        self.has_changed = false;
    }

    /// What is left of a packet that begins at room sample `at`; nothing if it is erased.
    pub(super) fn pass(&mut self, at: i64, samples: u64, payload: Vec<u8>) -> Option<Vec<u8>> {
        let before = payload.clone();
        let left = if at < self.from { self.once_more(at) } else { self.judge(at, samples, payload) };
        self.has_changed |= left.as_ref() != Some(&before);
        if at >= self.from {
            self.recent.push_back((at, left.clone()));
        }
        if self.recent.len() > RECENT {
            self.recent.pop_front();
        }
        left
    }

    /// What became of the packet of which this is a copy.
    fn once_more(&self, at: i64) -> Option<Vec<u8>> {
        let first = self.recent.iter().find(|(of, _)| *of == at);
        first.and_then(|(_, left)| left.clone())
    }

    fn judge(&mut self, at: i64, samples: u64, mut payload: Vec<u8>) -> Option<Vec<u8>> {
        let end = at.saturating_add_unsigned(samples);
        let inside = at < self.range.end && self.range.start < end;
        if inside {
            self.memory.shut(Cause::Revoked);
        }
        if fill::is_fill(&payload) {
            self.silent |= inside;
            return (!self.silent || payload.len() > 1).then_some(payload);
        }
        self.silent = inside || self.memory.hear(self.run(at), samples, &mut payload).is_some();
        if self.silent {
            self.erase(at.max(0) as u64..end.max(0) as u64);
        }
        (!self.silent).then_some(payload)
    }

    fn erase(&mut self, span: Range<u64>) {
        self.packets += 1;
        match self.erased.last_mut().filter(|last| last.end == span.start) {
            Some(last) => last.end = span.end,
            None => self.erased.push(span),
        }
    }

    /// Which run of the sender's clock a packet is of.
    fn run(&self, at: i64) -> Run {
        let before = |place: &&Place| i64::try_from(place.room_sample).is_ok_and(|from| from <= at);
        self.places.iter().rev().find(before).map_or((0, 0), |place| (place.stay, place.epoch))
    }
}
