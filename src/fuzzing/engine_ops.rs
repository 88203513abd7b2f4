//! A small room: whatever is done to it, its counters add up and its mixes are sound.

use super::input::Input;
use crate::{
    engine::{
        Bus, BusConfig, Codec, Command, EncoderConfig, Engine, Lane, LaneConfig, Received, RoomConfig, Shed,
        StreamConfig,
    },
    frame::Channels,
    packet::{Packet, Reject, RtpStream},
    speaker::{BusId, SpeakerId, SpeakerSet},
    time::{Quantum, SampleTime, Samples},
};

/// Enough for every interplay, few enough for hundreds of inputs a second.
const MAX_OPERATIONS: usize = 200;

/// The bytes are operations on a small room.
///
/// # Panics
/// If a counter or a mix is wrong.
pub fn engine_ops(data: &[u8]) {
    let mut input = Input(data);
    let Some(mut table) = input.byte().map(Table::new) else { return };
    for _ in 0..MAX_OPERATIONS {
        if table.operate(&mut input).is_none() {
            break;
        }
    }
    for _ in 0..4 {
        table.tick();
    }
}

/// A room, and the datagrams on their way to it.
struct Table {
    shape: RoomConfig,
    engine: Engine,
    senders: [RtpStream; 4],
    sent: SampleTime,
    flying: Vec<Vec<u8>>,
}

impl Table {
    fn new(choice: u8) -> Self {
        let quantum = [Quantum::Ms2_5, Quantum::Ms5, Quantum::Ms10, Quantum::Ms20][usize::from(choice % 4)];
        let channels = if choice & 4 == 0 { Channels::Mono } else { Channels::Stereo };
        let max_mixed = Some(u16::from(choice >> 3 & 3)).filter(|bound| *bound > 0);
        let shape = RoomConfig { quantum, channels, max_lanes: 3, max_buses: 2, max_mixed };
        let senders = [(1, 111), (2, 111), (3, 111), (1, 96)]
            .map(|(ssrc, payload_type)| RtpStream::new(ssrc, payload_type, 65_530, 0u32.wrapping_sub(4800)));
        Self { shape, engine: Engine::new(shape), senders, sent: SampleTime::ZERO, flying: Vec::new() }
    }

    fn operate(&mut self, input: &mut Input<'_>) -> Option<()> {
        let operation = input.byte()?;
        match operation % 16 {
            0 => self.admit(input.byte()?),
            1 => self.apply(Command::Dismiss(speaker(input.byte()?))),
            2 => self.open(input.bytes()?),
            3 => self.apply(Command::Close(bus(input.byte()?))),
            4 => self.hear(input.bytes()?),
            5 | 6 => self.fade(input.bytes()?),
            7 => self.receive(input.byte()?, input.byte()?, input.slice()?),
            8..=10 => self.send(input.byte()?, input.slice()?)?,
            11..=13 => self.deliver(input.bytes()?),
            14 => self.apply(Command::Shed(Shed::ALL[usize::from(operation >> 6)])),
            _ => (0..=operation >> 6).for_each(|_| self.tick()),
        }
        Some(())
    }

    fn apply(&mut self, command: Command) {
        drop(self.engine.apply(command));
    }

    fn admit(&mut self, choice: u8) {
        let codec = if choice & 64 == 0 { Codec::default() } else { Codec::Pcm };
        let config = LaneConfig { codec, ..LaneConfig::new(speaker(choice)) };
        if let Ok(lane) = Lane::new(config, &self.shape) {
            self.apply(Command::Admit(Box::new(lane)));
        }
    }

    fn open(&mut self, [place, members, how]: [u8; 3]) {
        let packet = Samples::from_ms([5, 10, 20, 60][usize::from(how % 4)]);
        let codec = if how & 64 == 0 { Codec::default() } else { Codec::Pcm };
        let encoder = EncoderConfig { codec, packet, complexity: 0, ..EncoderConfig::default() };
        let config = BusConfig {
            bus: bus(place),
            members: set(members),
            encoder: (how & 128 == 0).then_some(encoder),
            stream: StreamConfig { ssrc: 9, payload_type: 111, ..StreamConfig::default() },
        };
        if let Ok(bus) = Bus::new(&config, &self.shape) {
            self.apply(Command::Open(Box::new(bus)));
        }
    }

    fn hear(&mut self, [place, members]: [u8; 2]) {
        self.apply(Command::Hear { bus: bus(place), members: set(members) });
    }

    /// Mute, gain and pan at any sample around now.
    fn fade(&mut self, [choice, to, at, over]: [u8; 4]) {
        let speaker = speaker(choice);
        let at = self.engine.now().before(Samples::new(64)) + Samples::new(u64::from(at) * 7);
        let over = Samples::new(u64::from(over) * 11);
        self.apply(match choice / 8 % 4 {
            0 => Command::Mute { speaker, at },
            1 => Command::Unmute { speaker, at },
            2 => Command::Gain { speaker, to: f32::from(to) / 16.0, at, over },
            _ => Command::Pan { speaker, to: f32::from(to) / 64.0 - 2.0, at },
        });
    }

    /// A sender sends a payload, some milliseconds after the last one.
    fn send(&mut self, choice: u8, payload: &[u8]) -> Option<()> {
        self.sent += Samples::from_ms(u32::from(choice / 16) * 5);
        let sender = self.senders.get_mut(usize::from(choice % 4))?;
        self.flying.push([&sender.header(self.sent, false)[..], payload].concat());
        Some(())
    }

    /// A datagram sent any time ago arrives, perhaps with a byte changed.
    fn deliver(&mut self, [place, late, index, flip]: [u8; 4]) {
        let Some(last) = self.flying.len().checked_sub(1) else { return };
        let mut datagram = self.flying[last.saturating_sub(usize::from(place / 8))].clone();
        if let Some(byte) = datagram.get_mut(usize::from(index)) {
            *byte ^= flip;
        }
        self.receive(place, late, &datagram);
    }

    fn receive(&mut self, choice: u8, late: u8, datagram: &[u8]) {
        let arrived = self.engine.now() + Samples::new(late.into());
        let speaker = speaker(choice);
        let present = self.engine.stats(speaker).is_some();
        match self.engine.receive(speaker, datagram, arrived) {
            Received::Kept(packet) => {
                assert!(present && packet.speaker == speaker && packet.arrived == arrived);
                assert!(!packet.payload.is_empty() && !packet.duration.is_empty());
            }
            Received::Report(report) => {
                assert!(present && report.speaker == speaker && report.arrived == arrived);
            }
            Received::Duplicate => assert!(present),
            Received::Rejected(reason) => assert_eq!(reason == Reject::NoLane, !present),
        }
    }

    fn tick(&mut self) {
        let (now, length) =
            (self.engine.now(), self.shape.quantum.samples().len() * self.shape.channels.count());
        let tick = self.engine.tick();
        assert_eq!(tick.at(), now);
        for (_, mix) in tick.mixes() {
            assert_eq!(mix.len(), length);
            assert!(mix.iter().all(|sample| sample.abs() <= 1.0), "not finite, or beyond full scale");
        }
        for packet in tick.packets() {
            let datagram = [&packet.header[..], packet.payload].concat();
            assert_eq!(Packet::parse(&datagram).map(|packet| packet.ssrc), Ok(9));
        }
        self.check_counters();
    }

    fn check_counters(&self) {
        for stats in (0..4).filter_map(|place| self.engine.stats(SpeakerId(place))) {
            let packets = &stats.packets;
            assert_eq!(
                packets.arrived,
                packets.kept + packets.reports + packets.duplicate + packets.rejected_total(),
                "{packets:?}"
            );
        }
    }
}

/// One of the room's three places, or one outside.
fn speaker(choice: u8) -> SpeakerId {
    SpeakerId(u16::from(choice % 4))
}

/// One of the room's two places, or one outside.
fn bus(choice: u8) -> BusId {
    BusId(u16::from(choice % 3))
}

fn set(choice: u8) -> SpeakerSet {
    if choice & 128 != 0 {
        return SpeakerSet::everybody_but(speaker(choice));
    }
    (0..4)
        .filter(|place| choice >> place & 1 == 1)
        .fold(SpeakerSet::NOBODY, |set, place| set.with(SpeakerId(place)))
}
