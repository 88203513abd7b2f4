//! Something else takes the processor for ten seconds: what the stage does meanwhile, and how soon it is itself again.

use crate::{
    crowd::{Crowd, Manners},
    fill::fill,
    go_on, now,
};
use std::{
    error::Error,
    hint,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    thread,
    time::Duration,
};
use tertulia::{
    live::{Rung, Stage, StageConfig},
    time::Samples,
};

const PEOPLE: Manners = Manners { speakers: 5, talking: 2, jitter: Samples::ZERO, loss_percent: 0.0 };
/// What the worker takes of a core before.
const LOAD: f32 = 0.4;

/// The worker runs at ordinary priority, so that hogs can hurt it: four threads for each core.
pub(crate) fn run(seconds: f64) -> Result<(), Box<dyn Error>> {
    let mut stage = Stage::start(StageConfig { realtime: false, ..StageConfig::default() })?;
    let mut crowd = Crowd::new(1);
    fill(&mut stage, &mut crowd, PEOPLE, LOAD, |_, _| Ok(()))?;
    go_on(&mut stage, &mut crowd, 2.0);
    println!(
        "{} rooms of 5, two talk; then {seconds} s beside hogs, at ordinary priority",
        crowd.parties.len()
    );
    println!(
        "{:>10} {:>6} {:>10} {:>8} {:>8} {:>10}  shed",
        "", "load", "late p50", "missed", "passed", "late max"
    );
    window("before", &mut stage, &mut crowd, 1.0);
    let over = AtomicBool::new(false);
    thread::scope(|threads| {
        let hogs = 4 * thread::available_parallelism().map_or(1, usize::from);
        (0..hogs).for_each(|_| {
            drop(threads.spawn(|| {
                while !over.load(Relaxed) {
                    hint::spin_loop()
                }
            }))
        });
        let end = now() + Duration::from_secs_f64(seconds);
        while now() < end {
            window("hogged", &mut stage, &mut crowd, 1.0);
        }
        over.store(true, Relaxed);
    });
    let ended = now();
    let mut back = None;
    while now() < ended + Duration::from_secs(3) {
        window("after", &mut stage, &mut crowd, 0.25);
        let worker = stage.stats().workers[0];
        // Half of the ticks of the last quarter of a second begin in their first millisecond: this is no backlog.
        let normal = worker.rung == Rung::Ground && worker.lateness_ns.p50 < 1_000_000;
        if normal && back.is_none() {
            back = Some(now() - ended);
        }
    }
    match back {
        Some(span) => println!("back to normal {:.2} s after the hogs ended", span.as_secs_f64()),
        None => println!("not back to normal within 3 s"),
    }
    Ok(())
}

fn window(name: &str, stage: &mut tertulia::live::Control, crowd: &mut Crowd, seconds: f64) {
    stage.reset_stats();
    let rungs = go_on(stage, crowd, seconds);
    let worker = stage.stats().workers[0];
    println!(
        "{name:>10} {:>5.0}% {:>7} µs {:>8} {:>8} {:>7} µs  {:?} {}",
        worker.load * 100.0,
        worker.lateness_ns.p50 / 1000,
        worker.deadline_misses,
        worker.passed,
        worker.lateness_ns.max / 1000,
        worker.rung,
        if rungs.is_empty() { String::new() } else { format!("after {rungs:?}") },
    );
}
