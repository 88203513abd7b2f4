//! How long ticks take and how late they begin, on a worker that is a quarter, a half and four fifths full of rooms of five
//! in which one talks: p50 to p99.99, the largest, and deadlines missed; beside them how long the machine kept the worker from a
//! core that it wanted, all in all and within a tenth of a second. Real time, real threads, no sockets, always mixed.
//!
//!     cargo bench --bench latency -- [--seconds S] [--load PERCENT]... [--quantum-ms N] [--in-step] [--hog | --moves]
//!         [--svg FILE]
//!
//! Turns to talk end at different moments in different rooms; `--in-step` lets all of them end at once, which for half a second
//! is twice the work.

mod away;
#[path = "../crowd/mod.rs"]
mod crowd;
mod fill;
mod hog;
mod moves;
mod picture;

use away::{Away, Watch};
use crowd::{Crowd, Manners};
use std::{
    error::Error,
    path::PathBuf,
    process::ExitCode,
    thread,
    time::{Duration, Instant},
};
use tertulia::{
    engine::RoomConfig,
    live::{Control, Notice, Rung, Stage, StageConfig, WorkerStats},
    time::{Quantum, Samples},
};

const PEOPLE: Manners = Manners { speakers: 5, talking: 1, jitter: Samples::ZERO, loss_percent: 0.0 };

struct Args {
    seconds: f64,
    loads: Vec<f64>,
    quantum: Quantum,
    in_step: bool,
    hog: bool,
    moves: bool,
    svg: Option<PathBuf>,
}

/// One load, measured.
pub(crate) struct Row {
    aimed_percent: f64,
    rooms: usize,
    stats: WorkerStats,
    quantum: Quantum,
    away: Away,
}

fn main() -> ExitCode {
    match args().and_then(|args| run(&args).map_err(|error| error.to_string())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(line) => {
            eprintln!("latency: {line}");
            ExitCode::FAILURE
        }
    }
}

fn args() -> Result<Args, String> {
    use lexopt::prelude::*;
    let mut args = Args {
        seconds: 3.0,
        loads: Vec::new(),
        quantum: Quantum::Ms10,
        in_step: false,
        hog: false,
        moves: false,
        svg: None,
    };
    let mut parser = lexopt::Parser::from_env();
    let one_line = |error: lexopt::Error| error.to_string();
    while let Some(arg) = parser.next().map_err(one_line)? {
        match arg {
            Long("seconds") => {
                args.seconds = parser.value().and_then(|value| value.parse()).map_err(one_line)?
            }
            Long("load") => {
                args.loads.push(parser.value().and_then(|value| value.parse()).map_err(one_line)?)
            }
            Long("quantum-ms") => {
                let ms: f64 = parser.value().and_then(|value| value.parse()).map_err(one_line)?;
                args.quantum = Quantum::from_ms(ms).ok_or("--quantum-ms: expected 2.5, 5, 10 or 20")?;
            }
            Long("in-step") => args.in_step = true,
            Long("hog") => args.hog = true,
            Long("moves") => args.moves = true,
            Long("svg") => args.svg = Some(parser.value().map_err(one_line)?.into()),
            // What cargo adds.
            Long("bench") => {}
            other => return Err(one_line(other.unexpected())),
        }
    }
    if args.loads.is_empty() && !args.hog {
        args.loads = vec![25.0, 50.0, 80.0];
    }
    Ok(args)
}

fn run(args: &Args) -> Result<(), Box<dyn Error>> {
    if args.moves {
        return moves::run(args.seconds.max(4.0));
    }
    if args.hog {
        return hog::run(args.seconds.max(10.0));
    }
    let cost = room_cost(args)?;
    println!(
        "a room of 5, one talks: {:.3} % of a core; quantum {} ms, {} s a load",
        cost * 100.0,
        args.quantum.samples().as_ms(),
        args.seconds
    );
    println!(
        "{:>6} {:>6} {:>6} | {:>8} {:>8} {:>8} {:>8} {:>8} | {:>8} {:>8} {:>8} {:>8} {:>8} | {:>8} {:>6} {:>6} | {:>10} {:>10} {:>10}",
        "aim",
        "load",
        "rooms",
        "tick p50",
        "p99",
        "p99.9",
        "p99.99",
        "max",
        "late p50",
        "p99",
        "p99.9",
        "p99.99",
        "max",
        "ticks",
        "missed",
        "shed",
        "no core ms",
        "most/0.1 s",
        "stolen ms"
    );
    let mut rows = Vec::new();
    for aimed_percent in &args.loads {
        let rooms = ((aimed_percent / 100.0 / cost).round() as usize).max(1);
        let row = measure(rooms, *aimed_percent, args)?;
        print(&row);
        rows.push(row);
    }
    println!("times in µs; p99.99 of a tick as a part of its quantum: {}", parts(&rows));
    match &args.svg {
        Some(file) => Ok(picture::draw(file, &rows)?),
        None => Ok(()),
    }
}

/// The part of a core that one room takes.
fn room_cost(args: &Args) -> Result<f64, Box<dyn Error>> {
    let (mut stage, mut crowd) = house(24, args)?;
    go_on(&mut stage, &mut crowd, 2.0);
    let loads: f64 = stage.stats().rooms.iter().map(|room| f64::from(room.load)).sum();
    Ok((loads / 24.0).max(1e-5))
}

fn house(rooms: usize, args: &Args) -> Result<(Control, Crowd), Box<dyn Error>> {
    let mut stage = Stage::start(StageConfig::default())?;
    for warning in stage.warnings() {
        eprintln!("warning: {warning}");
    }
    let mut crowd = Crowd::new(1);
    crowd.in_step = args.in_step;
    for _ in 0..rooms {
        crowd.open(&mut stage, RoomConfig { quantum: args.quantum, ..RoomConfig::default() }, PEOPLE)?;
        // So that no ring is full of orders.
        thread::park_timeout(Duration::from_millis(3));
    }
    Ok((stage, crowd))
}

/// Opens a house and measures it once it is warm: what happened before is not counted.
fn measure(rooms: usize, aimed_percent: f64, args: &Args) -> Result<Row, Box<dyn Error>> {
    let (mut stage, mut crowd) = house(rooms, args)?;
    go_on(&mut stage, &mut crowd, 1.0);
    stage.reset_stats();
    let mut watch = Watch::begin("stage-0");
    let end = now() + Duration::from_secs_f64(args.seconds);
    while now() < end {
        go_on(&mut stage, &mut crowd, 0.1);
        watch.look();
    }
    let away = watch.end();
    let stats = stage.stats().workers[0];
    let load: f32 = stage.stats().rooms.iter().map(|room| room.load).sum();
    Ok(Row { aimed_percent, rooms, stats: WorkerStats { load, ..stats }, quantum: args.quantum, away })
}

/// Lets the evening go on; what was shed meanwhile is told.
pub(crate) fn go_on(stage: &mut Control, crowd: &mut Crowd, seconds: f64) -> Vec<Rung> {
    let (end, mut rungs) = (now() + Duration::from_secs_f64(seconds), Vec::new());
    while now() < end {
        crowd.go_on(stage);
        while let Some(notice) = stage.poll() {
            if let Notice::Shed { rung, .. } = notice {
                rungs.push(rung);
            }
        }
        thread::park_timeout(Duration::from_millis(10));
    }
    rungs
}

#[expect(clippy::disallowed_methods, reason = "a bench reads the clock")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

fn print(row: &Row) {
    let us = |ns: u64| format!("{:.0}", ns as f64 / 1e3);
    let WorkerStats { load, rung, ticks, deadline_misses, tick_ns: tick, lateness_ns: late, .. } = row.stats;
    println!(
        "{:>5.0}% {:>5.0}% {:>6} | {:>8} {:>8} {:>8} {:>8} {:>8} | {:>8} {:>8} {:>8} {:>8} {:>8} | {ticks:>8} {deadline_misses:>6} {:>6} | {:>10.1} {:>10.1} {:>10.0}",
        row.aimed_percent,
        load * 100.0,
        row.rooms,
        us(tick.p50),
        us(tick.p99),
        us(tick.p99_9),
        us(tick.p99_99),
        us(tick.max),
        us(late.p50),
        us(late.p99),
        us(late.p99_9),
        us(late.p99_99),
        us(late.max),
        rung as u8,
        row.away.waited.as_secs_f64() * 1e3,
        row.away.most.as_secs_f64() * 1e3,
        row.away.stolen.as_secs_f64() * 1e3,
    );
}

fn parts(rows: &[Row]) -> String {
    let part = |row: &Row| row.stats.tick_ns.p99_99 as f64 / (row.quantum.samples().as_ms() * 1e4);
    let part = |row: &Row| format!("{:.1} % at {:.0} % load", part(row), row.aimed_percent);
    rows.iter().map(part).collect::<Vec<_>>().join(", ")
}
