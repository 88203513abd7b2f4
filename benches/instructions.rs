//! What 20 ms of a room take, in instructions: the same on every run and however busy the machine is, so that one percent
//! more shows. Callgrind counts two runs of different length; their difference leaves out how the room was set up.
//!
//!     cargo bench --bench instructions [-- --save FILE | --against FILE]

#[expect(dead_code, reason = "the mixes are kept for the floor in the bench of times alone")]
#[path = "tick/room.rs"]
mod room;

use room::{Room, Shape};
use std::{
    env,
    error::Error,
    fs,
    process::{Command, ExitCode},
};

/// Speakers who all talk, and whether each hears a mix of its own.
const CASES: [(u16, bool); 3] = [(1, false), (8, false), (8, true)];
/// Packets in the shorter run; the longer has twice as many.
const PACKETS: u64 = 20;

fn main() -> ExitCode {
    let args: Vec<_> = env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let told = match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--run", case, packets] => run(case, packets),
        ["--save", file] => count().and_then(|counts| Ok(fs::write(file, lines(&counts))?)),
        ["--against", file] => compare(file),
        [] => count().map(|_| ()),
        _ => Err("expected nothing, --save FILE or --against FILE".into()),
    };
    match told {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("instructions: {error}");
            ExitCode::FAILURE
        }
    }
}

/// What callgrind looks at.
fn run(case: &str, packets: &str) -> Result<(), Box<dyn Error>> {
    let (speakers, own) = *CASES.get(case.parse::<usize>()?).ok_or("no such case")?;
    let mut room = Room::new(Shape::panel(speakers, own));
    (0..packets.parse()?).for_each(|_: u64| room.packet_time());
    Ok(())
}

/// Counts and prints every case: its name, and instructions for 20 ms.
fn count() -> Result<Vec<(String, u64)>, Box<dyn Error>> {
    let mut counts = Vec::new();
    for (case, (speakers, own)) in CASES.iter().enumerate() {
        let longer = callgrind(case, 2 * PACKETS)?;
        let instructions = (longer - callgrind(case, PACKETS)?) / PACKETS;
        let name = format!("{speakers} talk, {} mixes", if *own { speakers + 1 } else { 1 });
        println!("{name:20} {instructions:>12} instructions for 20 ms");
        counts.push((name, instructions));
    }
    Ok(counts)
}

fn callgrind(case: usize, packets: u64) -> Result<u64, Box<dyn Error>> {
    let counted = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(env::current_exe()?)
        .args(["--run", &case.to_string(), &packets.to_string()])
        .output()
        .map_err(|error| format!("valgrind: {error}; is it installed?"))?;
    let told = String::from_utf8_lossy(&counted.stderr);
    let total = told.lines().find_map(|line| line.split("Collected :").nth(1)?.trim().parse().ok());
    total.ok_or_else(|| format!("valgrind told no total: {told}").into())
}

fn lines(counts: &[(String, u64)]) -> String {
    counts.iter().map(|(name, instructions)| format!("{name}\t{instructions}\n")).collect()
}

fn compare(file: &str) -> Result<(), Box<dyn Error>> {
    let before = fs::read_to_string(file).map_err(|error| format!("{file}: {error}"))?;
    for (name, now) in count()? {
        let then =
            before.lines().find_map(|line| line.strip_prefix(&format!("{name}\t"))?.parse::<u64>().ok());
        match then {
            Some(then) => println!("{name:20} {:+.2} %", 100.0 * (now as f64 / then as f64 - 1.0)),
            None => println!("{name:20} is new"),
        }
    }
    Ok(())
}
