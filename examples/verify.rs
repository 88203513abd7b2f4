//! Checks a room's log from outside, with nothing but its files: any bit that was changed, any entry that was left out,
//! added or moved is found, and said in one line.
//!
//! `cargo run --release --example verify -- evening.log head.json --receipt receipt.json`
use std::{fs, process::ExitCode};
use tertulia::room::{Audit, Hex, sha256};

const HELP: &str = "\
verify LOG HEAD [--key HEX] [--older HEAD] [--receipt FILE] [--proof FILE] [--clip FILE] [--deleted FILE]

  LOG             a room's journal
  HEAD            its signed head
  --key HEX       whose signature is expected (64 digits); without it, whoever signed the head
  --older HEAD    an older head must be the beginning of this log
  --receipt FILE  a consent receipt must say what the log says
  --proof FILE    an entry handed out (a deletion, a recording, an access) must be in the log
  --clip FILE     a sound bite's papers must be of this room
  --deleted FILE  these bytes must be none that the log says were deleted

All but LOG and HEAD may be given more than once. Ends with 0 if everything is as it was signed, with 1 if not.";

struct Arguments {
    files: Vec<String>,
    key: Option<Hex<32>>,
    checks: Vec<(String, String)>,
}

fn main() -> ExitCode {
    match arguments()
        .and_then(|arguments| arguments.map_or_else(|| Ok(HELP.to_owned()), |given| verify(&given)))
    {
        Ok(text) => {
            println!("{text}");
            ExitCode::SUCCESS
        }
        Err(fault) => {
            eprintln!("{fault}");
            ExitCode::FAILURE
        }
    }
}

/// None if help is wanted.
fn arguments() -> Result<Option<Arguments>, String> {
    use lexopt::prelude::*;
    let (mut parser, mut given) =
        (lexopt::Parser::from_env(), Arguments { files: Vec::new(), key: None, checks: Vec::new() });
    let text =
        |value: std::ffi::OsString| value.into_string().map_err(|text| format!("{text:?}: expected UTF-8"));
    while let Some(argument) = parser.next().map_err(|error| error.to_string())? {
        match argument {
            Long("help") | Short('h') => return Ok(None),
            Long("key") => {
                let key = text(parser.value().map_err(|error| error.to_string())?)?;
                given.key = Some(key.parse().map_err(|fault| format!("--key: {fault}"))?);
            }
            Long(check @ ("older" | "receipt" | "proof" | "clip" | "deleted")) => {
                let check = check.to_owned();
                given.checks.push((check, text(parser.value().map_err(|error| error.to_string())?)?));
            }
            Value(file) => given.files.push(text(file)?),
            other => return Err(format!("{}; see --help", other.unexpected())),
        }
    }
    if given.files.len() == 2 { Ok(Some(given)) } else { Err("expected LOG and HEAD; see --help".to_owned()) }
}

fn verify(given: &Arguments) -> Result<String, String> {
    let [log, head] = [0, 1].map(|place| given.files[place].as_str());
    let audit = Audit::of(&read(log)?, &read(head)?, given.key).map_err(|flaw| format!("{log}: {flaw}"))?;
    let mut told = vec![format!("{log}: {} entries, as signed", audit.head().size)];
    for (check, file) in &given.checks {
        let bytes = read(file)?;
        let result = match check.as_str() {
            "older" => audit.goes_on_from(&bytes).map(|head| format!("goes on from {} entries", head.size)),
            "receipt" => audit.receipt(&bytes).map(|record| {
                let status = &record.status[0];
                format!("{} {} for {}", record.data_subject, status.status, record.process.purpose)
            }),
            "proof" => audit
                .excerpt(&bytes)
                .map(|excerpt| format!("entry {}: {}", excerpt.entry.n, excerpt.entry.to_json())),
            "clip" => audit.clip(&bytes).map(|(parent, span)| {
                let [from, to] = [span.from_sample, span.to_sample].map(|at| at.samples());
                format!("samples {from} to {to} of recording {}", parent.0)
            }),
            _ => audit.is_not_deleted(sha256(&bytes)).map(|()| "none of what was deleted".to_owned()),
        };
        told.push(format!("{file}: {}", result.map_err(|flaw| format!("{file}: {flaw}"))?));
    }
    Ok(told.join("\n"))
}

fn read(file: &str) -> Result<Vec<u8>, String> {
    fs::read(file).map_err(|error| format!("{file}: {error}"))
}
