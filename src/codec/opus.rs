//! Opus decoding through the `opus` crate (libopus 1.6): packets, in-band FEC, concealment.

use super::CodecError;
use crate::frame::Channels;
use opus::Decoder;

#[derive(Debug)]
pub(super) struct OpusDecoder(Decoder);

impl OpusDecoder {
    pub(super) fn new(channels: Channels) -> Result<Self, CodecError> {
        let channels = match channels {
            Channels::Mono => opus::Channels::Mono,
            Channels::Stereo => opus::Channels::Stereo,
        };
        let decoder = Decoder::new(crate::time::RATE_HZ, channels);
        decoder.map(Self).map_err(|_| CodecError::Setup("no Opus decoder: out of memory"))
    }

    pub(super) fn decode(&mut self, payload: &[u8], out: &mut [f32]) -> Result<usize, CodecError> {
        self.0.decode_float(payload, out, false).map_err(|_| CodecError::Payload)
    }

    pub(super) fn recover(&mut self, next: &[u8], out: &mut [f32]) -> Result<(), CodecError> {
        self.0.decode_float(next, out, true).map(|_| ()).map_err(|_| CodecError::Payload)
    }

    pub(super) fn conceal(&mut self, out: &mut [f32]) {
        if self.0.decode_float(&[], out, false).is_err() {
            out.fill(0.0);
        }
    }
}
