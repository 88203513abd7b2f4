//! An open room, as the control side knows it: its clock, its places, who has them.

use super::{
    clock::{self, Epoch},
    notice::Notice,
    room::{Leftover, RoomId},
    seats::Seats,
    take::Take,
};
use crate::{engine::RoomConfig, speaker::SpeakerId, time::Samples};
use std::{collections::BTreeMap, time::Duration};

/// An open room, as the control side knows it.
#[derive(Debug)]
pub(super) struct Hall {
    pub(super) worker: usize,
    pub(super) config: RoomConfig,
    pub(super) epoch: Epoch,
    pub(super) speakers: Seats,
    pub(super) buses: Seats,
    /// Which admission has which place.
    pub(super) admitted: BTreeMap<SpeakerId, u32>,
    pub(super) admissions: u32,
    pub(super) takes: u32,
    /// The recordings that go on.
    pub(super) open: Vec<Take>,
}

impl Hall {
    /// The `number`th room of the stage, about to open on `worker`.
    pub(super) fn new(worker: usize, number: u32, config: RoomConfig) -> Self {
        let opens = clock::now() + HEAD_START + phase(number, config.quantum.samples());
        Self {
            worker,
            config,
            epoch: Epoch::at(opens),
            speakers: Seats::new(config.max_lanes),
            buses: Seats::new(config.max_buses),
            admitted: BTreeMap::new(),
            admissions: 0,
            takes: 0,
            open: Vec::new(),
        }
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

/// Spreads rooms over a quantum, however many there are: steps of the golden ratio leave no two of them close.
fn phase(room: u32, quantum: Samples) -> Duration {
    let turns = f64::from(room) * 0.618_033_988_749_895;
    Duration::from_secs_f64(quantum.as_ms() / 1e3 * turns.fract())
}
