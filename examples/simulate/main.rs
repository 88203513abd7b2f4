//! Runs a scenario in simulated time and shows what became of every voice:
//!
//! ```text
//! cargo run --release --example simulate -- examples/panel/panel.toml --out out
//! ```

mod cli;
mod plot;
mod sheet;
mod table;
mod thin;
mod timeline;

use cli::{Arguments, Call};
use indicatif::{ProgressBar, ProgressStyle};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use std::{alloc::System, error::Error, path::Path, process::ExitCode, time::Instant};
use tertulia::sim::{Meters, Scenario, simulate};

/// Counts allocations, so that the report can say that a tick makes none.
#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

fn main() -> ExitCode {
    let result = match cli::parse(lexopt::Parser::from_env()) {
        Ok(Call::Help) => {
            print!("{}", cli::HELP);
            Ok(())
        }
        Ok(Call::Run(arguments)) => run(&arguments),
        Err(error) => Err(error),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("simulate: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), String> {
    let scenario = Scenario::read(&arguments.scenario).map_err(|error| error.to_string())?;
    let began = now();
    let outcome = simulate(&scenario, &arguments.options, &arguments.out, meters(began));
    let outcome = outcome.map_err(|error| error.to_string())?;
    let took_s = began.elapsed().as_secs_f64();
    picture(arguments, "timeline.svg", |path| timeline::draw(path, &outcome))?;
    if arguments.options.history {
        picture(arguments, "playout.svg", |path| plot::draw(path, &outcome))?;
    }
    print!("{}", table::render(&outcome, &arguments.out, took_s, &arguments.options));
    Ok(())
}

fn picture(
    arguments: &Arguments,
    name: &str,
    draw: impl FnOnce(&Path) -> Result<(), Box<dyn Error>>,
) -> Result<(), String> {
    let path = arguments.out.join(name);
    draw(&path).map_err(|error| format!("{}: {error}", path.display()))
}

fn meters(began: Instant) -> Meters<'static> {
    let style =
        ProgressStyle::with_template("{bar:50} {percent} %").unwrap_or_else(|_| ProgressStyle::default_bar());
    // Draws on standard error, and only if that is a terminal.
    let bar = ProgressBar::new(1000).with_style(style);
    Meters {
        progress: Box::new(move |part| {
            bar.set_position((part * 1000.0) as u64);
            if part >= 1.0 {
                bar.finish_and_clear();
            }
        }),
        now_ns: Box::new(move || began.elapsed().as_nanos() as u64),
        allocations: Box::new(|| {
            let stats = ALLOCATOR.stats();
            (stats.allocations + stats.reallocations) as u64
        }),
    }
}

#[expect(clippy::disallowed_methods, reason = "what a tick takes is measured from outside the machine")]
fn now() -> Instant {
    Instant::now()
}
