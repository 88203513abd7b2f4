//! A stage to look at: rooms full of synthetic talkers over bad networks, in this very process, and a terminal view of
//! what its workers and its rooms are doing.
//!
//!     cargo run --release --example console

#[path = "../../benches/crowd/mod.rs"]
mod crowd;
mod view;
mod world;

use ratatui::{
    Terminal,
    backend::TestBackend,
    crossterm::event::{self, Event, KeyCode, KeyEventKind},
};
use std::{
    error::Error,
    io::{IsTerminal, stdout},
    process::ExitCode,
    time::{Duration, Instant},
};
use world::World;

const HELP: &str = "\
Rooms of synthetic talkers over bad networks, mixed in this process, and what the stage makes of it: load and margin of each
worker; people, level, delay, concealment and cost of each room.

usage: console [options]

  --rooms N       rooms, 1..2000 (8)
  --workers N     real-time threads, 1..64 (1)
  --jitter-ms J   packets are late by 0..J ms in every other room, 0..500 (60)
  --loss P        percent of packets lost there, 0..90 (3)
  --seconds S     end by itself after S seconds
  --once          print one picture as text and end; for those without a terminal
  --frames N      print N of them, half a second apart
  --help

keys: up and down choose a room, q ends";

/// How often is drawn.
const FRAME: Duration = Duration::from_millis(250);

pub(crate) struct Args {
    pub(crate) rooms: usize,
    pub(crate) workers: usize,
    pub(crate) jitter_ms: u32,
    pub(crate) loss_percent: f64,
    seconds: Option<f64>,
    frames: Option<u32>,
}

fn main() -> ExitCode {
    let args = match parse() {
        Ok(Some(args)) => args,
        Ok(None) => {
            println!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Err(line) => {
            eprintln!("console: {line}");
            return ExitCode::from(2);
        }
    };
    let shown = match args.frames {
        Some(frames) => print(&args, frames),
        None if stdout().is_terminal() => show(&args),
        None => Err("no terminal here, expected one, or --once".into()),
    };
    match shown {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("console: {error}");
            ExitCode::FAILURE
        }
    }
}

fn parse() -> Result<Option<Args>, String> {
    use lexopt::prelude::*;
    let one_line = |error: lexopt::Error| error.to_string();
    let mut args =
        Args { rooms: 8, workers: 1, jitter_ms: 60, loss_percent: 3.0, seconds: None, frames: None };
    let mut parser = lexopt::Parser::from_env();
    while let Some(arg) = parser.next().map_err(one_line)? {
        match arg {
            Long("help") | Short('h') => return Ok(None),
            Long("rooms") => args.rooms = number(&mut parser, "--rooms", 1.0, 2000.0)? as usize,
            Long("workers") => args.workers = number(&mut parser, "--workers", 1.0, 64.0)? as usize,
            Long("jitter-ms") => args.jitter_ms = number(&mut parser, "--jitter-ms", 0.0, 500.0)? as u32,
            Long("loss") => args.loss_percent = number(&mut parser, "--loss", 0.0, 90.0)?,
            Long("seconds") => args.seconds = Some(number(&mut parser, "--seconds", 0.1, 1e6)?),
            Long("once") => args.frames = Some(1),
            Long("frames") => args.frames = Some(number(&mut parser, "--frames", 1.0, 1e6)? as u32),
            other => return Err(one_line(other.unexpected())),
        }
    }
    Ok(Some(args))
}

fn number(parser: &mut lexopt::Parser, option: &str, low: f64, high: f64) -> Result<f64, String> {
    let text = parser.value().map_err(|error| error.to_string())?;
    let number =
        text.to_str().and_then(|text| text.parse().ok()).filter(|number| (low..=high).contains(number));
    number.ok_or_else(|| format!("{option} {}: expected {low}..{high}", text.to_string_lossy()))
}

/// Text for those without a terminal, once there is something to see.
fn print(args: &Args, frames: u32) -> Result<(), Box<dyn Error>> {
    let mut world = World::open(args)?;
    let mut terminal = Terminal::new(TestBackend::new(110, 34))?;
    let mut next = now() + Duration::from_millis(1500);
    for _ in 0..frames {
        world.go_on_until(next);
        next += 2 * FRAME;
        terminal.draw(|frame| view::draw(frame, &world))?;
        let buffer = terminal.backend().buffer();
        for row in buffer.content().chunks(usize::from(buffer.area.width)) {
            let line: String = row.iter().map(|cell| cell.symbol()).collect();
            println!("{}", line.trim_end());
        }
    }
    Ok(())
}

fn show(args: &Args) -> Result<(), Box<dyn Error>> {
    let mut world = World::open(args)?;
    let end = args.seconds.map(|seconds| now() + Duration::from_secs_f64(seconds));
    let mut terminal = ratatui::try_init()?;
    let looked = look(&mut terminal, &mut world, end);
    ratatui::try_restore()?;
    looked
}

fn look(
    terminal: &mut ratatui::DefaultTerminal,
    world: &mut World,
    end: Option<Instant>,
) -> Result<(), Box<dyn Error>> {
    while end.is_none_or(|end| now() < end) {
        terminal.draw(|frame| view::draw(frame, world))?;
        let next = now() + FRAME;
        while event::poll(Duration::from_millis(10))? || now() < next {
            world.go_on_until(now());
            if !event::poll(Duration::ZERO)? {
                continue;
            }
            let Event::Key(key) = event::read()? else { break };
            match key.code {
                _ if key.kind == KeyEventKind::Release => {}
                KeyCode::Char('q') | KeyCode::Esc => return Ok(()),
                KeyCode::Char('c') if key.modifiers.contains(event::KeyModifiers::CONTROL) => return Ok(()),
                KeyCode::Up => world.choose(-1),
                KeyCode::Down => world.choose(1),
                _ => {}
            }
            break;
        }
    }
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "a picture a quarter of a second")]
pub(crate) fn now() -> Instant {
    Instant::now()
}
