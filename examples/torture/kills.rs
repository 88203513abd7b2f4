//! Recorders that die: child processes that are killed at random moments, and disks whose power fails.

use crate::drill::{Drill, FRAME, Findings, VOICES, check};
use std::{
    error::Error,
    io::{Read, Write},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};
use tertulia::{
    record::{Recorder, RecorderConfig, Rotation, recover},
    sim::{FaultyDisk, Rng},
    time::Samples,
};

/// What may be lost of a voice: a second, and the repair window where a packet was missing.
const LOST: [u64; 3] = [48_000, 48_000, 48_000 + 100_800];

/// A voice's clock is being found in its first repair window; nothing is written until then.
const BEGINS: u64 = 200_000;

/// Every other session goes on in another part after 3 s and some samples.
fn config(seed: u64) -> RecorderConfig {
    let every = (seed % 2 == 1).then(|| Samples::new(144_000 + seed % 1_000));
    RecorderConfig { rotation: Rotation { every, bytes: None }, ..RecorderConfig::default() }
}

/// What many deaths came to.
#[derive(Debug, Default)]
pub(crate) struct Deaths {
    pub(crate) rounds: u64,
    pub(crate) room_samples: u64,
    pub(crate) packets: u64,
    /// Sessions in several parts, and the most parts of one.
    pub(crate) parted: (u64, usize),
    /// The most that was lost of a voice.
    pub(crate) lost: [u64; 3],
    pub(crate) failures: Vec<String>,
}

/// What a child does: records as fast as it can, and says how far it has come, until it is killed.
pub(crate) fn child(dir: &Path, seed: u64) -> Result<(), Box<dyn Error>> {
    let mut drill = Drill::new(Recorder::create(dir, config(seed))?, seed)?;
    let mut out = std::io::stdout().lock();
    loop {
        drill.step()?;
        out.write_all(&drill.now.to_le_bytes())?;
        out.flush()?;
    }
}

/// Kills so many recorders.
pub(crate) fn kill(rounds: u64, seed: u64, mut progress: impl FnMut(u64)) -> Result<Deaths, Box<dyn Error>> {
    let (mut deaths, mut rng) = (Deaths::default(), Rng::new(seed));
    for round in 0..rounds {
        let dir = tempfile::tempdir()?;
        let mut child = spawn(dir.path(), rng.bits())?;
        let now = kill_one(&mut child, rng.between(1.0, 120.0))?;
        deaths.autopsy(dir.path(), now);
        progress(round + 1);
    }
    Ok(deaths)
}

fn spawn(dir: &Path, seed: u64) -> Result<Child, Box<dyn Error>> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("--child").arg(dir).arg("--seed").arg(seed.to_string()).stdout(Stdio::piped());
    Ok(command.spawn()?)
}

/// Kills a child some milliseconds after its first word; how far it had come.
#[expect(clippy::disallowed_methods, reason = "real processes die at real moments")]
fn kill_one(child: &mut Child, after_ms: f64) -> Result<u64, Box<dyn Error>> {
    let mut out = child.stdout.take().ok_or("a child without a voice")?;
    let mut told = vec![0; 8];
    out.read_exact(&mut told)?;
    let reader = thread::spawn(move || out.read_to_end(&mut told).map(|_| told));
    thread::sleep(Duration::from_secs_f64(after_ms / 1e3));
    child.kill()?;
    child.wait()?;
    let told = reader.join().map_err(|_| "the reader panicked")??;
    let last = told.chunks_exact(8).next_back().and_then(|last| last.try_into().ok());
    Ok(last.map_or(0, u64::from_le_bytes))
}

/// Cuts the power of so many disks.
pub(crate) fn cut_power(
    rounds: u64,
    seed: u64,
    mut progress: impl FnMut(u64),
) -> Result<Deaths, Box<dyn Error>> {
    let (mut deaths, mut rng) = (Deaths::default(), Rng::new(seed));
    for round in 0..rounds {
        let dir = tempfile::tempdir()?;
        let disk = FaultyDisk::new();
        let seed = rng.bits();
        let recorder = Recorder::create_on(Box::new(disk.clone()), dir.path(), config(seed))?;
        let mut drill = Drill::new(recorder, seed)?;
        for _ in 0..rng.between(1.0, 1_500.0) as u64 {
            drill.step()?;
        }
        disk.cut_power(&mut rng);
        disk.spill(dir.path())?;
        deaths.autopsy(dir.path(), drill.now);
        progress(round + 1);
    }
    Ok(deaths)
}

impl Deaths {
    fn autopsy(&mut self, dir: &Path, now: u64) {
        self.rounds += 1;
        self.room_samples += now;
        let found =
            recover(dir).map_err(Into::into).and_then(|_| check(dir)).and_then(|found| twice(dir, found));
        match found {
            Ok(found) => self.count(&found, now),
            Err(why) => self.failures.push(format!("round {}, killed at sample {now}: {why}", self.rounds)),
        }
    }

    fn count(&mut self, found: &Findings, now: u64) {
        self.packets += found.packets;
        self.parted = (self.parted.0 + u64::from(found.parts > 1), self.parted.1.max(found.parts));
        for (voice, name) in VOICES.iter().enumerate() {
            let Some(last) = found.last.get(*name) else { continue };
            // What was said in a pause is nothing.
            let said = |at: &u64| voice != 1 || at / FRAME % 150 < 125;
            let whole = (*last..now.saturating_sub(FRAME)).step_by(FRAME as usize);
            let lost = whole.filter(said).count() as u64 * FRAME;
            if now < BEGINS {
                continue;
            }
            self.lost[voice] = self.lost[voice].max(lost);
            if lost > LOST[voice] {
                self.failures.push(format!("round {}: {name} lost {lost} samples of {now}", self.rounds));
            }
        }
    }
}

/// Recovery is done once: again changes nothing.
fn twice(dir: &Path, found: Findings) -> Result<Findings, Box<dyn Error>> {
    if recover(dir)?.was_whole { Ok(found) } else { Err("recovering again found something to do".into()) }
}
