//! The command line.

use lexopt::prelude::*;
use std::path::PathBuf;
use tertulia::{sim::Options, time::Quantum};

pub(crate) const HELP: &str = "\
Runs a room in simulated time: live mix, one recording a voice, and what became of every packet.

Usage: simulate SCENARIO.toml --out DIR [options]

  --out DIR              where the results go
  --minus                also write what each speaker hears, minus/NAME.wav
  --quantum-ms MS        advance by 2.5, 5, 10 or 20 ms (default: the scenario's, else 10)
  --ms-per-percent MS    playout delay worth one percent of concealment (default: 100)
  --seed N               what senders draw at random (default: 1)
  --help                 this text
";

pub(crate) enum Call {
    Help,
    Run(Arguments),
}

pub(crate) struct Arguments {
    pub(crate) scenario: PathBuf,
    pub(crate) out: PathBuf,
    pub(crate) options: Options,
}

pub(crate) fn parse() -> Result<Call, String> {
    let (mut scenario, mut out, mut options) = (None, None, Options::default());
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next().map_err(one_line)? {
        match argument {
            Long("help") | Short('h') => return Ok(Call::Help),
            Long("out") => out = Some(PathBuf::from(parser.value().map_err(one_line)?)),
            Long("minus") => options.minus = true,
            Long("quantum-ms") => options.quantum = Some(quantum(number(&mut parser, "--quantum-ms")?)?),
            Long("ms-per-percent") => options.ms_per_percent = number(&mut parser, "--ms-per-percent")?,
            Long("seed") => options.seed = number(&mut parser, "--seed")?,
            Value(file) if scenario.is_none() => scenario = Some(PathBuf::from(file)),
            other => return Err(one_line(other.unexpected())),
        }
    }
    let scenario = scenario.ok_or("expected SCENARIO.toml, see --help")?;
    let out = out.ok_or("expected --out DIR, see --help")?;
    Ok(Call::Run(Arguments { scenario, out, options }))
}

fn number<T: std::str::FromStr>(parser: &mut lexopt::Parser, name: &str) -> Result<T, String> {
    let value = parser.value().map_err(one_line)?;
    let number = value.to_str().and_then(|text| text.parse().ok());
    number.ok_or_else(|| format!("expected a number after {name}, found {value:?}"))
}

fn quantum(ms: f64) -> Result<Quantum, String> {
    Quantum::from_ms(ms).ok_or_else(|| format!("expected --quantum-ms 2.5, 5, 10 or 20, found {ms}"))
}

#[expect(clippy::needless_pass_by_value, reason = "it is made for map_err")]
fn one_line(error: lexopt::Error) -> String {
    format!("{error}, see --help")
}
