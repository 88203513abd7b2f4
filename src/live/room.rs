//! One room on a worker: the engine, and the rings that end in it. Tasks come in, leftovers leave; one step is one tick.

use super::{
    clock,
    config::StageConfig,
    cost::Cost,
    front::Front,
    outlet::Outlet,
    pace::{Pace, Went},
    port::Inlet,
    ring::MAX_FRAME,
    stats::RoomStats,
    tape::{News, Tape, Tapes},
};
use crate::{
    engine::{Bus, Command, Engine, Event, Lane, Received, Retired, RoomConfig, Shed, Tick, Work},
    speaker::{BusId, SpeakerId},
    time::Samples,
};
use rtrb::Producer;
use std::time::{Duration, Instant};

/// A room of the stage. Never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoomId {
    pub(super) number: u32,
    /// Its place on the stage, on whatever worker; places are used again.
    pub(super) seat: u32,
}

/// What a room is told to do. Boxes are built on the control side.
#[derive(Debug)]
pub(super) enum Task {
    Admit(Box<Lane>, Box<Inlet>),
    Dismiss(SpeakerId),
    Subscribe(Box<Bus>, Box<Outlet>),
    Unsubscribe(BusId),
    Change(Command),
    Record(Box<Tape>),
    StopRecording(u32),
    Measure(Box<RoomStats>),
}

/// What comes back up, to be read and freed on the control side.
#[derive(Debug)]
pub(super) enum Leftover {
    Lane(Retired, Box<Inlet>),
    Bus(Retired, Box<Outlet>),
    Tape(Box<Tape>),
    Measured(Box<RoomStats>),
    /// A snapshot not taken: another is in the making.
    Blank(Box<RoomStats>),
    Refused(Command),
}

/// A room and everything it hands over to.
#[derive(Debug)]
pub(super) struct Room {
    pub(super) id: RoomId,
    pub(super) engine: Engine,
    pub(super) pace: Pace,
    pub(super) rest: Rest,
    pub(super) front: Front,
    pub(super) inlets: Vec<Option<Box<Inlet>>>,
    pub(super) outlets: Vec<Option<Box<Outlet>>>,
    pub(super) tapes: Tapes,
    pub(super) asked: Option<Survey>,
    pub(super) totals: Totals,
    cost: Cost,
    longest_catch_up: Duration,
    /// It fell too far behind, and lets ticks pass until it is on time again.
    hurries: bool,
    frame: Box<[u8; MAX_FRAME]>,
}

/// A snapshot in the making.
#[derive(Debug)]
pub(super) struct Survey {
    pub(super) stats: Box<RoomStats>,
    pub(super) next_place: usize,
}

/// A room's way to its rest.
#[derive(Debug)]
pub(super) struct Rest {
    /// Looks without a sound after which it rests; `None`: never.
    pub(super) patience: Option<u64>,
    /// Looks in a row without a sound.
    pub(super) silent: u64,
    /// It rests, until then at the latest.
    pub(super) until: Option<Instant>,
}

#[derive(Debug, Default)]
pub(super) struct Totals {
    pub(super) decodes: u64,
    pub(super) encodes: u64,
    pub(super) unrecorded: u64,
    pub(super) events_lost: u64,
}

impl Rest {
    fn after(span: Option<Duration>) -> Self {
        let looks = |span: Duration| (span.as_secs_f64() * 1e3 / LOOK.as_ms()).ceil() as u64;
        Self { patience: span.map(looks), silent: 0, until: None }
    }
}

impl Room {
    pub(super) fn new(id: RoomId, config: RoomConfig, stage: &StageConfig, front: Front) -> Self {
        Self {
            id,
            engine: Engine::new(config),
            pace: Pace::new(front.epoch, config.quantum),
            rest: Rest::after(stage.rest_after),
            front,
            inlets: (0..config.max_lanes).map(|_| None).collect(),
            outlets: (0..config.max_buses).map(|_| None).collect(),
            tapes: Tapes::new(),
            asked: None,
            totals: Totals::default(),
            cost: Cost::default(),
            longest_catch_up: stage.longest_catch_up,
            hurries: false,
            frame: Box::new([0; MAX_FRAME]),
        }
    }

    /// When it wants its worker next.
    pub(super) fn due(&self) -> Instant {
        self.rest.until.unwrap_or_else(|| self.pace.due())
    }

    /// Does one task; at most one thing is left over.
    pub(super) fn carry_out(&mut self, task: Task) -> Option<Leftover> {
        if !matches!(task, Task::Measure(_)) {
            self.rest.silent = 0;
        }
        match task {
            Task::Admit(lane, inlet) => self.admit(lane, inlet),
            Task::Dismiss(speaker) => self.dismiss(speaker),
            Task::Subscribe(bus, outlet) => self.subscribe(bus, outlet),
            Task::Unsubscribe(bus) => self.unsubscribe(bus),
            Task::Change(command) => self.change(command),
            Task::Record(tape) => self.record(tape),
            Task::StopRecording(number) => self.tapes.end(number, self.pace.next()).map(Leftover::Tape),
            Task::Measure(stats) => self.begin_survey(stats),
        }
    }

    /// What the coming tick will take, as far as that can be known.
    pub(super) fn foreseen(&self) -> Duration {
        Duration::from_nanos(self.cost.foreseen_ns(self.engine.next_work()))
    }

    /// When a tick that begins at `now` and takes so long will be done, as a part of its quantum.
    pub(super) fn strain(&self, now: Instant, foreseen: Duration) -> f32 {
        let quantum_s = self.pace.quantum().as_ms() / 1e3;
        ((self.pace.lateness(now) + foreseen).as_secs_f64() / quantum_s) as f32
    }

    /// Runs the tick that is due: packets in, one quantum, everything handed out. Behind a long stall ticks pass unheard, all
    /// of them: what is heard is then on time again, instead of just not too late.
    pub(super) fn step(&mut self, shed: Shed, events: &mut Producer<(RoomId, Event)>) -> Went {
        let began = clock::now();
        let lateness = self.pace.lateness(began);
        self.hurries =
            lateness > self.longest_catch_up || self.hurries && lateness > self.pace.quantum_time();
        let heard = !self.hurries;
        self.heed(shed);
        self.take_packets();
        let work = self.tick(heard, events);
        let done = clock::now();
        if !heard {
            return self.pace.passed(began, done);
        }
        let went = self.pace.ticked(began, done);
        self.cost.learn(work, went.busy.as_nanos() as u64);
        self.front.gauge.costs(self.cost.load_ppm(self.pace.quantum()));
        went
    }

    /// Nothing more is spent on it until it is woken.
    pub(super) fn costs_nothing(&self) {
        self.front.gauge.costs(0);
    }

    /// Tells the recordings, if there are any, that they end here.
    pub(super) fn end_recordings(&mut self) {
        self.tapes.tell(News::End(self.pace.next()));
    }

    fn admit(&mut self, lane: Box<Lane>, inlet: Box<Inlet>) -> Option<Leftover> {
        if let Some(refused) = self.engine.apply(Command::Admit(lane)) {
            return Some(Leftover::Lane(refused, inlet));
        }
        self.tapes.joined(&inlet);
        // The engine took the lane, so the place exists and was empty.
        let place = self.inlets.get_mut(inlet.speaker.index())?;
        *place = Some(inlet);
        None
    }

    fn dismiss(&mut self, speaker: SpeakerId) -> Option<Leftover> {
        let last = self.engine.stats(speaker).unwrap_or_default();
        let retired = self.engine.apply(Command::Dismiss(speaker))?;
        let Some(mut inlet) = self.inlets.get_mut(speaker.index()).and_then(Option::take) else {
            return refusal(retired);
        };
        self.tapes.tell(News::Left { speaker, at: self.engine.now() });
        inlet.last = last;
        Some(Leftover::Lane(retired, inlet))
    }

    fn subscribe(&mut self, bus: Box<Bus>, outlet: Box<Outlet>) -> Option<Leftover> {
        if let Some(refused) = self.engine.apply(Command::Open(bus)) {
            return Some(Leftover::Bus(refused, outlet));
        }
        // The engine took the bus, so the place exists and was empty.
        let place = self.outlets.get_mut(outlet.bus.index())?;
        *place = Some(outlet);
        None
    }

    fn unsubscribe(&mut self, bus: BusId) -> Option<Leftover> {
        let retired = self.engine.apply(Command::Close(bus))?;
        match self.outlets.get_mut(bus.index()).and_then(Option::take) {
            Some(outlet) => Some(Leftover::Bus(retired, outlet)),
            None => refusal(retired),
        }
    }

    fn change(&mut self, command: Command) -> Option<Leftover> {
        self.engine.apply(command).and_then(refusal)
    }

    fn record(&mut self, mut tape: Box<Tape>) -> Option<Leftover> {
        tape.call_the_roll(self.inlets.iter().flatten().map(|inlet| &**inlet));
        self.tapes.begin(tape).map(Leftover::Tape)
    }

    fn take_packets(&mut self) {
        let now = self.pace.next();
        for inlet in self.inlets.iter_mut().flatten() {
            for _ in 0..PACKETS_A_TICK {
                let Some((arrived, datagram)) = inlet.pop(now, &mut self.frame) else { break };
                let received = self.engine.receive(inlet.speaker, datagram, arrived);
                match received {
                    _ if self.tapes.is_empty() => {}
                    Received::Kept(packet) => {
                        self.totals.unrecorded += self.tapes.offer(News::Packet(packet));
                        for copy in self.engine.copies(packet, datagram) {
                            // A copy that is missed is no packet that is.
                            self.tapes.offer(News::Copy(copy));
                        }
                    }
                    // Nor is a report.
                    Received::Report(report) => drop(self.tapes.offer(News::Report(report))),
                    Received::Duplicate | Received::Rejected(_) => {}
                }
                if let Some(stats) = self.engine.stats(inlet.speaker) {
                    inlet.aimed(&stats);
                }
            }
        }
    }

    fn heed(&mut self, shed: Shed) {
        if self.engine.shed() != shed {
            // Not taken means asked again at the next tick.
            let _refused = self.engine.apply(Command::Shed(shed));
        }
    }

    fn tick(&mut self, heard: bool, events: &mut Producer<(RoomId, Event)>) -> Work {
        let tick = if heard { self.engine.tick() } else { self.engine.pass() };
        let work = tick.work();
        self.totals.decodes += u64::from(work.decodes);
        self.totals.encodes += u64::from(work.encodes);
        hand_out(&tick, &mut self.outlets);
        for playout in tick.playouts() {
            if let Some(Some(inlet)) = self.inlets.get_mut(playout.speaker.index()) {
                inlet.played(playout);
            }
        }
        // What is shed the worker tells, once for all its rooms.
        for event in tick.events().iter().filter(|event| !matches!(event, Event::Shed { .. })) {
            note_fader(event, &mut self.inlets, &mut self.tapes);
            self.totals.events_lost += u64::from(events.push((self.id, *event)).is_err());
        }
        self.tapes.offer(News::Now(tick.at()));
        work
    }
}

/// How often a room is looked at for its rest, and when it may go there: all packets end here, of 2.5 to 60 ms.
pub(super) const LOOK: Samples = Samples::from_ms(120);

/// What one lane may bring in one tick; more waits for the next. A stall of a second at 20 ms a packet is 50.
const PACKETS_A_TICK: usize = 64;

fn hand_out(tick: &Tick<'_>, outlets: &mut [Option<Box<Outlet>>]) {
    for packet in tick.packets() {
        if let Some(Some(outlet)) = outlets.get_mut(packet.bus.index()) {
            outlet.packet(&packet);
        }
    }
    for (bus, mix) in tick.mixes() {
        if let Some(Some(outlet)) = outlets.get_mut(bus.index()) {
            outlet.mix(mix);
        }
    }
}

/// What a fader does is told to the recording, and to those that begin later.
fn note_fader(event: &Event, inlets: &mut [Option<Box<Inlet>>], tapes: &mut Tapes) {
    let Some(news) = News::of(event) else { return };
    let (speaker, dial) = match *event {
        Event::Gained { speaker, .. } => (speaker, 0),
        Event::Panned { speaker, .. } => (speaker, 1),
        Event::Muted { speaker, .. } | Event::Unmuted { speaker, .. } => (speaker, 2),
        _ => return,
    };
    if let Some(Some(inlet)) = inlets.get_mut(speaker.index()) {
        let at_rest = matches!(event, Event::Unmuted { .. });
        inlet.fader[dial] = (!at_rest).then_some(*event);
    }
    tapes.tell(news);
}

fn refusal(retired: Retired) -> Option<Leftover> {
    match retired {
        Retired::Refused(command) => Some(Leftover::Refused(command)),
        Retired::Lane(lane) => Some(Leftover::Refused(Command::Admit(lane))),
        Retired::Bus(bus) => Some(Leftover::Refused(Command::Open(bus))),
    }
}
