//! The real-time loop of one thread: obey, tick what is due, look at the clock, sleep. Nothing in it allocates, frees, locks
//! or logs; what is no longer needed goes back up. It never looks at rooms that are not due.

use super::{
    agenda::Agenda,
    bell::Bells,
    clock,
    gauge::WorkerGauge,
    ladder::{Ladder, Rung, WINDOW, Window},
    room::{Leftover, Room, RoomId, Task},
};
use crate::engine::Event;
use rtrb::{Consumer, Producer};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// What goes down. An order for a room that is not there is for one that is on its way from another worker.
#[derive(Debug)]
pub(super) enum Order {
    Open(Box<Room>),
    Close(RoomId),
    Do(RoomId, Task),
    /// To the worker of this number.
    Move(RoomId, usize),
}

/// What comes back up.
#[derive(Debug)]
pub(super) enum Return {
    Room(Box<Room>),
    Leftover(RoomId, Leftover),
    /// More is shed, or less.
    Shed(Rung),
}

/// The worker's ends of everything it shares with others.
#[derive(Debug)]
pub(super) struct Ends {
    pub(super) orders: Consumer<Order>,
    pub(super) returns: Producer<Return>,
    pub(super) events: Producer<(RoomId, Event)>,
    /// Rooms that come from other workers.
    pub(super) arrivals: Vec<Consumer<Box<Room>>>,
    /// The way to each other worker, by number.
    pub(super) departures: Vec<Option<Producer<Box<Room>>>>,
    pub(super) bells: Arc<[Bells]>,
    pub(super) gauge: Arc<WorkerGauge>,
}

/// One thread and its rooms.
#[derive(Debug)]
pub(super) struct Worker {
    number: usize,
    /// By seat.
    rooms: Vec<Option<Box<Room>>>,
    agenda: Agenda,
    ends: Ends,
    ladder: Ladder,
    /// The rung that the control side knows of.
    told: Rung,
    window: OpenWindow,
    woke: Instant,
}

/// What has been seen since `began`.
#[derive(Debug)]
struct OpenWindow {
    began: Instant,
    busy: Duration,
    strain: f32,
}

impl OpenWindow {
    fn new(began: Instant) -> Self {
        Self { began, busy: Duration::ZERO, strain: 0.0 }
    }
}

impl Worker {
    pub(super) fn new(number: usize, seats: usize, ends: Ends) -> Self {
        let now = clock::now();
        Self {
            number,
            rooms: (0..seats).map(|_| None).collect(),
            agenda: Agenda::new(seats),
            ends,
            ladder: Ladder::default(),
            told: Rung::Ground,
            window: OpenWindow::new(now),
            woke: now,
        }
    }

    /// Runs until the control side lets go; comes back with its rooms, to be freed there.
    pub(super) fn run(mut self) -> Self {
        while !self.ends.orders.is_abandoned() {
            self.woke = clock::now();
            self.ends.gauge.woke();
            self.take_in_rooms();
            self.obey();
            self.answer_bells();
            self.tick_what_is_due();
            self.look_at_the_load();
            clock::sleep_until(self.next_wake());
        }
        self
    }

    fn take_in_rooms(&mut self) {
        let Self { rooms, agenda, ends, .. } = self;
        for room in ends.arrivals.iter_mut().filter_map(|way| way.pop().ok()) {
            agenda.enter(room.id.seat, room.due());
            if let Some(seat) = rooms.get_mut(room.id.seat as usize) {
                *seat = Some(room);
            }
        }
    }

    /// An order leaves at most one thing over, and is taken only when there is room for that.
    fn obey(&mut self) {
        for _ in 0..ORDERS_A_TURN {
            let Some(order) = self.next_order() else { return };
            if let Some(back) = self.carry_out(order) {
                self.give_back(back);
            }
        }
    }

    /// Orders are obeyed in the order in which they were given. One for a room that is still on its way waits for it: who
    /// sends it was told earlier than we, so that nobody waits in a circle.
    fn next_order(&mut self) -> Option<Order> {
        let Ends { orders, returns, departures, .. } = &mut self.ends;
        let here = |id: &RoomId| {
            self.rooms.get(id.seat as usize).and_then(Option::as_ref).is_some_and(|room| room.id == *id)
        };
        let way_is_free = |to: &usize| !matches!(departures.get(*to), Some(Some(way)) if way.is_full());
        let possible = match orders.peek().ok()? {
            Order::Open(_) => true,
            Order::Close(id) | Order::Do(id, _) => here(id),
            Order::Move(id, to) => here(id) && way_is_free(to),
        };
        if possible && !returns.is_full() { orders.pop().ok() } else { None }
    }

    fn carry_out(&mut self, order: Order) -> Option<Return> {
        match order {
            Order::Open(room) => {
                self.seat(room);
                None
            }
            Order::Close(id) => {
                let mut room = self.unseat(id)?;
                room.end_recording();
                Some(Return::Room(room))
            }
            Order::Move(id, to) => {
                self.send_away(id, to);
                None
            }
            Order::Do(id, task) => self.carry_out_task(id, task),
        }
    }

    fn carry_out_task(&mut self, id: RoomId, task: Task) -> Option<Return> {
        let room = self.rooms.get_mut(id.seat as usize)?.as_mut()?;
        wake(room, &mut self.agenda);
        room.carry_out(task).map(|leftover| Return::Leftover(id, leftover))
    }

    /// The room goes to another worker between two of its ticks; whoever knocks there is heard there.
    fn send_away(&mut self, id: RoomId, to: usize) {
        if !matches!(self.ends.departures.get(to), Some(Some(_))) {
            return;
        }
        let Some(mut room) = self.unseat(id) else { return };
        room.wake(clock::now());
        room.front.door.moved_to(to);
        if let Some(Some(way)) = self.ends.departures.get_mut(to) {
            // There is room: checked before the order was taken.
            let _ = way.push(room);
        }
    }

    fn seat(&mut self, room: Box<Room>) {
        let seat = room.id.seat;
        self.agenda.enter(seat, room.due());
        if let Some(place) = self.rooms.get_mut(seat as usize) {
            *place = Some(room);
        }
    }

    fn unseat(&mut self, id: RoomId) -> Option<Box<Room>> {
        self.agenda.strike(id.seat);
        self.rooms.get_mut(id.seat as usize)?.take()
    }

    /// Wakes rooms at rest for which somebody has come.
    fn answer_bells(&mut self) {
        let Self { number, rooms, agenda, ends, .. } = self;
        for seat in ends.bells.get(*number).into_iter().flat_map(Bells::answer) {
            if let Some(Some(room)) = rooms.get_mut(seat as usize) {
                wake(room, agenda);
            }
        }
    }

    /// Runs due ticks, the most overdue first. The burst is bounded so that orders are obeyed meanwhile.
    fn tick_what_is_due(&mut self) {
        for _ in 0..TICKS_A_BURST {
            let now = clock::now();
            let Some(seat) = self.agenda.take_due(now) else { return };
            self.tick(seat, now);
        }
    }

    fn tick(&mut self, seat: u32, now: Instant) {
        let Self { rooms, agenda, ends, ladder, window, .. } = self;
        let Some(Some(room)) = rooms.get_mut(seat as usize) else { return };
        // Who was woken late by our own laziness is not in danger.
        let lazy = room.is_resting();
        room.wake(now);
        if !lazy {
            window.strain = window.strain.max(room.strain(now));
        }
        let went = room.step(ladder.rung().shed(), &mut ends.events);
        window.busy += went.busy;
        ends.gauge.ticked(&went);
        if !ends.returns.is_full()
            && let Some(leftover) = room.survey()
        {
            // There is room: just checked.
            let _ = ends.returns.push(Return::Leftover(room.id, leftover));
        }
        room.rest_if_silent();
        agenda.enter(seat, room.due());
    }

    /// Once a window: how pressed for time we were, and what is shed for it.
    fn look_at_the_load(&mut self) {
        let now = clock::now();
        let span = now.saturating_duration_since(self.window.began);
        if span < WINDOW {
            return;
        }
        let load = self.window.busy.as_secs_f32() / span.as_secs_f32();
        let rung = self.ladder.look(Window { load, strain: self.window.strain });
        self.window = OpenWindow::new(now);
        self.ends.gauge.stands(load, rung);
        if rung != self.told && !self.ends.returns.is_full() {
            self.told = rung;
            self.give_back(Return::Shed(rung));
        }
    }

    /// Not before there is something to do, and not for each of many rooms by itself.
    fn next_wake(&self) -> Instant {
        let look = self.woke + LOOK;
        self.agenda.next_due().map_or(look, |due| due.min(look)).max(self.woke + GRAIN)
    }

    fn give_back(&mut self, back: Return) {
        // There is room: checked before anything that gives back, and only this thread pushes.
        let _ = self.ends.returns.push(back);
    }
}

fn wake(room: &mut Room, agenda: &mut Agenda) {
    if room.is_resting() {
        agenda.strike(room.id.seat);
        room.wake(clock::now());
        agenda.enter(room.id.seat, room.due());
    }
}

/// How often orders and bells are looked for.
const LOOK: Duration = Duration::from_micros(2500);

/// Rooms that are due within this time of each other share a wake-up.
const GRAIN: Duration = Duration::from_micros(200);

/// Orders obeyed before ticks are looked at again.
const ORDERS_A_TURN: usize = 32;

/// Ticks before orders are looked at again.
const TICKS_A_BURST: usize = 64;
