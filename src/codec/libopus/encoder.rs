//! Opus encoding, with a state that can be copied, so that a mix which splits off another goes on without a seam ("only a
//! shallow copy is sufficient to copy it", opus.h).
#![expect(unsafe_code, reason = "libopus is C; every call has its SAFETY line")]

use super::Memory;
use crate::{
    codec::CodecError,
    frame::Channels,
    time::{RATE_HZ, Samples},
};
use opusic_sys as ffi;

#[derive(Debug)]
pub(in crate::codec) struct OpusEncoder {
    state: Memory,
    channels: Channels,
}

impl OpusEncoder {
    /// Speech in mono rooms, sound of all kinds in stereo rooms; the look-ahead is 312 samples either way.
    pub(in crate::codec) fn new(channels: Channels) -> Result<Self, CodecError> {
        let (count, application) = match channels {
            Channels::Mono => (1, ffi::OPUS_APPLICATION_VOIP),
            Channels::Stereo => (2, ffi::OPUS_APPLICATION_AUDIO),
        };
        // SAFETY: a pure function of its argument, which is 1 or 2.
        let mut state = Memory::of(unsafe { ffi::opus_encoder_get_size(count) });
        // SAFETY: `state` is at least as large as libopus asked for, aligned for any of its types, and ours alone.
        let code = unsafe { ffi::opus_encoder_init(state.as_mut_ptr(), RATE_HZ as i32, count, application) };
        if code == ffi::OPUS_OK {
            Ok(Self { state, channels })
        } else {
            Err(CodecError::Setup("no Opus encoder"))
        }
    }

    pub(in crate::codec) fn tune(
        &mut self,
        bitrate_bps: u32,
        complexity: u8,
        loss_percent: u8,
    ) -> Result<(), CodecError> {
        let bitrate_bps = i32::try_from(bitrate_bps).unwrap_or(i32::MAX);
        self.set(ffi::OPUS_SET_BITRATE_REQUEST, bitrate_bps, "bit rate, expected 500…512000 b/s")?;
        self.set(ffi::OPUS_SET_COMPLEXITY_REQUEST, i32::from(complexity), "complexity, expected 0…10")?;
        self.set(ffi::OPUS_SET_INBAND_FEC_REQUEST, i32::from(loss_percent > 0), "in-band FEC")?;
        self.set(ffi::OPUS_SET_PACKET_LOSS_PERC_REQUEST, i32::from(loss_percent), "loss, expected 0…100 %")
    }

    /// 0…10; anything higher changes nothing.
    pub(in crate::codec) fn set_complexity(&mut self, complexity: u8) {
        let set =
            self.set(ffi::OPUS_SET_COMPLEXITY_REQUEST, i32::from(complexity), "complexity, expected 0…10");
        debug_assert_eq!(set, Ok(()));
    }

    /// How far back its packets tell once more what was said, in steps of 10 ms; it takes a large part of the bit rate.
    pub(in crate::codec) fn set_dred(&mut self, reach: Samples) -> Result<(), CodecError> {
        let frames = i32::try_from(reach.count() / Samples::from_ms(10).count()).unwrap_or(i32::MAX);
        self.set(ffi::OPUS_SET_DRED_DURATION_REQUEST, frames, "deep redundancy, expected 0…1040 ms")
    }

    fn set(&mut self, request: i32, value: i32, what: &'static str) -> Result<(), CodecError> {
        // SAFETY: an initialised state, and a request that takes exactly one `opus_int32`.
        let code = unsafe { ffi::opus_encoder_ctl(self.state.as_mut_ptr(), request, value) };
        if code == ffi::OPUS_OK { Ok(()) } else { Err(CodecError::Setup(what)) }
    }

    /// Encodes a whole frame; how many bytes came out.
    pub(in crate::codec) fn encode(&mut self, frame: &[f32], out: &mut [u8]) -> Result<usize, CodecError> {
        let samples = i32::try_from(frame.len() / self.channels.count()).map_err(|_| CodecError::Encode)?;
        let room = i32::try_from(out.len()).unwrap_or(i32::MAX);
        // SAFETY: an initialised state; `frame` holds `samples` of each channel and `out` takes `room` bytes.
        let bytes = unsafe {
            ffi::opus_encode_float(self.state.as_mut_ptr(), frame.as_ptr(), samples, out.as_mut_ptr(), room)
        };
        usize::try_from(bytes).map_err(|_| CodecError::Encode)
    }

    /// Goes on where `other` stands. Both were made for as many channels; otherwise nothing happens.
    pub(in crate::codec) fn copy_from(&mut self, other: &Self) {
        if self.channels == other.channels {
            self.state.copy_from(&other.state);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoder() -> OpusEncoder {
        let mut encoder = OpusEncoder::new(Channels::Mono).unwrap();
        encoder.tune(32_000, 4, 10).unwrap();
        encoder
    }

    fn voice(at: usize) -> Vec<f32> {
        let phase = |i: usize| (at * 960 + i) as f32;
        (0..960).map(|i| 0.3 * (phase(i) * 0.03).sin() * (1.0 + (phase(i) * 0.0007).sin())).collect()
    }

    #[test]
    fn a_copied_encoder_goes_on_without_a_seam() {
        let (mut original, mut copy) = (encoder(), encoder());
        let (mut a, mut b) = ([0; 1500], [0; 1500]);
        for at in 0..20 {
            original.encode(&voice(at), &mut a).unwrap();
        }
        copy.copy_from(&original);
        for at in 20..40 {
            let n = original.encode(&voice(at), &mut a).unwrap();
            let m = copy.encode(&voice(at), &mut b).unwrap();
            assert_eq!(a[..n], b[..m], "packet {at}");
        }
    }

    #[test]
    fn a_copy_outlives_its_original() {
        let mut copy = encoder();
        let mut out = [0; 1500];
        {
            let mut original = encoder();
            original.encode(&voice(0), &mut out).unwrap();
            copy.copy_from(&original);
        }
        assert!(copy.encode(&voice(1), &mut out).unwrap() > 2);
    }

    #[test]
    fn impossible_settings_are_refused_by_name() {
        assert_eq!(encoder().tune(32_000, 11, 0), Err(CodecError::Setup("complexity, expected 0…10")));
    }
}
