//! One room on a worker: the engine, and the rings that end in it. Tasks come in, leftovers leave; one step is one tick.

use super::{
    clock::{self, Epoch},
    outlet::Outlet,
    pace::Pace,
    port::Inlet,
    ring::MAX_FRAME,
    stats::{BusStats, RoomStats},
    tape::{News, Tape},
};
use crate::{
    engine::{Bus, Command, Engine, Event, Lane, Received, Retired, RoomConfig, Tick},
    speaker::{BusId, SpeakerId},
};
use rtrb::Producer;
use std::time::Instant;

/// A room of the stage. Never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoomId(pub(super) u32);

/// What a room is told to do. Boxes are built on the control side.
#[derive(Debug)]
pub(super) enum Task {
    Admit(Box<Lane>, Box<Inlet>),
    Dismiss(SpeakerId),
    Subscribe(Box<Bus>, Box<Outlet>),
    Unsubscribe(BusId),
    Change(Command),
    Record(Box<Tape>),
    StopRecording,
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
    engine: Engine,
    pace: Pace,
    inlets: Vec<Option<Box<Inlet>>>,
    outlets: Vec<Option<Box<Outlet>>>,
    tape: Option<Box<Tape>>,
    asked: Option<Survey>,
    frame: Box<[u8; MAX_FRAME]>,
    totals: Totals,
}

/// A snapshot in the making.
#[derive(Debug)]
struct Survey {
    stats: Box<RoomStats>,
    next_place: usize,
}

#[derive(Debug, Default)]
struct Totals {
    decodes: u64,
    encodes: u64,
    unrecorded: u64,
    events_lost: u64,
}

impl Room {
    pub(super) fn new(id: RoomId, config: RoomConfig, epoch: Epoch) -> Self {
        Self {
            id,
            engine: Engine::new(config),
            pace: Pace::new(epoch, config.quantum),
            inlets: (0..config.max_lanes).map(|_| None).collect(),
            outlets: (0..config.max_buses).map(|_| None).collect(),
            tape: None,
            asked: None,
            frame: Box::new([0; MAX_FRAME]),
            totals: Totals::default(),
        }
    }

    /// When the next tick is due.
    pub(super) fn due(&self) -> Instant {
        self.pace.due()
    }

    /// Does one task; at most one thing is left over.
    pub(super) fn carry_out(&mut self, task: Task) -> Option<Leftover> {
        match task {
            Task::Admit(lane, inlet) => self.admit(lane, inlet),
            Task::Dismiss(speaker) => self.dismiss(speaker),
            Task::Subscribe(bus, outlet) => self.subscribe(bus, outlet),
            Task::Unsubscribe(bus) => self.unsubscribe(bus),
            Task::Change(command) => self.change(command),
            Task::Record(tape) => self.record(tape),
            Task::StopRecording => {
                self.end_recording();
                self.tape.take().map(Leftover::Tape)
            }
            Task::Measure(stats) if self.asked.is_some() => Some(Leftover::Blank(stats)),
            Task::Measure(stats) => {
                self.asked = Some(Survey { stats, next_place: 0 });
                None
            }
        }
    }

    /// Runs the tick that is due: packets in, one quantum, everything handed out.
    pub(super) fn step(&mut self, events: &mut Producer<(RoomId, Event)>) {
        let began = clock::now();
        self.take_packets();
        self.tick(events);
        self.pace.ticked(began, clock::now());
    }

    /// Goes on with the snapshot that was asked for; gives it back when it is whole.
    pub(super) fn survey(&mut self) -> Option<Leftover> {
        let mut asked = self.asked.take()?;
        asked.next_place = self.measure_lanes(&mut asked.stats, asked.next_place, LANES_MEASURED_A_TICK);
        if asked.next_place < self.inlets.len() {
            self.asked = Some(asked);
            return None;
        }
        self.measure_room(&mut asked.stats);
        Some(Leftover::Measured(asked.stats))
    }

    /// The whole snapshot at once. Allocates: for a room that has come back up.
    pub(super) fn final_stats(&self) -> RoomStats {
        let mut stats = RoomStats::default();
        self.measure_lanes(&mut stats, 0, self.inlets.len());
        self.measure_room(&mut stats);
        stats
    }

    /// Tells the recording, if there is one, that it ends here.
    pub(super) fn end_recording(&mut self) {
        if let Some(tape) = &mut self.tape {
            tape.tell(News::End(self.pace.next()));
        }
    }

    fn admit(&mut self, lane: Box<Lane>, inlet: Box<Inlet>) -> Option<Leftover> {
        if let Some(refused) = self.engine.apply(Command::Admit(lane)) {
            return Some(Leftover::Lane(refused, inlet));
        }
        if let Some(tape) = &mut self.tape {
            tape.joined(&inlet);
        }
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
        if let Some(tape) = &mut self.tape {
            tape.tell(News::Left { speaker, at: self.engine.now() });
        }
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
        self.tape.replace(tape).map(Leftover::Tape)
    }

    fn take_packets(&mut self) {
        let now = self.pace.next();
        for inlet in self.inlets.iter_mut().flatten() {
            for _ in 0..PACKETS_A_TICK {
                let Some((arrived, datagram)) = inlet.pop(now, &mut self.frame) else { break };
                if let Received::Kept(packet) = self.engine.receive(inlet.speaker, datagram, arrived)
                    && let Some(tape) = &mut self.tape
                {
                    self.totals.unrecorded += u64::from(!tape.offer(News::Packet(packet)));
                }
                if let Some(stats) = self.engine.stats(inlet.speaker) {
                    inlet.aimed(&stats);
                }
            }
        }
    }

    fn tick(&mut self, events: &mut Producer<(RoomId, Event)>) {
        let tick = self.engine.tick();
        self.totals.decodes += u64::from(tick.work().decodes);
        self.totals.encodes += u64::from(tick.work().encodes);
        hand_out(&tick, &mut self.outlets);
        for playout in tick.playouts() {
            if let Some(Some(inlet)) = self.inlets.get_mut(playout.speaker.index()) {
                inlet.played(playout);
            }
        }
        for event in tick.events() {
            note_mute(event, &mut self.inlets, self.tape.as_deref_mut());
            self.totals.events_lost += u64::from(events.push((self.id, *event)).is_err());
        }
        if let Some(tape) = &mut self.tape {
            tape.offer(News::Now(tick.at()));
        }
    }

    fn measure_lanes(&self, stats: &mut RoomStats, from: usize, lanes: usize) -> usize {
        let present =
            self.inlets.iter().enumerate().skip(from).filter_map(|(at, inlet)| Some((at, inlet.as_ref()?)));
        for (count, (at, inlet)) in present.enumerate() {
            if count == lanes {
                return at;
            }
            let lane = self.engine.stats(inlet.speaker).unwrap_or_default();
            stats.speakers.push(inlet.stats(lane));
        }
        self.inlets.len()
    }

    fn measure_room(&self, stats: &mut RoomStats) {
        self.pace.tell(stats);
        stats.decodes = self.totals.decodes;
        stats.encodes = self.totals.encodes;
        stats.unrecorded = self.totals.unrecorded;
        stats.events_lost = self.totals.events_lost;
        stats.limiter_max_reduction_db = self.engine.limiter_max_reduction_db();
        let buses = self.outlets.iter().flatten();
        stats.buses.extend(buses.map(|outlet| BusStats { bus: outlet.bus, dropped: outlet.dropped }));
    }
}

/// What one lane may bring in one tick; more waits for the next. A stall of a second at 20 ms a packet is 50.
const PACKETS_A_TICK: usize = 64;

/// Each costs some microseconds for its quantiles.
const LANES_MEASURED_A_TICK: usize = 16;

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

fn note_mute(event: &Event, inlets: &mut [Option<Box<Inlet>>], tape: Option<&mut Tape>) {
    let (speaker, muted, news) = match *event {
        Event::Muted { speaker, at } => (speaker, Some(at), News::Muted { speaker, at }),
        Event::Unmuted { speaker, at } => (speaker, None, News::Unmuted { speaker, at }),
        _ => return,
    };
    if let Some(Some(inlet)) = inlets.get_mut(speaker.index()) {
        inlet.muted = muted;
    }
    if let Some(tape) = tape {
        tape.tell(news);
    }
}

fn refusal(retired: Retired) -> Option<Leftover> {
    match retired {
        Retired::Refused(command) => Some(Leftover::Refused(command)),
        Retired::Lane(lane) => Some(Leftover::Refused(Command::Admit(lane))),
        Retired::Bus(bus) => Some(Leftover::Refused(Command::Open(bus))),
    }
}
