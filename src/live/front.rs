//! What the control side, the network and the worker share of one room.

use super::{bell::Door, clock::Epoch};
use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering::Relaxed},
};

/// One room, seen from outside.
#[derive(Clone, Debug)]
pub(super) struct Front {
    pub(super) epoch: Epoch,
    pub(super) door: Arc<Door>,
    pub(super) gauge: Arc<RoomGauge>,
}

/// What the room costs. Only its worker writes it.
#[derive(Debug, Default)]
pub(super) struct RoomGauge {
    load_ppm: AtomicU32,
}

impl RoomGauge {
    pub(super) fn costs(&self, load_ppm: u32) {
        self.load_ppm.store(load_ppm, Relaxed);
    }

    /// The part of a core that its ticks take.
    pub(super) fn load(&self) -> f32 {
        self.load_ppm.load(Relaxed) as f32 / 1e6
    }
}
