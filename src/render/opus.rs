//! Ogg Opus of a render: encoded anew, at 20 ms a packet.

use crate::{
    codec::{Codec, CodecError, Encoder, EncoderConfig, MAX_PAYLOAD_BYTES},
    frame::Channels,
    record::{LOOKAHEAD, OggOpus},
    time::Samples,
};
use std::{
    io,
    path::{Path, PathBuf},
};

use super::RenderError;

const PACKET: Samples = Samples::from_ms(20);

/// A file in the making.
#[derive(Debug)]
pub(super) struct OpusFile {
    path: PathBuf,
    encoder: Encoder,
    ogg: OggOpus,
    gathered: Vec<f32>,
    packet_len: usize,
    payload: Vec<u8>,
    width: usize,
    samples: u64,
    encoded: u64,
}

impl OpusFile {
    pub(super) fn create(path: &Path, channels: Channels, bitrate_bps: u32) -> Result<Self, RenderError> {
        let failed = |error| RenderError::Write(path.to_owned(), error);
        let config = EncoderConfig {
            codec: Codec::Opus,
            packet: PACKET,
            bitrate_bps,
            complexity: 10,
            ..EncoderConfig::default()
        };
        let mut ogg = OggOpus::create(path, SERIAL, LOOKAHEAD).map_err(failed)?;
        ogg.rewrite_head(channels.count() as u8, LOOKAHEAD).map_err(failed)?;
        Ok(Self {
            path: path.to_owned(),
            encoder: Encoder::new(&config, channels)?,
            ogg,
            gathered: Vec::new(),
            packet_len: PACKET.len() * channels.count(),
            payload: vec![0; MAX_PAYLOAD_BYTES],
            width: channels.count(),
            samples: 0,
            encoded: 0,
        })
    }

    pub(super) fn write(&mut self, samples: &[f32]) -> Result<(), RenderError> {
        self.samples += (samples.len() / self.width) as u64;
        self.gathered.extend_from_slice(samples);
        self.encode()
    }

    fn encode(&mut self) -> Result<(), RenderError> {
        let whole = self.gathered.len() / self.packet_len * self.packet_len;
        for frame in self.gathered[..whole].chunks_exact(self.packet_len) {
            let bytes = self.encoder.encode(frame, &mut self.payload)?;
            self.encoded += PACKET.count();
            let packet = self.payload.get(..bytes).ok_or(CodecError::Encode)?.to_vec();
            let pushed = self.ogg.push((packet.into(), PACKET.count()));
            pushed.map_err(|error| RenderError::Write(self.path.clone(), error))?;
        }
        self.gathered.drain(..whole);
        Ok(())
    }

    /// Silence until the encoder has given out the last sample; players are told to leave out the rest (RFC 7845 §4.4).
    pub(super) fn finish(mut self) -> Result<(), RenderError> {
        let granule = self.samples + LOOKAHEAD;
        let rest = granule.next_multiple_of(PACKET.count()) - self.encoded;
        self.gathered.resize(rest as usize * self.width, 0.0);
        self.encode()?;
        let finished: io::Result<()> = self.ogg.finish(granule);
        finished.map_err(|error| RenderError::Write(self.path, error))
    }
}

/// One stream a file: any number will do, and a fixed one keeps files equal (RFC 3533 §6).
const SERIAL: u32 = 0x7274_756c;
