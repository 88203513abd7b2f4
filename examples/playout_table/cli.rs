//! The command line.

use lexopt::prelude::*;
use std::path::PathBuf;

pub(crate) const HELP: &str = "\
Plays traces with this crate's engine, and with the buffers and bounds it is compared to: delay, concealment, cost.

Usage: playout_table [TRACES_DIR_or_FILES...] [options]

Without traces it makes its own: two minutes of each of its seeded network families.

  --opus FILE             the voice (default: the panel's); it speaks where the traces' vad column
                          says so, coded again at 32 kb/s
  --ms-per-percent L...   also run the engine with its knob at L, to compare at equal concealment
  --fec                   senders carry in-band FEC, coded for 30 % loss
  --all                   first without FEC, then with it
  --seed N                of the network families (default: 1)
  --reference FILE        figures of the real NetEq without FEC, trace,j20,j100[,d] (those of seventeen
                          traces are built in): how far is the port, how far are we?
  --csv FILE              the figures for machines
  --write-traces DIR      writes the network families as traces, and stops
  --help                  this text
";

#[derive(Debug, Default, PartialEq)]
pub(crate) struct Arguments {
    pub(crate) help: bool,
    pub(crate) traces: Vec<PathBuf>,
    pub(crate) opus: Option<PathBuf>,
    pub(crate) more_ms_per_percent: Vec<u32>,
    /// Without and with in-band FEC, in this order.
    pub(crate) with_fec: Vec<bool>,
    pub(crate) seed: u64,
    pub(crate) reference: Option<PathBuf>,
    pub(crate) csv: Option<PathBuf>,
    pub(crate) write_traces: Option<PathBuf>,
}

pub(crate) fn parse(mut parser: lexopt::Parser) -> Result<Arguments, String> {
    let mut arguments = Arguments { with_fec: vec![false], seed: 1, ..Arguments::default() };
    while let Some(argument) = parser.next().map_err(one_line)? {
        match argument {
            Long("help") | Short('h') => arguments.help = true,
            Long("opus") => arguments.opus = Some(path(&mut parser)?),
            Long("ms-per-percent") => arguments.more_ms_per_percent.extend(numbers(&mut parser)?),
            Long("fec") => arguments.with_fec = vec![true],
            Long("all") => arguments.with_fec = vec![false, true],
            Long("seed") => arguments.seed = one_number(&mut parser)?,
            Long("reference") => arguments.reference = Some(path(&mut parser)?),
            Long("csv") => arguments.csv = Some(path(&mut parser)?),
            Long("write-traces") => arguments.write_traces = Some(path(&mut parser)?),
            Value(trace) => arguments.traces.push(trace.into()),
            other => return Err(one_line(other.unexpected())),
        }
    }
    Ok(arguments)
}

fn path(parser: &mut lexopt::Parser) -> Result<PathBuf, String> {
    let value = parser.value().map_err(one_line)?;
    if value.is_empty() { Err("expected a path, found \"\", see --help".into()) } else { Ok(value.into()) }
}

fn one_number(parser: &mut lexopt::Parser) -> Result<u64, String> {
    parser.value().and_then(|value| value.parse()).map_err(one_line)
}

/// All values up to the next option that are numbers; what is none is a trace.
fn numbers(parser: &mut lexopt::Parser) -> Result<Vec<u32>, String> {
    let mut numbers = vec![parser.value().and_then(|value| value.parse()).map_err(one_line)?];
    while let Some(mut rest) = parser.try_raw_args() {
        let number = rest.peek().and_then(|next| next.to_str()).and_then(|next| next.parse().ok());
        let Some(number) = number else { break };
        rest.next();
        numbers.push(number);
    }
    Ok(numbers)
}

#[expect(clippy::needless_pass_by_value, reason = "it is made for map_err")]
fn one_line(error: lexopt::Error) -> String {
    format!("{error}, see --help")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(arguments: &[&str]) -> Result<Arguments, String> {
        parse(lexopt::Parser::from_iter(["playout_table"].iter().chain(arguments)))
    }

    #[test]
    fn traces_and_options_stand_in_any_order() {
        let arguments = parsed(&["a.csv", "--ms-per-percent", "50", "200", "b.csv", "--all"]).unwrap();
        assert_eq!(arguments.traces, [PathBuf::from("a.csv"), PathBuf::from("b.csv")]);
        assert_eq!(arguments.more_ms_per_percent, [50, 200]);
        assert_eq!(arguments.with_fec, [false, true]);
        assert_eq!(parsed(&[]).unwrap().with_fec, [false]);
    }

    #[test]
    fn a_mistake_is_one_line() {
        for wrong in [&["--ms-per-percent", "x"][..], &["--csv"], &["--fly"], &["--opus", ""]] {
            let error = parsed(wrong).unwrap_err();
            assert!(error.ends_with("see --help") && !error.contains('\n'), "{error}");
        }
    }
}
