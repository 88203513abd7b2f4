//! The loop: one room from its first sample to its last, in simulated time. A scenario comes in; the folder of
//! recordings, mixes, `playout.csv` and `report.json` leaves, and the same as values.

use super::{
    Rng,
    error::{Invalid, SimError},
    options::{Meters, Options},
    outcome::Outcome,
    outputs::{Outputs, write_error},
    report::{RoomLine, TickNs, to_3_places},
    scenario::{Action, LONGEST_S, Scenario, ScenarioEvent},
    sender::Sender,
    voice::Voice,
};
use crate::{
    consent::Purpose,
    engine::{Command, Engine, Event, LaneConfig, Received, Retired, RoomConfig},
    frame::Channels,
    mix::Db,
    record::{Recorder, RecorderConfig},
    room::{Consent, Ledger},
    speaker::SpeakerId,
    time::{SampleTime, Samples},
};
use hdrhistogram::Histogram;
use std::{fs, path::Path};

/// Runs a scenario and writes everything it leaves behind into `out`.
///
/// # Errors
/// An input that cannot be used, an output that cannot be written, or packets that are not all accounted for.
pub fn simulate(
    scenario: &Scenario,
    options: &Options,
    out: &Path,
    meters: Meters<'_>,
) -> Result<Outcome, SimError> {
    let mut run = Run::open(scenario, options, out, meters)?;
    while run.engine.now() < run.end {
        run.step()?;
    }
    run.close()
}

/// How long a track waits for stragglers.
const REPAIR: Samples = Samples::from_ms(2000);

/// Longer ticks are counted as this.
const LONGEST_TICK_NS: u64 = 60_000_000_000;

pub(super) struct Run<'a> {
    scenario: &'a Path,
    out: &'a Path,
    pub(super) lane: LaneConfig,
    pub(super) room: RoomConfig,
    pub(super) engine: Engine,
    pub(super) recorder: Recorder,
    pub(super) ledger: Ledger,
    outputs: Outputs,
    pub(super) voices: Vec<Voice>,
    /// What is still to happen, the next at the end.
    events: Vec<ScenarioEvent>,
    pub(super) end: SampleTime,
    ticks: u64,
    tick_ns: Histogram<u64>,
    allocations: u64,
    datagram: Vec<u8>,
    meters: Meters<'a>,
}

impl<'a> Run<'a> {
    fn open(
        scenario: &'a Scenario,
        options: &Options,
        out: &'a Path,
        meters: Meters<'a>,
    ) -> Result<Self, SimError> {
        let mut rng = Rng::new(options.seed);
        let mut voices = Vec::with_capacity(scenario.speakers.len());
        for (speaker, id) in scenario.speakers.iter().zip(0..) {
            voices.push((SpeakerId(id), speaker, Sender::load(speaker, &mut rng)?));
        }
        let end = end(scenario, voices.iter().map(|(.., sender)| sender))?;
        for (_, speaker, sender) in &mut voices {
            if speaker.repeat && speaker.trace.is_none() {
                sender.repeat_until(end);
            }
        }
        let room = room(scenario, options, voices.iter().map(|(.., sender)| sender));
        fs::create_dir_all(out).map_err(|error| write_error(out, error))?;
        let mut engine = Engine::new(room);
        let names = scenario.speakers.iter().zip(0..).map(|(it, id)| (SpeakerId(id), it.name.as_str()));
        let minus: Vec<_> = names.filter(|_| options.minus).collect();
        let (ssrc, length) = (rng.bits() as u32, end.since(SampleTime::ZERO));
        let outputs = Outputs::open(out, &minus, scenario.relay, ssrc, length, &mut engine, &room)?;
        let mut lane = LaneConfig::new(SpeakerId(0));
        lane.ms_per_percent = options.ms_per_percent;
        Ok(Self {
            scenario: &scenario.file,
            out,
            lane,
            room,
            engine,
            recorder: recorder(scenario, out)?,
            ledger: Ledger::new(),
            outputs,
            voices: voices
                .into_iter()
                .map(|(id, speaker, sender)| Voice::new(id, speaker, sender, options.history))
                .collect(),
            events: events(scenario),
            end,
            ticks: 0,
            tick_ns: Histogram::new_with_max(LONGEST_TICK_NS, 3)
                .expect("a minute in 3 digits fits a histogram"),
            allocations: 0,
            datagram: Vec::with_capacity(1500),
            meters,
        })
    }

    /// One tick of the room, and all that comes before and after it.
    fn step(&mut self) -> Result<(), SimError> {
        let now = self.engine.now();
        let horizon = now + self.room.quantum.samples() + Engine::LOOKAHEAD;
        while let Some(event) = self.events.pop_if(|event| event.at < horizon && event.at < self.end) {
            self.obey(event)?;
        }
        self.receive(now);
        self.see_off(now);
        self.tick()?;
        self.ticks += 1;
        let made = self.engine.now() + Engine::LOOKAHEAD;
        for voice in &mut self.voices {
            if let Some(lane) = self.engine.stats(voice.id).filter(|_| voice.joined.is_some()) {
                voice.watch(&lane, made);
            }
        }
        self.recorder.advance(self.engine.now().min(self.end))?;
        if self.ticks.is_multiple_of(100) {
            (self.meters.progress)(now.as_ms() / self.end.as_ms());
        }
        Ok(())
    }

    fn tick(&mut self) -> Result<(), SimError> {
        let (began, allocated) = ((self.meters.now_ns)(), (self.meters.allocations)());
        let tick = self.engine.tick();
        self.allocations += (self.meters.allocations)() - allocated;
        let took = (self.meters.now_ns)().saturating_sub(began);
        self.tick_ns.saturating_record(took);
        self.outputs.take(&tick, self.room.quantum.samples())?;
        for playout in tick.playouts() {
            if let Some(voice) = self.voices.get_mut(playout.speaker.index()) {
                voice.heard(playout);
            }
        }
        for event in tick.events() {
            hear_of(*event, &mut self.voices, &mut self.recorder);
        }
        Ok(())
    }

    /// Hands everything that has arrived by `now` to the engine, and what it keeps to the recorder.
    pub(super) fn receive(&mut self, now: SampleTime) {
        for voice in &mut self.voices {
            while let Some((packet, arrived)) = voice.arrived(now) {
                voice.sender.datagram(packet, &mut self.datagram);
                let allocated = (self.meters.allocations)();
                let received = self.engine.receive(voice.id, &self.datagram, arrived);
                self.allocations += (self.meters.allocations)() - allocated;
                if let Received::Kept(packet) = received {
                    self.recorder.packet(packet);
                    self.engine.copies(packet, &self.datagram).for_each(|copy| self.recorder.copy(copy));
                }
                if let Some(report) = voice.sender.report(packet) {
                    let received = self.engine.receive(voice.id, &report, arrived);
                    if let Received::Report(report) = received {
                        self.recorder.report(report);
                    }
                }
            }
        }
    }

    fn obey(&mut self, event: ScenarioEvent) -> Result<(), SimError> {
        let ScenarioEvent { at, action, .. } = event;
        match action {
            Action::Mute(speaker) => self.silence(event, speaker, true),
            Action::Unmute(speaker) => self.silence(event, speaker, false),
            Action::Gain(speaker, db, over) => {
                self.voices[speaker.index()].gain_db = db;
                self.change(event, speaker, Command::Gain { speaker, to: Db(db).to_linear(), at, over })
            }
            Action::Pan(speaker, to) => {
                self.voices[speaker.index()].pan = to;
                self.change(event, speaker, Command::Pan { speaker, to, at })
            }
            Action::Leave(speaker) => self.leave(event, speaker),
            Action::Join(speaker) => self.join(event, speaker),
            Action::Grant(_) | Action::Withdraw(_) | Action::Record | Action::Stop => {
                self.gate(at, action);
                Ok(())
            }
        }
    }

    /// What concerns the recording alone.
    fn gate(&mut self, at: SampleTime, action: Action) {
        match action {
            Action::Record => self.recorder.resume(at),
            Action::Stop => self.recorder.pause(at),
            Action::Grant(speaker) => {
                let voice = &mut self.voices[speaker.index()];
                voice.consent = true;
                if voice.joined.is_some() {
                    self.agree(speaker, at);
                }
            }
            Action::Withdraw(speaker) => {
                let voice = &mut self.voices[speaker.index()];
                voice.consent = false;
                self.ledger.withdraw(voice.person(), Purpose::Record, at);
                self.recorder.close(speaker, at);
            }
            _ => (),
        }
    }

    /// A voice says yes to the ledger, and the recorder gets the proof.
    pub(super) fn agree(&mut self, speaker: SpeakerId, at: SampleTime) {
        let person = self.voices[speaker.index()].person();
        self.ledger.enter(person, Purpose::Record, at, Consent::Given);
        if let Some(proof) = self.ledger.proof(person, speaker, at) {
            self.recorder.open(proof);
        }
    }

    /// Changes a voice that is in the room; one that is not is changed when it joins.
    fn change(&mut self, event: ScenarioEvent, speaker: SpeakerId, command: Command) -> Result<(), SimError> {
        if self.voices[speaker.index()].joined.is_some() { self.apply(event, command) } else { Ok(()) }
    }

    pub(super) fn apply(&mut self, event: ScenarioEvent, command: Command) -> Result<(), SimError> {
        let allocated = (self.meters.allocations)();
        let retired = self.engine.apply(command);
        self.allocations += (self.meters.allocations)() - allocated;
        match retired {
            Some(Retired::Refused(command)) => {
                let expected = format!("expected something that the room can do, it refuses {command:?}");
                Err(Invalid::new(self.scenario, Some(event.line), expected).into())
            }
            _ => Ok(()),
        }
    }

    fn close(mut self) -> Result<Outcome, SimError> {
        // What arrived within the last block came too late for the mix, but not for the tracks.
        self.receive(self.end.before(Samples::new(1)));
        for place in 0..self.voices.len() {
            if self.voices[place].joined.is_some() {
                self.count_out(self.voices[place].id, self.end);
            }
        }
        for voice in self.voices.iter().filter(|voice| voice.was_never_in()) {
            self.recorder.join(voice.id, voice.name(), self.end)?;
            self.recorder.leave(voice.id, self.end);
        }
        let session = self.recorder.finish(self.end)?;
        let room = RoomLine {
            samples: self.end.samples(),
            quantum_samples: self.room.quantum.samples().count(),
            ticks: self.ticks,
            tick_ns: TickNs::of(&self.tick_ns),
            allocations_in_tick: self.allocations,
            limiter_max_reduction_db: to_3_places(f64::from(self.engine.limiter_max_reduction_db())),
        };
        self.outputs.close(self.end, &mut self.engine, &self.room)?;
        (self.meters.progress)(1.0);
        let outcome = Outcome::new(room, self.voices, &session)?;
        outcome.write(self.out)?;
        Ok(outcome)
    }
}

/// The room lasts as long as the scenario says, or until its last speaker has nothing more to send.
fn end<'a>(scenario: &Scenario, senders: impl Iterator<Item = &'a Sender>) -> Result<SampleTime, Invalid> {
    if let Some(duration) = scenario.duration {
        return Ok(SampleTime::ZERO + duration);
    }
    let end = senders.map(Sender::end).max().unwrap_or_default();
    if end.as_ms() > LONGEST_S * 1000.0 {
        let expected = format!("expected traces that end within {LONGEST_S} s, or a duration_s");
        return Err(Invalid::new(&scenario.file, None, expected));
    }
    Ok(end)
}

fn room<'a>(
    scenario: &Scenario,
    options: &Options,
    mut senders: impl Iterator<Item = &'a Sender>,
) -> RoomConfig {
    let speakers = scenario.speakers.len() as u16;
    let stereo = scenario.speakers.iter().any(|speaker| speaker.pan != 0.0)
        || scenario.events.iter().any(|event| matches!(event.action, Action::Pan(..)))
        || senders.any(|sender| sender.channels() == Channels::Stereo);
    RoomConfig {
        quantum: options.quantum.or(scenario.quantum).unwrap_or_default(),
        channels: scenario.channels.unwrap_or(if stereo { Channels::Stereo } else { Channels::Mono }),
        max_lanes: speakers,
        max_buses: 2 + if options.minus { speakers } else { 0 },
        max_mixed: match scenario.max_mixed {
            Some(places) => Some(places).filter(|places| *places > 0),
            None => RoomConfig::default().max_mixed,
        },
    }
}

fn recorder(scenario: &Scenario, out: &Path) -> Result<Recorder, SimError> {
    // A simulated second is no time to wait for a real disk in.
    let config = RecorderConfig { repair: REPAIR, sync: None, ..RecorderConfig::default() };
    let mut recorder = Recorder::create(out, config)?;
    let first = scenario.events.iter().find(|event| matches!(event.action, Action::Record | Action::Stop));
    if first.is_some_and(|event| event.action == Action::Record) {
        recorder.pause(SampleTime::ZERO);
    }
    Ok(recorder)
}

/// Everything that happens, the last first; a speaker's start comes before what else happens at that sample.
fn events(scenario: &Scenario) -> Vec<ScenarioEvent> {
    let starts = scenario.speakers.iter().zip(0..).map(|(speaker, id)| ScenarioEvent {
        at: speaker.start,
        action: Action::Join(SpeakerId(id)),
        line: speaker.line,
    });
    let mut events: Vec<_> = starts.chain(scenario.events.iter().copied()).collect();
    events.sort_by_key(|event| event.at);
    events.reverse();
    events
}

/// Mutes are told to the recorder at the sample at which the mix has them. One who leaves is silent, not muted.
fn hear_of(event: Event, voices: &mut [Voice], recorder: &mut Recorder) {
    match event {
        Event::Muted { speaker, at } => {
            let in_room = |voice: &&mut Voice| voice.joined.is_some() && voice.leaving != Some(at);
            if let Some(voice) = voices.get_mut(speaker.index()).filter(in_room) {
                voice.mute(at);
                recorder.mute(speaker, at);
            }
        }
        Event::Unmuted { speaker, at } => {
            if let Some(voice) = voices.get_mut(speaker.index()) {
                voice.unmute(at);
                recorder.unmute(speaker, at);
            }
        }
        Event::Gained { speaker, to, at, over } => recorder.gain(speaker, to, at, over),
        Event::Panned { speaker, to, at } => recorder.pan(speaker, to, at),
        Event::Joined { .. } | Event::Left { .. } | Event::Restarted { .. } | Event::Shed { .. } => (),
    }
}
