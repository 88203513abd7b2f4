//! A talker that really encodes, a folder that is read as any player would.

use ogg::PacketReader;
use std::{f32::consts::TAU, fs, path::Path};
use tertulia::{
    codec::{Encoder, EncoderConfig, MAX_PAYLOAD_BYTES},
    consent::Recordable,
    frame::Channels,
    record::{ClockPoint, Recorder, RecorderConfig},
    speaker::{SpeakerId, VoicePacket},
    time::{MediaTime, SampleTime, Samples},
};

/// 20 ms.
pub(crate) const FRAME: u64 = 960;
/// Whoever is meant if there is only one.
pub(crate) const MARA: SpeakerId = SpeakerId(0);

pub(crate) fn at(samples: u64) -> SampleTime {
    SampleTime::from_samples(samples)
}

/// A voice: what was said, and its packets of 20 ms.
pub(crate) struct Talker {
    pub(crate) said: Vec<f32>,
    pub(crate) packets: Vec<Vec<u8>>,
}

/// How a talker encodes.
#[derive(Clone, Copy)]
pub(crate) enum Mode {
    /// SILK and in-band FEC, as browsers do.
    Speech,
    /// CELT, stereo.
    Music,
}

impl Talker {
    pub(crate) fn new(mode: Mode, frames: u64) -> Self {
        let (application, channels, bit_rate) = match mode {
            Mode::Speech => (opus::Application::Voip, opus::Channels::Mono, 24_000),
            Mode::Music => (opus::Application::Audio, opus::Channels::Stereo, 128_000),
        };
        let mut encoder = opus::Encoder::new(48_000, channels, application).unwrap();
        encoder.set_bitrate(opus::Bitrate::Bits(bit_rate)).unwrap();
        encoder.set_inband_fec(matches!(mode, Mode::Speech)).unwrap();
        encoder.set_packet_loss_perc(if matches!(mode, Mode::Speech) { 20 } else { 0 }).unwrap();
        let said: Vec<f32> = (0..frames * FRAME).map(syllables).collect();
        let encode = |frame: &[f32]| {
            let frame: Vec<f32> = frame.iter().flat_map(|&s| vec![s; channels as usize]).collect();
            encoder.encode_vec_float(&frame, 1500).unwrap()
        };
        let packets = said.chunks(FRAME as usize).map(encode).collect();
        Self { said, packets }
    }

    /// A voice whose packets tell once more what was said in the second before (DRED): at 96 kbit/s all of it fits.
    pub(crate) fn deep(frames: u64) -> Self {
        let config = EncoderConfig {
            bitrate_bps: 96_000,
            expected_loss_percent: 40,
            deep_redundancy: Samples::from_ms(1_040),
            ..EncoderConfig::default()
        };
        let mut encoder = Encoder::new(&config, Channels::Mono).unwrap();
        let said: Vec<f32> = (0..frames * FRAME).map(vowels).collect();
        let mut bytes = vec![0; MAX_PAYLOAD_BYTES];
        let mut encode = |frame: &[f32]| {
            let length = encoder.encode(frame, &mut bytes).unwrap();
            bytes[..length].to_vec()
        };
        let packets = said.chunks(FRAME as usize).map(&mut encode).collect();
        Self { said, packets }
    }

    /// Packet `number`, sent when its first sample was said, `transit` later here.
    pub(crate) fn packet(&self, number: u64, start: u64, transit: u64) -> VoicePacket<'_> {
        VoicePacket {
            speaker: MARA,
            epoch: 0,
            sequence: 100 + number,
            media: MediaTime::ORIGIN + Samples::new(number * FRAME),
            arrived: at(start + number * FRAME + transit),
            duration: Samples::new(FRAME),
            marker: false,
            payload: &self.packets[number as usize],
        }
    }
}

/// Chirps of a quarter second from 200 Hz to 3 kHz, louder and softer: each moment sounds like no other near it.
fn syllables(sample: u64) -> f32 {
    let t = (sample % 12_000) as f32 / 48_000.0;
    let phase = TAU * (200.0 + 13.0 * (sample / 12_000 % 7) as f32) * t + TAU * 5_600.0 * t * t;
    (0.3 + 0.15 * (TAU * 3.1 * t).sin()) * phase.sin()
}

/// A vowel that comes and goes, twice a second: unlike a chirp, a codec takes it for a voice.
fn vowels(sample: u64) -> f32 {
    let t = (sample % 24_000) as f32 / 48_000.0;
    let envelope = if t < 0.4 { 0.2 } else { 0.0 };
    let pitch_hz = 110.0 + 10.0 * (sample / 24_000 % 5) as f32;
    let harmonic = |k: u16| (TAU * pitch_hz * t * f32::from(k)).sin() / f32::from(k);
    envelope * (1..24).map(harmonic).sum::<f32>()
}

pub(crate) fn recorder(dir: &Path) -> Recorder {
    Recorder::create(dir, RecorderConfig::default()).unwrap()
}

/// A recorder with one speaker, who has agreed at the door.
pub(crate) fn recorder_with_mara(dir: &Path, joined: u64) -> Recorder {
    let mut recorder = recorder(dir);
    recorder.join(MARA, "mara", at(joined)).unwrap();
    recorder.open(Recordable::dangerously_without_consent(MARA, at(joined)));
    recorder
}

/// Hands over packets in order of arrival, room time advancing with them in steps of 100 ms.
pub(crate) fn play(recorder: &mut Recorder, mut packets: Vec<VoicePacket<'_>>) {
    packets.sort_by_key(|packet| packet.arrived);
    let mut now = 0;
    for packet in packets {
        while now + 4_800 <= packet.arrived.samples() {
            now += 4_800;
            recorder.advance(at(now)).unwrap();
        }
        recorder.packet(packet);
    }
}

/// A file as it lies on disk.
pub(crate) struct File {
    pub(crate) channels: u8,
    pub(crate) pre_skip: usize,
    pub(crate) packets: Vec<Vec<u8>>,
    /// Where the last page ends, and whether it says that it is the last.
    pub(crate) granule: u64,
    pub(crate) ended: bool,
}

/// Reads `tracks/NAME.opus`.
pub(crate) fn read(dir: &Path, name: &str) -> File {
    parse(&fs::read(dir.join(format!("tracks/{name}.opus"))).unwrap())
}

/// Reads the complete packets of an Ogg Opus file, perhaps cut off somewhere.
pub(crate) fn parse(bytes: &[u8]) -> File {
    let mut reader = PacketReader::new(std::io::Cursor::new(bytes));
    let head = reader.read_packet_expected().unwrap().data;
    assert_eq!(&head[..8], b"OpusHead");
    assert_eq!(&reader.read_packet_expected().unwrap().data[..8], b"OpusTags");
    let pre_skip = usize::from(u16::from_le_bytes([head[10], head[11]]));
    let mut file = File { channels: head[9], pre_skip, packets: Vec::new(), granule: 0, ended: false };
    let mut samples = 0;
    while let Ok(Some(packet)) = reader.read_packet() {
        samples += opus::packet::get_nb_samples(&packet.data, 48_000).unwrap() as u64;
        if packet.last_in_page() {
            let exact = packet.absgp_page() == samples;
            assert!(exact || packet.last_in_stream() && packet.absgp_page() < samples, "granule position");
            file.granule = packet.absgp_page();
        }
        file.ended = packet.last_in_stream();
        file.packets.push(packet.data);
    }
    file
}

impl File {
    /// How many samples a player plays.
    pub(crate) fn samples(&self) -> usize {
        self.granule as usize - self.pre_skip
    }

    /// Is there any sound yet?
    pub(crate) fn samples_known(&self) -> bool {
        self.granule as usize > self.pre_skip
    }

    /// What a player plays: left or only channel, skipped and trimmed.
    pub(crate) fn decode(&self) -> Vec<f32> {
        let both = if self.channels == 2 { opus::Channels::Stereo } else { opus::Channels::Mono };
        let mut decoder = opus::Decoder::new(48_000, both).unwrap();
        let (mut played, mut block) = (Vec::new(), vec![0.0; 2 * 5760]);
        for packet in &self.packets {
            let samples = decoder.decode_float(packet, &mut block, false).unwrap();
            played.extend(block[..samples * both as usize].iter().step_by(both as usize));
        }
        played[self.pre_skip..(self.granule as usize).min(played.len())].to_vec()
    }
}

/// By how many samples `played` at `room` is behind `said` at `said_at`: the lag of highest correlation within ±50.
pub(crate) fn lag(played: &[f32], room: u64, said: &[f32], said_at: u64) -> i64 {
    let correlation = |lag: &i64| {
        let from = room.checked_add_signed(*lag).unwrap() as usize;
        let pairs = played[from..from + 9_600].iter().zip(&said[said_at as usize..]);
        let (mut both, mut energy) = (0.0, 0.0);
        for (p, s) in pairs {
            both += f64::from(p * s);
            energy += f64::from(p * p);
        }
        both / energy.sqrt()
    };
    (-50..=50_i64).max_by(|a, b| correlation(a).total_cmp(&correlation(b))).unwrap()
}

/// The loudest sample, in dB of full scale.
pub(crate) fn peak_dbfs(samples: &[f32]) -> f32 {
    20.0 * samples.iter().fold(1e-9_f32, |peak, sample| peak.max(sample.abs())).log10()
}

/// Where the manifest says that something was said.
pub(crate) fn mapped(clock: &[ClockPoint], track: u64) -> i64 {
    let point = clock.iter().rev().find(|point| point.track_sample <= track).unwrap();
    let since = (track - point.track_sample) as f64;
    point.room_sample + (since * (1.0 + point.ppm / 1e6)).round() as i64
}
