//! What a tick has to tell, in memory that was set aside when the room was built.

use super::event::{Event, Playout};

/// Packets one lane can start to play or leave out in a tick: 8 of 2.5 ms in 20 ms, and as many again.
const PLAYOUTS_PER_LANE: usize = 16;
/// A lane that catches up leaves out as many as its jitter buffer holds.
const CATCHING_UP: usize = 1024;

#[derive(Debug)]
pub(super) struct Log {
    pub(super) playouts: Vec<Playout>,
    /// Of the tick before: what `apply` and `tick` have added since is gathered in `coming`.
    pub(super) events: Vec<Event>,
    coming: Vec<Event>,
}

impl Log {
    pub(super) fn new(lanes: usize) -> Self {
        Self {
            playouts: Vec::with_capacity(lanes * PLAYOUTS_PER_LANE + CATCHING_UP),
            events: Vec::with_capacity(4 * lanes + 64),
            coming: Vec::with_capacity(4 * lanes + 64),
        }
    }

    /// A new tick begins: its events are what has happened since the last.
    pub(super) fn turn(&mut self) {
        self.playouts.clear();
        self.events.clear();
        std::mem::swap(&mut self.events, &mut self.coming);
    }

    pub(super) fn playout(&mut self, playout: Playout) {
        if self.playouts.len() < self.playouts.capacity() {
            self.playouts.push(playout);
        }
    }

    /// Is there room for the event of one more command, beside one restart a lane?
    pub(super) fn has_room(&self, lanes: usize) -> bool {
        self.coming.len() + lanes < self.coming.capacity()
    }

    pub(super) fn event(&mut self, event: Event) {
        if self.coming.len() < self.coming.capacity() {
            self.coming.push(event);
        }
    }
}
