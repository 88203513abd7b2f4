//! A room in which everybody talks, over a clean network.

use tertulia::{
    engine::{
        Bus, BusConfig, Command, EncoderConfig, Engine, Lane, LaneConfig, Received, RoomConfig, StreamConfig,
    },
    sim::Talker,
    speaker::{BusId, SpeakerId, SpeakerSet},
    time::{SampleTime, Samples},
};

/// Packets before a voice begins anew.
const LOOP: usize = 150;

/// What a room is like.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    /// Lanes.
    pub(crate) speakers: u16,
    /// How many of them talk; the others send nothing.
    pub(crate) talking: u16,
    /// How many of them hear a mix of their own, beside the listeners.
    pub(crate) own: u16,
    /// Listeners with a stream each.
    pub(crate) listeners: u16,
    pub(crate) relay: bool,
}

impl Shape {
    /// Everybody talks; does each hear a mix of its own?
    pub(crate) fn panel(speakers: u16, own: bool) -> Self {
        Self { speakers, talking: speakers, own: if own { speakers } else { 0 }, listeners: 1, relay: false }
    }
}

pub(crate) struct Room {
    engine: Engine,
    datagrams: Vec<Vec<Vec<u8>>>,
    packet: u32,
}

/// The packets of one voice.
pub(crate) fn voice(speaker: u16) -> Vec<Box<[u8]>> {
    Talker::new(u64::from(speaker % 16)).packets().take(LOOP).collect()
}

impl Room {
    pub(crate) fn new(shape: Shape) -> Self {
        let Shape { speakers, talking, own, listeners, relay } = shape;
        let config = RoomConfig {
            max_lanes: speakers,
            max_buses: listeners + own,
            max_mixed: None,
            ..RoomConfig::default()
        };
        let mut engine = Engine::new(config);
        (0..listeners).for_each(|place| open(&mut engine, &config, place, SpeakerSet::EVERYBODY, relay));
        for speaker in (0..speakers).map(SpeakerId) {
            let lane = Lane::new(LaneConfig::new(speaker), &config).expect("a lane");
            assert!(engine.apply(Command::Admit(Box::new(lane))).is_none());
        }
        for speaker in (0..own).map(SpeakerId) {
            open(&mut engine, &config, speaker.0 + listeners, SpeakerSet::everybody_but(speaker), relay);
        }
        let datagrams =
            (0..talking).map(|speaker| voice(speaker).iter().map(|bytes| datagram(bytes)).collect());
        let mut room = Self { engine, datagrams: datagrams.collect(), packet: 0 };
        // Until the buffers have settled, and encoders of silence rest.
        (0..50).for_each(|_| room.packet_time());
        room
    }

    /// 20 ms: a packet of each speaker in, two ticks, a packet of each mix out.
    pub(crate) fn packet_time(&mut self) {
        self.receive();
        self.engine.tick();
        let sent: usize = self.engine.tick().packets().map(|packet| packet.payload.len()).sum();
        assert!(sent > 0);
    }

    /// The same; adds what each bus was given to encode.
    pub(crate) fn keep_mixes(&mut self, mixes: &mut [Vec<Vec<f32>>]) {
        self.receive();
        let mut frames = vec![Vec::with_capacity(960); mixes.len()];
        for _ in 0..2 {
            self.engine.tick().mixes().for_each(|(bus, mix)| frames[bus.index()].extend(mix));
        }
        mixes.iter_mut().zip(frames).for_each(|(mixes, frame)| mixes.push(frame));
    }

    fn receive(&mut self) {
        let arrived = SampleTime::ZERO + Samples::new(u64::from(self.packet) * 960);
        for (speaker, datagrams) in self.datagrams.iter_mut().enumerate() {
            let datagram = &mut datagrams[self.packet as usize % LOOP];
            datagram[2..4].copy_from_slice(&(self.packet as u16).to_be_bytes());
            datagram[4..8].copy_from_slice(&self.packet.wrapping_mul(960).to_be_bytes());
            let received = self.engine.receive(SpeakerId(speaker as u16), datagram, arrived);
            assert!(matches!(received, Received::Kept(_)));
        }
        self.packet += 1;
    }
}

fn open(engine: &mut Engine, room: &RoomConfig, place: u16, members: SpeakerSet, relay: bool) {
    let encoder = Some(EncoderConfig { relay, ..EncoderConfig::default() });
    let config = BusConfig { bus: BusId(place), members, encoder, stream: StreamConfig::default() };
    let bus = Bus::new(&config, room).expect("a bus");
    assert!(engine.apply(Command::Open(Box::new(bus))).is_none());
}

fn datagram(payload: &[u8]) -> Vec<u8> {
    let mut datagram = vec![0x80, 111, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
    datagram.extend(payload);
    datagram
}
