//! What stands in a track where no packet of the speaker does: silence, or a packet without frames that makes a decoder
//! conceal (RFC 7845 §4.1).

use super::toc::Toc;
use std::borrow::Cow;

/// The shortest Opus frame, 2.5 ms: everything in a track stands on a multiple of it.
pub(super) const LATTICE: u64 = 120;

/// A lost stretch is concealed for 100 ms at most; a decoder's invention is noise after that.
const CONCEALED_LOSS: u64 = 4_800;

/// libopus sends a packet every 400 ms while it sends nothing else; a longer pause is none of its own.
pub(super) const LONGEST_DTX: u64 = 19_200;

/// A packet as it stands in a track, with its length in samples.
pub(super) type Coded = (Cow<'static, [u8]>, u64);

/// Digital silence: one mono full-band CELT frame whose first coded bit, the silence flag, is set (RFC 6716 §4.3).
/// The configurations 28 to 31 last 2.5, 5, 10 and 20 ms.
const SILENCE: [([u8; 3], u64); 4] = [
    ([0xF8, 0xFF, 0xFE], 960),
    ([0xF0, 0xFF, 0xFE], 480),
    ([0xE8, 0xFF, 0xFE], 240),
    ([0xE0, 0xFF, 0xFE], 120),
];

/// The longest silent packet of at most `samples`.
pub(super) fn silence(samples: u64) -> Option<Coded> {
    let (bytes, length) = SILENCE.iter().find(|(_, length)| *length <= samples)?;
    Some((Cow::Borrowed(bytes), *length))
}

/// Silence of `samples`; what is left beyond a multiple of 2.5 ms is left out.
pub(super) fn silences(mut samples: u64) -> impl Iterator<Item = Coded> {
    std::iter::from_fn(move || {
        let packet = silence(samples)?;
        samples -= packet.1;
        Some(packet)
    })
}

/// Is it one of the packets that fill a track, and not the speaker's?
pub(super) fn is_fill(payload: &[u8]) -> bool {
    payload.len() <= 1 || SILENCE.iter().any(|(silent, _)| silent == payload)
}

/// A packet of no bytes like the one before: a decoder conceals one frame.
pub(super) fn conceal(before: Toc) -> Coded {
    (Cow::Owned(before.without_frames().to_vec()), before.frame_samples())
}

/// How much of a gap that begins with `lost` lost samples, of `gap` in all, a decoder may make up. The comfort noise of
/// a sender that pauses goes on until its next packet.
pub(super) fn concealable(lost: u64, gap: u64) -> u64 {
    if lost < gap && gap <= LONGEST_DTX { gap } else { lost.min(CONCEALED_LOSS) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_takes_the_longest_packet_that_fits() {
        assert_eq!(silence(119), None);
        assert_eq!(silence(479).map(|(_, samples)| samples), Some(240));
        assert_eq!(silence(100_000).map(|(_, samples)| samples), Some(960));
    }

    #[test]
    #[cfg(feature = "opus")]
    fn silent_packets_decode_to_digital_silence() {
        for channels in [opus::Channels::Mono, opus::Channels::Stereo] {
            for (bytes, samples) in SILENCE {
                let mut decoder = opus::Decoder::new(48_000, channels).unwrap();
                let mut out = vec![1.0_f32; 2 * 960];
                for _ in 0..5 {
                    assert_eq!(decoder.decode_float(&bytes, &mut out, false).unwrap() as u64, samples);
                    let decoded = &out[..samples as usize * channels as usize];
                    assert!(decoded.iter().all(|sample| sample.abs() < 1e-9), "{bytes:?} {channels:?}");
                }
            }
        }
    }

    #[test]
    fn a_pause_is_comforted_and_a_long_loss_is_not() {
        assert_eq!(concealable(0, 18_240), 18_240);
        assert_eq!(concealable(0, 19_320), 0);
        assert_eq!(concealable(960, 960), 960);
        assert_eq!(concealable(9_600, 9_600), 4_800);
    }
}
