//! One voice over one network: packets and when each arrives go in, the sound that is heard and what was counted come out.

use crate::desk::PACKET;
use tertulia::{
    codec::{Encoder, EncoderConfig, MAX_PAYLOAD_BYTES},
    engine::{
        Bus, BusConfig, Codec, Command, Engine, Lane, LaneConfig, LaneStats, Playout, RoomConfig,
        StreamConfig,
    },
    frame::Channels,
    speaker::{BusId, SpeakerId, SpeakerSet},
    time::{Quantum, SampleTime},
};

/// What goes through the network: RTP fields and payload, and when it comes.
pub(crate) struct Sent {
    pub(crate) ssrc: u32,
    pub(crate) sequence: u16,
    pub(crate) timestamp: u32,
    pub(crate) payload: Vec<u8>,
    pub(crate) arrives_ms: f64,
}

/// What was heard at its end, and how it came to be.
#[derive(Default)]
pub(crate) struct Heard {
    pub(crate) sound: Vec<f32>,
    pub(crate) playouts: Vec<Playout>,
    pub(crate) stats: LaneStats,
}

/// A room with this one voice.
pub(crate) struct Line {
    engine: Engine,
    quantum: Quantum,
}

const VOICE: SpeakerId = SpeakerId(0);

impl Line {
    pub(crate) fn new(codec: Codec, quantum: Quantum) -> Self {
        let room = RoomConfig { quantum, ..RoomConfig::default() };
        let mut engine = Engine::new(room);
        let listeners = BusConfig {
            bus: BusId(0),
            members: SpeakerSet::EVERYBODY,
            encoder: None,
            stream: StreamConfig::default(),
        };
        let lane = LaneConfig { codec, ..LaneConfig::new(VOICE) };
        drop(engine.apply(Command::Open(Box::new(Bus::new(&listeners, &room).unwrap()))));
        drop(engine.apply(Command::Admit(Box::new(Lane::new(lane, &room).unwrap()))));
        Self { engine, quantum }
    }

    /// Listens until all has come; `after_tick` is told the moment and what is counted so far.
    pub(crate) fn listen(
        mut self,
        mut sent: Vec<Sent>,
        mut after_tick: impl FnMut(SampleTime, &LaneStats, &[Playout]),
    ) -> Heard {
        sent.sort_by(|a, b| a.arrives_ms.total_cmp(&b.arrives_ms));
        let mut coming = sent.into_iter().peekable();
        let mut heard = Heard::default();
        while coming.peek().is_some() {
            let now = self.engine.now();
            while let Some(packet) = coming.next_if(|packet| packet.arrives_ms <= now.as_ms()) {
                self.engine.receive(VOICE, &packet.datagram(), SampleTime::from_ms(packet.arrives_ms));
            }
            let tick = self.engine.tick();
            heard.sound.extend(tick.mix(BusId(0)).unwrap());
            let playouts = tick.playouts().to_vec();
            heard.stats = self.engine.stats(VOICE).unwrap();
            after_tick(now + self.quantum.samples(), &heard.stats, &playouts);
            heard.playouts.extend(playouts);
        }
        heard
    }
}

impl Sent {
    /// Packet `number` of a sender that never rests.
    pub(crate) fn steady(number: usize, payload: Vec<u8>, arrives_ms: f64) -> Self {
        let timestamp = (number * PACKET) as u32;
        Self { ssrc: 1, sequence: number as u16, timestamp, payload, arrives_ms }
    }

    fn datagram(&self) -> Vec<u8> {
        let mut bytes = crate::desk::datagram(self.ssrc, self.sequence, &self.payload);
        bytes[4..8].copy_from_slice(&self.timestamp.to_be_bytes());
        bytes
    }
}

/// Packets of 20 ms, coded as a browser does.
pub(crate) fn coded(sound: &[f32], expected_loss_percent: u8) -> Vec<Vec<u8>> {
    let config = EncoderConfig { expected_loss_percent, ..EncoderConfig::default() };
    let mut encoder = Encoder::new(&config, Channels::Mono).unwrap();
    let mut payload = vec![0; MAX_PAYLOAD_BYTES];
    let frames = sound.chunks_exact(PACKET);
    frames
        .map(|frame| encoder.encode(frame, &mut payload).map(|bytes| payload[..bytes].to_vec()).unwrap())
        .collect()
}
