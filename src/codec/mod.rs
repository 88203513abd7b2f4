//! 3. Payloads become samples, and samples payloads: Opus (RFC 6716, RFC 7587) and 16-bit linear PCM (RFC 3551 L16).
//!
//! All sound is `f32`, interleaved when stereo. Lengths are in samples per channel. Nothing allocates once built.

mod decoder;
mod deep;
mod encoder;
#[cfg(feature = "opus")]
mod libopus;
mod pcm;

pub use decoder::Decoder;
pub use deep::{DeepReach, DeepScratch};
pub use encoder::{Encoder, EncoderConfig};

use std::fmt;

/// The longest sound one packet may hold: 120 ms (RFC 6716 §3.2.5), in samples per channel.
pub const MAX_PACKET_SAMPLES: usize = 5760;

/// The step in which sound can be concealed: 2.5 ms, in samples.
pub const CONCEAL_STEP: usize = 120;

/// The step in which sound is best concealed: 10 ms, in samples. Opus's speech layer invents no less; asked for less it
/// hands out the front and forgets the rest, and the voice stumbles at each step.
pub const CONCEAL_WHOLE: usize = 480;

/// The longest payload an encoder makes: 60 ms of stereo L16.
pub const MAX_PAYLOAD_BYTES: usize = 2880 * 2 * 2;

/// A codec said no.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodecError {
    /// The payload cannot be decoded.
    Payload,
    /// The codec cannot be set up so: what, and what it takes.
    Setup(&'static str),
    /// The samples could not be encoded.
    Encode,
}

impl fmt::Display for CodecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Payload => write!(f, "payload is not decodable"),
            Self::Setup(what) => write!(f, "codec setup: {what}"),
            Self::Encode => write!(f, "samples could not be encoded"),
        }
    }
}

impl std::error::Error for CodecError {}

/// How samples travel in a payload.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Codec {
    /// Opus (RFC 6716) at 48 kHz; the RTP clock is the room's (RFC 7587).
    #[cfg(feature = "opus")]
    #[cfg_attr(feature = "opus", default)]
    Opus,
    /// 16-bit linear PCM in network order at 48 kHz, as many channels as the room (RFC 3551 L16).
    #[cfg_attr(not(feature = "opus"), default)]
    Pcm,
}
