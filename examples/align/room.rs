//! The evening: senders into the engine, what it keeps into the recorder.

use crate::{
    cli::Arguments,
    sender::{FRAME, Sender, Sent, five_seconds},
    story::{STORIES, Story},
};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap},
    error::Error,
    path::Path,
};
use tertulia::{
    consent::Recordable,
    engine::{Command, Engine, Lane, LaneConfig, Received, RoomConfig},
    record::{Recorder, RecorderConfig, TrackSummary},
    sim::Rng,
    speaker::SpeakerId,
    time::{Quantum, SampleTime},
};

/// What was recorded.
#[derive(Debug, Default)]
pub(crate) struct Recorded {
    pub(crate) samples: u64,
    pub(crate) voices: BTreeMap<&'static str, Voice>,
}

/// Of one voice.
#[derive(Debug, Default)]
pub(crate) struct Voice {
    /// When the clicks that arrived were said.
    pub(crate) clicks: Vec<f64>,
    /// Packets that came too late to be heard.
    pub(crate) late: u64,
    pub(crate) track: TrackSummary,
}

/// A speaker's place in the room.
struct Seat {
    sender: Sender,
    here: bool,
    /// When it comes or goes next, and when it stops to send before it goes.
    turns: f64,
}

/// When it arrives, how many were sent before, whose it is, its bytes, and its click's moment as bits.
type OnItsWay = (u64, u64, usize, Vec<u8>, Option<u64>);

struct Evening {
    engine: Engine,
    config: RoomConfig,
    recorder: Recorder,
    seats: Vec<Seat>,
    rng: Rng,
    /// By arrival, then by the order of sending.
    under_way: BinaryHeap<Reverse<OnItsWay>>,
    sent: u64,
    reports: bool,
    recorded: Recorded,
}

/// So long before it goes a guest says nothing more: all of it has arrived then.
const LAST_WORDS: f64 = 2.5 * 48_000.0;

pub(crate) fn record(arguments: &Arguments, dir: &Path) -> Result<Recorded, Box<dyn Error>> {
    let end = arguments.minutes * 60 * 48_000;
    let packets = five_seconds()?;
    let mut evening = Evening::new(arguments, dir)?;
    for now in (FRAME..=end).step_by(FRAME as usize) {
        evening.turn(now, end)?;
        evening.speak(now, end, &packets)?;
        evening.receive(now);
        evening.engine.tick();
        evening.recorder.advance(SampleTime::from_samples(now))?;
    }
    evening.finish(end)
}

/// When a speaker comes first: never, if only another does.
fn comes(story: &Story, arguments: &Arguments, rng: &mut Rng) -> f64 {
    let at = rng.between(0.0, 48_000.0).floor() + if story.leaves { 960_007.0 } else { 0.0 };
    let alone = arguments.only.as_deref();
    if alone.is_none_or(|name| name == story.name) { at } else { f64::INFINITY }
}

impl Evening {
    fn new(arguments: &Arguments, dir: &Path) -> Result<Self, Box<dyn Error>> {
        let config = RoomConfig {
            quantum: Quantum::Ms20,
            max_lanes: STORIES.len() as u16,
            max_buses: 0,
            // Nobody listens: nothing has to be decoded to know what would have come too late.
            max_mixed: Some(0),
            ..RoomConfig::default()
        };
        let mut rng = Rng::new(arguments.seed);
        let seats = STORIES.map(|story| Seat {
            sender: Sender::new(story, rng.bits()),
            here: false,
            turns: comes(&story, arguments, &mut rng),
        });
        // A simulated second is no time to wait for a real disk in.
        let recorder = Recorder::create(dir, RecorderConfig { sync: None, ..RecorderConfig::default() })?;
        Ok(Self {
            engine: Engine::new(config),
            config,
            recorder,
            seats: seats.into(),
            rng,
            under_way: BinaryHeap::new(),
            sent: 0,
            reports: arguments.reports,
            recorded: Recorded::default(),
        })
    }

    /// Who comes, and who goes.
    fn turn(&mut self, now: u64, end: u64) -> Result<(), Box<dyn Error>> {
        for place in 0..self.seats.len() {
            let seat = &mut self.seats[place];
            if seat.turns > now as f64 {
                continue;
            }
            let (speaker, at) = (SpeakerId(place as u16), SampleTime::from_samples(seat.turns as u64));
            seat.here = !seat.here;
            let stays =
                if seat.sender.story.leaves { self.rng.between(20.0, 200.0) * 48_000.0 } else { end as f64 };
            seat.turns = (seat.turns + stays).floor();
            if seat.here {
                seat.sender.come(at.samples() as f64);
                let lane = Lane::new(LaneConfig::new(speaker), &self.config)?;
                drop(self.engine.apply(Command::Admit(Box::new(lane))));
                self.recorder.join(speaker, self.seats[place].sender.story.name, at)?;
                self.recorder.open(Recordable::dangerously_without_consent(speaker, at));
            } else {
                self.count(place);
                drop(self.engine.apply(Command::Dismiss(speaker)));
                self.recorder.leave(speaker, at);
            }
        }
        Ok(())
    }

    fn speak(&mut self, now: u64, end: u64, packets: &[Vec<u8>]) -> Result<(), Box<dyn Error>> {
        for (place, seat) in self.seats.iter_mut().enumerate() {
            let until = (now as f64).min(seat.turns - LAST_WORDS).min(end as f64 - LAST_WORDS);
            while seat.here && seat.sender.next() <= until {
                if let Some(Sent { arrives, datagram, click, report }) = seat.sender.send(packets)? {
                    self.sent += 1;
                    // The order of bits is the order of positive numbers.
                    let click = click.map(f64::to_bits);
                    self.under_way.push(Reverse((arrives, self.sent, place, datagram, click)));
                    for report in report.into_iter().filter(|_| self.reports) {
                        self.sent += 1;
                        self.under_way.push(Reverse((arrives, self.sent, place, report, None)));
                    }
                }
            }
        }
        Ok(())
    }

    fn receive(&mut self, now: u64) {
        while self.under_way.peek().is_some_and(|Reverse((arrives, ..))| *arrives <= now) {
            let Some(Reverse((arrives, _, place, datagram, click))) = self.under_way.pop() else { return };
            let arrived = SampleTime::from_samples(arrives);
            let received = self.engine.receive(SpeakerId(place as u16), &datagram, arrived);
            match received {
                Received::Kept(packet) => {
                    self.recorder.packet(packet);
                    let clicks = &mut self.recorded.voices.entry(STORIES[place].name).or_default().clicks;
                    clicks.extend(click.map(f64::from_bits));
                }
                Received::Report(report) => self.recorder.report(report),
                Received::Duplicate | Received::Rejected(_) => {}
            }
        }
    }

    fn count(&mut self, place: usize) {
        let late = self.engine.stats(SpeakerId(place as u16)).map_or(0, |lane| lane.packets.late);
        self.recorded.voices.entry(STORIES[place].name).or_default().late += late;
    }

    fn finish(mut self, end: u64) -> Result<Recorded, Box<dyn Error>> {
        (0..self.seats.len()).for_each(|place| self.count(place));
        let mut session = self.recorder.finish(SampleTime::from_samples(end))?;
        if let Some(name) = session.unbalanced.first() {
            return Err(format!("{name}: its packets do not add up").into());
        }
        self.recorded.voices.retain(|_, voice| !voice.clicks.is_empty());
        for (name, voice) in &mut self.recorded.voices {
            voice.track = session.tracks.remove(*name).unwrap_or_default();
            voice.clicks.sort_by(f64::total_cmp);
        }
        Ok(Recorded { samples: session.samples, ..self.recorded })
    }
}
