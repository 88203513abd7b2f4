//! Packets that wait for stragglers, by their place in the room. No two overlap: the first to come has the place.

use super::toc::{self, Toc};
use crate::{
    packet::opus,
    speaker::VoicePacket,
    time::{MediaTime, SampleTime},
};
use std::collections::VecDeque;

/// One run of a sender's clock: which of the speaker's stays in the room, and which epoch in it.
pub(super) type Run = (u32, u32);

/// A packet that is not written yet.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) run: Run,
    pub(super) sequence: u64,
    pub(super) media: MediaTime,
    pub(super) arrived: SampleTime,
    pub(super) samples: u64,
    /// Its first byte; none if its bytes do not last as long as it says.
    pub(super) toc: Option<Toc>,
    pub(super) payload: Vec<u8>,
    /// The first after a pause, as its sender says.
    pub(super) marker: bool,
    /// A copy, which another packet brought along: its own may still come.
    pub(super) is_copy: bool,
}

impl Waiting {
    /// A packet of a speaker's `stay`; none if it says that it lasts no time, or longer than any packet does (RFC 6716 §3.2).
    pub(super) fn new(stay: u32, packet: VoicePacket<'_>) -> Option<Self> {
        let samples = packet.duration.count();
        let decodable = toc::duration_samples(packet.payload) == Some(samples);
        (1..=5760).contains(&samples).then(|| Self {
            run: (stay, packet.epoch),
            sequence: packet.sequence,
            media: packet.media,
            arrived: packet.arrived,
            samples,
            toc: Toc::of(packet.payload).filter(|_| decodable),
            payload: packet.payload.to_vec(),
            marker: packet.marker,
            is_copy: false,
        })
    }

    /// Its media time, counted from where the sender's first packet was put.
    pub(super) fn media_sample(&self) -> i64 {
        media_sample(self.media)
    }

    /// How much later than the sender's clock says it came.
    pub(super) fn transit(&self) -> i64 {
        self.media.transit(self.arrived)
    }

    /// Is it a stretch in which the sender hears no voice? A decoder reads nothing from a frame of at most one byte; digital
    /// silence takes three.
    pub(super) fn is_quiet(&self) -> bool {
        self.payload.len() <= 3 || opus::voice_active(&self.payload) == Some(false)
    }

    /// Its first room sample by a clock of this transit.
    pub(super) fn at(&self, transit: i64) -> i64 {
        transit.saturating_add_unsigned(self.media.samples())
    }
}

/// Media time, counted from where the sender's first packet was put.
pub(super) fn media_sample(media: MediaTime) -> i64 {
    media.samples().wrapping_sub(MediaTime::ORIGIN.samples()) as i64
}

/// A packet, its first sample on the room clock, and the transit its place was reckoned by.
type Placed = (u64, Waiting, i64);

/// Packets in the order of their first samples. Nearly all come in at the end.
#[derive(Debug, Default)]
pub(super) struct Queue(VecDeque<Placed>);

impl Queue {
    /// Puts a packet in its place, unless another lies there; a packet itself takes that of its copy.
    pub(super) fn insert(&mut self, at: u64, packet: Waiting, transit: i64) -> bool {
        let place = match self.0.back() {
            Some((last, ..)) if *last >= at => self.0.partition_point(|(other, ..)| *other < at),
            _ => self.0.len(),
        };
        let is_copy = |(other, it, _): &Placed| {
            *other == at && it.is_copy && it.samples == packet.samples && !packet.is_copy
        };
        if self.0.get(place).is_some_and(is_copy) {
            self.0.remove(place);
        }
        let before = place.checked_sub(1).and_then(|before| self.0.get(before));
        let is_free = before.is_none_or(|(from, it, _)| from + it.samples <= at)
            && self.0.get(place).is_none_or(|(from, ..)| at + packet.samples <= *from);
        if is_free {
            self.0.insert(place, (at, packet, transit));
        }
        is_free
    }

    /// Takes the first packet.
    pub(super) fn take_first(&mut self) -> Option<Placed> {
        self.0.pop_front()
    }

    /// The first packet.
    pub(super) fn first(&self) -> Option<(u64, &Waiting, i64)> {
        self.0.front().map(|(at, packet, transit)| (*at, packet, *transit))
    }

    /// Puts the packets of `run` that were put by this transit later by so much. One that would come to lie on another is
    /// given back.
    pub(super) fn shift(&mut self, run: Run, transit: i64, by: i64) -> u64 {
        let moves = |(_, packet, put): &Placed| packet.run == run && *put == transit;
        let (moved, others): (Vec<_>, Vec<_>) = std::mem::take(&mut self.0).into_iter().partition(moves);
        self.0 = others.into();
        let mut fallen = 0;
        for (at, packet, transit) in moved {
            let to = at.saturating_add_signed(by);
            let counts = !packet.is_copy;
            fallen += u64::from(!self.insert(to, packet, transit.saturating_add(by)) && counts);
        }
        fallen
    }

    /// Where the last packet ends that begins before `at` and is of another run.
    pub(super) fn end_before(&self, run: Run, at: i64) -> Option<u64> {
        let at = u64::try_from(at).ok()?;
        let mut before = self.0.iter().rev().skip_while(|(from, ..)| *from >= at);
        before.find(|(_, packet, _)| packet.run != run).map(|(from, packet, _)| from + packet.samples)
    }

    pub(super) fn any_stereo(&self) -> bool {
        self.0.iter().filter_map(|(_, packet, _)| packet.toc).any(Toc::is_stereo)
    }

    /// How many packets wait, copies aside.
    pub(super) fn len(&self) -> u64 {
        self.0.iter().filter(|(_, packet, _)| !packet.is_copy).count() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{speaker::SpeakerId, time::Samples};

    fn packet(samples: u64) -> Waiting {
        let packet = VoicePacket {
            speaker: SpeakerId(0),
            epoch: 0,
            sequence: 0,
            media: MediaTime::ORIGIN,
            arrived: SampleTime::ZERO,
            duration: Samples::new(samples),
            marker: false,
            payload: &[0xF8],
        };
        Waiting::new(0, packet).unwrap()
    }

    #[test]
    fn a_place_is_taken_once() {
        let mut queue = Queue::default();
        assert!(queue.insert(960, packet(960), 0));
        for at in [1, 960, 961, 1919] {
            assert!(!queue.insert(at, packet(960), 0), "{at}");
        }
        assert!(queue.insert(0, packet(960), 0) && queue.insert(1920, packet(960), 0));
        assert_eq!(queue.take_first().map(|(at, ..)| at), Some(0));
        assert_eq!(queue.first().map(|(at, ..)| at), Some(960));
    }

    #[test]
    fn a_packet_that_lies_about_its_length_has_no_sound() {
        assert_eq!(packet(960).toc, Some(Toc(0xF8)));
        assert_eq!(packet(480).toc, None);
    }
}
