//! Encodes spread over quanta. All mixes of a room begin their packets together, so that all would be encoded in the same quantum,
//! and none in the next. Where many are made, half of them are moved by half a packet. That leaves no gap: one packet of 10 ms is
//! sent among those of 20 (each says how long it is, RFC 6716 §3.1), and the encoder goes on.
//!
//! Whoever hears the same as others again moves back in the same way, to share their mix. A mix of which a lone voice's packets may
//! be sent stays where that voice's are.

use super::{Bus, Engine, coder::Coder};
use crate::{
    codec::Codec,
    time::{SampleTime, Samples},
};

/// Only packets of 20 ms are halved: others are rare, and what half of them leaves is dearer than what it spreads.
const PACKET: Samples = Samples::from_ms(20);
const HALF: Samples = Samples::from_ms(10);
/// As many mixes are many. Stages spread their rooms, so fewer disturb nobody.
const MANY: usize = 6;
/// So many packets a mix was encoded by itself before it is moved: mixes of a word in between are soon shared again.
const SETTLED: u32 = 25;

impl Engine {
    /// Moves one mix by half a packet, if more than one more are encoded in one half of a packet's time than in the other.
    pub(super) fn stagger(&mut self, at: SampleTime) {
        let Self { buses, leaders, quantum, .. } = self;
        if leaders.len() < MANY {
            return;
        }
        let mut halves = [0; 2];
        for id in leaders.iter() {
            let bus = buses.get(id.index()).and_then(Option::as_deref);
            bus.and_then(|bus| bus.half(at)).into_iter().for_each(|half| halves[half] += 1);
        }
        let crowded = usize::from(halves[1] > halves[0]);
        if halves[0] + halves[1] < MANY || halves[crowded] < halves[1 - crowded] + 2 {
            return;
        }
        for id in leaders.iter() {
            let Some(Some(bus)) = buses.get_mut(id.index()) else { continue };
            let moves = bus.half(at) == Some(crowded) && !bus.meets;
            let coder = bus.chain.coder.as_mut().filter(|coder| moves && coder.encoded() >= SETTLED);
            if coder.is_some_and(|coder| coder.halve(at, *quantum)) {
                return;
            }
        }
    }
}

impl Bus {
    /// In which half of a packet's time it is encoded, if it is. PCM costs nothing to encode.
    fn half(&self, at: SampleTime) -> Option<usize> {
        let dear = self.coding.is_some_and(|coding| coding.codec != Codec::Pcm);
        let coder = self.chain.coder.as_ref().filter(|_| dear && self.relay.is_none())?;
        coder.half(at)
    }

    /// Moves by half a packet if it stands so far from `other`, which hears the same.
    pub(super) fn meet(&mut self, other: &Self, at: SampleTime, quantum: Samples) {
        if let (Some(mine), Some(theirs)) = (self.half(at), other.half(at))
            && mine != theirs
            && let Some(coder) = &mut self.chain.coder
        {
            coder.halve(at, quantum);
        }
    }
}

impl Coder {
    fn half(&self, at: SampleTime) -> Option<usize> {
        let begins = self.begins_at(at).samples() % PACKET.count();
        let encodes = self.packet() == PACKET && self.is_at_work();
        encodes.then(|| usize::from((begins >= HALF.count()) != self.is_halved()))
    }

    /// Halves the packet that begins in the quantum at `at`; whether one does.
    fn halve(&mut self, at: SampleTime, quantum: Samples) -> bool {
        let begins = self.begins_at(at);
        let just_begun = begins <= at && at.since(begins) < quantum && quantum <= HALF;
        if just_begun && !self.is_halved() {
            self.shorten(HALF);
        }
        just_begun
    }
}
