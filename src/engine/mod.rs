//! The conductor: a plain machine. `receive` takes datagrams, `apply` takes commands, `tick` makes one quantum of every
//! mix. No thread, clock, lock, allocation, log or panic once built; same inputs, same bytes.

mod command;
mod config;
mod event;
mod stats;

pub use command::{Command, Retired};
pub use config::{BusConfig, Codec, EncoderConfig, LaneConfig, RoomConfig, StreamConfig};
pub use event::{Event, Playout, Source};
pub use stats::{LaneStats, PacketCounts, SampleCounts};

use crate::{
    packet::Reject,
    speaker::{BusId, SpeakerId, VoicePacket},
    time::{SampleTime, Samples},
};
use std::marker::PhantomData;

/// One speaker's way in: packets → jitter buffer → decoder → frame. Built on the control side, moved in as a box.
#[derive(Debug)]
pub struct Lane {}

impl Lane {
    /// Builds a lane for a room of this shape.
    ///
    /// # Errors
    /// What the codec refuses.
    ///
    /// # Real-time
    /// Allocates.
    pub fn new(config: LaneConfig, room: &RoomConfig) -> Result<Self, BuildError> {
        let _ = (config, room);
        Ok(Self {})
    }
    /// Whose it is.
    #[must_use]
    pub fn speaker(&self) -> SpeakerId {
        SpeakerId(0)
    }
}

/// One output: members → mix → limiter → encoder → RTP.
#[derive(Debug)]
pub struct Bus {}

impl Bus {
    /// Builds an output for a room of this shape.
    ///
    /// # Errors
    /// What the codec refuses: a packet length that is none of Opus's or no multiple of the quantum.
    ///
    /// # Real-time
    /// Allocates.
    pub fn new(config: &BusConfig, room: &RoomConfig) -> Result<Self, BuildError> {
        let _ = (config, room);
        Ok(Self {})
    }
    /// Which it is.
    #[must_use]
    pub fn id(&self) -> BusId {
        BusId(0)
    }
}

/// A lane or bus that cannot be built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BuildError(pub &'static str);

/// What became of one datagram: exactly one of these, each with its counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received<'a> {
    /// Taken; it belongs in the recording (heard live or not).
    Kept(VoicePacket<'a>),
    /// Came before.
    Duplicate,
    /// Turned away.
    Rejected(Reject),
}

/// A room.
#[derive(Debug)]
pub struct Engine {}

impl Engine {
    /// Delay between a lane's frame and its place in the mix: the limiters' look-ahead.
    pub const LOOKAHEAD: Samples = Samples::new(96);

    /// An empty room at sample 0.
    #[must_use]
    pub fn new(config: RoomConfig) -> Self {
        let _ = config;
        Self {}
    }
    /// Takes one datagram that `speaker` sent and that reached the machine at `arrived`.
    pub fn receive<'a>(
        &mut self,
        speaker: SpeakerId,
        datagram: &'a [u8],
        arrived: SampleTime,
    ) -> Received<'a> {
        let _ = (speaker, datagram, arrived);
        Received::Rejected(Reject::NoLane)
    }
    /// Carries out a command; what it leaves behind comes back.
    pub fn apply(&mut self, command: Command) -> Option<Retired> {
        Some(Retired::Refused(command))
    }
    /// Advances by one quantum.
    pub fn tick(&mut self) -> Tick<'_> {
        Tick(PhantomData)
    }
    /// The first sample of the next tick's mixes.
    #[must_use]
    pub fn now(&self) -> SampleTime {
        SampleTime::ZERO
    }
    /// A lane's counters.
    #[must_use]
    pub fn stats(&self, speaker: SpeakerId) -> Option<&LaneStats> {
        let _ = speaker;
        None
    }
    /// The deepest any bus's limiter has gone, in dB (0 when it never worked).
    #[must_use]
    pub fn limiter_max_reduction_db(&self) -> f32 {
        0.0
    }
}

/// One coded packet of a bus: header and payload, to be sent as one datagram.
#[derive(Clone, Copy, Debug)]
pub struct BusPacket<'a> {
    /// Whose output.
    pub bus: BusId,
    /// Where its first sample stands on the room clock.
    pub at: SampleTime,
    /// The RTP header.
    pub header: [u8; 12],
    /// The codec's bytes; buses that hear the same share them.
    pub payload: &'a [u8],
}

/// What one tick made, borrowed from the engine until the next call.
#[derive(Debug)]
pub struct Tick<'a>(PhantomData<&'a ()>);

impl<'a> Tick<'a> {
    /// The first sample of this quantum.
    #[must_use]
    pub fn at(&self) -> SampleTime {
        SampleTime::ZERO
    }
    /// Every open bus with its limited mix: one quantum, interleaved.
    pub fn mixes(&self) -> impl Iterator<Item = (BusId, &'a [f32])> + '_ {
        std::iter::empty()
    }
    /// One bus's mix.
    #[must_use]
    pub fn mix(&self, bus: BusId) -> Option<&'a [f32]> {
        let _ = bus;
        None
    }
    /// The packets that were completed in this tick.
    pub fn packets(&self) -> impl Iterator<Item = BusPacket<'a>> + '_ {
        std::iter::empty()
    }
    /// Where packets were heard.
    #[must_use]
    pub fn playouts(&self) -> &'a [Playout] {
        &[]
    }
    /// What happened since the last tick.
    #[must_use]
    pub fn events(&self) -> &'a [Event] {
        &[]
    }
    /// How many decodes and encodes this tick did.
    #[must_use]
    pub fn work(&self) -> Work {
        Work::default()
    }
}

/// What a tick spent on the codec.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// Packets decoded or concealed.
    pub decodes: u32,
    /// Mixes encoded.
    pub encodes: u32,
}
