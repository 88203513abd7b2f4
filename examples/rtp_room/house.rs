//! The room and who is in it: source addresses become speakers with a bus of their own, and leave again.

use crate::{alert, args::Args, metrics};
use std::{
    collections::BTreeMap,
    error::Error,
    hash::{BuildHasher, Hasher, RandomState},
    net::SocketAddr,
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tertulia::{
    consent::Recordable,
    engine::{EncoderConfig, LaneConfig, RoomConfig, StreamConfig},
    live::{
        Control, Notice, PacketIn, PacketsOut, RoomId, RoomStats, Rung, SOON, SpeakerStats, Stage,
        StageConfig, Take, WorkerStats,
    },
    record::{RecorderConfig, Session},
    speaker::{BusId, MAX_SPEAKERS, SpeakerId, SpeakerSet},
    time::SampleTime,
};

/// One place is the listeners'.
const MAX_GUESTS: u16 = MAX_SPEAKERS as u16 - 1;

/// How many who have left stay in the report.
const MAX_DEPARTED: usize = 4096;

pub(crate) struct House {
    control: Control,
    room: RoomId,
    recording: Option<Take>,
    encoder: EncoderConfig,
    payload_type: u8,
    joined: u64,
    names: BTreeMap<SpeakerId, String>,
    departed: BTreeMap<String, SpeakerStats>,
    measured: Option<Box<RoomStats>>,
    /// The figures before, for who asks in between.
    latest: Option<RoomStats>,
}

/// The whole house at one moment.
pub(crate) struct Figures {
    pub(crate) room: Box<RoomStats>,
    pub(crate) worker: WorkerStats,
    pub(crate) speakers: BTreeMap<String, SpeakerStats>,
}

impl House {
    /// Opens the room and, if asked to, its recording; the shared mix comes with it.
    pub(crate) fn open(args: &Args) -> Result<(Self, PacketsOut), Box<dyn Error>> {
        // Its listeners count on a stream that never stops.
        let stage = StageConfig { rest_after: None, ..StageConfig::default() };
        let recording_bytes = args.memory_bytes.unwrap_or(stage.recording_bytes);
        let mut control = Stage::start(StageConfig { recording_bytes, ..stage })?;
        for warning in control.warnings() {
            eprintln!("warning: {warning}");
        }
        let room = control.open_room(RoomConfig {
            quantum: args.quantum(),
            max_lanes: MAX_GUESTS,
            max_buses: MAX_GUESTS + 1,
            ..RoomConfig::default()
        })?;
        let recording = match &args.record {
            Some(dir) => {
                let (epoch_unix_ms, limits, rotation) = (Some(unix_ms()), args.limits, args.rotation);
                let config = RecorderConfig { epoch_unix_ms, limits, rotation, ..RecorderConfig::default() };
                Some(control.start_recording(room, dir, config)?)
            }
            None => None,
        };
        let encoder = EncoderConfig {
            packet: args.packet,
            bitrate_bps: args.bitrate_bps,
            complexity: args.complexity,
            relay: args.relay,
            ..EncoderConfig::default()
        };
        let everybody = SpeakerSet::EVERYBODY;
        let listeners = control.subscribe(room, everybody, encoder, stream(args.payload_type))?;
        let house = Self {
            control,
            room,
            recording,
            encoder,
            payload_type: args.payload_type,
            joined: 0,
            names: BTreeMap::new(),
            departed: BTreeMap::new(),
            measured: None,
            latest: None,
        };
        Ok((house, listeners))
    }

    pub(crate) fn now(&self) -> SampleTime {
        self.control.now(self.room).unwrap_or_default()
    }

    /// Lets a source address in, if there is a place.
    pub(crate) fn admit(&mut self, from: SocketAddr) -> Result<(PacketIn, PacketsOut), Box<dyn Error>> {
        let name = name(self.joined + 1, from);
        let lane = LaneConfig { payload_type: self.payload_type, ..LaneConfig::new(SpeakerId(0)) };
        let packets_in = self.control.admit(self.room, lane, &name)?;
        let speaker = packets_in.speaker();
        let others = SpeakerSet::everybody_but(speaker);
        let packets_out =
            match self.control.subscribe(self.room, others, self.encoder, stream(self.payload_type)) {
                Ok(packets_out) => packets_out,
                Err(error) => {
                    self.control.dismiss(self.room, speaker)?;
                    return Err(error.into());
                }
            };
        if let Some(take) = self.recording {
            // Whoever runs this program with --record answers for the consent of those who send to it.
            let consent = Recordable::dangerously_without_consent(speaker, SOON);
            self.control.open_gate(take, consent)?;
        }
        self.joined += 1;
        self.names.insert(speaker, name);
        Ok((packets_in, packets_out))
    }

    pub(crate) fn dismiss(&mut self, speaker: SpeakerId, bus: BusId) {
        // An overloaded worker takes no orders; the guest is then silent, and stays.
        let _ = self.control.dismiss(self.room, speaker);
        let _ = self.control.unsubscribe(self.room, bus);
    }

    /// Reads what has come up, and asks for the next figures.
    pub(crate) fn look_after(&mut self) {
        while let Some(notice) = self.control.poll() {
            match notice {
                Notice::Left(_, stats) => self.depart(&stats),
                Notice::Measured(_, stats) => {
                    self.latest = Some((*stats).clone());
                    self.measured = Some(stats);
                }
                Notice::Shed { rung, .. } => eprintln!("warning: {}", told(rung)),
                Notice::RecordingFailed(_, error) => eprintln!("warning: {error}"),
                Notice::RecordingTrouble(_, error) => eprintln!("warning: {error}; trying again"),
                Notice::RecordingResumed(..) => eprintln!("the recording is being written again"),
                Notice::RecordingAlert(_, alert) => eprintln!("{}", alert::line(&alert)),
                Notice::Refused(_, command) => eprintln!("warning: not carried out: {command:?}"),
                Notice::Event(..) | Notice::Closed(..) => {}
            }
        }
    }

    /// Asks for figures; they are there some ticks later.
    pub(crate) fn measure(&mut self) {
        // Not asked now means asked a second later.
        let _ = self.control.measure(self.room);
    }

    /// The figures that were asked for, once.
    pub(crate) fn figures(&mut self) -> Option<Figures> {
        let room = self.measured.take()?;
        let present =
            room.speakers.iter().filter_map(|stats| Some((self.names.get(&stats.speaker)?.clone(), *stats)));
        let speakers = self.departed.clone().into_iter().chain(present).collect();
        let worker = self.control.stats().workers.first().copied().unwrap_or_default();
        Some(Figures { room, worker, speakers })
    }

    /// Figures for Prometheus: the stage's as they are now, the room's as they were a second ago.
    pub(crate) fn metrics(&self) -> String {
        metrics::render(&self.control.stats(), self.latest.as_ref())
    }

    /// Ends the recording, if there is one, and waits until it is on disk.
    pub(crate) fn finish(&mut self) -> Result<Option<Session>, Box<dyn Error>> {
        let Some(take) = self.recording else { return Ok(None) };
        let finishing = self.control.stop_recording(take)?;
        Ok(Some(finishing.wait(Duration::from_secs(30))?))
    }

    fn depart(&mut self, stats: &SpeakerStats) {
        if let Some(name) = self.names.remove(&stats.speaker)
            && self.departed.len() < MAX_DEPARTED
        {
            self.departed.insert(name, *stats);
        }
    }
}

fn told(rung: Rung) -> &'static str {
    match rung {
        Rung::Ground => "the machine keeps up again, nothing is shed",
        Rung::Neural => "the machine is overloaded: no neural concealment",
        Rung::Complexity => "the machine is overloaded: encoders take less trouble",
        Rung::Voices => "the machine is overloaded: fewer voices are heard at once",
        Rung::NewRooms => "the machine is overloaded: nothing is left to shed",
    }
}

/// `s1-127-0-0-1-40002`: what a file may be called.
fn name(number: u64, from: SocketAddr) -> String {
    let address = from.to_string().to_ascii_lowercase();
    let words: Vec<_> =
        address.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    format!("s{number}-{}", words.join("-"))
}

/// A stream with its random parts drawn (RFC 3550 §5.1).
fn stream(payload_type: u8) -> StreamConfig {
    let random = || RandomState::new().build_hasher().finish() as u32;
    StreamConfig { ssrc: random(), payload_type, first_sequence: random() as u16, first_timestamp: random() }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the manifest wants the wall time at which the recording began"
)]
fn unix_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}
