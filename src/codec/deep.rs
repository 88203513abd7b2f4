//! Deep redundancy (DRED, draft-ietf-mlcodec-opus-dred): features of up to a second of what was said, from which a decoder
//! synthesises it once more. What a room needs to read it, and how far it reaches.

use super::CodecError;
#[cfg(feature = "opus")]
use super::libopus::DredReader;
use crate::time::Samples;

/// What deep redundancy reaches, counted back from the first sample of its packet. Nothing at all by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeepReach {
    /// Where it begins.
    pub back: Samples,
    /// Where it ends: from there to the packet the sender was silent.
    pub silent: Samples,
}

/// Working memory for deep redundancy, some 26 KB: one a room, lent to whichever decoder needs it. It remembers the packet
/// it unfolded last, so that the frames of one hole cost it once.
#[derive(Debug)]
pub struct DeepScratch {
    #[cfg(feature = "opus")]
    pub(super) reader: DredReader,
}

impl DeepScratch {
    /// # Errors
    /// [`CodecError::Setup`] when libopus was built without deep redundancy.
    ///
    /// # Real-time
    /// Allocates.
    pub fn new() -> Result<Self, CodecError> {
        Ok(Self {
            #[cfg(feature = "opus")]
            reader: DredReader::new()?,
        })
    }
}

#[cfg(test)]
#[cfg(feature = "opus")]
mod tests {
    use super::*;
    use crate::{
        codec::{Codec, Decoder, Encoder, EncoderConfig, MAX_PAYLOAD_BYTES},
        frame::Channels,
        packet::has_dred,
    };

    const FRAME: usize = 960;

    /// A vowel whose pitch and colour wander: 400 ms of it, 100 ms of nothing.
    fn talk(samples: usize) -> Vec<f32> {
        let mut phase = 0.0_f32;
        let sample = |at: usize| {
            let seconds = at as f32 / 48_000.0;
            phase = (phase + (130.0 + 30.0 * (seconds * 5.0).sin()) / 48_000.0).fract();
            let envelope = if seconds % 0.5 < 0.4 { 0.2 } else { 0.0 };
            let harmonic = |k: i32| (std::f32::consts::TAU * phase * k as f32).sin() / k as f32;
            envelope * (1..24).map(harmonic).sum::<f32>()
        };
        (0..samples).map(sample).collect()
    }

    /// Two seconds of talk at 48 kbit/s, with as much deep redundancy as fits.
    fn packets(reach: Samples) -> Vec<Vec<u8>> {
        let config = EncoderConfig {
            bitrate_bps: 48_000,
            expected_loss_percent: 20,
            deep_redundancy: reach,
            ..EncoderConfig::default()
        };
        let mut encoder = Encoder::new(&config, Channels::Mono).unwrap();
        let mut bytes = vec![0; MAX_PAYLOAD_BYTES];
        let coded = |frame: &[f32]| {
            let length = encoder.encode(frame, &mut bytes).unwrap();
            bytes[..length].to_vec()
        };
        talk(100 * FRAME).chunks_exact(FRAME).map(coded).collect()
    }

    fn decoder() -> Decoder {
        Decoder::new(Codec::Opus, Channels::Mono).unwrap()
    }

    /// What was decoded of `packets`.
    fn warm_up(decoder: &mut Decoder, packets: &[Vec<u8>]) -> Vec<f32> {
        let mut sound = vec![0.0; packets.len() * FRAME];
        for (packet, out) in packets.iter().zip(sound.chunks_exact_mut(FRAME)) {
            decoder.decode(packet, out).unwrap();
        }
        sound
    }

    fn rms(sound: &[f32]) -> f32 {
        (sound.iter().map(|sample| sample * sample).sum::<f32>() / sound.len() as f32).sqrt()
    }

    /// How unlike two sounds' levels are in 5 ms steps, in dB.
    fn level_distance(a: &[f32], b: &[f32]) -> f32 {
        let level = |sound: &[f32]| 20.0 * (rms(sound) + 1e-4).log10();
        let steps = a.chunks(240).zip(b.chunks(240));
        let count = steps.len() as f32;
        steps.map(|(a, b)| (level(a) - level(b)).abs()).sum::<f32>() / count
    }

    #[test]
    fn packets_of_an_encoder_with_deep_redundancy_reach_back_and_others_do_not() {
        let (decoder, mut scratch) = (decoder(), DeepScratch::new().unwrap());
        let with = packets(Samples::from_ms(1000));
        let reaching = with.iter().filter(|packet| has_dred(packet)).count();
        assert!(reaching > 60, "{reaching} of {}", with.len());
        for packet in &with {
            let reach = decoder.deep_reach(packet, &mut scratch);
            assert_eq!(reach != DeepReach::default(), has_dred(packet));
            // A second, and the encoder's look-ahead.
            assert!(reach.silent <= reach.back && reach.back <= Samples::from_ms(1040));
        }
        for packet in packets(Samples::ZERO) {
            assert!(!has_dred(&packet));
            assert_eq!(decoder.deep_reach(&packet, &mut scratch), DeepReach::default());
        }
    }

    #[test]
    fn a_hole_of_80_ms_is_filled_with_what_was_said() {
        let (mut scratch, packets) = (DeepScratch::new().unwrap(), packets(Samples::from_ms(1000)));
        let (mut deep, mut plain) = (0.0, 0.0);
        // Holes in different places of different vowels.
        for start in [22, 29, 36, 43, 50, 57, 64, 71] {
            let whole = warm_up(&mut decoder(), &packets[..start + 4]);
            let missed = &whole[start * FRAME..];
            let (mut ours, mut theirs) = (decoder(), decoder());
            warm_up(&mut ours, &packets[..start]);
            warm_up(&mut theirs, &packets[..start]);
            let (mut filled, mut invented) = (vec![0.0; 4 * FRAME], vec![0.0; 4 * FRAME]);
            for (at, out) in filled.chunks_exact_mut(FRAME).enumerate() {
                let back = Samples::new(((4 - at) * FRAME) as u64);
                ours.recover_deep(&packets[start + 4], back, out, &mut scratch).unwrap();
            }
            invented.chunks_exact_mut(FRAME).for_each(|out| theirs.conceal(out));
            deep += level_distance(&filled, missed);
            plain += level_distance(&invented, missed);
        }
        // The vowels come and go within the holes, which concealment cannot know: it is off by twice as much.
        assert!(deep < 0.5 * plain, "{deep} against {plain}");
    }

    #[test]
    fn beyond_its_reach_it_says_no_and_moves_nothing() {
        let (mut scratch, packets) = (DeepScratch::new().unwrap(), packets(Samples::from_ms(100)));
        let (mut asked, mut left_alone) = (decoder(), decoder());
        warm_up(&mut asked, &packets[..40]);
        warm_up(&mut left_alone, &packets[..40]);
        let mut out = [0.0; FRAME];
        let reach = asked.deep_reach(&packets[44], &mut scratch).back;
        for back in [reach + Samples::new(1), Samples::from_ms(5000), Samples::new(u64::MAX)] {
            assert_eq!(
                asked.recover_deep(&packets[44], back, &mut out, &mut scratch),
                Err(CodecError::Payload)
            );
        }
        let none = asked.recover_deep(&[0x78, 1, 2], Samples::new(960), &mut out, &mut scratch);
        assert_eq!(none, Err(CodecError::Payload));
        assert_eq!(warm_up(&mut asked, &packets[44..50]), warm_up(&mut left_alone, &packets[44..50]));
    }

    #[test]
    fn a_packet_opened_before_gives_the_same_sound() {
        let packets = packets(Samples::from_ms(1000));
        let (mut shared, mut own) = (DeepScratch::new().unwrap(), DeepScratch::new().unwrap());
        let (mut a, mut b) = (decoder(), decoder());
        warm_up(&mut a, &packets[..30]);
        warm_up(&mut b, &packets[..30]);
        let (mut left, mut right) = ([0.0; FRAME], [0.0; FRAME]);
        for lost in [2, 1] {
            let back = Samples::new(lost * FRAME as u64);
            // Another packet's reach, and another voice's hole, come between.
            a.deep_reach(&packets[60], &mut shared);
            a.recover_deep(&packets[32], back, &mut left, &mut shared).unwrap();
            decoder().recover_deep(&packets[70], back, &mut right, &mut shared).unwrap();
            b.recover_deep(&packets[32], back, &mut right, &mut own).unwrap();
            assert_eq!(left.map(f32::to_bits), right.map(f32::to_bits));
        }
    }

    /// Without forgetting, libopus would go on with its network, at ten times the cost.
    #[test]
    fn after_the_hole_concealment_is_the_classic_one_again() {
        let (mut scratch, packets) = (DeepScratch::new().unwrap(), packets(Samples::from_ms(1000)));
        let invent = |decoder: &mut Decoder| {
            warm_up(decoder, &packets[32..60]);
            let mut out = [0.0; FRAME];
            decoder.conceal(&mut out);
            out
        };
        let (mut classic, mut neural, mut used) = (decoder(), decoder(), decoder());
        neural.deep_plc(true);
        warm_up(&mut used, &packets[..30]);
        used.recover_deep(&packets[31], Samples::new(960), &mut [0.0; FRAME], &mut scratch).unwrap();
        let (classic, neural, used) = (invent(&mut classic), invent(&mut neural), invent(&mut used));
        let distance = |a: &[f32]| rms(&a.iter().zip(&used).map(|(a, b)| a - b).collect::<Vec<_>>());
        // 28 packets after a hole only the rounding differs, some thousandths of a voice of 0.1.
        assert!(distance(&classic) < 0.01, "{}", distance(&classic));
        assert!(distance(&neural) > 0.02, "{}", distance(&neural));
    }
}
