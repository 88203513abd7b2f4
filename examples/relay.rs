//! Does anybody hear when a lone voice is relayed? Two voices from Ogg Opus files: the first speaks all the time, the second
//! says a short word every so often, so that the listeners' stream changes between relayed packets and encoded ones each time.
//! The same evening is played twice, always mixed and relayed, and both coded streams are written beside the mix itself, so
//! that people can listen and programs can score:
//!
//!     cargo run --release --example relay -- VOICE.opus WORDS.opus --out DIR [--seconds 60] [--every-ms 1500] [--word-ms 300]
//!
//! `DIR/mixed/mix.opus` and `DIR/relayed/mix.opus` are the streams, `mix.wav` beside each is what they were made from.

use std::{error::Error, fs, path::PathBuf};
use tertulia::sim::{Meters, Options, Scenario, TraceRow, simulate, write_trace};

struct Arguments {
    voices: [PathBuf; 2],
    out: PathBuf,
    seconds: u64,
    every_ms: u64,
    word_ms: u64,
}

const USAGE: &str = "relay VOICE.opus WORDS.opus --out DIR [--seconds 60] [--every-ms 1500] [--word-ms 300]";

fn main() -> Result<(), Box<dyn Error>> {
    let Some(arguments) = arguments()? else {
        println!("{USAGE}");
        return Ok(());
    };
    fs::create_dir_all(&arguments.out)?;
    let trace = arguments.out.join("words.csv");
    write_trace(&trace, words(&arguments))?;
    for (folder, relay) in [("mixed", false), ("relayed", true)] {
        let file = arguments.out.join(format!("{folder}.toml"));
        fs::write(&file, scenario(&arguments, relay)?)?;
        let out = arguments.out.join(folder);
        simulate(&Scenario::read(&file)?, &Options::default(), &out, Meters::default())?;
        println!("{:8} {}", folder, out.join("mix.opus").display());
    }
    Ok(())
}

/// The packets of the words alone, out of step with the first voice.
fn words(arguments: &Arguments) -> Vec<TraceRow> {
    let spoken = |seq: &u64| seq * 20 % arguments.every_ms < arguments.word_ms;
    let row = |seq: u64| {
        let send_ms = seq as f64 * 20.0 + 7.3;
        TraceRow { seq, send_ms, arrival_ms: Some(send_ms) }
    };
    (50..arguments.seconds * 50).filter(spoken).map(row).collect()
}

fn scenario(arguments: &Arguments, relay: bool) -> Result<String, Box<dyn Error>> {
    let [voice, words] = &arguments.voices;
    let (voice, words) = (fs::canonicalize(voice)?, fs::canonicalize(words)?);
    Ok(format!(
        "[room]\nduration_s = {}\nrelay = {relay}\n\
         [[speaker]]\nname = \"voice\"\nopus = {voice:?}\nloop = true\n\
         [[speaker]]\nname = \"words\"\nopus = {words:?}\ntrace = \"words.csv\"\n",
        arguments.seconds
    ))
}

fn arguments() -> Result<Option<Arguments>, Box<dyn Error>> {
    use lexopt::prelude::{Long, Short, Value, ValueExt as _};
    let (mut files, mut out) = (Vec::new(), None);
    let (mut seconds, mut every_ms, mut word_ms) = (60, 1500, 300);
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("help") | Short('h') => return Ok(None),
            Long("out") => out = Some(PathBuf::from(parser.value()?)),
            Long("seconds") => seconds = parser.value()?.parse()?,
            Long("every-ms") => every_ms = parser.value()?.parse::<u64>()?.max(20),
            Long("word-ms") => word_ms = parser.value()?.parse()?,
            Value(file) => files.push(PathBuf::from(file)),
            other => return Err(other.unexpected().into()),
        }
    }
    let voices = <[PathBuf; 2]>::try_from(files).map_err(|_| format!("expected two voices: {USAGE}"))?;
    let out = out.ok_or_else(|| format!("expected --out DIR: {USAGE}"))?;
    Ok(Some(Arguments { voices, out, seconds, every_ms, word_ms }))
}
