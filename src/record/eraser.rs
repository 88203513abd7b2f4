//! What of a voice's packets goes when it is taken back out of a stretch: those that lie in it, and behind them whatever may
//! still tell of it, as behind a gate. In come its packets in order, file by file; out comes what is left of each.

use super::{
    fill, gap::Cause, manifest::Manifest, memory::EncoderMemory, read::TrackPacket, tape::Place, waiting::Run,
};
use std::{collections::VecDeque, ops::Range};

/// More packets than a file can begin with for its decoder alone: 80 ms and one, the shortest 2.5 ms long.
const RECENT: usize = 200;

/// Decides what is erased.
#[derive(Debug)]
pub(super) struct Eraser {
    range: Range<i64>,
    memory: EncoderMemory,
    places: Vec<Place>,
    /// Was the last packet erased, so that no decoder may make up anything behind it?
    silent: bool,
    packets: u64,
    /// In room samples, neighbours made one.
    erased: Vec<Range<u64>>,
    /// The room sample that the present file begins with. What lies before it is a copy of what the file before ends with.
    from: i64,
    /// What became of the last packets: where they lay, what is left.
    recent: VecDeque<(i64, Option<Vec<u8>>)>,
    /// Is the present file another than it was?
    changed: bool,
}

impl Eraser {
    pub(super) fn new(manifest: &Manifest, speaker: &str, range: Range<u64>) -> Self {
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
            changed: false,
        }
    }

    /// The speaker's packets that were erased.
    pub(super) fn packets(&self) -> u64 {
        self.packets
    }

    /// Where they lay, in room samples.
    pub(super) fn erased(&self) -> &[Range<u64>] {
        &self.erased
    }

    /// What comes is in the file that begins with this room sample.
    pub(super) fn goes_on_at(&mut self, from: u64) {
        self.from = if self.recent.is_empty() { i64::MIN } else { from.min(i64::MAX as u64) as i64 };
        self.changed = false;
    }

    /// Is anything in the present file to go?
    pub(super) fn has_changed(&self) -> bool {
        self.changed
    }

    /// What is left of a packet; nothing if it is erased.
    pub(super) fn pass(&mut self, packet: TrackPacket) -> Option<Vec<u8>> {
        let (at, before) = (packet.at, packet.payload.clone());
        let left = if at < self.from { self.once_more(&packet) } else { self.judge(packet) };
        self.changed |= left.as_ref() != Some(&before);
        if at >= self.from {
            self.recent.push_back((at, left.clone()));
            if self.recent.len() > RECENT {
                self.recent.pop_front();
            }
        }
        left
    }

    /// What became of a packet of which this is a copy.
    fn once_more(&self, copy: &TrackPacket) -> Option<Vec<u8>> {
        let first = self.recent.iter().find(|(at, _)| *at == copy.at);
        first.and_then(|(_, left)| left.clone())
    }

    fn judge(&mut self, packet: TrackPacket) -> Option<Vec<u8>> {
        let (at, end, samples) = (packet.at, packet.end(), packet.samples);
        let mut payload = packet.payload;
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
