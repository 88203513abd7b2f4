//! What an Opus packet tells undecoded (RFC 6716 §3 and §4.2.3–4.2.4): how long it lasts, whether its sender heard a
//! voice, whether it carries a copy of the frame before it.

use crate::time::Samples;

/// No frame is longer (R2).
const MAX_FRAME_BYTES: usize = 1275;
/// No packet lasts longer: 120 ms (R5).
const MAX_PACKET: Samples = Samples::from_ms(120);
/// In the second byte of a code 3 packet: padding follows (§3.2.5).
pub(super) const PADDED: u8 = 64;

/// Which of Opus's two layers code a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// Linear prediction: speech up to 8 kHz.
    Silk,
    /// SILK below 8 kHz, CELT above.
    Hybrid,
    /// Transform: music, and very short frames.
    Celt,
}

/// The audio bandwidth of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Bandwidth {
    /// 4 kHz.
    Narrow,
    /// 6 kHz.
    Medium,
    /// 8 kHz.
    Wide,
    /// 12 kHz.
    SuperWide,
    /// 20 kHz.
    Full,
}

/// A packet's first byte, its table of contents (§3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Toc(pub u8);

impl Toc {
    /// The layers that code it.
    #[must_use]
    pub const fn mode(self) -> Mode {
        match self.0 >> 3 {
            0..=11 => Mode::Silk,
            12..=15 => Mode::Hybrid,
            _ => Mode::Celt,
        }
    }

    /// Its audio bandwidth.
    #[must_use]
    pub const fn bandwidth(self) -> Bandwidth {
        match self.0 >> 3 {
            0..=3 | 16..=19 => Bandwidth::Narrow,
            4..=7 => Bandwidth::Medium,
            8..=11 | 20..=23 => Bandwidth::Wide,
            12..=13 | 24..=27 => Bandwidth::SuperWide,
            _ => Bandwidth::Full,
        }
    }

    /// How long each of its frames lasts.
    #[must_use]
    pub const fn frame(self) -> Samples {
        let size = self.0 >> 3 & 3;
        Samples::new(match self.mode() {
            Mode::Silk if size == 3 => 2880,
            Mode::Silk => 480 << size,
            Mode::Hybrid => 480 << (size & 1),
            Mode::Celt => 120 << size,
        })
    }

    /// Two channels?
    #[must_use]
    pub const fn is_stereo(self) -> bool {
        self.0 & 4 != 0
    }

    /// How many stretches of at most 20 ms SILK divides each frame into; each has its own bits in the header.
    const fn silk_frames(self) -> u32 {
        match self.frame().count() {
            2880 => 3,
            1920 => 2,
            _ => 1,
        }
    }
}

/// The coded frames of one packet, in order; an empty one means that the sender had nothing to send.
///
/// # Real-time
/// Safe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frames<'a> {
    left: usize,
    lengths: Lengths<'a>,
    data: &'a [u8],
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Lengths<'a> {
    Equal(usize),
    /// Of all frames but the last.
    Coded(&'a [u8]),
}

/// The frames of a packet, if it obeys R1–R7 of §3.4.
///
/// # Real-time
/// Safe.
#[must_use]
pub fn frames(payload: &[u8]) -> Option<Frames<'_>> {
    let (&toc, rest) = payload.split_first()?;
    match toc & 3 {
        0 => equal(1, rest),
        1 => equal(2, rest),
        2 => coded(2, rest),
        _ => counted(Toc(toc), rest),
    }
}

/// Code 3: any number of frames, perhaps followed by padding (§3.2.5).
fn counted(toc: Toc, rest: &[u8]) -> Option<Frames<'_>> {
    let (&head, mut body) = rest.split_first()?;
    let count = usize::from(head & 63);
    if count == 0 || toc.frame().len() * count > MAX_PACKET.len() {
        return None;
    }
    if head & PADDED != 0 {
        body = split_padding(body)?.0;
    }
    if head & 128 == 0 { equal(count, body) } else { coded(count, body) }
}

/// What stands before the padding, and the padding. 255 in a byte of its length means 254 bytes and that another byte
/// follows.
fn split_padding(mut body: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut padding = 0;
    loop {
        let (&byte, rest) = body.split_first()?;
        body = rest;
        padding += usize::from(byte.min(254));
        if byte < 255 {
            return body.split_at_checked(body.len().checked_sub(padding)?);
        }
    }
}

/// Of a packet that has padding: its frames, perhaps with their lengths before them, and the padding.
pub(super) fn padded(payload: &[u8]) -> Option<(&[u8], &[u8])> {
    frames(payload)?;
    match *payload {
        [toc, head, ref body @ ..] if toc & 3 == 3 && head & PADDED != 0 => split_padding(body),
        _ => None,
    }
}

fn equal(count: usize, body: &[u8]) -> Option<Frames<'_>> {
    let length = body.len() / count;
    let whole = length * count == body.len() && length <= MAX_FRAME_BYTES;
    whole.then_some(Frames { left: count, lengths: Lengths::Equal(length), data: body })
}

fn coded(count: usize, body: &[u8]) -> Option<Frames<'_>> {
    let (mut data, mut sum) = (body, 0);
    for _ in 1..count {
        let (length, rest) = frame_length(data)?;
        (data, sum) = (rest, sum + length);
    }
    let last = data.len().checked_sub(sum)?;
    let lengths = Lengths::Coded(body.get(..body.len() - data.len())?);
    (last <= MAX_FRAME_BYTES).then_some(Frames { left: count, lengths, data })
}

/// A frame's length in one or two bytes (§3.2.1), and what follows them.
fn frame_length(bytes: &[u8]) -> Option<(usize, &[u8])> {
    match *bytes {
        [short @ 0..=251, ref rest @ ..] => Some((short.into(), rest)),
        [low, high, ref rest @ ..] => Some((usize::from(high) * 4 + usize::from(low), rest)),
        _ => None,
    }
}

impl<'a> Iterator for Frames<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        self.left = self.left.checked_sub(1)?;
        let length = match &mut self.lengths {
            Lengths::Equal(length) => *length,
            Lengths::Coded(_) if self.left == 0 => self.data.len(),
            Lengths::Coded(lengths) => {
                let (length, rest) = frame_length(lengths)?;
                *lengths = rest;
                length
            }
        };
        let (frame, rest) = self.data.split_at_checked(length)?;
        self.data = rest;
        Some(frame)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Frames<'_> {}

/// The first byte of a packet, if it has one.
fn toc(payload: &[u8]) -> Option<Toc> {
    payload.first().copied().map(Toc)
}

/// How much sound a packet holds; `None` if it is no Opus packet (§3.4).
///
/// # Real-time
/// Safe.
#[must_use]
pub fn duration(payload: &[u8]) -> Option<Samples> {
    let count = frames(payload)?.len() as u64;
    Some(Samples::new(toc(payload)?.frame().count() * count))
}

/// Does it carry a coarse copy of the sound before it (in-band FEC, §2.1.7)?
///
/// # Real-time
/// Safe.
#[must_use]
pub fn has_lbrr(payload: &[u8]) -> bool {
    let first = frames(payload).and_then(|mut frames| frames.next());
    toc(payload).zip(first).and_then(|(toc, frame)| silk_flags(toc, frame)).is_some_and(|flags| flags.lbrr)
}

/// Does SILK's own detector hear a voice in any of its frames? `None` if a packet has no such bits: CELT, malformed.
///
/// # Real-time
/// Safe.
#[must_use]
pub fn voice_active(payload: &[u8]) -> Option<bool> {
    let toc = toc(payload).filter(|toc| toc.mode() != Mode::Celt)?;
    Some(frames(payload)?.filter_map(|frame| silk_flags(toc, frame)).any(|flags| flags.voice))
}

/// Is it a mere sign of life of a sender that has nothing to say (discontinuous transmission)? The decoder reads nothing
/// from a frame of at most one byte; clients that are muted send [silence](is_silence).
///
/// # Real-time
/// Safe.
#[must_use]
pub fn is_dtx(payload: &[u8]) -> bool {
    frames(payload).is_some_and(|mut frames| frames.all(|frame| frame.len() <= 1)) || is_silence(payload)
}

/// Does it hold digital silence and nothing else? Such a CELT frame begins with a bit of probability 2⁻¹⁵ (§4.3), which the range
/// coder writes as fifteen ones.
///
/// # Real-time
/// Safe.
#[must_use]
pub fn is_silence(payload: &[u8]) -> bool {
    let celt = toc(payload).is_some_and(|toc| toc.mode() == Mode::Celt);
    let silent = |frame: &[u8]| matches!(frame, [0xff, 0xfe | 0xff, ..]);
    celt && frames(payload).is_some_and(|mut frames| frames.all(silent))
}

struct SilkFlags {
    voice: bool,
    lbrr: bool,
}

/// The bits at the start of a SILK frame: for each channel one per 20 ms of voice, then whether LBRR frames follow
/// (§4.2.3). Each has probability ½, so the range coder leaves them as they are, from the top of the first byte on.
fn silk_flags(toc: Toc, frame: &[u8]) -> Option<SilkFlags> {
    let [bits, _, ..] = *frame else { return None };
    if toc.mode() == Mode::Celt {
        return None;
    }
    let count = toc.silk_frames();
    let voice = |bits: u8| bits >> (8 - count) != 0;
    let lbrr = |bits: u8| bits >> (7 - count) & 1 == 1;
    let side = if toc.is_stereo() { bits << (count + 1) } else { 0 };
    Some(SilkFlags { voice: voice(bits) || voice(side), lbrr: lbrr(bits) || lbrr(side) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_broken_rule_makes_it_no_packet() {
        let frame = [0; 1276];
        let with = |head: &[u8], length: usize| duration(&[head, &frame[..length]].concat());
        assert_eq!(duration(&[]), None, "R1");
        assert_eq!(with(&[0], 1275), Some(Samples::from_ms(10)));
        assert_eq!(with(&[0], 1276), None, "R2");
        assert_eq!(with(&[1], 3), None, "R3");
        assert_eq!(with(&[2, 4], 3), None, "R4");
        assert_eq!(with(&[2, 252], 0), None, "R4");
        assert_eq!(with(&[3], 0), None, "R5");
        assert_eq!(with(&[3, 0], 0), None, "R5");
        assert_eq!(with(&[3, 12], 12), Some(Samples::from_ms(120)));
        assert_eq!(with(&[3, 13], 13), None, "R5");
        assert_eq!(with(&[3, 2], 3), None, "R6");
        assert_eq!(with(&[3, 64 | 2, 255, 1], 254 + 1 + 3), None, "R6");
        assert_eq!(with(&[3, 64 | 2, 255, 1], 254 + 1 + 4), Some(Samples::from_ms(20)));
        assert_eq!(with(&[3, 64 | 1, 255], 0), None, "R6");
        assert_eq!(with(&[3, 128 | 3, 2, 2], 3), None, "R7");
        assert_eq!(with(&[3, 128 | 3, 2, 2], 4), Some(Samples::from_ms(30)));
    }

    #[test]
    fn the_flags_of_both_channels_are_found() {
        let facts = |toc: u8, bits: u8| (voice_active(&[toc, bits, 0]), has_lbrr(&[toc, bits, 0]));
        let (ms20, ms60, stereo) = (1 << 3, 3 << 3, 4);
        assert_eq!(facts(ms20, 0b1000_0000), (Some(true), false));
        assert_eq!(facts(ms20, 0b0100_0000), (Some(false), true));
        assert_eq!(facts(ms20, 0b0011_1111), (Some(false), false));
        assert_eq!(facts(ms20 | stereo, 0b0010_0000), (Some(true), false));
        assert_eq!(facts(ms20 | stereo, 0b0001_0000), (Some(false), true));
        assert_eq!(facts(ms60, 0b0010_0000), (Some(true), false));
        assert_eq!(facts(ms60 | stereo, 0b0000_0010), (Some(true), false));
        assert_eq!(facts(ms60 | stereo, 0b0000_0001), (Some(false), true));
        assert_eq!(facts(31 << 3, 0xFF), (None, false));
    }

    #[test]
    fn a_packet_without_frames_worth_reading_is_dtx() {
        assert!(is_dtx(&[8]) && is_dtx(&[8, 1]) && is_dtx(&[9, 1, 1]));
        assert!(!is_dtx(&[8, 1, 1]) && !is_dtx(&[10, 0, 1, 1]) && !is_dtx(&[]));
        assert!(is_dtx(&[0xf8, 0xff, 0xfe]) && is_silence(&[0xf8, 0xff, 0xff, 3]), "digital silence in CELT");
        assert!(!is_silence(&[0xf8, 0xff, 0xfd]) && !is_silence(&[0x78, 0xff, 0xfe]) && !is_silence(&[0xf8]));
        assert_eq!((voice_active(&[8, 0xFF]), has_lbrr(&[8, 0xFF])), (Some(false), false));
    }
}

/// libopus is the oracle.
#[cfg(test)]
#[cfg(feature = "opus")]
mod oracle {
    use super::*;
    use ::opus::{Application, Bitrate, Channels, Decoder, Encoder, Signal, packet};
    use proptest::prelude::*;

    fn agrees(payload: &[u8]) {
        let theirs = packet::parse(payload).ok();
        let ours: Option<Vec<&[u8]>> = frames(payload).map(Iterator::collect);
        assert_eq!(ours, theirs.map(|packet| packet.frames), "{payload:?}");
        if let Some(frames) = ours {
            let samples = packet::get_nb_samples(payload, 48_000).unwrap() as u64;
            assert_eq!(duration(payload), Some(Samples::new(samples)));
            assert_eq!(frames.len(), packet::get_nb_frames(payload).unwrap());
            let stereo = packet::get_nb_channels(payload).unwrap() == Channels::Stereo;
            assert_eq!(Toc(payload[0]).is_stereo(), stereo);
        }
    }

    #[test]
    fn every_table_of_contents_is_read_as_libopus_reads_it() {
        use ::opus::Bandwidth as Theirs;
        for toc in 0..=255 {
            let expected = match packet::get_bandwidth(&[toc]).unwrap() {
                Theirs::Narrowband => Bandwidth::Narrow,
                Theirs::Mediumband => Bandwidth::Medium,
                Theirs::Wideband => Bandwidth::Wide,
                Theirs::Superwideband => Bandwidth::SuperWide,
                _ => Bandwidth::Full,
            };
            assert_eq!(Toc(toc).bandwidth(), expected, "{toc}");
            let frame = packet::get_samples_per_frame(&[toc], 48_000).unwrap();
            assert_eq!(Toc(toc).frame().len(), frame, "{toc}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn any_bytes_are_framed_as_libopus_frames_them(
            toc in any::<u8>(),
            rest in proptest::collection::vec(prop_oneof![0u8..6, any::<u8>(), 250u8..], 0..60),
            tail in prop_oneof![Just(0usize), 0usize..3000],
        ) {
            agrees(&[&[toc][..], &rest, &vec![1; tail]].concat());
        }
    }

    /// A vowel that comes and goes: 400 ms of harmonics of 120 Hz, 200 ms of nothing.
    fn talk(channels: usize, samples: usize) -> Vec<i16> {
        let sample = |at: usize| {
            let seconds = at as f32 / 48_000.0;
            let envelope = if seconds % 0.6 < 0.4 { 1.0 } else { 0.0 };
            let vowel: f32 = (1..20)
                .map(|harmonic| {
                    (std::f32::consts::TAU * 120.0 * harmonic as f32 * seconds).sin() / harmonic as f32
                })
                .sum();
            (envelope * vowel * 6000.0) as i16
        };
        (0..samples).flat_map(|at| std::iter::repeat_n(sample(at), channels)).collect()
    }

    struct Setting {
        channels: Channels,
        bitrate_bps: i32,
        packet_ms: usize,
        fec: bool,
    }

    /// Three seconds of talk, coded.
    fn encode(setting: &Setting) -> Vec<Vec<u8>> {
        let mut encoder = Encoder::new(48_000, setting.channels, Application::Voip).unwrap();
        encoder.set_bitrate(Bitrate::Bits(setting.bitrate_bps)).unwrap();
        encoder.set_signal(Signal::Voice).unwrap();
        encoder.set_inband_fec(setting.fec).unwrap();
        encoder.set_packet_loss_perc(if setting.fec { 20 } else { 0 }).unwrap();
        let step = 48 * setting.packet_ms * setting.channels as usize;
        let talk = talk(setting.channels as usize, 3 * 48_000);
        talk.chunks_exact(step).map(|chunk| encoder.encode_vec(chunk, 4000).unwrap()).collect()
    }

    fn settings() -> impl Iterator<Item = Setting> {
        let all = |(channels, bitrate_bps)| {
            [10, 20, 40, 60].into_iter().flat_map(move |packet_ms| {
                [false, true].map(|fec| Setting { channels, bitrate_bps, packet_ms, fec })
            })
        };
        [
            (Channels::Mono, 12_000),
            (Channels::Mono, 32_000),
            (Channels::Stereo, 40_000),
            (Channels::Stereo, 128_000),
        ]
        .into_iter()
        .flat_map(all)
    }

    #[test]
    fn what_an_encoder_makes_is_read_as_libopus_reads_it() {
        let mut modes = Vec::new();
        for setting in settings() {
            for payload in encode(&setting) {
                agrees(&payload);
                assert_eq!(duration(&payload), Some(Samples::from_ms(setting.packet_ms as u32)));
                modes.push(Toc(payload[0]).mode());
            }
        }
        assert!([Mode::Silk, Mode::Hybrid, Mode::Celt].iter().all(|mode| modes.contains(mode)));
    }

    /// What the decoder makes of the sound that `payload` follows, after a warm-up with `before`.
    fn recover(before: &[Vec<u8>], payload: &[u8], setting: &Setting) -> Vec<i16> {
        let mut decoder = Decoder::new(48_000, setting.channels).unwrap();
        let mut pcm = vec![0; 48 * setting.packet_ms * setting.channels as usize];
        for packet in before {
            decoder.decode(packet, &mut pcm, false).unwrap();
        }
        decoder.decode(payload, &mut pcm, true).unwrap();
        pcm
    }

    /// Where a packet carries no copy, the decoder conceals, as it does with no packet at all. Changes of mode are left
    /// out: there the two differ without any copy.
    #[test]
    fn lbrr_is_there_exactly_where_the_decoder_finds_some() {
        let (mut with, mut without) = (0, 0);
        for setting in settings() {
            let packets = encode(&setting);
            for run in packets.windows(6).filter(|run| run.iter().all(|packet| packet[0] == run[0][0])) {
                let found = recover(&run[..4], &run[5], &setting) != recover(&run[..4], &[], &setting);
                assert_eq!(
                    has_lbrr(&run[5]),
                    found,
                    "{} ms, {} bit/s",
                    setting.packet_ms,
                    setting.bitrate_bps
                );
                *if found { &mut with } else { &mut without } += 1;
            }
        }
        assert!(with > 100 && without > 100, "{with} with, {without} without");
    }

    #[test]
    fn a_vowel_is_a_voice_and_silence_is_not() {
        for setting in settings().filter(|setting| setting.packet_ms == 20) {
            let voices: Vec<_> = encode(&setting).iter().map(|payload| voice_active(payload)).collect();
            // The third vowel lasts from packet 60 to 80, the silence after it to 90; the detector takes some packets
            // to let go.
            assert!(voices[63..79].iter().all(|voice| *voice != Some(false)), "{voices:?}");
            assert!(voices[86..89].iter().all(|voice| *voice != Some(true)), "{voices:?}");
        }
    }
}
