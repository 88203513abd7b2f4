//! Packets that wait to be decoded: fixed places by sequence number, their bytes in one ring.

use crate::{
    packet::Speech,
    time::{MediaTime, Samples},
};

/// Places; 5 s of 20 ms packets. A power of two, so that a place is the low bits of a sequence number.
const PLACES: u64 = 256;
/// Bytes kept; 2 s at 256 kbit/s. When more come, the oldest are overwritten.
const BYTES: usize = 64 * 1024;

/// One waiting packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    /// Its sequence number, unwrapped.
    pub sequence: u64,
    /// Where its first sample lies on the sender's clock.
    pub media: MediaTime,
    /// How much sound it holds.
    pub duration: Samples,
    /// It carries an in-band copy of the packet before it.
    pub fec: bool,
    /// How far back its deep redundancy reaches.
    pub deep: Samples,
    /// It is a copy that came with a later packet (RFC 2198).
    pub red: bool,
    /// It says that the sender falls silent.
    pub dtx: bool,
    /// Whether somebody speaks in it, if it tells.
    pub speech: Option<Speech>,
    offset: u64,
    length: usize,
}

impl Slot {
    /// Describes a packet without any redundancy that has no place yet.
    #[must_use]
    pub const fn new(sequence: u64, media: MediaTime, duration: Samples) -> Self {
        let (fec, dtx, red, speech) = (false, false, false, None);
        Self { sequence, media, duration, fec, deep: Samples::ZERO, red, dtx, speech, offset: 0, length: 0 }
    }

    /// How far before it its copies of other packets reach.
    #[must_use]
    pub fn reach(&self) -> Samples {
        if self.fec { self.deep.max(self.duration) } else { self.deep }
    }
}

/// The waiting packets of one lane.
#[derive(Debug)]
pub(super) struct Slots {
    places: Box<[Option<Slot>]>,
    bytes: Box<[u8]>,
    /// All bytes ever written, rounded up where the ring wraps.
    written: u64,
    newest: u64,
}

impl Slots {
    pub(super) fn new() -> Self {
        Self {
            places: vec![None; PLACES as usize].into_boxed_slice(),
            bytes: vec![0; BYTES].into_boxed_slice(),
            written: 0,
            newest: 0,
        }
    }

    /// Puts a packet in its place; whether it found one. A packet that waited there unheard makes way.
    pub(super) fn put(&mut self, packet: Slot, payload: &[u8]) -> bool {
        if packet.sequence + PLACES <= self.newest || payload.len() > BYTES {
            return false;
        }
        let offset = self.store(payload);
        let place = (packet.sequence % PLACES) as usize;
        self.places[place] = Some(Slot { offset, length: payload.len(), ..packet });
        self.newest = self.newest.max(packet.sequence);
        true
    }

    fn store(&mut self, payload: &[u8]) -> u64 {
        let at = (self.written % BYTES as u64) as usize;
        if at + payload.len() > BYTES {
            self.written += (BYTES - at) as u64;
        }
        let offset = self.written;
        let at = (offset % BYTES as u64) as usize;
        self.bytes[at..at + payload.len()].copy_from_slice(payload);
        self.written += payload.len() as u64;
        offset
    }

    /// The packet with this number, if it waits and its bytes are still there.
    pub(super) fn at(&self, sequence: u64) -> Option<Slot> {
        self.places[(sequence % PLACES) as usize]
            .filter(|slot| slot.sequence == sequence && self.is_whole(slot))
    }

    fn is_whole(&self, slot: &Slot) -> bool {
        slot.offset + BYTES as u64 >= self.written
    }

    /// The first packet that waits with this number or a later one.
    pub(super) fn first_from(&self, sequence: u64) -> Option<Slot> {
        let oldest = (self.newest + 1).saturating_sub(PLACES);
        (sequence.max(oldest)..=self.newest).find_map(|sequence| self.at(sequence))
    }

    pub(super) fn payload(&self, slot: &Slot) -> &[u8] {
        let at = (slot.offset % BYTES as u64) as usize;
        if self.is_whole(slot) { &self.bytes[at..at + slot.length] } else { &[] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(slots: &mut Slots, sequence: u64, payload: &[u8]) -> bool {
        let media = MediaTime::from_samples(sequence * 960);
        slots.put(Slot::new(sequence, media, Samples::new(960)), payload)
    }

    #[test]
    fn packets_come_back_by_number_with_their_own_bytes() {
        let mut slots = Slots::new();
        for sequence in [10_u64, 12, 11, 300] {
            assert!(put(&mut slots, sequence, &[sequence as u8; 7]));
        }
        assert_eq!(slots.first_from(0).map(|slot| slot.sequence), Some(300), "10…12 are 256 places back");
        let slot = slots.at(300).unwrap();
        assert_eq!(slots.payload(&slot), [44; 7]);
        assert!(!put(&mut slots, 44, &[0]));
        assert_eq!(slots.at(44), None);
    }

    #[test]
    fn a_flood_of_bytes_overwrites_the_oldest_packets_only() {
        let mut slots = Slots::new();
        for sequence in 0..100 {
            put(&mut slots, sequence, &[sequence as u8; 1275]);
        }
        let waiting: Vec<u64> = (0..100).filter(|sequence| slots.at(*sequence).is_some()).collect();
        assert_eq!(waiting, (49..100).collect::<Vec<_>>(), "51 × 1275 bytes fit in 64 KiB");
        for sequence in waiting {
            assert_eq!(slots.payload(&slots.at(sequence).unwrap()), [sequence as u8; 1275]);
        }
    }

    #[test]
    fn an_absurd_payload_finds_no_place() {
        assert!(!put(&mut Slots::new(), 1, &vec![0; BYTES + 1]));
    }
}
