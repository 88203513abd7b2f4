//! How exactly recordings line up: speakers whose clocks run fast and slow, stand still and begin anew say a click every five
//! seconds, over a network that loses and delays. Their tracks and stems are decoded, the clicks looked for in them.
//!
//! `cargo run --release --example align -- --minutes 120`

mod cli;
#[path = "../load/click.rs"]
mod click;
mod listen;
mod room;
mod sender;
mod story;
mod table;

use cli::{Arguments, HELP};
use indicatif::ProgressBar;
use std::{error::Error, path::Path, process::ExitCode};

fn main() -> ExitCode {
    let done = cli::parse(lexopt::Parser::from_env()).map_err(Into::into).and_then(|it| run(&it));
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Whether all is where it belongs.
fn run(arguments: &Arguments) -> Result<bool, Box<dyn Error>> {
    if arguments.help {
        print!("{HELP}");
        return Ok(true);
    }
    match &arguments.out {
        Some(dir) => measure(arguments, dir),
        None => measure(arguments, tempfile::tempdir()?.path()),
    }
}

fn measure(arguments: &Arguments, dir: &Path) -> Result<bool, Box<dyn Error>> {
    let bar = ProgressBar::new(3);
    let recorded = room::record(arguments, dir)?;
    bar.inc(1);
    let tracks = listen::to_tracks(dir, &recorded)?;
    bar.inc(1);
    let stems = listen::to_stems(dir, &recorded)?;
    bar.finish_and_clear();
    Ok(table::print(arguments, &recorded, &tracks, &stems))
}
