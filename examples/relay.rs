//! Does anybody hear when a lone voice is relayed? Two voices from Ogg Opus files: the first speaks all the time, the second
//! says a short word every so often, so that the listeners' stream changes between relayed packets and encoded ones each time.
//! The same evening is played twice, always mixed and relayed, and a listener takes each stream in as a receiver does, packet by
//! packet through a jitter buffer, one that holds 60 ms as behind a network, so that nothing but the streams differs. What is heard, and the mix itself, are written so that people can listen and programs can score:
//!
//!     cargo run --release --example relay -- VOICE.opus WORDS.opus --out DIR [--seconds 60] [--every-ms 1500] [--word-ms 300] [--lost-percent 0]
//!
//! `DIR/mixed.wav` and `DIR/relayed.wav` are what was heard, `DIR/mix.wav` is what both were made from.

use hound::{SampleFormat, WavSpec, WavWriter};
use std::{error::Error, fs, io::BufWriter, path::PathBuf};
use tertulia::{
    engine::{Bus, BusConfig, Command, EncoderConfig, Engine, Lane, LaneConfig, RoomConfig, StreamConfig},
    sim::{OpusFile, Rng},
    speaker::{BusId, SpeakerId, SpeakerSet},
    time::{RATE_HZ, SampleTime, Samples},
};

struct Arguments {
    voices: [PathBuf; 2],
    out: PathBuf,
    seconds: u64,
    every_ms: u64,
    word_ms: u64,
    lost_percent: f64,
}

const USAGE: &str = "relay VOICE.opus WORDS.opus --out DIR [--seconds 60] [--every-ms 1500] [--word-ms 300] [--lost-percent 0]";

type Wav = WavWriter<BufWriter<fs::File>>;

fn main() -> Result<(), Box<dyn Error>> {
    let Some(arguments) = arguments()? else {
        println!("{USAGE}");
        return Ok(());
    };
    fs::create_dir_all(&arguments.out)?;
    let mut mix = Some(wav(&arguments, "mix")?);
    for (name, relay) in [("mixed", false), ("relayed", true)] {
        let evening = Evening::new(&arguments, relay)?;
        let tally = evening.play(wav(&arguments, name)?, mix.take())?;
        println!(
            "{name:8} {} packets, {} of them the voice's own; {} decodes, {} encodes",
            tally.sent, tally.own, tally.decodes, tally.encodes
        );
    }
    Ok(())
}

/// The room, and a listener who is far away.
struct Evening<'a> {
    arguments: &'a Arguments,
    packets: [Vec<Box<[u8]>>; 2],
    room: Engine,
    listener: Engine,
    lost: Rng,
    sequences: [u16; 2],
}

#[derive(Default)]
struct Tally {
    sent: u64,
    own: u64,
    decodes: u64,
    encodes: u64,
}

const EVERYBODY: BusId = BusId(0);
const TAP: BusId = BusId(1);
/// What a client sends that is muted: digital silence in CELT.
const SILENCE: &[u8] = &[0xf8, 0xff, 0xfe];
/// What the listener's buffer holds: 60 ms.
const LISTENS: Samples = Samples::from_ms(60);
/// Samples of a packet.
const PACKET: u64 = 960;

impl<'a> Evening<'a> {
    fn new(arguments: &'a Arguments, relay: bool) -> Result<Self, Box<dyn Error>> {
        let [voice, words] = &arguments.voices;
        let packets = [OpusFile::read(voice)?.packets, OpusFile::read(words)?.packets];
        let coding = EncoderConfig { relay, ..EncoderConfig::default() };
        let mut room = engine(2, EVERYBODY, Some(coding))?;
        if !relay {
            // The mix itself is written once.
            open(&mut room, TAP, None)?;
        }
        let listener = engine(1, TAP, None)?;
        Ok(Self { arguments, packets, room, listener, lost: Rng::new(1), sequences: [0; 2] })
    }

    fn play(mut self, mut heard: Wav, mut mix: Option<Wav>) -> Result<Tally, Box<dyn Error>> {
        let mut tally = Tally::default();
        for packet in 0..self.arguments.seconds * 50 {
            self.speak(packet);
            for _ in 0..2 {
                let tick = self.room.tick();
                let work = tick.work();
                tally.decodes += u64::from(work.decodes);
                tally.encodes += u64::from(work.encodes);
                for packet in tick.packets() {
                    tally.sent += 1;
                    tally.own += u64::from(self.packets[0].iter().any(|own| **own == *packet.payload));
                    let datagram = [&packet.header[..], packet.payload].concat();
                    self.listener.receive(SpeakerId(0), &datagram, tick.at());
                }
                if let (Some(mix), Some(sound)) = (&mut mix, tick.mix(TAP)) {
                    sound.iter().try_for_each(|sample| mix.write_sample(*sample))?;
                }
                let sound = self.listener.tick();
                let sound = sound.mix(TAP).unwrap_or_default();
                sound.iter().try_for_each(|sample| heard.write_sample(*sample))?;
            }
        }
        heard.finalize()?;
        mix.map(Wav::finalize).transpose()?;
        Ok(tally)
    }

    /// What is said arrives on time, if it does; the words are out of step with the first voice.
    fn speak(&mut self, packet: u64) {
        let Arguments { every_ms, word_ms, lost_percent, .. } = *self.arguments;
        for voice in 0..2 {
            let speaks = |packet: u64| voice == 0 || packet >= 50 && packet * 20 % every_ms < word_ms;
            let payload = match (speaks(packet), speaks(packet.saturating_sub(1))) {
                (true, _) => &*self.packets[voice][packet as usize % self.packets[voice].len()],
                (false, true) => SILENCE,
                (false, false) => continue,
            };
            let mut datagram = vec![0x80, 111];
            datagram.extend(self.sequences[voice].to_be_bytes());
            datagram.extend(((packet * PACKET) as u32).to_be_bytes());
            datagram.extend([0, 0, 0, 1]);
            datagram.extend(payload);
            self.sequences[voice] = self.sequences[voice].wrapping_add(1);
            let arrives = SampleTime::from_samples(packet * PACKET + 350 * voice as u64);
            if !self.lost.chance(lost_percent / 100.0) {
                self.room.receive(SpeakerId(voice as u16), &datagram, arrives);
            }
        }
    }
}

fn engine(lanes: u16, bus: BusId, encoder: Option<EncoderConfig>) -> Result<Engine, Box<dyn Error>> {
    let config = RoomConfig { max_lanes: lanes, max_buses: 2, ..RoomConfig::default() };
    let mut engine = Engine::new(config);
    // The listener's buffer stands still.
    let delay = if encoder.is_none() { LISTENS } else { Samples::ZERO };
    for speaker in (0..lanes).map(SpeakerId) {
        let lane = LaneConfig { min_delay: delay, ..LaneConfig::new(speaker) };
        let refused = engine.apply(Command::Admit(Box::new(Lane::new(lane, &config)?)));
        refused.map_or(Ok(()), |_| Err("no place for a voice"))?;
    }
    open(&mut engine, bus, encoder)?;
    Ok(engine)
}

fn open(engine: &mut Engine, bus: BusId, encoder: Option<EncoderConfig>) -> Result<(), Box<dyn Error>> {
    let room = RoomConfig { max_buses: 2, ..RoomConfig::default() };
    let stream = StreamConfig { ssrc: 1, payload_type: 111, ..StreamConfig::default() };
    let config = BusConfig { bus, members: SpeakerSet::EVERYBODY, encoder, stream };
    let refused = engine.apply(Command::Open(Box::new(Bus::new(&config, &room)?)));
    refused.map_or(Ok(()), |_| Err("no place for a bus".into()))
}

fn wav(arguments: &Arguments, name: &str) -> Result<Wav, hound::Error> {
    let spec = WavSpec {
        channels: 1,
        sample_rate: RATE_HZ,
        bits_per_sample: 32,
        sample_format: SampleFormat::Float,
    };
    WavWriter::create(arguments.out.join(format!("{name}.wav")), spec)
}

fn arguments() -> Result<Option<Arguments>, Box<dyn Error>> {
    use lexopt::prelude::{Long, Short, Value, ValueExt as _};
    let (mut files, mut out) = (Vec::new(), None);
    let (mut seconds, mut every_ms, mut word_ms, mut lost_percent) = (60, 1500, 300, 0.0);
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("help") | Short('h') => return Ok(None),
            Long("out") => out = Some(PathBuf::from(parser.value()?)),
            Long("seconds") => seconds = parser.value()?.parse()?,
            Long("every-ms") => every_ms = parser.value()?.parse::<u64>()?.max(20),
            Long("word-ms") => word_ms = parser.value()?.parse()?,
            Long("lost-percent") => lost_percent = parser.value()?.parse()?,
            Value(file) => files.push(PathBuf::from(file)),
            other => return Err(other.unexpected().into()),
        }
    }
    let voices = <[PathBuf; 2]>::try_from(files).map_err(|_| format!("expected two voices: {USAGE}"))?;
    let out = out.ok_or_else(|| format!("expected --out DIR: {USAGE}"))?;
    Ok(Some(Arguments { voices, out, seconds, every_ms, word_ms, lost_percent }))
}
