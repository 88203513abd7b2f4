//! Decoded sound that waits to be played. Packets go in whole, quanta come out; in a pause its newest stretch can be
//! shortened or lengthened.

use super::splice;
use crate::{
    codec::MAX_PACKET_SAMPLES,
    frame::Channels,
    time::{Quantum, Samples},
};

/// The longest packet, a quantum beside it, and as much again as a pause may be lengthened by.
const CAPACITY: usize = 2 * MAX_PACKET_SAMPLES + 960;

/// A queue of samples in one piece of memory.
#[derive(Debug)]
pub struct Pending {
    samples: Box<[f32]>,
    start: usize,
    end: usize,
    channels: Channels,
}

impl Pending {
    /// An empty queue for frames of `channels`.
    ///
    /// # Real-time
    /// Allocates.
    #[must_use]
    pub fn new(channels: Channels) -> Self {
        let samples = vec![0.0; CAPACITY * channels.count()].into_boxed_slice();
        Self { samples, start: 0, end: 0, channels }
    }

    /// How much waits.
    #[must_use]
    pub fn len(&self) -> Samples {
        Samples::new(((self.end - self.start) / self.channels.count()) as u64)
    }

    /// Does nothing wait?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// Room for at most `length` behind what waits; [`Pending::push`] says how much of it was filled.
    ///
    /// # Real-time
    /// Safe.
    pub fn space(&mut self, length: Samples) -> &mut [f32] {
        self.samples.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        let until = (self.end + length.len() * self.channels.count()).min(self.samples.len());
        &mut self.samples[self.end..until]
    }

    /// The first `length` of the room lent last has been filled; that stretch comes back.
    ///
    /// # Real-time
    /// Safe.
    pub fn push(&mut self, length: Samples) -> &mut [f32] {
        let from = self.end;
        self.end = (from + length.len() * self.channels.count()).min(self.samples.len());
        &mut self.samples[from..self.end]
    }

    /// Moves the oldest samples to `out`; what is not there is silence.
    ///
    /// # Real-time
    /// Safe.
    pub fn pop(&mut self, out: &mut [f32]) {
        let count = out.len().min(self.end - self.start);
        let (there, missing) = out.split_at_mut(count);
        there.copy_from_slice(&self.samples[self.start..self.start + count]);
        missing.fill(0.0);
        self.start += count;
    }

    /// Takes up to `wanted` out of the newest `stretch`, cross-faded; how much went.
    ///
    /// # Real-time
    /// Safe.
    pub fn shorten(&mut self, stretch: Samples, wanted: Samples) -> Samples {
        let width = self.channels.count();
        let from = self.end.saturating_sub(stretch.len() * width).max(self.start);
        let removed = splice::shorten(&mut self.samples[from..self.end], width, wanted.len());
        self.end -= removed * width;
        Samples::new(removed as u64)
    }

    /// Adds up to `wanted` to the newest `stretch` by repeating its end, cross-faded; how much came.
    ///
    /// # Real-time
    /// Safe.
    pub fn lengthen(&mut self, stretch: Samples, wanted: Samples) -> Samples {
        let width = self.channels.count();
        let from = self.end.saturating_sub(stretch.len() * width).max(self.start);
        let added = splice::lengthen(&mut self.samples[from..], self.end - from, width, wanted.len());
        self.end += added * width;
        Samples::new(added as u64)
    }

    /// Forgets all that waits.
    pub fn clear(&mut self) {
        (self.start, self.end) = (0, 0);
    }
}

// A quantum and the longest packet must fit side by side, whatever was left over.
const _: () = assert!(CAPACITY >= MAX_PACKET_SAMPLES + 2 * Quantum::Ms20.samples().len());

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(samples: u64) -> Pending {
        let mut pending = Pending::new(Channels::Mono);
        for (i, sample) in pending.space(Samples::new(samples)).iter_mut().enumerate() {
            *sample = i as f32;
        }
        pending.push(Samples::new(samples));
        pending
    }

    #[test]
    fn samples_come_out_in_the_order_they_went_in() {
        let mut pending = filled(960);
        let mut out = [0.0; 480];
        pending.pop(&mut out);
        pending.space(Samples::new(120)).fill(7.0);
        pending.push(Samples::new(120));
        pending.pop(&mut out);
        assert_eq!((out[0], out[479]), (480.0, 959.0));
        pending.pop(&mut out);
        assert_eq!((out[119], out[120]), (7.0, 0.0));
        assert!(pending.is_empty());
    }

    #[test]
    fn a_full_queue_lends_no_more_room_than_it_has() {
        let mut pending = filled(CAPACITY as u64);
        assert!(pending.space(Samples::new(10)).is_empty());
        assert!(pending.push(Samples::new(10)).is_empty());
    }

    #[test]
    fn lengths_change_by_what_was_asked() {
        let mut pending = filled(960);
        assert_eq!(pending.shorten(Samples::new(960), Samples::new(480)), Samples::new(480));
        assert_eq!(pending.len(), Samples::new(480));
        assert_eq!(pending.lengthen(Samples::new(480), Samples::new(120)), Samples::new(120));
        assert_eq!(pending.len(), Samples::new(600));
    }
}
