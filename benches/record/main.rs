//! What recording costs: the processor time of 200 tracks at once on a real disk, all of them talking; and what is left of it in
//! the ticks of a stage whose rooms are recorded, and not, in turns.
//!
//!     cargo bench --bench record -- [--seconds S] [--tracks N] [--turns N]

#[path = "../rooms/cpu.rs"]
mod cpu;
#[path = "../crowd/mod.rs"]
mod crowd;
mod ticks;
mod tracks;

use std::{error::Error, process::ExitCode};

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("record: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    use lexopt::prelude::*;
    let (mut seconds, mut count, mut turns) = (20, 200, 3);
    let mut parser = lexopt::Parser::from_env();
    while let Some(arg) = parser.next()? {
        match arg {
            Long("seconds") => seconds = parser.value()?.parse()?,
            Long("tracks") => count = parser.value()?.parse()?,
            Long("turns") => turns = parser.value()?.parse()?,
            // What cargo adds.
            Long("bench") => {}
            other => return Err(other.unexpected().into()),
        }
    }
    tracks::at_once(count, seconds)?;
    ticks::with_and_without(turns)
}
