//! Open rooms in which nobody says anything, on a real worker.

use crate::cpu;
use std::{error::Error, thread, time::Duration};
use tertulia::{
    engine::{EncoderConfig, LaneConfig, RoomConfig, StreamConfig},
    live::{OpenError, Stage, StageConfig},
    speaker::{SpeakerId, SpeakerSet},
};

/// Each has a speaker and a listener.
pub(crate) fn rooms(count: usize, seconds: u64) -> Result<(), Box<dyn Error>> {
    let config = RoomConfig { max_lanes: 1, max_buses: 1, ..RoomConfig::default() };
    let mut stage = Stage::start(StageConfig {
        lane_bytes: 4096,
        bus_bytes: 4096,
        rest_after: Some(Duration::from_secs(1)),
        ..StageConfig::default()
    })?;
    let mut people = Vec::new();
    for _ in 0..count {
        let room = loop {
            match stage.open_room(config) {
                Err(OpenError::Busy | OpenError::Overloaded) => {
                    thread::park_timeout(Duration::from_millis(5))
                }
                opened => break opened?,
            }
        };
        let way_in = stage.admit(room, LaneConfig::new(SpeakerId(0)), "guest")?;
        let everybody = SpeakerSet::EVERYBODY;
        let out = stage.subscribe(room, everybody, EncoderConfig::default(), StreamConfig::default())?;
        people.push((way_in, out));
        if people.len().is_multiple_of(100) {
            thread::park_timeout(Duration::from_millis(20));
        }
    }
    while stage.stats().rooms.iter().any(|room| !room.resting) {
        thread::park_timeout(Duration::from_millis(50));
        while stage.poll().is_some() {}
    }
    stage.reset_stats();
    let before = cpu::of_thread("stage-0");
    // Long enough for every room to show once that it is still there.
    let seconds = seconds.max(16);
    thread::park_timeout(Duration::from_secs(seconds));
    let spent = cpu::of_thread("stage-0") - before;
    let worker = stage.stats().workers[0];
    println!(
        "{count} open silent rooms: {:.2} % of a core over {seconds} s ({} ticks, woke {} times)",
        100.0 * spent.as_secs_f64() / seconds as f64,
        worker.ticks,
        worker.wakes
    );
    Ok(())
}
