//! A bus on its way out: RTP datagrams to a sender thread ([`PacketsOut`]), or the mix itself ([`PcmOut`]). A reader that
//! does not keep up loses what is new, counted; the room never waits.

use super::{
    clock::{self, Beat},
    ring::{self, MAX_FRAME},
};
use crate::{engine::BusPacket, speaker::BusId};
use ringbuf::{
    HeapCons, HeapProd, HeapRb,
    traits::{Consumer as _, Observer as _, Producer as _, Split as _},
};
use rtrb::{Consumer, Producer, RingBuffer};
use std::time::Duration;

/// The RTP datagrams of one bus, popped by one sender thread. Whoever hears the same gets copies of the same datagram.
#[derive(Debug)]
pub struct PacketsOut {
    bus: BusId,
    beat: Beat,
    ring: Consumer<u8>,
    datagram: Box<[u8; MAX_FRAME]>,
}

impl PacketsOut {
    /// Which bus it is, to unsubscribe from it or to change its members.
    #[must_use]
    pub fn bus(&self) -> BusId {
        self.bus
    }

    /// The next datagram, ready to be sent.
    ///
    /// # Real-time
    /// Safe; wait-free.
    pub fn pop(&mut self) -> Option<&[u8]> {
        ring::pop(&mut self.ring, &mut self.datagram)
    }

    /// How long until the next tick of its room is due: nothing comes before that, unless the tick before is late. Whoever looks
    /// then, and a few times shortly after, need not look meanwhile.
    ///
    /// # Real-time
    /// Reads the clock.
    #[must_use]
    pub fn next_tick_in(&self) -> Duration {
        let now = clock::now();
        self.beat.after(now).saturating_duration_since(now)
    }

    /// Has the bus closed? What is left in the ring can still be popped.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.ring.is_abandoned()
    }
}

/// The limited mix of one bus: `f32`, interleaved when the room is stereo.
pub struct PcmOut {
    bus: BusId,
    ring: HeapCons<f32>,
}

impl PcmOut {
    /// Which bus it is.
    #[must_use]
    pub fn bus(&self) -> BusId {
        self.bus
    }

    /// Fills the front of `out` with what is there and says how many values that were.
    ///
    /// # Real-time
    /// Safe; wait-free.
    pub fn read(&mut self, out: &mut [f32]) -> usize {
        self.ring.pop_slice(out)
    }

    /// Has the bus closed? What is left can still be read.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        !self.ring.write_is_held()
    }
}

impl std::fmt::Debug for PcmOut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PcmOut").field("bus", &self.bus).field("waiting", &self.ring.occupied_len()).finish()
    }
}

/// The worker's end of one bus.
pub(super) struct Outlet {
    pub(super) bus: BusId,
    tap: Tap,
    /// Packets (or quanta of the mix) that found no room.
    pub(super) dropped: u64,
}

enum Tap {
    Packets(Producer<u8>),
    Pcm(HeapProd<f32>),
}

impl Outlet {
    pub(super) fn packet(&mut self, packet: &BusPacket<'_>) {
        if let Tap::Packets(ring) = &mut self.tap
            && !ring::push(ring, [&packet.header, packet.payload], 0)
        {
            self.dropped += 1;
        }
    }

    /// Does a reader count on each quantum of the mix?
    pub(super) fn is_pcm(&self) -> bool {
        matches!(self.tap, Tap::Pcm(_))
    }

    /// Takes one quantum whole or not at all, so that a reader stays aligned to quanta.
    pub(super) fn mix(&mut self, mix: &[f32]) {
        if let Tap::Pcm(ring) = &mut self.tap {
            if ring.vacant_len() < mix.len() {
                self.dropped += 1;
            } else {
                ring.push_slice(mix);
            }
        }
    }
}

impl std::fmt::Debug for Outlet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outlet").field("bus", &self.bus).field("dropped", &self.dropped).finish()
    }
}

/// Both ends of a bus that sends RTP, through `bytes` of ring.
pub(super) fn packets_out(bus: BusId, beat: Beat, bytes: usize) -> (PacketsOut, Outlet) {
    let (tx, rx) = RingBuffer::new(bytes);
    let out = PacketsOut { bus, beat, ring: rx, datagram: Box::new([0; MAX_FRAME]) };
    (out, Outlet { bus, tap: Tap::Packets(tx), dropped: 0 })
}

/// Both ends of a bus that is tapped as PCM, through a ring of `values`.
pub(super) fn pcm_out(bus: BusId, values: usize) -> (PcmOut, Outlet) {
    let (tx, rx) = HeapRb::new(values).split();
    (PcmOut { bus, ring: rx }, Outlet { bus, tap: Tap::Pcm(tx), dropped: 0 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        live::clock::Epoch,
        time::{SampleTime, Samples},
    };

    #[test]
    fn a_datagram_is_its_header_and_its_payload() {
        let beat = Beat { epoch: Epoch::at(clock::now()), quantum: Samples::from_ms(10) };
        let (mut out, mut outlet) = packets_out(BusId(0), beat, 100);
        let packet = BusPacket {
            bus: BusId(0),
            at: SampleTime::ZERO,
            header: *b"twelve bytes",
            payload: b" and more",
        };
        outlet.packet(&packet);
        assert_eq!(out.pop(), Some(&b"twelve bytes and more"[..]));
        assert_eq!(out.pop(), None);
    }

    #[test]
    fn a_reader_that_sleeps_loses_whole_quanta_counted() {
        let (mut out, mut outlet) = pcm_out(BusId(0), 7);
        for quantum in [[1.0; 3], [2.0; 3], [3.0; 3]] {
            outlet.mix(&quantum);
        }
        let mut heard = [0.0; 8];
        assert_eq!(out.read(&mut heard), 6);
        assert_eq!((heard, outlet.dropped), ([1.0, 1.0, 1.0, 2.0, 2.0, 2.0, 0.0, 0.0], 1));
        drop(outlet);
        assert!(out.is_closed());
    }
}
