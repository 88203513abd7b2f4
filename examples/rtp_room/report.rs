//! The room's figures: as JSON, once a second, and as a table at the end. The fields are those of a simulation's report
//! with these exceptions: `packets.sent` is what arrived, since the network does not say how much was sent; `gaps` is
//! empty until the recording is closed; there is no `allocations_in_tick`, since a count of this process's allocations
//! cannot tell the worker's from the network threads'.

use crate::house::Figures;
use serde_json::{Map, Value, json};
use std::{
    fs, io,
    path::{Path, PathBuf},
};
use tertulia::{
    live::{Quantiles, RoomStats, SpeakerStats},
    record::{Session, TrackSummary},
    time::RATE_HZ,
};

/// Turns figures into reports; it remembers the last ones, for what is told by the second.
#[derive(Default)]
pub(crate) struct Reporter {
    recording: bool,
    warned: bool,
    samples: u64,
    encodes: u64,
    decodes: u64,
}

impl Reporter {
    pub(crate) fn new(recording: bool) -> Self {
        Self { recording, ..Self::default() }
    }

    /// Writes the figures to `file`. A room does not end because its figures cannot be written: the first failure is
    /// told, and the next second may do better.
    pub(crate) fn report(&mut self, file: &Path, figures: &Figures, session: Option<&Session>) {
        if let Err(error) = self.write(file, figures, session)
            && !self.warned
        {
            self.warned = true;
            eprintln!("warning: --stats {}: cannot be written, the room goes on: {error}", file.display());
        }
    }

    /// Whole or not at all.
    fn write(&mut self, file: &Path, figures: &Figures, session: Option<&Session>) -> io::Result<()> {
        let unfinished = unfinished(file);
        fs::write(&unfinished, format!("{:#}\n", self.json(figures, session)))?;
        fs::rename(unfinished, file)
    }

    fn json(&mut self, figures: &Figures, session: Option<&Session>) -> Value {
        let room = &figures.room;
        let seconds = (room.samples - self.samples).max(1) as f64 / f64::from(RATE_HZ);
        let by_the_second = |now: u64, before: u64| round((now - before) as f64 / seconds);
        let speakers: Map<_, _> = figures
            .speakers
            .iter()
            .map(|(name, stats)| {
                let track = session.and_then(|session| session.tracks.get(name));
                (name.clone(), speaker(stats, self.recording, track))
            })
            .collect();
        let report = json!({
            "schema": 1,
            "room": {
                "samples": room.samples,
                "quantum_samples": room.quantum.samples().count(),
                "ticks": room.ticks,
                "tick_ns": quantiles(&room.tick_ns),
                "lateness_ns": quantiles(&room.lateness_ns),
                "limiter_max_reduction_db": round(room.limiter_max_reduction_db.into()),
            },
            "speakers": speakers,
            "cpu_ms": cpu_ms(),
            "encodes_per_s": by_the_second(room.encodes, self.encodes),
            "decodes_per_s": by_the_second(room.decodes, self.decodes),
            "deadline_misses": room.deadline_misses,
            "passed": room.passed,
            "load": round(figures.worker.load.into()),
            "shed": format!("{:?}", figures.worker.rung).to_lowercase(),
        });
        (self.samples, self.encodes, self.decodes) = (room.samples, room.encodes, room.decodes);
        report
    }
}

/// Can figures be written to `file`? An error is one line.
pub(crate) fn check(file: &Path) -> Result<(), String> {
    let refuse =
        |why: String| Err(format!("--stats {}: expected a file that can be written: {why}", file.display()));
    if file.is_dir() {
        return refuse("is a directory".to_owned());
    }
    let unfinished = unfinished(file);
    let tried = fs::write(&unfinished, "").and_then(|()| fs::remove_file(unfinished));
    tried.or_else(|error| refuse(error.to_string()))
}

fn unfinished(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".tmp");
    name.into()
}

fn quantiles(of: &Quantiles) -> Value {
    json!({"p50": of.p50, "p99": of.p99, "p99_9": of.p99_9, "p99_99": of.p99_99, "max": of.max})
}

/// Until the recording is closed, what is kept counts as
/// recorded and there are no gaps yet.
fn speaker(stats: &SpeakerStats, recording: bool, track: Option<&TrackSummary>) -> Value {
    let (packets, samples, delay) = (stats.lane.packets, stats.lane.samples, stats.delay_ms);
    let kept = if recording { packets.kept } else { 0 };
    json!({
        "packets": {
            "sent": packets.arrived - packets.reports,
            "arrived": packets.arrived - packets.reports,
            "reports": packets.reports,
            "duplicate": packets.duplicate,
            "reordered": packets.reordered,
            "late": packets.late,
            "rejected": packets.rejected_total(),
            "recorded": track.map_or(kept, |track| track.recorded),
            "gated": track.map_or(0, |track| track.gated),
            "refused": stats.refused,
        },
        "samples": {
            "played": samples.played,
            "concealed": samples.concealed,
            "fec": samples.fec,
            "dred": samples.dred,
            "silence": samples.silence,
            "inserted": samples.inserted,
            "removed": samples.removed,
        },
        "delay_ms": {"mean": round(delay.mean), "p50": round(delay.p50), "p95": round(delay.p95), "max": round(delay.max)},
        "target_ms": {"mean": round(stats.target_ms.0), "max": round(stats.target_ms.1)},
        "gaps": track.map_or_else(Vec::new, |track| track.gaps.iter().map(|gap| json!(gap)).collect()),
    })
}

/// To three places; minus zero is zero.
fn round(value: f64) -> f64 {
    (value * 1e3).round() / 1e3 + 0.0
}

/// The processor time of this process so far (`proc(5)`: fields 14 and 15, in hundredths of a second); only on Linux.
fn cpu_ms() -> Option<u64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    let fields: Vec<_> = stat.rsplit(") ").next()?.split(' ').collect();
    let ticks = |field: usize| fields.get(field)?.parse::<u64>().ok();
    Some((ticks(11)? + ticks(12)?) * 10)
}

/// What a person wants to know at the end.
pub(crate) fn print_summary(figures: &Figures, session: Option<&Session>) {
    println!();
    println!(
        "{:<28} {:>8} {:>6} {:>6} {:>10} {:>16}",
        "voice", "packets", "late", "bad", "concealed", "delay p50 / p95"
    );
    for (name, stats) in &figures.speakers {
        let packets = stats.lane.packets;
        let samples = stats.lane.samples;
        let heard = samples.played + samples.concealed + samples.fec + samples.dred;
        let concealed = 100.0 * samples.concealed as f64 / heard.max(1) as f64;
        let delay = format!("{:.0} / {:.0} ms", stats.delay_ms.p50, stats.delay_ms.p95);
        let bad = packets.rejected_total() + stats.refused;
        println!(
            "{name:<28} {:>8} {:>6} {bad:>6} {concealed:>8.2} % {delay:>16}",
            packets.arrived, packets.late
        );
    }
    print_room(&figures.room);
    if let Some(session) = session {
        let gaps: usize = session.tracks.values().map(|track| track.gaps.len()).sum();
        let seconds = session.samples as f64 / f64::from(RATE_HZ);
        println!("recorded {} tracks of {seconds:.1} s with {gaps} gaps", session.tracks.len());
    }
}

fn print_room(room: &RoomStats) {
    let us = |ns: u64| ns as f64 / 1e3;
    println!();
    println!(
        "{} ticks of {} ms: p50 {:.0} µs, p99.9 {:.0} µs, max {:.0} µs; begun late by p50 {:.0} µs, max {:.0} µs; {} deadlines missed",
        room.ticks,
        room.quantum.samples().as_ms(),
        us(room.tick_ns.p50),
        us(room.tick_ns.p99_9),
        us(room.tick_ns.max),
        us(room.lateness_ns.p50),
        us(room.lateness_ns.max),
        room.deadline_misses,
    );
    println!("{} decodes, {} encodes, CPU {} ms", room.decodes, room.encodes, cpu_ms().unwrap_or_default());
}
