//! The command line.

use lexopt::prelude::*;
use std::path::PathBuf;
use tertulia::{sim::Options, time::Quantum};

pub(crate) const HELP: &str = "\
Runs a room in simulated time: live mix, one recording a voice, and what became of every packet.

Usage: simulate SCENARIO.toml --out DIR [options]

  --out DIR              where the results go
  --minus                also write what each speaker hears, minus/NAME.wav
  --plot                 also draw the delays, playout.svg
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

pub(crate) fn parse(mut parser: lexopt::Parser) -> Result<Call, String> {
    let (mut scenario, mut out, mut options) = (None, None, Options::default());
    let mut given = Vec::new();
    while let Some(argument) = parser.next().map_err(one_line)? {
        if let Long(name) = argument {
            once(name, &mut given)?;
        }
        match argument {
            Long("help") | Short('h') => return Ok(Call::Help),
            Long("out") => out = Some(folder(&mut parser)?),
            Long("minus") => options.minus = true,
            Long("plot") => options.history = true,
            Long("quantum-ms") => {
                options.quantum = Some(quantum(number(&mut parser, "--quantum-ms", "a number")?)?)
            }
            Long("ms-per-percent") => {
                options.ms_per_percent = number(&mut parser, "--ms-per-percent", WHOLE)?
            }
            Long("seed") => options.seed = number(&mut parser, "--seed", WHOLE)?,
            Value(file) if scenario.is_none() => scenario = Some(PathBuf::from(file)),
            other => return Err(one_line(other.unexpected())),
        }
    }
    let scenario = scenario.ok_or("expected SCENARIO.toml, see --help")?;
    let out = out.ok_or("expected --out DIR, see --help")?;
    Ok(Call::Run(Arguments { scenario, out, options }))
}

const WHOLE: &str = "a whole number, 0 or more";

fn once(name: &str, given: &mut Vec<String>) -> Result<(), String> {
    if given.iter().any(|other| other == name) {
        return Err(format!("expected --{name} once, it is given twice"));
    }
    given.push(name.to_owned());
    Ok(())
}

fn folder(parser: &mut lexopt::Parser) -> Result<PathBuf, String> {
    let value = parser.value().map_err(one_line)?;
    if value.is_empty() { Err("expected a folder after --out, found \"\"".into()) } else { Ok(value.into()) }
}

fn number<T: std::str::FromStr>(
    parser: &mut lexopt::Parser,
    name: &str,
    expected: &str,
) -> Result<T, String> {
    let value = parser.value().map_err(one_line)?;
    let number = value.to_str().and_then(|text| text.parse().ok());
    number.ok_or_else(|| format!("{name}: expected {expected}, found {value:?}"))
}

fn quantum(ms: f64) -> Result<Quantum, String> {
    Quantum::from_ms(ms).ok_or_else(|| format!("expected --quantum-ms 2.5, 5, 10 or 20, found {ms}"))
}

#[expect(clippy::needless_pass_by_value, reason = "it is made for map_err")]
fn one_line(error: lexopt::Error) -> String {
    format!("{error}, see --help")
}
