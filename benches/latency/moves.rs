//! All rooms on one worker of two: how soon the stage has spread them, and whether that costs a deadline.

use crate::{
    crowd::{Crowd, Manners},
    fill::{fill, load},
    go_on, now,
};
use std::{collections::BTreeMap, error::Error, time::Duration};
use tertulia::{
    live::{Control, RoomId, Stage, StageConfig},
    time::Samples,
};

const PEOPLE: Manners = Manners { speakers: 5, talking: 3, jitter: Samples::ZERO, loss_percent: 0.0 };
/// What the one worker is to be filled with: four fifths of a core.
const LOAD: f32 = 0.8;

pub(crate) fn run(seconds: f64) -> Result<(), Box<dyn Error>> {
    let mut stage = Stage::start(StageConfig { workers: 2, ..StageConfig::default() })?;
    let mut crowd = Crowd::new(1);
    fill(&mut stage, &mut crowd, PEOPLE, LOAD, |stage, room| Ok(stage.move_room(room, 0)?))?;
    println!("{} rooms of 5, three talk, all on the first of two workers", crowd.parties.len());
    println!("{:>6} {:>8} {:>8} {:>6} {:>8} {:>10}", "s", "load 0", "load 1", "moved", "missed", "late max");
    let (began, mut homes, mut moved) = (now(), BTreeMap::new(), 0);
    while now() < began + Duration::from_secs_f64(seconds) {
        stage.reset_stats();
        go_on(&mut stage, &mut crowd, 0.25);
        moved += movers(&stage, &mut homes);
        let workers = stage.stats().workers;
        println!(
            "{:>6.2} {:>7.0}% {:>7.0}% {moved:>6} {:>8} {:>7} µs",
            (now() - began).as_secs_f64(),
            100.0 * load(&stage, |worker| worker == 0),
            100.0 * load(&stage, |worker| worker == 1),
            workers.iter().map(|worker| worker.deadline_misses).sum::<u64>(),
            workers.iter().map(|worker| worker.lateness_ns.max).max().unwrap_or(0) / 1000,
        );
    }
    Ok(())
}

/// How many rooms are elsewhere than they were.
fn movers(stage: &Control, homes: &mut BTreeMap<RoomId, usize>) -> usize {
    let rooms = stage.stats().rooms;
    let moved = rooms
        .iter()
        .filter(|room| homes.insert(room.room, room.worker).is_some_and(|home| home != room.worker));
    moved.count()
}
