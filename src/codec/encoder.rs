//! One mix's encoder, whatever its codec.

#[cfg(feature = "opus")]
use super::libopus::OpusEncoder;
use super::{Codec, CodecError, pcm};
use crate::{frame::Channels, time::Samples};

/// How a mix is coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EncoderConfig {
    /// What its payloads are.
    pub codec: Codec,
    /// Sound in one packet: 2.5, 5, 10, 20, 40 or 60 ms, a multiple of the quantum. Where a room makes many mixes, one packet in a
    /// long while has 10 ms instead of 20 (Opus, whose packets say how long they are: RFC 6716 §3.1).
    pub packet: Samples,
    /// Target bit rate (Opus).
    pub bitrate_bps: u32,
    /// 0…10, CPU against quality (Opus).
    pub complexity: u8,
    /// Packet loss in percent that in-band FEC prepares for; 0 turns FEC off (Opus).
    pub expected_loss_percent: u8,
    /// How far back deep redundancy (DRED) may reach, at most 1040 ms; how far it does depends on the bit rate and the
    /// expected loss. Zero turns it off (Opus).
    pub deep_redundancy: Samples,
    /// Where packets begin on the room clock: this much after multiples of their length. Mixes with different lattices are
    /// encoded at different ticks, which spreads the load, and cannot share an encode.
    pub lattice: Samples,
    /// May a lone voice's own packets be sent in place of its mix (Opus)? That spares nearly all work, and costs delay: what is sent
    /// keeps in step with those packets, which is 3 ms later than a mix at a quantum of 10 ms and 13 ms at one of 20. Where such a voice
    /// pauses, so does the stream.
    pub relay: bool,
}

impl Default for EncoderConfig {
    fn default() -> Self {
        Self {
            codec: Codec::default(),
            packet: Samples::from_ms(20),
            bitrate_bps: 32_000,
            complexity: 4,
            expected_loss_percent: 0,
            deep_redundancy: Samples::ZERO,
            lattice: Samples::ZERO,
            relay: true,
        }
    }
}

/// Turns frames into payloads.
#[derive(Debug)]
pub struct Encoder(Kind);

#[derive(Debug)]
enum Kind {
    #[cfg(feature = "opus")]
    Opus(OpusEncoder),
    Pcm,
}

impl Encoder {
    /// A fresh encoder for frames of `config.packet` samples of `channels`.
    ///
    /// # Errors
    /// [`CodecError::Setup`] for what the codec does not take.
    ///
    /// # Real-time
    /// Allocates.
    pub fn new(config: &EncoderConfig, channels: Channels) -> Result<Self, CodecError> {
        if !matches!(config.packet.count(), 120 | 240 | 480 | 960 | 1920 | 2880) {
            return Err(CodecError::Setup("packet length, expected 2.5, 5, 10, 20, 40 or 60 ms"));
        }
        Ok(Self(match config.codec {
            #[cfg(feature = "opus")]
            Codec::Opus => {
                let mut opus = OpusEncoder::new(channels)?;
                opus.tune(config.bitrate_bps, config.complexity, config.expected_loss_percent)?;
                opus.set_dred(config.deep_redundancy)?;
                Kind::Opus(opus)
            }
            Codec::Pcm => {
                let _ = channels;
                Kind::Pcm
            }
        }))
    }

    /// Encodes one frame into the front of `out`; how many bytes it took.
    ///
    /// # Errors
    /// [`CodecError::Encode`] when the frame has another length than was set up, or `out` is too short.
    ///
    /// # Real-time
    /// Safe.
    pub fn encode(&mut self, frame: &[f32], out: &mut [u8]) -> Result<usize, CodecError> {
        match &mut self.0 {
            #[cfg(feature = "opus")]
            Kind::Opus(opus) => opus.encode(frame, out),
            Kind::Pcm => pcm::encode(frame, out),
        }
    }

    /// From now on as thorough as this: 0…10, CPU against quality (Opus).
    ///
    /// # Real-time
    /// Safe.
    pub fn set_complexity(&mut self, complexity: u8) {
        match &mut self.0 {
            #[cfg(feature = "opus")]
            Kind::Opus(opus) => opus.set_complexity(complexity.min(10)),
            Kind::Pcm => {
                let _ = complexity;
            }
        }
    }

    /// Goes on where `other` stands, so that a receiver of `other` hears no seam. Both were set up alike.
    ///
    /// # Real-time
    /// Safe: some tens of kilobytes are copied.
    pub fn copy_from(&mut self, other: &Self) {
        match (&mut self.0, &other.0) {
            #[cfg(feature = "opus")]
            (Kind::Opus(mine), Kind::Opus(theirs)) => mine.copy_from(theirs),
            _ => {}
        }
    }
}
