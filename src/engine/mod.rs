//! The conductor: a plain machine. [`Engine::receive`] takes datagrams, [`Engine::apply`] takes commands,
//! [`Engine::tick`] makes one quantum of every mix.
//!
//! No thread, clock, lock, allocation, log or panic once built. Same inputs, same bytes.

mod attention;
mod bus;
mod coder;
mod command;
mod config;
mod deep;
mod ears;
mod event;
mod forward;
mod hole;
mod intake;
mod lane;
mod log;
mod mixing;
mod passing;
mod relay;
mod rest;
mod room;
mod share;
mod shed;
mod sleep;
mod stagger;
mod stats;
mod tick;
mod voice;

pub use crate::codec::{Codec, EncoderConfig};
pub use bus::Bus;
pub use command::{Command, Retired};
pub use config::{BuildError, BusConfig, LaneConfig, RoomConfig, StreamConfig};
pub use event::{Event, Playout, Source};
pub use intake::Received;
pub use lane::Lane;
pub use shed::Shed;
pub use stats::{LaneStats, PacketCounts, SampleCounts};
pub use tick::{BusPacket, Tick, Work};

use crate::{
    mix::{MixMinus, Selection},
    packet::Reject,
    speaker::{BusId, MAX_SPEAKERS, SpeakerId, SpeakerSet, VoicePacket},
    time::{SampleTime, Samples},
};
use deep::Deep;
use log::Log;

/// One live conversation: lanes in, buses out, one sample clock.
#[derive(Debug)]
pub struct Engine {
    now: SampleTime,
    quantum: Samples,
    lanes: Box<[Option<Box<Lane>>]>,
    buses: Box<[Option<Box<Bus>>]>,
    max_mixed: Option<u16>,
    /// Whose lanes have anything in them.
    awake: SpeakerSet,
    /// Which of them are decoded and mixed.
    heard: SpeakerSet,
    selection: Selection,
    /// Who of the heard speaks, by the packets.
    speaking: SpeakerSet,
    /// Whose packets were sent in the tick before in place of a mix.
    relayed: SpeakerSet,
    /// Whose packets were last listened to, as they do not tell who speaks.
    probed: SpeakerId,
    /// Of those who is audible in this tick, and who was in the one before.
    audible: SpeakerSet,
    before: SpeakerSet,
    /// The audible once more, one by one.
    voices: Vec<SpeakerId>,
    /// May buses hear otherwise than in the tick before?
    regroup: bool,
    /// The buses that make a mix of their own in this tick.
    leaders: Vec<BusId>,
    sums: MixMinus,
    /// What was heard of a voice that is mixed again.
    past: Box<[f32]>,
    deep: Deep,
    log: Log,
    work: Work,
    shed: Shed,
}

impl Engine {
    /// How far a lane's frame lies ahead of the mixes it goes into: the limiters' look-ahead.
    pub const LOOKAHEAD: Samples = crate::mix::Limiter::LOOKAHEAD;

    /// An empty room at sample 0.
    ///
    /// # Real-time
    /// Allocates.
    #[must_use]
    pub fn new(config: RoomConfig) -> Self {
        let lanes = usize::from(config.max_lanes).min(MAX_SPEAKERS);
        let buses = usize::from(config.max_buses);
        Self {
            now: SampleTime::ZERO,
            quantum: config.quantum.samples(),
            lanes: std::iter::repeat_with(|| None).take(lanes).collect(),
            buses: std::iter::repeat_with(|| None).take(buses).collect(),
            max_mixed: config.max_mixed,
            awake: SpeakerSet::NOBODY,
            heard: SpeakerSet::NOBODY,
            selection: Selection::new(lanes),
            speaking: SpeakerSet::NOBODY,
            relayed: SpeakerSet::NOBODY,
            probed: SpeakerId(0),
            audible: SpeakerSet::NOBODY,
            before: SpeakerSet::NOBODY,
            voices: Vec::with_capacity(lanes),
            regroup: true,
            leaders: Vec::with_capacity(buses),
            sums: MixMinus::new(lanes, config.frame_len()),
            past: vec![0.0; PAST.len() * config.channels.count()].into_boxed_slice(),
            deep: Deep::new(),
            log: Log::new(lanes),
            work: Work::default(),
            shed: Shed::default(),
        }
    }

    /// Takes one datagram that `speaker` sent and that reached the machine at `arrived`. It never fails: whatever it
    /// is ends in exactly one counter.
    ///
    /// # Real-time
    /// Safe.
    pub fn receive<'a>(
        &mut self,
        speaker: SpeakerId,
        datagram: &'a [u8],
        arrived: SampleTime,
    ) -> Received<'a> {
        self.wake(speaker);
        match self.lanes.get_mut(speaker.index()) {
            Some(Some(lane)) => lane.receive(datagram, arrived, &mut self.deep),
            _ => Received::Rejected(Reject::NoLane),
        }
    }

    /// The packets that a kept one brought along in `datagram` (RED, RFC 2198): copies of older ones, of which some may
    /// never have come. They count nowhere.
    ///
    /// # Real-time
    /// Safe.
    pub fn copies<'a>(
        &self,
        kept: VoicePacket<'a>,
        datagram: &'a [u8],
    ) -> impl Iterator<Item = VoicePacket<'a>> {
        let lane = self.lanes.get(kept.speaker.index()).and_then(Option::as_ref);
        lane.into_iter().flat_map(move |lane| lane.copies(kept, datagram))
    }

    /// Carries out a command; what it leaves behind comes back, to be freed elsewhere.
    ///
    /// # Real-time
    /// Safe, if what comes back is not dropped here.
    #[cfg_attr(rtsan, sanitize(realtime = "nonblocking"))]
    pub fn apply(&mut self, command: Command) -> Option<Retired> {
        if !self.log.has_room(self.lanes.len()) {
            return Some(Retired::Refused(command));
        }
        self.carry_out(command)
    }

    /// Makes the next quantum of every mix.
    ///
    /// # Real-time
    /// Safe.
    #[cfg_attr(rtsan, sanitize(realtime = "nonblocking"))]
    pub fn tick(&mut self) -> Tick<'_> {
        let at = self.now;
        self.log.turn();
        self.choose_heard(at);
        let hearing = self.choose_ears(at);
        self.pull_lanes(at, hearing);
        self.assign_leaders(at);
        self.stagger(at);
        self.sum_leaders();
        self.run_leaders(at);
        self.now = at + self.quantum;
        self.stamp_packets();
        Tick { engine: self, at }
    }

    /// The first sample of the next tick's mixes.
    #[must_use]
    pub fn now(&self) -> SampleTime {
        self.now
    }

    /// What the next tick will spend if nothing more arrives: how many lanes want a packet decoded, and how many mixes
    /// will be full. Who parts company with whom is not known yet.
    ///
    /// # Real-time
    /// Safe: looks at each lane that is awake and at each bus.
    #[must_use]
    pub fn next_work(&self) -> Work {
        let lanes = self.awake.iter().filter_map(|speaker| self.lanes.get(speaker.index())?.as_deref());
        let wants = |lane: &Lane| lane.ears == ears::Ears::Mixes && lane.voice.pending.len() < self.quantum;
        let full = |bus: &Bus| {
            let leads = !matches!(bus.role, bus::Role::Follows(_));
            leads && !bus.chain.is_asleep() && bus.chain.completes_a_packet(self.now, self.quantum)
        };
        Work {
            lanes: self.awake.len() as u32,
            decodes: lanes.filter(|lane| wants(lane)).count() as u32,
            encodes: self.buses.iter().flatten().filter(|bus| full(bus)).count() as u32,
        }
    }

    /// A lane's counters.
    #[must_use]
    pub fn stats(&self, speaker: SpeakerId) -> Option<LaneStats> {
        self.lanes.get(speaker.index()).and_then(Option::as_deref).map(|lane| lane.stats_at(self.now))
    }

    /// The deepest that the limiter of any open bus has gone, in dB; 0 when none ever worked.
    #[must_use]
    pub fn limiter_max_reduction_db(&self) -> f32 {
        self.buses.iter().flatten().map(|bus| bus.chain.limiter.max_reduction_db()).fold(0.0, f32::max)
    }
}

/// What an encoder has to hear of the past before it takes over: four packets of 20 ms.
const PAST: Samples = Samples::from_ms(80);

#[cfg(test)]
mod tests;
