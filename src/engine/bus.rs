//! One output's way out: the mix of its members → limiter → encoder → RTP.

use super::config::{BuildError, BusConfig, RoomConfig, StreamConfig};
use crate::{
    codec::{Encoder, EncoderConfig, MAX_PAYLOAD_BYTES},
    mix::Limiter,
    packet::RtpStream,
    speaker::{BusId, SpeakerSet},
    time::{SampleTime, Samples},
};

/// One output. Built on the control side, moved into the engine as a box.
#[derive(Debug)]
pub struct Bus {
    pub(super) id: BusId,
    pub(super) members: SpeakerSet,
    pub(super) coding: Option<EncoderConfig>,
    pub(super) role: Role,
    pub(super) chain: Chain,
    stream: RtpStream,
    /// Beginning and header of the packet completed in this tick.
    pub(super) completed: Option<(SampleTime, [u8; 12])>,
}

/// Does an output make its own mix, or does it share another's?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Just opened: has sent nothing yet.
    New,
    /// Its own chain is at work.
    Leads,
    /// Its chain rests; what this one makes is its too.
    Follows(BusId),
}

impl Bus {
    /// Builds an output for a room of this shape.
    ///
    /// # Errors
    /// A place outside the room, a packet that is no multiple of the quantum, or what the codec refuses.
    ///
    /// # Real-time
    /// Allocates.
    pub fn new(config: &BusConfig, room: &RoomConfig) -> Result<Self, BuildError> {
        if config.bus.index() >= usize::from(room.max_buses) {
            return Err(BuildError::Place { got: config.bus.0, places: room.max_buses });
        }
        let StreamConfig { ssrc, payload_type, first_sequence, first_timestamp } = config.stream;
        Ok(Self {
            id: config.bus,
            members: config.members,
            coding: config.encoder,
            role: Role::New,
            chain: Chain::new(config.encoder, room)?,
            stream: RtpStream::new(ssrc, payload_type, first_sequence, first_timestamp),
            completed: None,
        })
    }

    /// Which it is.
    #[must_use]
    pub fn id(&self) -> BusId {
        self.id
    }

    /// Can it share the mix that `other` makes?
    pub(super) fn can_share(&self, other: &Self) -> bool {
        self.coding.is_none() || self.coding == other.coding
    }

    /// Notes the packet whose sound ends at `end`, if this tick completed one.
    pub(super) fn stamp(&mut self, end: Option<SampleTime>) {
        self.completed = end.zip(self.coding).map(|(end, coding)| {
            let began = end.before(coding.packet);
            (began, self.stream.header(began, false))
        });
    }
}

/// The machinery behind one distinct mix.
#[derive(Debug)]
pub(super) struct Chain {
    /// This quantum, summed and then limited.
    pub(super) mix: Box<[f32]>,
    pub(super) limiter: Limiter,
    coder: Option<Coder>,
}

/// Quanta gathered into a packet.
#[derive(Debug)]
struct Coder {
    encoder: Encoder,
    packet: Samples,
    gathered: Box<[f32]>,
    payload: Box<[u8]>,
    bytes: usize,
}

impl Chain {
    fn new(coding: Option<EncoderConfig>, room: &RoomConfig) -> Result<Self, BuildError> {
        Ok(Self {
            mix: vec![0.0; room.frame_len()].into_boxed_slice(),
            limiter: Limiter::new(room.channels),
            coder: coding.map(|coding| Coder::new(&coding, room)).transpose()?,
        })
    }

    /// Limits the mix of the quantum at `at` and encodes the packet that it completes, if it does.
    pub(super) fn run(&mut self, at: SampleTime) -> bool {
        self.limiter.process(&mut self.mix);
        self.coder.as_mut().is_some_and(|coder| coder.gather(at, &self.mix))
    }

    /// A quantum of silence, which nobody is sent. What was gathered of a packet is lost.
    pub(super) fn hush(&mut self) {
        self.mix.fill(0.0);
        self.limiter.process(&mut self.mix);
        self.mix.fill(0.0);
        if let Some(coder) = &mut self.coder {
            coder.gathered.fill(0.0);
            coder.bytes = 0;
        }
    }

    /// Goes on where `other` stands, as if it had made the same mix all along.
    pub(super) fn copy_from(&mut self, other: &Self) {
        self.limiter.copy_from(&other.limiter);
        if let (Some(mine), Some(theirs)) = (&mut self.coder, &other.coder) {
            mine.encoder.copy_from(&theirs.encoder);
            mine.gathered.copy_from_slice(&theirs.gathered);
        }
    }

    pub(super) fn set_complexity(&mut self, complexity: u8) {
        if let Some(coder) = &mut self.coder {
            coder.encoder.set_complexity(complexity);
        }
    }

    /// Will the quantum at `at` complete a packet?
    pub(super) fn completes_a_packet(&self, at: SampleTime, quantum: Samples) -> bool {
        let ends = |coder: &Coder| (at + quantum).samples().is_multiple_of(coder.packet.count());
        self.coder.as_ref().is_some_and(ends)
    }

    /// Does a packet begin with the quantum at `at`?
    pub(super) fn is_between_packets(&self, at: SampleTime) -> bool {
        self.coder.as_ref().is_none_or(|coder| at.samples().is_multiple_of(coder.packet.count()))
    }

    pub(super) fn payload(&self) -> &[u8] {
        self.coder.as_ref().map_or(&[], |coder| &coder.payload[..coder.bytes])
    }
}

impl Coder {
    fn new(coding: &EncoderConfig, room: &RoomConfig) -> Result<Self, BuildError> {
        let (packet, quantum) = (coding.packet, room.quantum.samples());
        if !packet.count().is_multiple_of(quantum.count()) {
            return Err(BuildError::Packet { packet, quantum });
        }
        Ok(Self {
            encoder: Encoder::new(coding, room.channels)?,
            packet,
            gathered: vec![0.0; packet.len() * room.channels.count()].into_boxed_slice(),
            payload: vec![0; MAX_PAYLOAD_BYTES].into_boxed_slice(),
            bytes: 0,
        })
    }

    /// Packets begin at multiples of their length on the room clock, so the clock says where a quantum goes.
    fn gather(&mut self, at: SampleTime, mix: &[f32]) -> bool {
        let width = self.gathered.len() / self.packet.len();
        let from = (at.samples() % self.packet.count()) as usize * width;
        self.gathered[from..from + mix.len()].copy_from_slice(mix);
        self.bytes = 0;
        let complete = from + mix.len() == self.gathered.len();
        if complete {
            self.bytes = self.encoder.encode(&self.gathered, &mut self.payload).unwrap_or(0);
        }
        self.bytes > 0
    }
}
