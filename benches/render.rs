//! How fast a recording is rendered: eight voices, ten minutes, mix and stems in memory, by one thread and by two, in turns
//! in one run, beside libopus decoding the same packets once; and what a clip of three seconds from the middle costs.
//!
//!     cargo bench --bench render

use std::{
    error::Error,
    path::Path,
    time::{Duration, Instant},
};
use tertulia::{
    codec::{Codec, Decoder, MAX_PACKET_SAMPLES},
    consent::Recordable,
    frame::Channels,
    record::{Recorder, RecorderConfig, Recording},
    render::{What, render},
    sim::Talker,
    speaker::{SpeakerId, VoicePacket},
    time::{MediaTime, SampleTime, Samples},
};

const VOICES: u16 = 8;
const SECONDS: u64 = 600;
const ROUNDS: usize = 3;

fn main() -> Result<(), Box<dyn Error>> {
    let dir = tempfile::tempdir()?;
    // A minute of talk, over and over.
    let talk: Vec<Box<[u8]>> = Talker::new(1).packets().take(3000).collect();
    record(dir.path(), &talk)?;
    let recording = Recording::open(dir.path())?;
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        let bare = timed(|| decode(&talk))?.1 * (u32::from(VOICES) * SECONDS as u32 / 60);
        let one = timed(|| rendered(&recording, &what(1)))?;
        let two = timed(|| rendered(&recording, &what(2)))?;
        rounds.push((bare, one, two));
    }
    rounds.sort_by_key(|round| round.1.1);
    let (bare, (print, one), (other, two)) = &rounds[ROUNDS / 2];
    let speed = |took: &Duration| SECONDS as f64 / took.as_secs_f64();
    println!("{VOICES} voices, {SECONDS} s: mix and stems (median of {ROUNDS} interleaved rounds)");
    println!("bare decoding   {:7.2} s  {:5.0} x real time", bare.as_secs_f64(), speed(bare));
    println!("1 thread        {:7.2} s  {:5.0} x real time", one.as_secs_f64(), speed(one));
    println!("2 threads       {:7.2} s  {:5.0} x real time", two.as_secs_f64(), speed(two));
    println!("the same bits: {}", print.bits == other.bits);
    println!("stems' sum against the sum before the limiter: {} samples differ", print.differing);
    let middle = SECONDS * 24_000;
    let clip = What { range: Some(middle..middle + 3 * 48_000), ..what(1) };
    println!("a clip of 3 s   {:7.2} s", timed(|| rendered(&recording, &clip))?.1.as_secs_f64());
    Ok(())
}

fn what(threads: usize) -> What {
    What { threads: Some(threads), ..What::default() }
}

/// Everybody talks, each at another place of the minute, and comes a second after the one before.
fn record(dir: &Path, talk: &[Box<[u8]>]) -> Result<(), Box<dyn Error>> {
    let config = RecorderConfig { repair: Samples::ZERO, ..RecorderConfig::default() };
    let mut recorder = Recorder::create(dir, config)?;
    for voice in 0..VOICES {
        let at = SampleTime::from_samples(48_000 * u64::from(voice));
        recorder.join(SpeakerId(voice), &format!("voice{voice}"), at)?;
        recorder.open(Recordable::dangerously_without_consent(SpeakerId(voice), at));
    }
    for number in 0..SECONDS * 50 {
        let now = SampleTime::from_samples(960 * number + 300);
        for voice in 0..VOICES {
            recorder.packet(VoicePacket {
                speaker: SpeakerId(voice),
                epoch: 0,
                sequence: number,
                media: MediaTime::ORIGIN + Samples::new(960 * number),
                arrived: now,
                duration: Samples::new(960),
                marker: false,
                payload: &talk[(number as usize + 377 * usize::from(voice)) % talk.len()],
            });
        }
        recorder.advance(now)?;
    }
    recorder.finish(SampleTime::from_samples(SECONDS * 48_000))?;
    Ok(())
}

fn decode(talk: &[Box<[u8]>]) -> Result<(), Box<dyn Error>> {
    let (mut decoder, mut out) = (Decoder::new(Codec::Opus, Channels::Mono)?, vec![0.0; MAX_PACKET_SAMPLES]);
    for packet in talk {
        decoder.decode(packet, &mut out)?;
    }
    Ok(())
}

/// What is left of a render that is too long to be kept.
#[derive(PartialEq)]
struct Print {
    /// FNV-1a of all samples' bits.
    bits: u64,
    /// Samples in which the stems do not sum to the sum.
    differing: usize,
}

fn rendered(recording: &Recording, what: &What) -> Result<Print, Box<dyn Error>> {
    let names: Vec<&String> = recording.manifest().speakers.keys().collect();
    let mut print = Print { bits: 0xCBF2_9CE4_8422_2325, differing: 0 };
    render(recording, what, &mut |block| {
        let mut added = vec![0.0; block.sum.len()];
        for stem in names.iter().filter_map(|name| block.stem(name)) {
            added.iter_mut().zip(stem).for_each(|(sum, sample)| *sum += sample);
        }
        print.differing += added.iter().zip(block.sum).filter(|(a, b)| a.to_bits() != b.to_bits()).count();
        let step =
            |hash: u64, sample: &f32| (hash ^ u64::from(sample.to_bits())).wrapping_mul(0x0100_0000_01B3);
        print.bits = block.mix.iter().fold(print.bits, step);
        Ok(())
    })?;
    Ok(print)
}

#[expect(clippy::disallowed_methods, reason = "a bench measures time")]
fn timed<T>(run: impl FnOnce() -> Result<T, Box<dyn Error>>) -> Result<(T, Duration), Box<dyn Error>> {
    let began = Instant::now();
    run().map(|made| (made, began.elapsed()))
}
