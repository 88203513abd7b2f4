//! One voice's decoder, whatever its codec.

#[cfg(feature = "opus")]
use super::libopus::OpusDecoder;
use super::{Codec, CodecError, DeepReach, DeepScratch, pcm};
use crate::{frame::Channels, time::Samples};

/// Turns payloads into samples, and the lack of payloads too.
#[derive(Debug)]
pub struct Decoder {
    channels: Channels,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    #[cfg(feature = "opus")]
    Opus(OpusDecoder),
    Pcm,
}

impl Decoder {
    /// A fresh decoder that gives `channels`, whatever the packets hold.
    ///
    /// # Errors
    /// [`CodecError::Setup`] when the codec cannot be had.
    ///
    /// # Real-time
    /// Allocates.
    pub fn new(codec: Codec, channels: Channels) -> Result<Self, CodecError> {
        let kind = match codec {
            #[cfg(feature = "opus")]
            Codec::Opus => Kind::Opus(OpusDecoder::new(channels)?),
            Codec::Pcm => Kind::Pcm,
        };
        Ok(Self { channels, kind })
    }

    /// How much sound `payload` holds, read from its head; `None` when it is no packet of this codec.
    ///
    /// # Real-time
    /// Safe.
    #[must_use]
    pub fn duration(&self, payload: &[u8]) -> Option<Samples> {
        match &self.kind {
            #[cfg(feature = "opus")]
            Kind::Opus(_) => crate::packet::opus::duration(payload),
            Kind::Pcm => pcm::duration(payload, self.channels),
        }
    }

    /// Does `payload` hold a spare copy of the sound before it (in-band FEC)?
    ///
    /// # Real-time
    /// Safe.
    #[must_use]
    pub fn has_fec(&self, payload: &[u8]) -> bool {
        match &self.kind {
            #[cfg(feature = "opus")]
            Kind::Opus(_) => crate::packet::opus::has_lbrr(payload),
            Kind::Pcm => {
                let _ = payload;
                false
            }
        }
    }

    /// Does `payload` say that the sender falls silent now (DTX)?
    ///
    /// # Real-time
    /// Safe.
    #[must_use]
    pub fn is_dtx(&self, payload: &[u8]) -> bool {
        match &self.kind {
            #[cfg(feature = "opus")]
            Kind::Opus(_) => crate::packet::opus::is_dtx(payload),
            Kind::Pcm => {
                let _ = payload;
                false
            }
        }
    }

    /// Does `payload` hold digital silence, as it says itself?
    ///
    /// # Real-time
    /// Safe.
    #[must_use]
    pub fn is_silence(&self, payload: &[u8]) -> bool {
        match &self.kind {
            #[cfg(feature = "opus")]
            Kind::Opus(_) => crate::packet::opus::is_silence(payload),
            Kind::Pcm => {
                let _ = payload;
                false
            }
        }
    }

    /// Did its encoder hear a voice in `payload`, as far as it tells?
    ///
    /// # Real-time
    /// Safe.
    #[must_use]
    pub fn voice_active(&self, payload: &[u8]) -> Option<bool> {
        match &self.kind {
            #[cfg(feature = "opus")]
            Kind::Opus(_) => crate::packet::opus::voice_active(payload),
            Kind::Pcm => {
                let _ = payload;
                None
            }
        }
    }

    /// Decodes `payload` into the front of `out`; how many samples per channel came out.
    ///
    /// # Errors
    /// [`CodecError::Payload`] when it cannot be decoded; the decoder stays usable.
    ///
    /// # Real-time
    /// Safe.
    pub fn decode(&mut self, payload: &[u8], out: &mut [f32]) -> Result<usize, CodecError> {
        match &mut self.kind {
            #[cfg(feature = "opus")]
            Kind::Opus(opus) => opus.decode(payload, out),
            Kind::Pcm => pcm::decode(payload, out).map(|samples| samples / self.channels.count()),
        }
    }

    /// Fills `out` with the sound before `next` from the spare copy inside it.
    ///
    /// # Errors
    /// [`CodecError::Payload`] when there is none or it cannot be decoded.
    ///
    /// # Real-time
    /// Safe.
    pub fn recover(&mut self, next: &[u8], out: &mut [f32]) -> Result<(), CodecError> {
        match &mut self.kind {
            #[cfg(feature = "opus")]
            Kind::Opus(opus) => opus.recover(next, out),
            Kind::Pcm => {
                let _ = (next, out);
                Err(CodecError::Payload)
            }
        }
    }

    /// How far back before its first sample `payload` tells once more what was said (DRED). Narrow-band packets do, but
    /// their decoder cannot use it.
    ///
    /// # Real-time
    /// Safe: nothing to speak of without deep redundancy, else some microseconds.
    pub fn deep_reach(&self, payload: &[u8], scratch: &mut DeepScratch) -> DeepReach {
        match &self.kind {
            #[cfg(feature = "opus")]
            Kind::Opus(_) => scratch.reader.reach(payload),
            Kind::Pcm => {
                let _ = (payload, scratch);
                DeepReach::default()
            }
        }
    }

    /// Fills `out` (a multiple of [`super::CONCEAL_WHOLE`] per channel, at most 120 ms) with the sound that begins `back`
    /// before the first sample of `payload`, from the deep redundancy inside it.
    ///
    /// # Errors
    /// [`CodecError::Payload`] when it does not reach so far back; the decoder has not moved.
    ///
    /// # Real-time
    /// Safe, but dear: about ten times an ordinary frame, some thirty times the first after a real one.
    pub fn recover_deep(
        &mut self,
        payload: &[u8],
        back: Samples,
        out: &mut [f32],
        scratch: &mut DeepScratch,
    ) -> Result<(), CodecError> {
        match &mut self.kind {
            #[cfg(feature = "opus")]
            Kind::Opus(opus) => opus.recover_deep(&mut scratch.reader, payload, back, out),
            Kind::Pcm => {
                let _ = (payload, back, out, scratch);
                Err(CodecError::Payload)
            }
        }
    }

    /// From now on [`Self::conceal`] uses the codec's neural network, if it has one, or the classic way.
    ///
    /// # Real-time
    /// Safe. Neural concealment costs some twenty times the classic one; ordinary decoding stays as it is.
    pub fn deep_plc(&mut self, on: bool) {
        match &mut self.kind {
            #[cfg(feature = "opus")]
            Kind::Opus(opus) => opus.set_neural(on),
            Kind::Pcm => {
                let _ = on;
            }
        }
    }

    /// Fills `out` (a multiple of [`super::CONCEAL_STEP`] per channel, of [`super::CONCEAL_WHOLE`] to sound well) with
    /// what may have been said; silence where the codec has no idea.
    ///
    /// # Real-time
    /// Safe.
    pub fn conceal(&mut self, out: &mut [f32]) {
        match &mut self.kind {
            #[cfg(feature = "opus")]
            Kind::Opus(opus) => opus.conceal(out),
            Kind::Pcm => out.fill(0.0),
        }
    }
}
