//! How many rooms a core carries: rooms of five of whom one talks and all hear, without sockets; and what 10,000 open rooms
//! cost in which nobody says anything. Processor time counts, not the time on the wall, so that a busy machine does not matter
//! much.
//!
//!     cargo bench --bench rooms -- [--seconds S] [--silent N]

mod cpu;
mod party;
mod silent;

use party::Party;
use std::process::ExitCode;

const ROOMS: u64 = 8;
const PEOPLE: u16 = 5;

fn main() -> ExitCode {
    let (mut seconds, mut silent) = (8, 10_000);
    let mut parser = lexopt::Parser::from_env();
    loop {
        use lexopt::prelude::*;
        let read = match parser.next() {
            Ok(None) => break,
            Ok(Some(Long("seconds"))) => {
                parser.value().and_then(|value| value.parse()).map(|value| seconds = value)
            }
            Ok(Some(Long("silent"))) => {
                parser.value().and_then(|value| value.parse()).map(|value| silent = value)
            }
            // What cargo adds.
            Ok(Some(Long("bench"))) => Ok(()),
            Ok(Some(other)) => Err(other.unexpected()),
            Err(error) => Err(error),
        };
        if let Err(error) = read {
            eprintln!("rooms: {error}");
            return ExitCode::FAILURE;
        }
    }
    rooms_of_five(seconds, false);
    rooms_of_five(seconds, true);
    match silent::rooms(silent, seconds) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("rooms: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Simulated seconds, as quick as they go.
fn rooms_of_five(seconds: u64, relay: bool) {
    let mut parties: Vec<_> = (0..ROOMS).map(|seed| Party::new(PEOPLE, seed, relay)).collect();
    let packets = |parties: &mut Vec<Party>, count| {
        (0..count).for_each(|_| parties.iter_mut().for_each(Party::packet_time));
    };
    packets(&mut parties, 50);
    let before = cpu::of_this_thread();
    packets(&mut parties, 50 * seconds);
    let spent = cpu::of_this_thread() - before;
    let each_ms = spent.as_secs_f64() * 1e3 / (ROOMS * seconds) as f64;
    let sent = parties.iter().map(Party::sent).sum::<u64>() as f64 / (ROOMS * (seconds + 1) * 50) as f64;
    println!(
        "rooms of {PEOPLE}, one talks, all hear, {}: {each_ms:.2} CPU-ms a room-second, {:.0} rooms a core \
         ({sent:.2} packets sent each 20 ms)",
        if relay { "relayed" } else { "always mixed" },
        1e3 / each_ms
    );
}
