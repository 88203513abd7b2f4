//! Finishes a recording whose recorder died: `cargo run --release --example recover -- DIR...`
//!
//! Says for each track how far it was whole and what was lost. Once more changes nothing.

use std::{env, path::Path, process::ExitCode};
use tertulia::{
    record::{RecordError, Recovery, Seals, recover, recover_sealed},
    time::SampleTime,
};

const HELP: &str = "usage: recover [--keys KEYS] DIR...
Finishes each recording folder whose recorder died (a signal, a power failure, a lost disk): cuts what is not whole, ends
every track where the room ended, rebuilds session.json with every gap, its cause and the files' hashes. A folder that is
whole stays as it is. Sealed tracks need the folder of their keys: --keys, for the folders behind it.";

fn main() -> ExitCode {
    let dirs: Vec<String> = env::args().skip(1).collect();
    if dirs.is_empty() || dirs.iter().any(|dir| dir == "-h" || dir == "--help") {
        println!("{HELP}");
        return if dirs.is_empty() { ExitCode::FAILURE } else { ExitCode::SUCCESS };
    }
    let (mut failed, mut keys) = (false, None);
    let mut dirs = dirs.iter();
    while let Some(dir) = dirs.next() {
        if dir == "--keys" {
            keys = dirs.next();
            continue;
        }
        match finish(Path::new(dir), keys) {
            Ok(recovery) => print(dir, &recovery),
            Err(error) => {
                eprintln!("error: {error}");
                failed = true;
            }
        }
    }
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn finish(dir: &Path, keys: Option<&String>) -> Result<Recovery, RecordError> {
    match keys {
        Some(keys) => recover_sealed(dir, &Seals::random(Path::new(keys))?),
        None => recover(dir),
    }
}

fn print(dir: &str, recovery: &Recovery) {
    let seconds = |samples: u64| SampleTime::from_samples(samples).as_ms() / 1e3;
    let Recovery { was_whole, samples, tracks, redacted } = recovery;
    if let Some(redacted) = redacted {
        println!("{dir}: a redaction is done now: {} packets taken out", redacted.packets);
    }
    if *was_whole {
        println!("{dir}: whole, {:.3} s; nothing to do", seconds(*samples));
        return;
    }
    println!("{dir}: {:.3} s, finished now", seconds(*samples));
    for (name, track) in tracks {
        let lost = samples.saturating_sub(track.reached);
        println!(
            "  {name}: {:.3} s whole, {:.3} s lost at the end, {} bytes cut",
            seconds(track.reached),
            seconds(lost),
            track.dropped_bytes
        );
        for gap in &track.damaged {
            println!("    damaged: {:.3} to {:.3} s", seconds(gap.from_sample), seconds(gap.to_sample));
        }
    }
}
