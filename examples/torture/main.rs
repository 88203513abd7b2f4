//! Recorders under torture: killed, without power, with disks that fail. Everything is seeded, and checked to the sample.
//!
//! `cargo run --release --example torture -- --kills 1000 --seed 1`

mod drill;
mod faults;
mod kills;
mod limits;
mod stall;

use faults::Outage;
use indicatif::ProgressBar;
use kills::Deaths;
use lexopt::prelude::*;
use std::{error::Error, path::PathBuf, process::ExitCode};

const HELP: &str = "\
Kills recorders, cuts their power, breaks their disks, and checks what is left to the sample.

Usage: torture [options]

  --kills N    child processes to kill (default: 1000)
  --cuts N     power failures to simulate (default: as many)
  --seed S     of all that is random (default: 1)
  --stall-s S  how long a disk does not answer, in real time (default: 10)
  --quick      20 kills, 40 power failures, 3 s
  --help       this text
";

#[derive(Debug)]
struct Arguments {
    help: bool,
    kills: u64,
    cuts: Option<u64>,
    seed: u64,
    stall_s: u64,
    child: Option<PathBuf>,
}

fn main() -> ExitCode {
    let done = arguments(lexopt::Parser::from_env()).map_err(Into::into).and_then(|it| run(&it));
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn arguments(mut parser: lexopt::Parser) -> Result<Arguments, lexopt::Error> {
    let mut arguments =
        Arguments { help: false, kills: 1_000, cuts: None, seed: 1, stall_s: 10, child: None };
    while let Some(argument) = parser.next()? {
        match argument {
            Long("help") | Short('h') => arguments.help = true,
            Long("kills") => arguments.kills = parser.value()?.parse()?,
            Long("cuts") => arguments.cuts = Some(parser.value()?.parse()?),
            Long("seed") => arguments.seed = parser.value()?.parse()?,
            Long("stall-s") => arguments.stall_s = parser.value()?.parse()?,
            Long("quick") => (arguments.kills, arguments.cuts, arguments.stall_s) = (20, Some(40), 3),
            Long("child") => arguments.child = Some(parser.value()?.into()),
            _ => return Err(argument.unexpected()),
        }
    }
    Ok(arguments)
}

/// Whether all is well.
fn run(arguments: &Arguments) -> Result<bool, Box<dyn Error>> {
    let Arguments { kills, seed, .. } = *arguments;
    if arguments.help {
        print!("{HELP}");
        return Ok(true);
    }
    if let Some(dir) = &arguments.child {
        kills::child(dir, seed)?;
    }
    let bar = ProgressBar::new(kills);
    let killed = kills::kill(kills, seed, |round| bar.set_position(round))?;
    bar.finish_and_clear();
    let killed = tell("processes killed", &killed);
    let cuts = arguments.cuts.unwrap_or(kills);
    let bar = ProgressBar::new(cuts);
    let cut = kills::cut_power(cuts, seed, |round| bar.set_position(round))?;
    bar.finish_and_clear();
    let cut = tell("power failures", &cut);
    let broken = tell_outages(&faults::outages(seed)?);
    let bounded = limits::tell(seed)?;
    let stalled = stall::tell(arguments.stall_s)?;
    Ok(killed && cut && broken && bounded && stalled)
}

fn ms(samples: u64) -> u64 {
    samples / 48
}

fn tell(what: &str, deaths: &Deaths) -> bool {
    let Deaths { rounds, room_samples, packets, parted, lost, failures } = deaths;
    println!(
        "{rounds} {what}, {} s of rooms, {packets} packets found, each on its sample",
        room_samples / 48_000
    );
    println!("  {} sessions in several parts, {} at most", parted.0, parted.1);
    for (name, lost) in drill::VOICES.iter().zip(lost) {
        println!("  {name:8} lost at most {:5} ms", ms(*lost));
    }
    for failure in failures.iter().take(10) {
        println!("  FAILED: {failure}");
    }
    println!("  {} failures\n", failures.len());
    failures.is_empty()
}

fn tell_outages(outages: &[Outage]) -> bool {
    println!("disk            for    told after   well after   lost of 200 s");
    for outage in outages {
        let Outage { name, seconds, told_after, well_after, lost, failure, .. } = outage;
        let or_never = |at: &Option<u64>| at.map_or("never".into(), |at| format!("{} ms", ms(at)));
        println!(
            "{name:12} {seconds:4} s {:>12} {:>12} {:>9} ms {}",
            or_never(told_after),
            or_never(well_after),
            ms(*lost),
            failure.as_deref().unwrap_or_default()
        );
    }
    let is_told = |it: &Outage| it.told_after.is_some() != it.keeps_up && it.well_after.is_some();
    outages.iter().all(|it| it.failure.is_none() && is_told(it))
}
