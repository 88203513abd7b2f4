//! What a room, a lane and a bus are built from. Plain values; building allocates, so it is done on the control side.

use crate::{
    frame::Channels,
    speaker::{BusId, SpeakerId, SpeakerSet},
    time::{Quantum, Samples},
};

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
}

impl Default for RoomConfig {
    fn default() -> Self {
        Self { quantum: Quantum::Ms10, channels: Channels::Mono, max_lanes: 64, max_buses: 65 }
    }
}

/// How samples travel in a payload.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Codec {
    /// Opus (RFC 6716) at 48 kHz; the RTP clock is the room's (RFC 7587).
    #[cfg(feature = "opus")]
    #[cfg_attr(feature = "opus", default)]
    Opus,
    /// 16-bit linear PCM in network order at 48 kHz, one channel (RFC 3551 L16).
    #[cfg_attr(not(feature = "opus"), default)]
    Pcm,
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
    /// Milliseconds of delay worth one percent of concealment: the one knob of the jitter buffer.
    pub ms_per_percent: u32,
    /// The playout delay never goes below this…
    pub min_delay: Samples,
    /// …nor above this.
    pub max_delay: Samples,
}

impl LaneConfig {
    /// The defaults: payload type 111, 100 ms a percent, 0…2 s.
    #[must_use]
    pub fn new(speaker: SpeakerId) -> Self {
        Self {
            speaker,
            codec: Codec::default(),
            payload_type: 111,
            ms_per_percent: 100,
            min_delay: Samples::ZERO,
            max_delay: Samples::from_ms(2000),
        }
    }
}

/// How a bus codes what it sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EncoderConfig {
    /// What its payloads are.
    pub codec: Codec,
    /// Sound in one packet: 2.5, 5, 10, 20, 40 or 60 ms, a multiple of the quantum.
    pub packet: Samples,
    /// Target bit rate (Opus).
    pub bitrate_bps: u32,
    /// 0…10, CPU against quality (Opus).
    pub complexity: u8,
    /// Packet loss in percent that in-band FEC prepares for; 0 turns FEC off (Opus).
    pub expected_loss_percent: u8,
}

impl Default for EncoderConfig {
    fn default() -> Self {
        Self {
            codec: Codec::default(),
            packet: Samples::from_ms(20),
            bitrate_bps: 32_000,
            complexity: 4,
            expected_loss_percent: 10,
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
