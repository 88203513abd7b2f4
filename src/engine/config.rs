//! What a room, a lane and a bus are built from. Plain values; building allocates, so it is done on the control side.

use crate::{
    codec::{Codec, CodecError, EncoderConfig},
    frame::Channels,
    speaker::{BusId, SpeakerId, SpeakerSet},
    time::{Quantum, Samples},
};
use std::fmt;

/// A room's fixed shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoomConfig {
    /// The block it advances by.
    pub quantum: Quantum,
    /// Mono or stereo, for every lane and bus in it.
    pub channels: Channels,
    /// Places for speakers, at most [`crate::speaker::MAX_SPEAKERS`].
    pub max_lanes: u16,
    /// Places for outputs.
    pub max_buses: u16,
    /// So many voices are decoded and heard at once; who, is chosen by what packets tell undecoded. Without a bound all are.
    pub max_mixed: Option<u16>,
}

impl Default for RoomConfig {
    fn default() -> Self {
        Self {
            quantum: Quantum::Ms10,
            channels: Channels::Mono,
            max_lanes: 64,
            max_buses: 65,
            max_mixed: Some(12),
        }
    }
}

impl RoomConfig {
    /// Samples of one quantum, all channels counted.
    pub(super) fn frame_len(&self) -> usize {
        self.quantum.samples().len() * self.channels.count()
    }
}

/// One speaker's way in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LaneConfig {
    /// The place it takes.
    pub speaker: SpeakerId,
    /// What its payloads are.
    pub codec: Codec,
    /// The RTP payload type it sends; others are rejected.
    pub payload_type: u8,
    /// The payload type of RED packets (RFC 2198) that hold such payloads, if it sends them.
    pub red_payload_type: Option<u8>,
    /// The header extension element that holds its level (RFC 6464), if it sends one; 1…255, as negotiated.
    pub level_extension: Option<u8>,
    /// Is lost sound synthesised from deep redundancy (DRED), where its packets carry it?
    pub deep_redundancy: bool,
    /// Is sound that nothing tells about invented by the codec's neural network? Twenty times as dear as the classic way, so
    /// that a tick affords four steps of it and of deep redundancy together; what is beyond is done the classic way.
    pub deep_plc: bool,
    /// Milliseconds of delay worth one percent of concealment: the one knob of the jitter buffer.
    pub ms_per_percent: u32,
    /// The playout delay never goes below this…
    pub min_delay: Samples,
    /// …nor above this.
    pub max_delay: Samples,
}

impl LaneConfig {
    /// The defaults: payload type 111, no RED, no level, deep redundancy used, classic concealment, 100 ms a percent, 0…2 s.
    #[must_use]
    pub fn new(speaker: SpeakerId) -> Self {
        Self {
            speaker,
            codec: Codec::default(),
            payload_type: 111,
            red_payload_type: None,
            level_extension: None,
            deep_redundancy: true,
            deep_plc: false,
            ms_per_percent: 100,
            min_delay: Samples::ZERO,
            max_delay: Samples::from_ms(2000),
        }
    }
}

/// The RTP stream that a bus sends. The caller draws the random parts, so that the engine stays deterministic.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StreamConfig {
    /// Synchronisation source.
    pub ssrc: u32,
    /// Payload type.
    pub payload_type: u8,
    /// Sequence number of the first packet.
    pub first_sequence: u16,
    /// RTP timestamp of room sample 0.
    pub first_timestamp: u32,
}

/// One output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BusConfig {
    /// The place it takes.
    pub bus: BusId,
    /// Whom one hears on it.
    pub members: SpeakerSet,
    /// How it is coded; without this it gives PCM only.
    pub encoder: Option<EncoderConfig>,
    /// The RTP stream it sends.
    pub stream: StreamConfig,
}

/// A lane or bus that cannot be built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BuildError {
    /// A place that the room does not have.
    Place {
        /// The place asked for.
        got: u16,
        /// How many there are.
        places: u16,
    },
    /// A packet that is no whole number of quanta.
    Packet {
        /// The packet asked for.
        packet: Samples,
        /// The room's quantum.
        quantum: Samples,
    },
    /// What the codec refuses.
    Codec(CodecError),
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Place { got, places } => {
                write!(f, "place {got} is outside the room, expected 0…{}", places.saturating_sub(1))
            }
            Self::Packet { packet, quantum } => {
                let (packet, quantum) = (packet.as_ms(), quantum.as_ms());
                write!(f, "packet of {packet} ms, expected a multiple of the quantum of {quantum} ms")
            }
            Self::Codec(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for BuildError {}

impl From<CodecError> for BuildError {
    fn from(error: CodecError) -> Self {
        Self::Codec(error)
    }
}
