//! How good is the playout? Our engine, NetEq's control logic, other buffers and the bounds of what is possible, on the
//! same traces:
//!
//! ```text
//! cargo run --release --example playout_table -- TRACES_DIR
//! ```
//!
//! Definitions: D is the mean of playout − send − smallest transit of the trace, over the first samples of all heard
//! packets. C is the percentage of output that was invented, or of content never heard, whichever is larger. J20 = D + 20·C
//! and J100 = D + 100·C: what delay and concealment cost together where a percent of concealment is worth 20 or 100 ms.
//! Our engine's J20 is from a run with its knob at 20, everything else from one with its knob at 100.

mod clairvoyant;
mod cli;
mod csv;
mod families;
mod fixed;
mod line;
mod measure;
mod neteq;
mod neteq_target;
mod ours;
mod reference;
mod speex;
mod table;
mod talkspurt;
mod trace;
mod voice;
mod ways;

use cli::Arguments;
use indicatif::{ProgressBar, ProgressStyle};
use line::{Line, line};
use reference::Reference;
use std::{
    fs,
    path::Path,
    process::ExitCode,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};
use trace::Trace;
use voice::Speaker;

/// Traces are played on so many threads at once.
const THREADS: usize = 2;

fn main() -> ExitCode {
    match cli::parse(lexopt::Parser::from_env()).and_then(|arguments| run(&arguments)) {
        Ok(text) => {
            print!("{text}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("playout_table: {error}");
            ExitCode::FAILURE
        }
    }
}

/// What is to be printed.
fn run(arguments: &Arguments) -> Result<String, String> {
    if arguments.help {
        return Ok(cli::HELP.to_owned());
    }
    if let Some(folder) = &arguments.write_traces {
        return write_families(folder, arguments.seed);
    }
    let traces = match arguments.traces.is_empty() {
        true => families::families(arguments.seed),
        false => trace::read_all(&arguments.traces)?,
    };
    let reference = arguments.reference.as_deref().map(Reference::read).transpose()?;
    let (mut text, mut runs) = (String::new(), Vec::new());
    for fec in &arguments.with_fec {
        let speaker = Speaker::read(arguments.opus.as_deref(), *fec)?;
        let lines = play(&traces, &speaker, &arguments.more_ms_per_percent)?;
        text += &table::render(&lines, *fec);
        let known = Reference::known(*fec)?;
        text += &table::against(&lines, reference.as_ref().filter(|_| !fec).unwrap_or(&known), *fec);
        runs.push((*fec, lines));
    }
    if let Some(file) = &arguments.csv {
        fs::write(file, csv::render(&runs)).map_err(|error| format!("{}: {error}", file.display()))?;
    }
    Ok(text)
}

/// Plays all traces, several at once; the lines stand in the traces' order.
fn play(traces: &[Trace], speaker: &Speaker, more: &[u32]) -> Result<Vec<Line>, String> {
    let (next, bar) = (AtomicUsize::new(0), progress(traces.len()));
    let lines = Mutex::new(Vec::with_capacity(traces.len()));
    let work = || {
        while let Some((place, trace)) = take(&next, traces) {
            let line = line(trace, speaker, more);
            lines.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).push((place, line));
            bar.inc(1);
        }
    };
    thread::scope(|scope| (0..THREADS).for_each(|_| drop(scope.spawn(work))));
    bar.finish_and_clear();
    let mut lines = lines.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner());
    lines.sort_by_key(|(place, _)| *place);
    lines.into_iter().map(|(_, line)| line).collect()
}

fn take<'a>(next: &AtomicUsize, traces: &'a [Trace]) -> Option<(usize, &'a Trace)> {
    let place = next.fetch_add(1, Ordering::Relaxed);
    traces.get(place).map(|trace| (place, trace))
}

/// Draws on standard error, and only if that is a terminal.
fn progress(traces: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:50} {pos} of {len} traces")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(traces as u64).with_style(style)
}

fn write_families(folder: &Path, seed: u64) -> Result<String, String> {
    let failed = |error| format!("{}: expected a writable folder: {error}", folder.display());
    fs::create_dir_all(folder).map_err(failed)?;
    let traces = families::families(seed);
    for trace in &traces {
        let file = folder.join(&trace.name).with_extension("csv");
        fs::write(&file, trace.to_csv()).map_err(failed)?;
    }
    Ok(format!("{} traces in {}\n", traces.len(), folder.display()))
}
