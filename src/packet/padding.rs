//! An Opus packet without its padding (RFC 6716 §3.2.5): in comes a payload, out come the same frames and nothing else.
//! Padding is where extensions lie, and so deep redundancy does: copies of up to a second of what was said before.

use super::opus;

/// What is left of `payload` without its padding: the first two bytes and what follows them, which together make a packet
/// of the same frames; a decoder makes the same samples of it. `None` if `payload` has no padding, or is no Opus packet.
///
/// # Real-time
/// Safe.
#[must_use]
pub fn without_padding(payload: &[u8]) -> Option<([u8; 2], &[u8])> {
    let (frames, _) = opus::padded(payload)?;
    let &[toc, count] = payload.first_chunk()?;
    Some(([toc, count & !opus::PADDED], frames))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::has_dred;
    use proptest::prelude::*;

    /// `payload` without padding, as bytes.
    pub(super) fn stripped(payload: &[u8]) -> Option<Vec<u8>> {
        without_padding(payload).map(|(head, frames)| [&head[..], frames].concat())
    }

    /// A packet of code 3: `frames`, with their lengths if they vary, and padding behind them. 254 bytes of padding, and
    /// each multiple, can be told in two ways: with or without a zero at the end.
    pub(super) fn packet(
        toc: u8,
        frames: &[Vec<u8>],
        vary: bool,
        padding: Option<&[u8]>,
        zero: bool,
    ) -> Vec<u8> {
        let flags = u8::from(vary) << 7 | u8::from(padding.is_some()) << 6;
        let mut packet = vec![toc | 3, flags | frames.len() as u8];
        if let Some(padding) = padding {
            let last = padding.len() % 254;
            let full = padding.len() / 254;
            let last_is_full = last == 0 && full > 0 && !zero;
            packet.extend(std::iter::repeat_n(255, full - usize::from(last_is_full)));
            packet.push(if last_is_full { 254 } else { last as u8 });
        }
        for frame in frames.iter().take(if vary { frames.len() - 1 } else { 0 }) {
            match frame.len() {
                length @ 0..252 => packet.push(length as u8),
                length => packet.extend([(252 + length % 4) as u8, ((length - 252) / 4) as u8]),
            }
        }
        frames.iter().for_each(|frame| packet.extend(frame));
        packet.extend(padding.unwrap_or_default());
        packet
    }

    #[test]
    fn padding_goes_and_everything_else_stays() {
        let frames = [vec![1, 2, 3], vec![4, 5, 6]];
        for vary in [false, true] {
            let bare = packet(8 << 3, &frames, vary, None, false);
            for length in [0, 1, 252, 253, 254, 255, 507, 508, 509, 762, 1000] {
                for zero in [false, true] {
                    let padded = packet(8 << 3, &frames, vary, Some(&vec![7; length]), zero);
                    assert_eq!(stripped(&padded), Some(bare.clone()), "{length} bytes");
                }
            }
            assert_eq!(stripped(&bare), None);
        }
    }

    #[test]
    fn a_packet_without_padding_or_sense_has_none() {
        for payload in [
            &[][..],
            &[0x78],
            &[0x78, 64 | 1, 0, 1],
            &[0x79, 64 | 1, 0, 1],
            &[0x7A, 1, 1, 1],
            &[0x7B],
            &[0x7B, 64],
            &[0x7B, 64 | 1],
            &[0x7B, 64 | 1, 255],
            &[0x7B, 64 | 1, 3, 0, 0],
            &[0x7B, 64 | 2, 0, 1, 2, 3],
            &[0x7B, 64 | 63, 0],
        ] {
            assert_eq!(without_padding(payload), None, "{payload:?}");
        }
    }

    #[test]
    fn deep_redundancy_is_gone_with_it() {
        let dred = [126 << 1, b'D', 12, 1, 2, 3];
        let with = packet(0x78, &[vec![9; 40]], false, Some(&dred), false);
        assert!(has_dred(&with) && !has_dred(&stripped(&with).unwrap()));
    }

    proptest! {
        #[test]
        fn whatever_comes_has_the_same_frames_after(
            toc in any::<u8>(),
            head in any::<u8>(),
            lengths in proptest::collection::vec(prop_oneof![Just(255u8), any::<u8>(), 0u8..4], 0..6),
            rest in 0usize..1500,
        ) {
            let payload = [&[toc, head][..], &lengths, &vec![3; rest]].concat();
            match stripped(&payload) {
                Some(bare) => {
                    prop_assert_eq!((toc & 3, head & 64), (3, 64));
                    prop_assert!(bare.len() < payload.len());
                    let (before, after) = (opus::frames(&payload), opus::frames(&bare));
                    prop_assert!(before.unwrap().eq(after.unwrap()));
                    prop_assert_eq!(opus::duration(&payload), opus::duration(&bare));
                    prop_assert_eq!(stripped(&bare), None);
                }
                None => prop_assert!(opus::padded(&payload).is_none()),
            }
        }
    }
}

/// libopus is the oracle.
#[cfg(test)]
#[cfg(feature = "opus")]
mod oracle {
    use super::tests::{packet, stripped};
    use ::opus::{Application, Bitrate, Channels, Decoder, Encoder, packet::parse};
    use proptest::prelude::*;

    /// What a decoder of two channels makes of each packet.
    fn decode(packets: &[Vec<u8>]) -> Vec<Vec<u32>> {
        let mut decoder = Decoder::new(48_000, Channels::Stereo).unwrap();
        let mut pcm = vec![0.0; 2 * 5760];
        let mut samples = |packet: &Vec<u8>| {
            let samples = decoder.decode_float(packet, &mut pcm, false).unwrap();
            pcm[..2 * samples].iter().map(|sample| sample.to_bits()).collect()
        };
        packets.iter().map(&mut samples).collect()
    }

    /// One second of noise that swells, in frames of `frame` samples.
    fn coded(bitrate_bps: i32, frame: usize, channels: Channels) -> Vec<Vec<u8>> {
        let mut encoder = Encoder::new(48_000, channels, Application::Voip).unwrap();
        encoder.set_bitrate(Bitrate::Bits(bitrate_bps)).unwrap();
        let mut state = 1u32;
        let mut noise = |at: usize| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 16) as i16 / 8 * (at / 960 % 7) as i16 / 7
        };
        let sound: Vec<i16> = (0..48_000 * channels as usize).map(&mut noise).collect();
        let frames = sound.chunks_exact(frame * channels as usize);
        frames.map(|frame| encoder.encode_vec(frame, 1276).unwrap()).collect()
    }

    /// Packets of several frames each, padded, of all three layers and every frame length.
    #[test]
    fn decoders_make_the_same_samples_of_it() {
        let padding: Vec<u8> = (0..700u32).map(|at| (at * 37) as u8).collect();
        let (mut tocs, mut count) = (std::collections::BTreeSet::new(), 0);
        for (bitrate_bps, channels) in
            [(10_000, Channels::Mono), (30_000, Channels::Mono), (96_000, Channels::Stereo)]
        {
            for frame in [120, 240, 480, 960, 1920, 2880] {
                let frames: Vec<Vec<u8>> = coded(bitrate_bps, frame, channels);
                // Frames in one packet have the same first byte; where it changes, a packet ends.
                let runs =
                    frames.chunk_by(|a, b| a[0] == b[0]).flat_map(|run| run.chunks((5760 / frame).min(3)));
                let (padded, bare): (Vec<_>, Vec<_>) = runs
                    .enumerate()
                    .filter(|(_, run)| run.iter().all(|packet| packet[0] & 3 == 0))
                    .map(|(at, run)| {
                        let frames: Vec<Vec<u8>> = run.iter().map(|packet| packet[1..].to_vec()).collect();
                        let vary = frames.iter().any(|frame| frame.len() != frames[0].len()) || at % 2 == 0;
                        let padding = &padding[..at * 53 % padding.len()];
                        let padded = packet(run[0][0], &frames, vary, Some(padding), at % 3 == 0);
                        let bare = stripped(&padded).unwrap();
                        tocs.insert(padded[0] >> 3);
                        count += 1;
                        (padded, bare)
                    })
                    .unzip();
                assert!(decode(&padded) == decode(&bare), "{bitrate_bps} b/s, {frame} samples");
            }
        }
        assert!(tocs.len() >= 10 && count > 500, "{count} packets of {tocs:?}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn libopus_finds_the_same_frames(
            toc in any::<u8>(),
            lengths in proptest::collection::vec(0usize..300, 1..7),
            padding in proptest::option::of(proptest::collection::vec(any::<u8>(), 0..600)),
            (vary, zero) in any::<(bool, bool)>(),
        ) {
            let length = |frame: usize| if vary { frame } else { lengths[0] };
            let frames: Vec<Vec<u8>> = lengths.iter().map(|&frame| vec![frame as u8; length(frame)]).collect();
            let payload = packet(toc, &frames, vary, padding.as_deref(), zero);
            match (parse(&payload), stripped(&payload)) {
                (Ok(theirs), Some(bare)) => {
                    prop_assert!(padding.is_some());
                    let bare = parse(&bare).unwrap();
                    prop_assert_eq!((theirs.toc, theirs.frames), (bare.toc, bare.frames));
                }
                (Ok(_), None) => prop_assert!(padding.is_none()),
                (Err(_), bare) => prop_assert_eq!(bare, None),
            }
        }
    }
}
