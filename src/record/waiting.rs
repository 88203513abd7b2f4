//! Packets that wait for stragglers, by their place in the room. No two overlap: the first to come has the place.

use super::toc::{self, Toc};
use crate::{
    packet::opus,
    speaker::VoicePacket,
    time::{MediaTime, SampleTime},
};
use std::collections::BTreeMap;

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

/// Packets by their first sample on the room clock, each with the transit its place was reckoned by.
#[derive(Debug, Default)]
pub(super) struct Queue(BTreeMap<u64, (Waiting, i64)>);

impl Queue {
    /// Puts a packet in its place, unless another lies there; a packet itself takes that of its copy.
    pub(super) fn insert(&mut self, at: u64, packet: Waiting, transit: i64) -> bool {
        let copied = |(it, _): &(Waiting, i64)| it.is_copy && it.samples == packet.samples && !packet.is_copy;
        if self.0.get(&at).is_some_and(copied) {
            self.0.remove(&at);
        }
        let before = self.0.range(..=at).next_back().is_none_or(|(from, (it, _))| from + it.samples <= at);
        let behind = self.0.range(at..).next().is_none_or(|(from, _)| at + packet.samples <= *from);
        if before && behind {
            self.0.insert(at, (packet, transit));
        }
        before && behind
    }

    /// Takes the first packet.
    pub(super) fn take_first(&mut self) -> Option<(u64, Waiting, i64)> {
        self.0.pop_first().map(|(at, (packet, transit))| (at, packet, transit))
    }

    /// The first packet.
    pub(super) fn first(&self) -> Option<(u64, &Waiting, i64)> {
        self.0.first_key_value().map(|(at, (packet, transit))| (*at, packet, *transit))
    }

    /// Puts the packets of `run` that were put by this transit later by so much. One that would come to lie on another is
    /// given back.
    pub(super) fn shift(&mut self, run: Run, transit: i64, by: i64) -> u64 {
        let moves = |(_, (packet, put)): &(u64, (Waiting, i64))| packet.run == run && *put == transit;
        let (moved, others): (Vec<_>, Vec<_>) = std::mem::take(&mut self.0).into_iter().partition(moves);
        self.0 = others.into_iter().collect();
        let mut fallen = 0;
        for (at, (packet, transit)) in moved {
            let to = at.saturating_add_signed(by);
            let counts = !packet.is_copy;
            fallen += u64::from(!self.insert(to, packet, transit.saturating_add(by)) && counts);
        }
        fallen
    }

    /// Where the last packet ends that begins before `at` and is of another run.
    pub(super) fn end_before(&self, run: Run, at: i64) -> Option<u64> {
        let mut before = self.0.range(..u64::try_from(at).ok()?).rev();
        before.find(|(_, (packet, _))| packet.run != run).map(|(from, (packet, _))| from + packet.samples)
    }

    pub(super) fn any_stereo(&self) -> bool {
        self.0.values().filter_map(|(packet, _)| packet.toc).any(Toc::is_stereo)
    }

    /// How many packets wait, copies aside.
    pub(super) fn len(&self) -> u64 {
        self.0.values().filter(|(packet, _)| !packet.is_copy).count() as u64
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
