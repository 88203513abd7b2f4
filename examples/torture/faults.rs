//! Disks that fail for a while under a recorder that goes on.

use crate::drill::{Drill, check};
use std::{error::Error, path::Path};
use tertulia::{
    record::{Alert, Cause, Manifest, Recorder, RecorderConfig},
    sim::{Fault, FaultyDisk},
};

/// When the disk begins to fail.
const FROM: u64 = 20 * 48_000;
/// When the recording ends.
const END: u64 = 200 * 48_000;

/// What became of a recording whose disk failed.
#[derive(Debug)]
pub(crate) struct Outage {
    pub(crate) name: &'static str,
    pub(crate) seconds: u64,
    /// It takes all, and not too slowly: there is nothing to tell.
    pub(crate) keeps_up: bool,
    /// How long it took until the recorder said so, in samples.
    pub(crate) told_after: Option<u64>,
    /// How long after the disk was well again all was.
    pub(crate) well_after: Option<u64>,
    /// What is missing of the steady voice for the disk's sake.
    pub(crate) lost: u64,
    pub(crate) failure: Option<String>,
}

/// Every fault, for a short while and for longer than memory lasts.
pub(crate) fn outages(seed: u64) -> Result<Vec<Outage>, Box<dyn Error>> {
    let faults = [
        ("full", Fault::Full),
        ("read-only", Fault::ReadOnly),
        ("removed", Fault::Removed),
        ("EIO", Fault::Io),
        ("sync fails", Fault::NoSync),
        ("100 ms each", Fault::Slow(100)),
        ("1 s each", Fault::Slow(1_000)),
    ];
    let mut outages = Vec::new();
    for seconds in [10, 120] {
        for (name, fault) in faults {
            outages.push(outage(name, fault, seconds, seed)?);
        }
    }
    Ok(outages)
}

fn outage(name: &'static str, fault: Fault, seconds: u64, seed: u64) -> Result<Outage, Box<dyn Error>> {
    let (dir, disk) = (tempfile::tempdir()?, FaultyDisk::new());
    let recorder = Recorder::create_on(Box::new(disk.clone()), dir.path(), RecorderConfig::default())?;
    let mut drill = Drill::new(recorder, seed)?;
    let keeps_up = matches!(fault, Fault::Slow(..=200));
    let mut outage =
        Outage { name, seconds, keeps_up, told_after: None, well_after: None, lost: 0, failure: None };
    let (to, mut busy_until, mut behind) = (FROM + seconds * 48_000, 0, false);
    while drill.now < END {
        let wrong = (FROM..to).contains(&drill.now);
        disk.fail(if wrong { fault } else { Fault::None });
        if drill.now < busy_until {
            drill.speak()?;
            continue;
        }
        let told = drill.step();
        // The room goes on while the disk takes its time.
        busy_until = drill.now + disk.took().as_millis() as u64 * 48;
        let alerts = drill.recorder.take_alerts();
        if told.is_err() || alerts.contains(&Alert::Behind) {
            outage.told_after.get_or_insert(drill.now - FROM);
        }
        behind = (behind || alerts.contains(&Alert::Behind)) && !alerts.contains(&Alert::CaughtUp);
        if !wrong && drill.now > to && drill.recorder.trouble().is_none() && !behind {
            outage.well_after.get_or_insert(drill.now - to);
        }
    }
    let session = drill.recorder.finish(tertulia::time::SampleTime::from_samples(END))?;
    disk.spill(dir.path())?;
    outage.lost = lost(dir.path())?;
    let unbalanced = (!session.unbalanced.is_empty()).then(|| String::from("counters do not add up"));
    outage.failure = check(dir.path()).err().map(|why| why.to_string()).or(unbalanced);
    Ok(outage)
}

fn lost(dir: &Path) -> Result<u64, Box<dyn Error>> {
    let manifest = Manifest::read(dir)?;
    let gaps = manifest.speakers.get("steady").ok_or("the steady voice has no track")?.gaps.iter();
    let storage = gaps.filter(|gap| gap.cause == Cause::Storage);
    Ok(storage.map(|gap| gap.to_sample - gap.from_sample).sum())
}
