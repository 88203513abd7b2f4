//! What recording costs: 200 tracks at once, in 25 rooms of 8, all of which are recorded to real files. In turns with and without, in the
//! same run: how much of a core the disk's thread takes, and how much more the worker's ticks take.
//!
//!     cargo bench --bench record [-- --seconds 10 --turns 3]

#[expect(dead_code, reason = "this thread is not asked")]
#[path = "../rooms/cpu.rs"]
mod cpu;
#[path = "../crowd/mod.rs"]
mod crowd;

use crowd::{Crowd, Manners};
use std::{
    error::Error,
    path::Path,
    process::ExitCode,
    thread,
    time::{Duration, Instant},
};
use tertulia::{
    consent::Recordable,
    engine::RoomConfig,
    live::{Control, Notice, SOON, Stage, StageConfig, Take},
    record::{Cause, RecorderConfig},
    speaker::SpeakerId,
    time::Samples,
};

const ROOMS: usize = 25;
const SPEAKERS: u16 = 8;

/// How many of a room's eight talk at once.
const TALKING: [u16; 2] = [2, 8];

/// What a turn came to.
#[derive(Clone, Copy, Debug, Default)]
struct Turn {
    /// Of the wall's time.
    disk_percent: f64,
    worker_percent: f64,
    packets: u64,
    /// Packets that are not in a track, those among them that a limit refused, and places that moved by 2.5 ms.
    refused: u64,
    limited: u64,
    moved: u64,
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("record: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let args: Vec<_> = std::env::args().skip(1).collect();
    let number = |name: &str, default: u64| {
        let place = args.iter().position(|arg| arg == name);
        place.and_then(|place| args.get(place + 1)?.parse().ok()).unwrap_or(default)
    };
    let (seconds, turns) = (number("--seconds", 10), number("--turns", 3));
    println!("{} tracks, {turns} turns of {seconds} s with and without", ROOMS * usize::from(SPEAKERS));
    for talking in TALKING {
        compare(talking, Duration::from_secs(seconds), turns)?;
    }
    Ok(())
}

fn compare(talking: u16, span: Duration, turns: u64) -> Result<(), Box<dyn Error>> {
    let mut stage = Stage::start(StageConfig::default())?;
    let mut crowd = Crowd::new(1);
    let manners = Manners { speakers: SPEAKERS, talking, jitter: Samples::from_ms(20), loss_percent: 1.0 };
    for _ in 0..ROOMS {
        crowd.open(&mut stage, RoomConfig::default(), manners)?;
    }
    watch(&mut stage, &mut crowd, Duration::from_secs(3));
    let (mut with, mut without) = (Vec::new(), Vec::new());
    for _ in 0..turns {
        without.push(turn(&mut stage, &mut crowd, span));
        with.push(recorded(&mut stage, &mut crowd, span)?);
    }
    tell(talking, &with, &without);
    Ok(())
}

/// A turn in which all is recorded, from the moment on at which the first of it is written.
fn recorded(stage: &mut Control, crowd: &mut Crowd, span: Duration) -> Result<Turn, Box<dyn Error>> {
    let dir = tempfile::tempdir()?;
    let takes = crowd.parties.iter().enumerate();
    let takes = takes.map(|(number, party)| begin(stage, party.room, &dir.path().join(number.to_string())));
    let takes = takes.collect::<Result<Vec<Take>, _>>()?;
    watch(stage, crowd, Duration::from_secs(3));
    let mut turn = turn(stage, crowd, span);
    for take in takes {
        let finishing = stage.stop_recording(take)?;
        let session = finishing.wait(Duration::from_secs(30))?;
        turn.packets += session.tracks.values().map(|track| track.recorded).sum::<u64>();
        turn.refused += session.tracks.values().map(|track| track.refused).sum::<u64>();
        turn.limited += session.limited.values().sum::<u64>();
        let gaps = session.tracks.values().flat_map(|track| &track.gaps);
        turn.moved += gaps.filter(|gap| gap.cause == Cause::Drift).count() as u64;
    }
    Ok(turn)
}

fn begin(stage: &mut Control, room: tertulia::live::RoomId, dir: &Path) -> Result<Take, Box<dyn Error>> {
    let take = stage.start_recording(room, dir, RecorderConfig::default())?;
    for speaker in (0..SPEAKERS).map(SpeakerId) {
        stage.open_gate(take, Recordable::dangerously_without_consent(speaker, SOON))?;
    }
    Ok(take)
}

fn turn(stage: &mut Control, crowd: &mut Crowd, span: Duration) -> Turn {
    let spent = || ["stage-disk", "stage-0"].map(cpu::of_thread);
    let (before, began) = (spent(), now());
    watch(stage, crowd, span);
    let (after, took) = (spent(), now().duration_since(began).as_secs_f64());
    let percent = |thread: usize| (after[thread] - before[thread]).as_secs_f64() / took * 100.0;
    Turn { disk_percent: percent(0), worker_percent: percent(1), ..Turn::default() }
}

/// Lets people talk for so long.
#[expect(clippy::disallowed_methods, reason = "a bench runs on the wall's time")]
fn watch(stage: &mut Control, crowd: &mut Crowd, span: Duration) {
    let end = now() + span;
    while now() < end {
        crowd.go_on(stage);
        while let Some(notice) = stage.poll() {
            if let Notice::RecordingTrouble(..) | Notice::RecordingAlert(..) = notice {
                println!("  {notice:?}");
            }
        }
        thread::sleep(Duration::from_millis(10));
    }
}

#[expect(clippy::disallowed_methods, reason = "a bench runs on the wall's time")]
fn now() -> Instant {
    Instant::now()
}

fn median(mut of: Vec<f64>) -> f64 {
    of.sort_by(f64::total_cmp);
    of.get(of.len() / 2).copied().unwrap_or(f64::NAN)
}

fn tell(talking: u16, with: &[Turn], without: &[Turn]) {
    let of = |turns: &[Turn], what: fn(&Turn) -> f64| median(turns.iter().map(what).collect());
    let packets = with.iter().map(|turn| turn.packets).max().unwrap_or(0);
    println!("{talking} of {SPEAKERS} talk in each room, {packets} packets recorded a turn");
    let sum = |what: fn(&Turn) -> u64| with.iter().map(what).sum::<u64>();
    let (refused, limited, moved) = (sum(|it| it.refused), sum(|it| it.limited), sum(|it| it.moved));
    // A packet is left out where a quicker one has told since that its sender's clock lies 2.5 ms earlier.
    println!(
        "  left out       {refused} packets in all, {limited} because of a limit; {moved} places moved by 2.5 ms"
    );
    println!(
        "  disk thread    {:6.2} % of a core, and {:.2} % without",
        of(with, |it| it.disk_percent),
        of(without, |it| it.disk_percent)
    );
    let (recorded, plain) = (of(with, |it| it.worker_percent), of(without, |it| it.worker_percent));
    println!(
        "  worker         {recorded:6.2} % of a core, and {plain:.2} % without: {:.3} times",
        recorded / plain
    );
    let pairs = with.iter().zip(without).map(|(with, without)| with.worker_percent / without.worker_percent);
    println!("  turn by turn   {}", pairs.map(|ratio| format!("{ratio:.3}")).collect::<Vec<_>>().join("  "));
}
