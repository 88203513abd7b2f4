//! Decoded sound that waits to be played. Packets go in whole, quanta come out; in a pause its newest stretch can be
//! shortened or lengthened at will, in speech by pitch periods. What has been played last is kept for comparison.

use super::{
    period::{self, Wish},
    pitch::Change,
    quiet::Quiet,
    splice,
};
use crate::{
    codec::MAX_PACKET_SAMPLES,
    frame::Channels,
    time::{Quantum, Samples},
};

/// The longest packet, a quantum beside it, and as much again as a pause may be lengthened by.
const CAPACITY: usize = 2 * MAX_PACKET_SAMPLES + 960;

/// 20 ms that have been played are kept: what comes is compared with them.
const HISTORY: usize = 960;
/// 10 ms before the newest stretch may be changed with it, if they still wait.
const REACH_BACK: usize = 480;
/// 40 ms: in longer packets the search stays with the end.
const REACH: usize = 1920;

/// A queue of samples in one piece of memory.
#[derive(Debug)]
pub struct Pending {
    samples: Box<[f32]>,
    /// What has been played lies before it.
    start: usize,
    end: usize,
    channels: Channels,
    quiet: Quiet,
}

impl Pending {
    /// An empty queue for frames of `channels`.
    ///
    /// # Real-time
    /// Allocates.
    #[must_use]
    pub fn new(channels: Channels) -> Self {
        let samples = vec![0.0; (HISTORY + CAPACITY) * channels.count()].into_boxed_slice();
        Self { samples, start: 0, end: 0, channels, quiet: Quiet::default() }
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
        let width = self.channels.count();
        let from = self.start.saturating_sub(HISTORY * width);
        self.samples.copy_within(from..self.end, 0);
        self.end -= from;
        self.start -= from;
        let until = self.end.saturating_add(length.len().saturating_mul(width)).min(self.limit());
        &mut self.samples[self.end..until]
    }

    /// The first `length` of the room lent last has been filled; that stretch comes back.
    ///
    /// # Real-time
    /// Safe.
    pub fn push(&mut self, length: Samples) -> &mut [f32] {
        let from = self.end;
        let width = self.channels.count();
        self.end = from.saturating_add(length.len().saturating_mul(width)).min(self.limit());
        let new = &mut self.samples[from..self.end];
        self.quiet.hear(new, width);
        new
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
        if count < out.len() {
            self.clear();
        }
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
        let limit = self.limit();
        let added = splice::lengthen(&mut self.samples[from..limit], self.end - from, width, wanted.len());
        self.end += added * width;
        Samples::new(added as u64)
    }

    /// Takes one pitch period, or a few of them, out of the newest sound, at most `at_most`; how much went. Nothing goes
    /// where it would be heard. What waits before the `newest` stretch may be used as well.
    ///
    /// # Real-time
    /// Safe.
    pub fn hasten(&mut self, newest: Samples, at_most: Samples) -> Samples {
        let (from, wish) = self.wish(Change::Faster, newest, at_most);
        let width = self.channels.count();
        let sound = &mut self.samples[from..self.end];
        let Some(seam) = period::seam(sound, width, wish) else { return Samples::ZERO };
        seam.cut(sound, width);
        self.end -= seam.lag * width;
        Samples::new(seam.lag as u64)
    }

    /// Repeats one pitch period, or a few of them, of the newest sound, at most `at_most`; how much came. Nothing comes
    /// where it would be heard.
    ///
    /// # Real-time
    /// Safe.
    pub fn slow(&mut self, newest: Samples, at_most: Samples) -> Samples {
        let (from, wish) = self.wish(Change::Slower, newest, at_most);
        let width = self.channels.count();
        let Some(seam) = period::seam(&self.samples[from..self.end], width, wish) else {
            return Samples::ZERO;
        };
        let length = (self.end - from) / width;
        seam.repeat(&mut self.samples[from..], length, width);
        self.end += seam.lag * width;
        Samples::new(seam.lag as u64)
    }

    /// Leaves only the `newest` of what waits, as if the rest had been played.
    ///
    /// # Real-time
    /// Safe.
    pub fn keep(&mut self, newest: Samples) {
        let from = self.end.saturating_sub(newest.len().saturating_mul(self.channels.count()));
        self.start = self.start.max(from);
    }

    /// Forgets all that waits and all that has been played.
    pub fn clear(&mut self) {
        (self.start, self.end) = (0, 0);
    }

    /// Where the sound begins that is looked at, and what may be done to it.
    fn wish(&self, change: Change, newest: Samples, at_most: Samples) -> (usize, Wish) {
        let width = self.channels.count();
        let room = (self.limit() - self.end) / width;
        let at_most = match change {
            Change::Faster => at_most.len(),
            Change::Slower => at_most.len().min(room),
        };
        let reach = newest.len().saturating_add(REACH_BACK).min(REACH);
        let start = self.end.saturating_sub(reach * width).max(self.start);
        let from = start.saturating_sub(HISTORY * width);
        (from, Wish { change, start: (start - from) / width, at_most, quiet: self.quiet.power() })
    }

    /// How far what waits may go.
    fn limit(&self) -> usize {
        (self.start + CAPACITY * self.channels.count()).min(self.samples.len()).max(self.end)
    }
}

// A quantum and the longest packet must fit side by side, whatever was left over.
const _: () = assert!(CAPACITY >= MAX_PACKET_SAMPLES + 2 * Quantum::Ms20.samples().len());

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

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

    fn speak(pending: &mut Pending, at: &mut u64, length: u64) {
        for sample in pending.space(Samples::new(length)).iter_mut() {
            *sample = 0.1 * (std::f32::consts::TAU * (*at % 400) as f32 / 400.0).sin();
            *at += 1;
        }
        pending.push(Samples::new(length));
    }

    /// A voice of 120 Hz in packets, each made shorter or longer by what is tolerable; how many were.
    fn successes(packet: u64, change: fn(&mut Pending, Samples, Samples) -> Samples, at_most: u64) -> usize {
        let (mut pending, mut at) = (Pending::new(Channels::Mono), 0);
        let mut changed = 0;
        for _ in 0..50 {
            speak(&mut pending, &mut at, packet);
            let before = pending.len();
            let by = change(&mut pending, Samples::new(packet), Samples::new(at_most));
            assert_eq!(before.count().abs_diff(pending.len().count()), by.count());
            changed += usize::from(!by.is_empty());
            while pending.len() >= Samples::new(480) {
                pending.pop(&mut [0.0; 480]);
            }
        }
        changed
    }

    #[test]
    fn steady_speech_is_changed_in_packets_of_any_length() {
        for packet in [960, 1920, 2880] {
            assert!(successes(packet, Pending::hasten, 720) >= 45, "{packet}");
        }
        for packet in [480, 960, 2880] {
            assert!(successes(packet, Pending::slow, 720) >= 45, "{packet}");
        }
        assert_eq!(successes(960, Pending::hasten, 300), 0);
    }

    #[test]
    fn what_was_played_is_not_changed_and_forgotten_with_the_rest() {
        let (mut pending, mut at) = (Pending::new(Channels::Mono), 0);
        speak(&mut pending, &mut at, 960);
        pending.pop(&mut [0.0; 720]);
        assert_eq!(pending.hasten(Samples::new(960), Samples::new(720)), Samples::ZERO, "240 are too few");
        assert!(
            !pending.slow(Samples::new(960), Samples::new(720)).is_empty(),
            "but with what was played a period"
        );
        pending.clear();
        speak(&mut pending, &mut at, 240);
        assert_eq!(pending.slow(Samples::new(240), Samples::new(720)), Samples::ZERO);
    }

    #[test]
    fn a_full_queue_is_not_slowed() {
        let mut pending = filled(CAPACITY as u64);
        assert_eq!(pending.slow(Samples::new(960), Samples::new(720)), Samples::ZERO);
        assert_eq!(pending.len(), Samples::new(CAPACITY as u64));
    }

    proptest! {
        #[test]
        fn any_order_of_calls_keeps_count(calls in prop::collection::vec((0..6_u8, 0..3000_u64), 0..60)) {
            let (mut pending, mut at) = (Pending::new(Channels::Mono), 0);
            for (call, length) in calls {
                let (before, length) = (pending.len().count(), Samples::new(length));
                let by = match call {
                    0 => { speak(&mut pending, &mut at, length.count().min(CAPACITY as u64 - before.min(CAPACITY as u64))); continue }
                    1 => { pending.pop(&mut vec![0.0; length.len()]); continue }
                    2 => pending.hasten(length, length),
                    3 => pending.slow(length, length),
                    4 => pending.shorten(length, length),
                    _ => pending.lengthen(length, length),
                };
                prop_assert!(by <= length);
                let now = pending.len().count();
                prop_assert_eq!(now, if call % 2 == 0 { before - by.count() } else { before + by.count() });
                prop_assert!(now <= CAPACITY as u64);
            }
        }
    }
}
