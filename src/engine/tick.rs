//! What one tick made, borrowed from the engine until the next call.

use super::{
    Bus, Engine,
    event::{Event, Playout},
    share,
};
use crate::{speaker::BusId, time::SampleTime};

/// One quantum of every mix, the packets it completed, and what happened.
#[derive(Debug)]
pub struct Tick<'a> {
    pub(super) engine: &'a Engine,
    pub(super) at: SampleTime,
}

/// One coded packet of a bus: header and payload, to be sent as one datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BusPacket<'a> {
    /// Whose output.
    pub bus: BusId,
    /// Where its first sample stands on the room clock.
    pub at: SampleTime,
    /// The RTP header.
    pub header: [u8; 12],
    /// The codec's bytes; buses that hear the same share them.
    pub payload: &'a [u8],
}

/// What a tick spends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// Lanes looked at.
    pub lanes: u32,
    /// Packets decoded, recovered or concealed.
    pub decodes: u32,
    /// Mixes encoded.
    pub encodes: u32,
}

impl<'a> Tick<'a> {
    /// The first sample of this quantum.
    #[must_use]
    pub fn at(&self) -> SampleTime {
        self.at
    }

    /// Every open bus with its limited mix: one quantum, interleaved. Where a lone voice's own packets are sent, no mix is made and
    /// there is none here; a bus that is not coded always has one.
    pub fn mixes(&self) -> impl Iterator<Item = (BusId, &'a [f32])> + use<'a> {
        let buses = &self.engine.buses;
        buses.iter().flatten().filter_map(|bus| Some((bus.id, mix(buses, bus)?)))
    }

    /// One bus's mix; see [`Tick::mixes`].
    #[must_use]
    pub fn mix(&self, bus: BusId) -> Option<&'a [f32]> {
        let buses = &self.engine.buses;
        share::bus_at(buses, bus).and_then(|bus| mix(buses, bus))
    }

    /// The packets that were completed in this tick.
    pub fn packets(&self) -> impl Iterator<Item = BusPacket<'a>> + use<'a> {
        let buses = &self.engine.buses;
        buses.iter().flatten().filter_map(|bus| {
            let (at, header) = bus.completed?;
            let completed = share::maker(buses, bus).chain.completed()?;
            Some(BusPacket { bus: bus.id, at, header, payload: completed.payload })
        })
    }

    /// Where packets were heard.
    #[must_use]
    pub fn playouts(&self) -> &'a [Playout] {
        &self.engine.log.playouts
    }

    /// What happened since the tick before.
    #[must_use]
    pub fn events(&self) -> &'a [Event] {
        &self.engine.log.events
    }

    /// What it cost.
    #[must_use]
    pub fn work(&self) -> Work {
        self.engine.work
    }
}

fn mix<'a>(buses: &'a [Option<Box<Bus>>], bus: &'a Bus) -> Option<&'a [f32]> {
    let chain = &share::maker(buses, bus).chain;
    (!chain.is_asleep()).then_some(&*chain.mix)
}
