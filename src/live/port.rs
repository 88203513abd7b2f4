//! A speaker's datagrams on their way in. [`PacketIn`] is held by a network thread and stamps arrivals; the inlet at the
//! other end belongs to the worker.

use super::{
    clock,
    front::Front,
    ring::{self, MAX_FRAME},
    stats::{Delays, SpeakerStats},
};
use crate::{
    engine::{LaneStats, Playout},
    speaker::SpeakerId,
    time::{SampleTime, Samples},
};
use crossbeam::utils::CachePadded;
use rtrb::{Consumer, Producer, RingBuffer};
use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

/// The longest datagram a lane takes.
pub const MAX_DATAGRAM_BYTES: usize = MAX_FRAME - STAMP;

/// The arrival stamp in front of each datagram.
const STAMP: usize = size_of::<u64>();

/// Where one speaker's datagrams go in. One network thread holds it.
#[derive(Debug)]
pub struct PacketIn {
    speaker: SpeakerId,
    front: Front,
    ring: Producer<u8>,
    refused: Arc<CachePadded<AtomicU64>>,
}

impl PacketIn {
    /// Whose datagrams these are.
    #[must_use]
    pub fn speaker(&self) -> SpeakerId {
        self.speaker
    }

    /// Hands one datagram to the room; it arrived now.
    ///
    /// # Errors
    /// It was not taken: see [`PushError`]. The lane's `refused` counts it.
    ///
    /// # Real-time
    /// Safe; wait-free.
    pub fn push(&mut self, datagram: &[u8]) -> Result<(), PushError> {
        self.push_at(datagram, self.front.epoch.sample_at(clock::now()))
    }

    /// Hands one datagram to the room; it arrived at `arrived`. The room takes it when its own clock has come there.
    ///
    /// # Errors
    /// As [`Self::push`].
    ///
    /// # Real-time
    /// Safe; wait-free.
    pub fn push_at(&mut self, datagram: &[u8], arrived: SampleTime) -> Result<(), PushError> {
        self.try_push(datagram, arrived).inspect_err(|_| {
            self.refused.fetch_add(1, Relaxed);
        })
    }

    fn try_push(&mut self, datagram: &[u8], arrived: SampleTime) -> Result<(), PushError> {
        if datagram.len() > MAX_DATAGRAM_BYTES {
            Err(PushError::TooLong)
        } else if self.ring.is_abandoned() {
            Err(PushError::Closed)
        } else if ring::push(&mut self.ring, [&arrived.samples().to_le_bytes(), datagram], 0) {
            self.front.door.knock();
            Ok(())
        } else {
            Err(PushError::Full)
        }
    }
}

/// A datagram that a lane did not take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PushError {
    /// The room has not kept up, or the speaker floods it.
    Full,
    /// Longer than [`MAX_DATAGRAM_BYTES`].
    TooLong,
    /// The speaker or the room is gone.
    Closed,
}

impl fmt::Display for PushError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full => write!(f, "packet in: the lane's ring is full"),
            Self::TooLong => write!(f, "packet in: longer than {MAX_DATAGRAM_BYTES} bytes"),
            Self::Closed => write!(f, "packet in: the speaker has left the room"),
        }
    }
}

impl std::error::Error for PushError {}

/// The worker's end of a lane's ring, and what the stage knows of the speaker beside the engine.
#[derive(Debug)]
pub(super) struct Inlet {
    pub(super) speaker: SpeakerId,
    /// Counts the room's admissions: places are used again, admissions are not.
    pub(super) admission: u32,
    pub(super) name: Box<str>,
    /// When it was let in, less [`SAID_BEFORE`].
    pub(super) joined: SampleTime,
    pub(super) muted: Option<SampleTime>,
    /// The engine's counters when it left.
    pub(super) last: LaneStats,
    ring: Consumer<u8>,
    refused: Arc<CachePadded<AtomicU64>>,
    delays: Delays,
}

impl Inlet {
    /// The next datagram that had arrived by `now`, and when it did. Later ones wait: a room that catches up after a
    /// stall hears them in the same tick as one that was never late.
    pub(super) fn pop<'a>(
        &mut self,
        now: SampleTime,
        into: &'a mut [u8; MAX_FRAME],
    ) -> Option<(SampleTime, &'a [u8])> {
        let arrived = self.next_arrival().filter(|arrived| *arrived <= now)?;
        let datagram = ring::pop(&mut self.ring, into)?.get(STAMP..)?;
        Some((arrived, datagram))
    }

    /// When the next datagram arrived, if one is waiting.
    pub(super) fn next_arrival(&mut self) -> Option<SampleTime> {
        ring::peek(&mut self.ring).map(|stamp| SampleTime::from_samples(u64::from_le_bytes(stamp)))
    }

    /// Notes the delay that the lane aims at.
    pub(super) fn aimed(&mut self, stats: &LaneStats) {
        self.delays.aimed(stats.target);
    }

    /// Notes where a packet was heard.
    pub(super) fn played(&mut self, playout: &Playout) {
        self.delays.played(playout.delay);
    }

    pub(super) fn stats(&self, lane: LaneStats) -> SpeakerStats {
        SpeakerStats {
            speaker: self.speaker,
            lane,
            refused: self.refused.load(Relaxed),
            delay_ms: self.delays.spread_ms(),
            target_ms: self.delays.target_ms(),
        }
    }
}

/// What a speaker's first packet holds was said before it arrived: by no more than the longest packet (RFC 6716 §2.1.4),
/// unless the network was slower then than later.
const SAID_BEFORE: Samples = Samples::from_ms(120);

/// Both ends of a lane's ring of `bytes`.
pub(super) fn packets_in(
    speaker: SpeakerId,
    admission: u32,
    name: &str,
    front: Front,
    bytes: usize,
) -> (PacketIn, Inlet) {
    let (tx, rx) = RingBuffer::new(bytes);
    let joined = front.epoch.sample_at(clock::now()).before(SAID_BEFORE);
    let refused = Arc::new(CachePadded::new(AtomicU64::new(0)));
    let packet_in = PacketIn { speaker, front, ring: tx, refused: Arc::clone(&refused) };
    let inlet = Inlet {
        speaker,
        admission,
        name: name.into(),
        joined,
        muted: None,
        last: LaneStats::default(),
        ring: rx,
        refused,
        delays: Delays::new(),
    };
    (packet_in, inlet)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::{bell::Door, clock::Epoch};

    fn ends(bytes: usize) -> (PacketIn, Inlet) {
        let door = Arc::new(Door::new(0, 0, Arc::new([])));
        let front = Front { epoch: Epoch::at(clock::now()), door, gauge: Arc::default() };
        packets_in(SpeakerId(3), 0, "mara", front, bytes)
    }

    #[test]
    fn a_datagram_waits_until_the_room_clock_has_come_to_its_arrival() {
        let (mut packet_in, mut inlet) = ends(64);
        let (at, mut frame) = (SampleTime::from_samples(481), [0; MAX_FRAME]);
        packet_in.push_at(b"hello", at).unwrap();
        assert_eq!(inlet.pop(SampleTime::from_samples(480), &mut frame), None);
        assert_eq!(inlet.pop(at, &mut frame), Some((at, &b"hello"[..])));
        assert_eq!(inlet.pop(at, &mut frame), None);
    }

    #[test]
    fn what_is_not_taken_is_counted() {
        let (mut packet_in, inlet) = ends(20);
        assert_eq!(packet_in.push(&[0; MAX_DATAGRAM_BYTES + 1]), Err(PushError::TooLong));
        assert_eq!(packet_in.push(&[0; 10]), Ok(()));
        assert_eq!(packet_in.push(&[0; 10]), Err(PushError::Full));
        assert_eq!(inlet.stats(LaneStats::default()).refused, 2);
        drop(inlet);
        assert_eq!(packet_in.push(&[]), Err(PushError::Closed));
    }
}
