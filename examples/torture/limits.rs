//! Recorders that may take no more: what is refused is told, counted and silent, and everything else stands where it belongs.

use crate::drill::{Drill, check};
use std::error::Error;
use tertulia::{
    record::{Alert, Limits, Recorder, RecorderConfig, Rotation},
    sim::{Fault, FaultyDisk},
    time::{SampleTime, Samples},
};

const END: u64 = 120 * 48_000;

/// Tries each limit; whether all is well.
pub(crate) fn tell(seed: u64) -> Result<bool, Box<dyn Error>> {
    println!("\nlimit                         told after   over after   packets refused   of");
    let cases = [
        ("64 KiB of memory, disk full", Limits { waiting_bytes: 64 << 10, ..Limits::NONE }),
        ("500 kB on disk", Limits { disk_bytes: 500_000, ..Limits::NONE }),
        ("1 MB to stay free", Limits { free_bytes: 1_000_000, ..Limits::NONE }),
    ];
    let mut all_is_well = true;
    for (name, limits) in cases {
        all_is_well &= case(name, limits, seed)?;
    }
    Ok(all_is_well)
}

/// The disk is full, and says so, from 20 to 60 s.
fn case(name: &str, limits: Limits, seed: u64) -> Result<bool, Box<dyn Error>> {
    let (dir, disk) = (tempfile::tempdir()?, FaultyDisk::new());
    let rotation = Rotation { every: Some(Samples::from_ms(17_000)), bytes: None };
    let config = RecorderConfig { limits, rotation, ..RecorderConfig::default() };
    let recorder = Recorder::create_on(Box::new(disk.clone()), dir.path(), config)?;
    let mut drill = Drill::new(recorder, seed)?;
    let (mut told, mut over) = (None, None);
    while drill.now < END {
        let is_full = (20 * 48_000..60 * 48_000).contains(&drill.now);
        disk.has_free(if is_full { 999_999 } else { 1_000_000 });
        disk.fail(if is_full && limits.waiting_bytes < usize::MAX { Fault::Full } else { Fault::None });
        let _told_by_its_alerts = drill.step();
        for alert in drill.recorder.take_alerts() {
            match alert {
                Alert::Limited(_) => told = told.or(Some(drill.now)),
                _ => over = Some(drill.now),
            }
        }
    }
    let session = drill.recorder.finish(SampleTime::from_samples(END))?;
    disk.spill(dir.path())?;
    let failure = check(dir.path()).err();
    let refused: u64 = session.limited.values().sum();
    let seconds =
        |at: Option<u64>| at.map_or_else(|| "never".into(), |at| format!("{:.2} s", at as f64 / 48_000.0));
    let packets: u64 = session.tracks.values().map(|track| track.recorded + track.refused).sum();
    let failed = failure.as_ref().map(ToString::to_string).unwrap_or_default();
    println!("{name:28} {:>11} {:>12} {refused:>17} {packets:>6} {failed}", seconds(told), seconds(over));
    Ok(failure.is_none() && session.unbalanced.is_empty() && told.is_some() && refused > 0)
}
