//! An open room, as the control side knows it: its clock, its places, who has them.

use super::{
    bell::Door,
    clock::{self, Beat, Epoch},
    front::Front,
    notice::Notice,
    room::{Leftover, RoomId},
    seats::Seats,
    take::TakeId,
};
use crate::{
    engine::RoomConfig,
    speaker::SpeakerId,
    time::{RATE_HZ, Samples},
};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// An open room, as the control side knows it.
#[derive(Debug)]
pub(super) struct Hall {
    pub(super) worker: usize,
    pub(super) config: RoomConfig,
    pub(super) front: Front,
    pub(super) speakers: Seats<u16>,
    pub(super) buses: Seats<u16>,
    /// Which admission has which place.
    pub(super) admitted: BTreeMap<SpeakerId, u32>,
    pub(super) admissions: u32,
    pub(super) takes: u32,
    /// The recordings that go on.
    pub(super) open: Vec<TakeId>,
}

impl Hall {
    /// The `number`th room of the stage, about to open on `worker`.
    pub(super) fn new(worker: usize, number: u32, config: RoomConfig, door: Door) -> Self {
        Self {
            worker,
            config,
            front: Front {
                epoch: Epoch::at(clock::now() + HEAD_START + phase(number, config.quantum.samples())),
                door: Arc::new(door),
                gauge: Arc::default(),
            },
            speakers: Seats::new(0..config.max_lanes),
            buses: Seats::new(0..config.max_buses),
            admitted: BTreeMap::new(),
            admissions: 0,
            takes: 0,
            open: Vec::new(),
        }
    }

    /// When its ticks are due.
    pub(super) fn beat(&self) -> Beat {
        Beat { epoch: self.front.epoch, quantum: self.config.quantum.samples() }
    }

    /// How many values of its mixes are a second.
    pub(super) fn second(&self) -> usize {
        RATE_HZ as usize * self.config.channels.count()
    }

    /// Takes in what came back from this room's worker: frees its place, and says what the caller should know.
    pub(super) fn settle(&mut self, room: RoomId, leftover: Leftover) -> Option<Notice> {
        if let Leftover::Lane(_, inlet) = &leftover {
            self.admitted.remove(&inlet.speaker);
            self.speakers.free(inlet.speaker.0);
        }
        if let Leftover::Bus(_, outlet) = &leftover {
            self.buses.free(outlet.bus.0);
        }
        Notice::of(room, leftover)
    }
}

/// Sample 0 lies this far ahead, so that the worker has the room before its first tick is due.
const HEAD_START: Duration = Duration::from_millis(20);

/// Spreads rooms over a packet's time, however many there are: steps of the golden ratio leave no two of them close.
/// Packets end at multiples of their length on the room clock, so encodes are spread as evenly as ticks.
fn phase(room: u32, quantum: Samples) -> Duration {
    let turns = f64::from(room) * 0.618_033_988_749_895;
    Duration::from_secs_f64(quantum.max(PACKET).as_ms() / 1e3 * turns.fract())
}

/// What nearly everybody sends.
const PACKET: Samples = Samples::from_ms(20);

#[cfg(test)]
mod tests {
    use super::*;

    /// 100 rooms of 10 ms: in each of the 20 ms of a packet five of them end one, or one more or less.
    #[test]
    fn encodes_are_spread_over_two_ticks() {
        let mut slots = [0; 20];
        for room in 0..100 {
            slots[(phase(room, Samples::from_ms(10)).as_secs_f64() * 1e3) as usize] += 1;
        }
        assert!(slots.iter().all(|rooms| (4..=6).contains(rooms)), "{slots:?}");
    }
}
