//! Opus decoding: packets, in-band FEC, deep redundancy, concealment (classic or neural).
#![expect(unsafe_code, reason = "libopus is C; every call has its SAFETY line")]

use super::{Memory, dred};
use crate::{
    codec::{CodecError, MAX_PACKET_SAMPLES},
    frame::Channels,
    time::{RATE_HZ, Samples},
};
use opusic_sys as ffi;
use std::{ffi::c_int, ptr};

/// From this complexity on a decoder conceals with its neural network (opus.h, libopus 1.6).
const NEURAL: i32 = 5;

#[derive(Debug)]
pub(in crate::codec) struct OpusDecoder {
    state: Memory,
    channels: Channels,
    redundancy: Redundancy,
}

/// libopus keeps what it was given of deep redundancy, and conceals neurally, at many times the cost, as long as it has
/// any. That is welcome within a hole, and taken away at the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Redundancy {
    None,
    InUse,
    Stale,
}

impl OpusDecoder {
    pub(in crate::codec) fn new(channels: Channels) -> Result<Self, CodecError> {
        let count = channels.count() as c_int;
        // SAFETY: a pure function of its argument, which is 1 or 2.
        let mut state = Memory::of(unsafe { ffi::opus_decoder_get_size(count) });
        // SAFETY: `state` is at least as large as libopus asked for, aligned for any of its types, and ours alone.
        let code = unsafe { ffi::opus_decoder_init(state.as_mut_ptr(), RATE_HZ as i32, count) };
        dred::prepare_blank()?;
        if code != ffi::OPUS_OK {
            return Err(CodecError::Setup("no Opus decoder"));
        }
        Ok(Self { state, channels, redundancy: Redundancy::None })
    }

    /// Neural concealment on or off.
    pub(in crate::codec) fn set_neural(&mut self, on: bool) {
        let complexity = if on { NEURAL } else { 0 };
        // SAFETY: an initialised state, and a request that takes exactly one `opus_int32`. It cannot fail: 0…10 is valid.
        let code = unsafe {
            ffi::opus_decoder_ctl(self.state.as_mut_ptr(), ffi::OPUS_SET_COMPLEXITY_REQUEST, complexity)
        };
        debug_assert_eq!(code, ffi::OPUS_OK);
    }

    pub(in crate::codec) fn decode(&mut self, payload: &[u8], out: &mut [f32]) -> Result<usize, CodecError> {
        self.packet(payload, out, 0)
    }

    pub(in crate::codec) fn recover(&mut self, next: &[u8], out: &mut [f32]) -> Result<(), CodecError> {
        self.packet(next, out, 1).map(|_| ())
    }

    fn packet(&mut self, payload: &[u8], out: &mut [f32], fec: c_int) -> Result<usize, CodecError> {
        let length = i32::try_from(payload.len()).map_err(|_| CodecError::Payload)?;
        if payload.is_empty() {
            return Err(CodecError::Payload);
        }
        let (state, room) = (self.state.as_mut_ptr(), self.samples(out));
        // SAFETY: an initialised state; `payload` has `length` bytes and `out` takes `room` samples of each channel.
        let samples =
            unsafe { ffi::opus_decode_float(state, payload.as_ptr(), length, out.as_mut_ptr(), room, fec) };
        if self.redundancy == Redundancy::InUse {
            self.redundancy = Redundancy::Stale;
        }
        usize::try_from(samples).map_err(|_| CodecError::Payload)
    }

    /// What was said from `back` before a packet on, as `reader` has it.
    pub(in crate::codec) fn recover_deep(
        &mut self,
        reader: &mut dred::DredReader,
        payload: &[u8],
        back: Samples,
        out: &mut [f32],
    ) -> Result<(), CodecError> {
        let redundancy = reader.open(payload, back).ok_or(CodecError::Payload)?;
        self.redundancy = Redundancy::InUse;
        self.synthesise(redundancy, back.count().min(RATE_HZ.into()) as i32, out)
    }

    pub(in crate::codec) fn conceal(&mut self, out: &mut [f32]) {
        out.chunks_mut(MAX_PACKET_SAMPLES * self.channels.count()).for_each(|part| self.conceal_part(part));
    }

    fn conceal_part(&mut self, out: &mut [f32]) {
        let made = match (self.redundancy, dred::blank()) {
            (Redundancy::Stale, Some(blank)) => {
                self.redundancy = Redundancy::None;
                self.synthesise(blank, dred::NOWHERE, out)
            }
            _ => self.lost(out),
        };
        if made.is_err() {
            out.fill(0.0);
        }
    }

    fn lost(&mut self, out: &mut [f32]) -> Result<(), CodecError> {
        let (state, room) = (self.state.as_mut_ptr(), self.samples(out));
        // SAFETY: an initialised state; no packet, and `out` takes `room` samples of each channel.
        let samples = unsafe { ffi::opus_decode_float(state, ptr::null(), 0, out.as_mut_ptr(), room, 0) };
        if samples == room { Ok(()) } else { Err(CodecError::Payload) }
    }

    /// `redundancy` holds an `OpusDRED` that has been processed.
    fn synthesise(&mut self, redundancy: &Memory, back: i32, out: &mut [f32]) -> Result<(), CodecError> {
        let (state, room) = (self.state.as_mut_ptr(), self.samples(out));
        // SAFETY: an initialised state and a processed `OpusDRED`; `out` takes `room` samples of each channel, at most
        // 120 ms, for which the decoder has more than enough places for features (`PLC_MAX_FEC`, 10 ms each).
        let samples = unsafe {
            ffi::opus_decoder_dred_decode_float(state, redundancy.as_ptr(), back, out.as_mut_ptr(), room)
        };
        if samples == room { Ok(()) } else { Err(CodecError::Payload) }
    }

    fn samples(&self, out: &[f32]) -> c_int {
        (out.len() / self.channels.count()).min(MAX_PACKET_SAMPLES) as c_int
    }
}
