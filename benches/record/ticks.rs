//! A stage whose rooms are recorded and not, in turns: what its ticks take then, and what the disk's thread does.

use crate::{
    cpu,
    crowd::{Crowd, Manners},
};
use std::{error::Error, thread, time::Duration};
use tertulia::{
    consent::Recordable,
    engine::RoomConfig,
    live::{Control, SOON, Stage, StageConfig, Take},
    record::RecorderConfig,
    speaker::SpeakerId,
    time::Samples,
};

const ROOMS: usize = 20;
const PEOPLE: u16 = 10;
const TURN_S: u64 = 4;

pub(crate) fn with_and_without(turns: u32) -> Result<(), Box<dyn Error>> {
    let mut stage = Stage::start(StageConfig { workers: 1, ..StageConfig::default() })?;
    let mut crowd = Crowd::new(1);
    let manners = Manners { speakers: PEOPLE, talking: 1, jitter: Samples::ZERO, loss_percent: 0.0 };
    for _ in 0..ROOMS {
        crowd.open(&mut stage, RoomConfig::default(), manners)?;
    }
    go_on(&mut crowd, &stage);
    let (mut ratios, mut disk) = (Vec::new(), Duration::ZERO);
    for _ in 0..turns {
        let without = median_tick(&mut crowd, &stage);
        let dir = tempfile::tempdir()?;
        let takes = record(&mut stage, &crowd, dir.path())?;
        let before = cpu::of_thread("stage-disk");
        let with = median_tick(&mut crowd, &stage);
        disk += cpu::of_thread("stage-disk") - before;
        ratios.push(with / without);
        for take in takes {
            stage.stop_recording(take)?.wait(Duration::from_secs(30))?;
        }
    }
    ratios.sort_by(f64::total_cmp);
    let middle = ratios[ratios.len() / 2];
    let disk = disk.as_secs_f64() / (u64::from(turns) * TURN_S) as f64;
    println!(
        "{ROOMS} rooms of {PEOPLE}, one talks in each: a tick takes {middle:.3} times what it takes unrecorded (median of \
         {turns} turns, {:.3} to {:.3});\n{} tracks take {:.2} % of a core of the disk's thread",
        ratios[0],
        ratios[ratios.len() - 1],
        ROOMS * usize::from(PEOPLE),
        disk * 100.0
    );
    Ok(())
}

/// Records every room, everybody in it.
fn record(stage: &mut Control, crowd: &Crowd, dir: &std::path::Path) -> Result<Vec<Take>, Box<dyn Error>> {
    let mut takes = Vec::new();
    for (number, party) in crowd.parties.iter().enumerate() {
        let dir = dir.join(number.to_string());
        let take = stage.start_recording(party.room, &dir, RecorderConfig::default())?;
        for speaker in (0..PEOPLE).map(SpeakerId) {
            stage.open_gate(take, Recordable::dangerously_without_consent(speaker, SOON))?;
        }
        takes.push(take);
    }
    Ok(takes)
}

/// Nanoseconds.
fn median_tick(crowd: &mut Crowd, stage: &Control) -> f64 {
    stage.reset_stats();
    go_on(crowd, stage);
    stage.stats().workers.first().map_or(0.0, |worker| worker.tick_ns.p50 as f64)
}

fn go_on(crowd: &mut Crowd, stage: &Control) {
    for _ in 0..TURN_S * 50 {
        crowd.go_on(stage);
        thread::park_timeout(Duration::from_millis(20));
    }
}
