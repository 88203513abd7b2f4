//! A room under test: speakers whose packets can be sent by hand, buses whose mixes can be listened to.

use tertulia::{
    codec::Encoder,
    engine::{
        Bus, BusConfig, Codec, Command, EncoderConfig, Engine, Lane, LaneConfig, Received, RoomConfig,
        StreamConfig,
    },
    frame::Channels,
    speaker::{BusId, SpeakerId, SpeakerSet},
    time::{Quantum, SampleTime},
};

pub(crate) const PACKET: usize = 960;

pub(crate) struct Desk {
    pub(crate) engine: Engine,
    room: RoomConfig,
    buses: u16,
}

impl Desk {
    pub(crate) fn new(quantum: Quantum) -> Self {
        Self::of(RoomConfig { quantum, ..RoomConfig::default() })
    }

    pub(crate) fn of(room: RoomConfig) -> Self {
        Self { engine: Engine::new(room), room, buses: 0 }
    }

    pub(crate) fn admit(&mut self, place: u16, codec: Codec) -> SpeakerId {
        self.admit_as(LaneConfig { codec, ..LaneConfig::new(SpeakerId(place)) })
    }

    pub(crate) fn admit_as(&mut self, config: LaneConfig) -> SpeakerId {
        let lane = Lane::new(config, &self.room).unwrap();
        assert!(self.engine.apply(Command::Admit(Box::new(lane))).is_none());
        config.speaker
    }

    pub(crate) fn open(&mut self, members: SpeakerSet, encoder: Option<EncoderConfig>) -> BusId {
        let bus = BusId(self.buses);
        self.buses += 1;
        let stream = StreamConfig { ssrc: u32::from(bus.0), payload_type: 111, ..StreamConfig::default() };
        let bus_box = Bus::new(&BusConfig { bus, members, encoder, stream }, &self.room).unwrap();
        assert!(self.engine.apply(Command::Open(Box::new(bus_box))).is_none());
        bus
    }

    /// `speaker`'s packet number `sequence` arrives on time, 20 ms apart from its neighbours.
    pub(crate) fn send(&mut self, speaker: SpeakerId, sequence: u16, payload: &[u8]) -> bool {
        self.deliver(speaker, sequence, &datagram(u32::from(speaker.0) + 1, sequence, payload))
    }

    pub(crate) fn deliver(&mut self, speaker: SpeakerId, sequence: u16, datagram: &[u8]) -> bool {
        let arrived = SampleTime::from_samples(u64::from(sequence) * PACKET as u64);
        matches!(self.engine.receive(speaker, datagram, arrived), Received::Kept(_))
    }

    /// One tick; what was heard on each bus, by its number.
    pub(crate) fn tick(&mut self) -> Vec<Vec<f32>> {
        self.engine.tick().mixes().map(|(_, mix)| mix.to_vec()).collect()
    }
}

/// Coded in any case: a lone voice is not relayed.
pub(crate) fn encoded() -> EncoderConfig {
    EncoderConfig { relay: false, ..EncoderConfig::default() }
}

pub(crate) fn datagram(ssrc: u32, sequence: u16, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x80, 111];
    bytes.extend(sequence.to_be_bytes());
    bytes.extend((u32::from(sequence).wrapping_mul(PACKET as u32)).to_be_bytes());
    bytes.extend(ssrc.to_be_bytes());
    bytes.extend(payload);
    bytes
}

/// A packet of linear PCM: a tone of its own for each `voice`, going on from packet to packet.
pub(crate) fn tone(voice: u16, sequence: u16) -> Vec<u8> {
    samples(voice, sequence).iter().flat_map(|sample| sample.to_be_bytes()).collect()
}

pub(crate) fn samples(voice: u16, sequence: u16) -> Vec<i16> {
    let step = 0.02 + 0.007 * f64::from(voice);
    let at = |i: usize| (usize::from(sequence) * PACKET + i) as f64;
    (0..PACKET).map(|i| (3000.0 * (at(i) * step).sin()) as i16).collect()
}

/// A voice that can be heard, coded in Opus packet by packet.
pub(crate) struct Talker {
    encoder: Encoder,
    voice: u16,
}

impl Talker {
    pub(crate) fn new(voice: u16) -> Self {
        Self { encoder: Encoder::new(&EncoderConfig::default(), Channels::Mono).unwrap(), voice }
    }

    pub(crate) fn packet(&mut self, sequence: u16) -> Vec<u8> {
        self.louder(sequence, 1.0)
    }

    /// The same, `gain` times as loud.
    pub(crate) fn louder(&mut self, sequence: u16, gain: f32) -> Vec<u8> {
        let frame: Vec<f32> =
            samples(self.voice, sequence).iter().map(|sample| gain * f32::from(*sample) / 32768.0).collect();
        let mut payload = vec![0; 1500];
        let bytes = self.encoder.encode(&frame, &mut payload).unwrap();
        payload.truncate(bytes);
        payload
    }
}
