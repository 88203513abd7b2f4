//! Rooms over workers: who gets a new one, who gives one away, and what all of them are doing.

use super::{
    balance::{self, Burden},
    clock,
    control::Control,
    error::{MoveError, OpenError},
    gauge::WorkerStats,
    ladder::Rung,
    room::RoomId,
    worker::Order,
};
use std::time::Duration;

/// A room at one moment, as its worker tells without being asked.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RoomLoad {
    /// Which.
    pub room: RoomId,
    /// The worker that has it.
    pub worker: usize,
    /// The part of a core that its ticks take.
    pub load: f32,
    /// It does not tick, as there is nothing to hear.
    pub resting: bool,
}

/// The stage at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StageStats {
    /// By number.
    pub workers: Vec<WorkerStats>,
    /// In the order in which they were opened.
    pub rooms: Vec<RoomLoad>,
}

impl Control {
    /// What the stage is doing. It is read from counters: no worker is asked, and no tick disturbed.
    #[must_use]
    pub fn stats(&self) -> StageStats {
        let workers = self.workers.iter().map(|link| link.gauge.read(link.rooms));
        let rooms = self.halls.iter().map(|(room, hall)| RoomLoad {
            room: *room,
            worker: hall.worker,
            load: hall.front.gauge.load(),
            resting: hall.front.door.is_shut(),
        });
        StageStats { workers: workers.collect(), rooms: rooms.collect() }
    }

    /// Begins to count workers' ticks, misses and times anew, for who looks at one stretch of time after another.
    pub fn reset_stats(&self) {
        self.workers.iter().for_each(|link| link.gauge.reset());
    }

    /// Moves a room to another worker, between two of its ticks: its clock goes on and nobody hears it. The stage does so by
    /// itself where one worker has too much to do ([`Self::poll`]).
    ///
    /// # Errors
    /// See [`MoveError`].
    pub fn move_room(&mut self, room: RoomId, worker: usize) -> Result<(), MoveError> {
        self.sweep();
        let hall = self.halls.get_mut(&room).ok_or(MoveError::NoRoom)?;
        let from = hall.worker;
        let target = self.workers.get(worker).ok_or(MoveError::NoWorker)?;
        if from == worker {
            return Ok(());
        }
        if target.rooms >= self.config.max_rooms_per_worker {
            return Err(MoveError::Full);
        }
        let source = self.workers.get_mut(from).ok_or(MoveError::NoWorker)?;
        source.orders.push(Order::Move(room, worker)).map_err(|_| MoveError::Busy)?;
        source.rooms -= 1;
        hall.worker = worker;
        if let Some(target) = self.workers.get_mut(worker) {
            target.rooms += 1;
        }
        Ok(())
    }

    /// The one that has the least to do; among those that do about as much, the one with the fewest rooms.
    pub(super) fn worker_for_a_new_room(&self) -> Result<usize, OpenError> {
        let burdens = self.burdens();
        let with_room = || burdens.iter().enumerate().filter(|(_, burden)| burden.has_room);
        if with_room().next().is_none() {
            return Err(OpenError::Full);
        }
        let step = |load: f32| (load / 0.05) as u32;
        with_room()
            .filter_map(|(worker, burden)| Some((worker, burden, self.workers.get(worker)?)))
            .filter(|(.., link)| link.gauge.rung() < Rung::NewRooms)
            .min_by_key(|(_, burden, link)| (step(burden.load), link.rooms))
            .map(|(worker, ..)| worker)
            .ok_or(OpenError::Overloaded)
    }

    /// Moves one room, if a worker is hot and another cool; now and then.
    pub(super) fn weigh(&mut self) {
        let now = clock::now();
        if self.workers.len() < 2 || now.saturating_duration_since(self.weighed) < BETWEEN_MOVES {
            return;
        }
        self.weighed = now;
        let rooms = self.halls.iter().map(|(id, hall)| (*id, hall.worker, hall.front.gauge.load()));
        if let Some((room, worker)) = balance::choose(&self.burdens(), rooms) {
            // Not moved now means weighed again.
            let _busy = self.move_room(room, worker);
        }
    }

    fn burdens(&self) -> Vec<Burden> {
        let most = self.config.max_rooms_per_worker;
        let idle = |rooms| Burden { load: 0.0, has_room: rooms < most };
        let mut burdens: Vec<_> = self.workers.iter().map(|link| idle(link.rooms)).collect();
        for hall in self.halls.values() {
            if let Some(burden) = burdens.get_mut(hall.worker) {
                burden.load += hall.front.gauge.load();
            }
        }
        burdens
    }
}

/// Costs need a moment to show.
const BETWEEN_MOVES: Duration = Duration::from_millis(100);
