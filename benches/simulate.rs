//! How fast an evening is simulated: eight voices, a minute, the listeners' mix, files and all, against the bare codec
//! work in it, which is libopus decoding or concealing the same packets and encoding the same mix. In turns, in one run.
//!
//!     cargo bench --bench simulate [-- SCENARIO.toml]

use opus::{Application, Bitrate, Channels, Decoder, Encoder};
use std::{
    error::Error,
    fmt::Write,
    fs,
    path::Path,
    time::{Duration, Instant},
};
use tertulia::{
    engine::EncoderConfig,
    sim::{
        Meters, Network, Options, OpusFile, OpusFileWriter, Scenario, ScenarioSpeaker, Talker, TraceRow,
        read_trace, simulate, write_trace,
    },
    time::Samples,
};

const VOICES: u64 = 8;
const PACKETS: usize = 3000;
const ROUNDS: usize = 7;

fn main() -> Result<(), Box<dyn Error>> {
    let dir = tempfile::tempdir()?;
    println!("the listeners' mix of a simulated evening (median of {ROUNDS} interleaved rounds)");
    let given = std::env::args().skip(1).find(|arg| arg.ends_with(".toml"));
    if let Some(file) = given {
        println!("{file:24} {}", compare(dir.path(), &Scenario::read(file.as_ref())?)?);
        return Ok(());
    }
    let clean = Network::default();
    let poor = Network { jitter_ms: 40.0, loss: 0.1, burst: 2.0, reordered: 0.02, ..Network::default() };
    for (name, network) in [("8 voices, clean", clean), ("8 voices, 10 % loss", poor)] {
        println!("{name:24} {}", compare(dir.path(), &write_scenario(dir.path(), &network)?)?);
    }
    Ok(())
}

fn compare(dir: &Path, scenario: &Scenario) -> Result<String, Box<dyn Error>> {
    let floor = Floor::load(dir, scenario)?;
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        let simulated = timed(|| run(scenario, dir))?;
        let bare = timed(|| floor.run())?;
        rounds.push((bare.as_secs_f64() / simulated.as_secs_f64(), simulated));
    }
    rounds.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (speed, simulated) = rounds[ROUNDS / 2];
    let real_time = floor.mix.len() as f64 / 48_000.0 / simulated.as_secs_f64();
    let (least, most) = (rounds[0].0, rounds[ROUNDS - 1].0);
    Ok(format!(
        "{speed:.3} × the speed of the bare codec ({least:.3} … {most:.3}), {real_time:.0} × real time"
    ))
}

fn run(scenario: &Scenario, dir: &Path) -> Result<(), Box<dyn Error>> {
    let meters = Meters { progress: Box::new(|_| ()), now_ns: Box::new(|| 0), allocations: Box::new(|| 0) };
    simulate(scenario, &Options::default(), &dir.join("out"), meters)?;
    Ok(())
}

fn write_scenario(dir: &Path, network: &Network) -> Result<Scenario, Box<dyn Error>> {
    let mut toml = String::new();
    for voice in 0..VOICES {
        let mut file = OpusFileWriter::create(&dir.join(format!("{voice}.opus")), Default::default(), 312)?;
        for packet in Talker::new(voice).packets().take(PACKETS) {
            file.packet(&packet, Samples::from_ms(20))?;
        }
        file.finish(Samples::new(PACKETS as u64 * 960))?;
        write_trace(&dir.join(format!("{voice}.csv")), network.rows(voice).take(PACKETS))?;
        writeln!(toml, "[[speaker]]\nname = 'v{voice}'\nopus = '{voice}.opus'\ntrace = '{voice}.csv'")?;
    }
    let file = dir.join("scenario.toml");
    fs::write(&file, toml)?;
    Ok(Scenario::read(&file)?)
}

/// The codec work of a scenario in a mono room, and nothing else.
struct Floor {
    voices: Vec<Vec<Box<[u8]>>>,
    mix: Vec<f32>,
}

impl Floor {
    fn load(dir: &Path, scenario: &Scenario) -> Result<Self, Box<dyn Error>> {
        run(scenario, dir)?;
        let mix =
            hound::WavReader::open(dir.join("out/mix.wav"))?.into_samples().collect::<Result<_, _>>()?;
        let voices = scenario.speakers.iter().map(packets_as_sent).collect::<Result<_, _>>()?;
        Ok(Self { voices, mix })
    }

    fn run(&self) -> Result<(), Box<dyn Error>> {
        let mut decoders = Vec::new();
        for _ in &self.voices {
            decoders.push(Decoder::new(48_000, Channels::Mono)?);
        }
        let mut encoder = encoder()?;
        let (mut pcm, mut payload) = (vec![0.0; 960], vec![0; 1500]);
        for (n, frame) in self.mix.chunks_exact(960).enumerate() {
            for (decoder, packets) in decoders.iter_mut().zip(&self.voices) {
                if let Some(packet) = packets.get(n) {
                    decoder.decode_float(packet, &mut pcm, false)?;
                }
            }
            encoder.encode_float(frame, &mut payload)?;
        }
        Ok(())
    }
}

/// A voice's packets in the order they were sent, a lost one without bytes, so that it is concealed.
fn packets_as_sent(speaker: &ScenarioSpeaker) -> Result<Vec<Box<[u8]>>, Box<dyn Error>> {
    let packets = OpusFile::read(&speaker.opus)?.packets;
    let Some(trace) = &speaker.trace else { return Ok(packets) };
    let sent = |row: TraceRow| match row.arrival_ms {
        Some(_) => packets[row.seq as usize % packets.len()].clone(),
        None => Box::default(),
    };
    Ok(read_trace(trace)?.into_iter().map(sent).collect())
}

/// As the engine's default, setting by setting.
fn encoder() -> Result<Encoder, opus::Error> {
    let default = EncoderConfig::default();
    let mut encoder = Encoder::new(48_000, Channels::Mono, Application::Voip)?;
    encoder.set_bitrate(Bitrate::Bits(default.bitrate_bps as i32))?;
    encoder.set_complexity(i32::from(default.complexity))?;
    Ok(encoder)
}

#[expect(clippy::disallowed_methods, reason = "a bench reads the clock")]
fn timed(work: impl FnOnce() -> Result<(), Box<dyn Error>>) -> Result<Duration, Box<dyn Error>> {
    let start = Instant::now();
    work()?;
    Ok(start.elapsed())
}
