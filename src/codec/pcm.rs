//! 16-bit linear PCM in network order (RFC 3551 §4.5.11, L16): for tests, benches and peers on a wire.

use super::{CONCEAL_STEP, CodecError, MAX_PACKET_SAMPLES};
use crate::{frame::Channels, time::Samples};
use dasp_sample::Sample;

/// Whole steps of 2.5 ms up to 120 ms; everything else is no packet.
pub(super) fn duration(payload: &[u8], channels: Channels) -> Option<Samples> {
    let samples = payload.len() / 2 / channels.count();
    let whole = payload.len() == samples * 2 * channels.count() && samples.is_multiple_of(CONCEAL_STEP);
    (whole && (1..=MAX_PACKET_SAMPLES).contains(&samples)).then(|| Samples::new(samples as u64))
}

pub(super) fn decode(payload: &[u8], out: &mut [f32]) -> Result<usize, CodecError> {
    let count = payload.len() / 2;
    let out = out.get_mut(..count).ok_or(CodecError::Payload)?;
    for (to, from) in out.iter_mut().zip(payload.chunks_exact(2)) {
        *to = i16::from_be_bytes([from[0], from[1]]).to_sample();
    }
    Ok(count)
}

pub(super) fn encode(frame: &[f32], out: &mut [u8]) -> Result<usize, CodecError> {
    let out = out.get_mut(..frame.len() * 2).ok_or(CodecError::Encode)?;
    for (to, from) in out.chunks_exact_mut(2).zip(frame) {
        to.copy_from_slice(&from.to_sample::<i16>().to_be_bytes());
    }
    Ok(out.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_survive_the_wire() {
        let frame: Vec<f32> = (0..240).map(|i| f32::from(i as i16) / 32768.0).collect();
        let (mut wire, mut back) = ([0; 480], [0.0; 240]);
        assert_eq!(encode(&frame, &mut wire), Ok(480));
        assert_eq!(duration(&wire, Channels::Mono), Some(Samples::new(240)));
        assert_eq!(duration(&wire, Channels::Stereo), Some(Samples::new(120)));
        assert_eq!(decode(&wire, &mut back), Ok(240));
        assert_eq!(frame, back);
    }

    #[test]
    fn odd_lengths_are_no_packets() {
        for bytes in [0, 1, 238, 241, MAX_PACKET_SAMPLES * 2 + 240] {
            assert_eq!(duration(&vec![0; bytes], Channels::Mono), None, "{bytes} bytes");
        }
    }
}
