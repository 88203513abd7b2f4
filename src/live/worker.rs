//! The real-time loop of one thread: obey, tick what is due, sleep until the next deadline. Nothing in it allocates,
//! frees, locks or logs; what is no longer needed goes back up.

use super::{
    clock,
    room::{Leftover, Room, RoomId, Task},
};
use crate::engine::Event;
use rtrb::{Consumer, Producer};
use std::time::{Duration, Instant};

/// What goes down.
#[derive(Debug)]
pub(super) enum Order {
    Open(Box<Room>),
    Close(RoomId),
    Do(RoomId, Task),
}

/// What comes back up.
#[derive(Debug)]
pub(super) enum Return {
    Room(Box<Room>),
    Leftover(RoomId, Leftover),
    /// No such room here (any more), or no place for it.
    Astray(Order),
}

/// One thread's rooms and the worker's ends of its rings.
#[derive(Debug)]
pub(super) struct Worker {
    rooms: Vec<Box<Room>>,
    orders: Consumer<Order>,
    returns: Producer<Return>,
    events: Producer<(RoomId, Event)>,
}

impl Worker {
    pub(super) fn new(
        max_rooms: usize,
        orders: Consumer<Order>,
        returns: Producer<Return>,
        events: Producer<(RoomId, Event)>,
    ) -> Self {
        Self { rooms: Vec::with_capacity(max_rooms), orders, returns, events }
    }

    /// Runs until the control side lets go; comes back with its rooms, to be freed there.
    pub(super) fn run(mut self) -> Self {
        while !self.orders.is_abandoned() {
            self.obey();
            self.tick_what_is_due();
            clock::sleep_until(self.next_due());
        }
        self
    }

    /// An order leaves at most one thing over, and is taken only when there is room for that.
    fn obey(&mut self) {
        while !self.returns.is_full()
            && let Ok(order) = self.orders.pop()
        {
            if let Some(back) = self.carry_out(order) {
                self.give_back(back);
            }
        }
    }

    fn carry_out(&mut self, order: Order) -> Option<Return> {
        match order {
            Order::Open(room) if self.rooms.len() < self.rooms.capacity() => {
                self.rooms.push(room);
                None
            }
            Order::Open(_) => Some(Return::Astray(order)),
            Order::Close(id) => match self.place(id) {
                Some(place) => {
                    let mut room = self.rooms.swap_remove(place);
                    room.end_recordings();
                    Some(Return::Room(room))
                }
                None => Some(Return::Astray(order)),
            },
            Order::Do(id, task) => match self.place(id).and_then(|place| self.rooms.get_mut(place)) {
                Some(room) => room.carry_out(task).map(|leftover| Return::Leftover(id, leftover)),
                None => Some(Return::Astray(Order::Do(id, task))),
            },
        }
    }

    /// Runs due ticks, the most overdue first. After a stall every room catches up tick by tick and skips no sound; the
    /// burst is bounded so that orders are obeyed meanwhile.
    fn tick_what_is_due(&mut self) {
        for _ in 0..TICKS_A_BURST {
            let now = clock::now();
            let overdue = self.rooms.iter_mut().filter(|room| room.due() <= now);
            let Some(room) = overdue.min_by_key(|room| room.due()) else { return };
            room.step(&mut self.events);
            if !self.returns.is_full()
                && let Some(leftover) = room.survey()
            {
                let back = Return::Leftover(room.id, leftover);
                self.give_back(back);
            }
        }
    }

    fn next_due(&self) -> Instant {
        let due = self.rooms.iter().map(|room| room.due()).min();
        due.unwrap_or_else(|| clock::now() + IDLE)
    }

    fn place(&self, id: RoomId) -> Option<usize> {
        self.rooms.iter().position(|room| room.id == id)
    }

    fn give_back(&mut self, back: Return) {
        // There is room: checked before anything that gives back, and only this thread pushes.
        let _ = self.returns.push(back);
    }
}

/// How often a worker without rooms looks for orders.
const IDLE: Duration = Duration::from_millis(5);

/// With ten milliseconds a tick, a burst makes up for more than half a second.
const TICKS_A_BURST: usize = 64;
