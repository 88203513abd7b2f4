//! Is a voice that may not be kept anywhere? Speaks only where it is not allowed to be kept, records that in every way a
//! recording can go, decodes what was kept in every way it can be decoded, and shows how loud the voice is in it:
//!
//! ```text
//! cargo run --release --example consent_audit
//! cargo run --release --example consent_audit -- --schedules 1000000
//! ```

mod cli;
mod evening;
mod speech;
mod table;

use cli::{Arguments, Call};
use evening::{Artefacts, Evening};
use indicatif::{ProgressBar, ProgressStyle};
use std::process::ExitCode;
use tertulia::sim::{PER_SESSION, Rng, Tally, check_schedules};

/// Below the noise of 16 bits.
const SILENT_DBFS: f64 = -90.0;

fn main() -> ExitCode {
    let leaked = match cli::parse(lexopt::Parser::from_env()) {
        Ok(Call::Help) => {
            print!("{}", cli::HELP);
            Ok(false)
        }
        Ok(Call::Run(arguments)) => audit(&arguments),
        Err(error) => Err(error),
    };
    match leaked {
        Ok(false) => ExitCode::SUCCESS,
        Ok(true) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("consent_audit: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Whether anything leaked.
fn audit(arguments: &Arguments) -> Result<bool, String> {
    let worst_dbfs = evenings(arguments)?;
    let tally = schedules(arguments)?;
    print!("{}", table::schedules(&tally));
    println!("worst: {}", table::verdict(worst_dbfs, SILENT_DBFS));
    Ok(worst_dbfs >= SILENT_DBFS || tally.leaked_samples > 0)
}

/// Records each kind of evening as often as asked for; the loudest that was heard of the voice.
fn evenings(arguments: &Arguments) -> Result<f64, String> {
    let bar = bar(Evening::ALL.len() as u64 * arguments.times, "evenings");
    let (mut rng, mut worst_dbfs) = (Rng::new(arguments.seed), f64::NEG_INFINITY);
    let mut rows = Vec::new();
    for evening in Evening::ALL {
        let mut loudest = Artefacts::NOTHING;
        for _ in 0..arguments.times {
            loudest = loudest.max(evening.record(&mut rng).map_err(|error| error.to_string())?);
            bar.inc(1);
        }
        worst_dbfs = worst_dbfs.max(if evening.is_kept() { loudest.worst_dbfs() } else { f64::NEG_INFINITY });
        rows.push((evening, loudest));
    }
    bar.finish_and_clear();
    print!("{}", table::evenings(&rows, arguments));
    Ok(worst_dbfs)
}

fn schedules(arguments: &Arguments) -> Result<Tally, String> {
    let dir = tempfile::tempdir().map_err(|error| format!("cannot make a scratch folder: {error}"))?;
    let sessions = arguments.schedules.div_ceil(PER_SESSION);
    let (bar, mut tally) = (bar(sessions, "sessions"), Tally::default());
    for session in 0..sessions {
        let seed = arguments.seed.wrapping_add(session);
        tally += check_schedules(seed, dir.path()).map_err(|error| error.to_string())?;
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(tally)
}

/// Only seen on a terminal.
fn bar(length: u64, what: &'static str) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} {msg} {eta}");
    let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(length).with_style(style).with_message(what)
}
