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
    pub(crate) fn new(speakers: u16, own: bool) -> Self {
        let config = RoomConfig {
            max_lanes: speakers,
            max_buses: speakers + 1,
            max_mixed: None,
            ..RoomConfig::default()
        };
        let mut engine = Engine::new(config);
        open(&mut engine, &config, 0, SpeakerSet::EVERYBODY);
        for speaker in (0..speakers).map(SpeakerId) {
            let lane = Lane::new(LaneConfig::new(speaker), &config).expect("a lane");
            assert!(engine.apply(Command::Admit(Box::new(lane))).is_none());
            if own {
                open(&mut engine, &config, speaker.0 + 1, SpeakerSet::everybody_but(speaker));
            }
        }
        let datagrams =
            (0..speakers).map(|speaker| voice(speaker).iter().map(|bytes| datagram(bytes)).collect());
        let mut room = Self { engine, datagrams: datagrams.collect(), packet: 0 };
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

fn open(engine: &mut Engine, room: &RoomConfig, place: u16, members: SpeakerSet) {
    let encoder = Some(EncoderConfig::default());
    let config = BusConfig { bus: BusId(place), members, encoder, stream: StreamConfig::default() };
    let bus = Bus::new(&config, room).expect("a bus");
    assert!(engine.apply(Command::Open(Box::new(bus))).is_none());
}

fn datagram(payload: &[u8]) -> Vec<u8> {
    let mut datagram = vec![0x80, 111, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
    datagram.extend(payload);
    datagram
}
