//! A disk that does not answer, in real time: one of four rooms' disks stands still while all rooms go on and are recorded by the same
//! thread.

use std::{
    error::Error,
    path::Path,
    thread,
    time::{Duration, Instant},
};
use tertulia::{
    consent::Recordable,
    engine::{LaneConfig, RoomConfig},
    live::{Control, Notice, PacketIn, RoomId, SOON, Stage, StageConfig, Take},
    record::{Alert, Recorder, RecorderConfig, Session},
    sim::{Fault, FaultyDisk},
    speaker::SpeakerId,
    time::{SampleTime, Samples},
};

const ROOMS: usize = 4;
const VOICES: u16 = 4;
/// 20 ms at 32 kbit/s.
const PAYLOAD: usize = 77;
const FRAME: u64 = 960;

/// A room, its people and its recording.
struct Evening {
    room: RoomId,
    take: Take,
    people: Vec<PacketIn>,
    began: SampleTime,
    sent: u64,
}

/// Lets a disk stand still for so long; whether all is well.
pub(crate) fn tell(seconds: u64) -> Result<bool, Box<dyn Error>> {
    let mut stage = Stage::start(StageConfig { rest_after: None, ..StageConfig::default() })?;
    let disks: Vec<FaultyDisk> = (0..ROOMS).map(|_| FaultyDisk::new()).collect();
    let evenings = disks.iter().map(|disk| Evening::begin(&mut stage, disk));
    let mut evenings = evenings.collect::<Result<Vec<_>, _>>()?;
    let mut told = Told::default();
    go_on(&mut stage, &mut evenings, Duration::from_secs(3), &mut told);
    let before = misses(&stage);
    disks[0].fail(Fault::Stalled);
    told.since = Some(now());
    go_on(&mut stage, &mut evenings, Duration::from_secs(seconds), &mut told);
    let during = misses(&stage) - before;
    disks[0].fail(Fault::None);
    told.since = Some(now());
    go_on(&mut stage, &mut evenings, Duration::from_secs(3), &mut told);
    let sessions = evenings.into_iter().map(|evening| evening.end(&mut stage));
    let sessions = sessions.collect::<Result<Vec<_>, _>>()?;
    println!(
        "\na disk that does not answer for {seconds} s, of {ROOMS} that one thread writes to, {VOICES} voices each"
    );
    println!("  deadline misses before {before}, meanwhile {during} (of whatever cause)");
    println!("  told after {}, over after {}", ms(told.stalled), ms(told.answers));
    println!(
        "  waits on tapes: {} KiB a recording at most, in memory besides: {} KiB at most",
        StageConfig::default().tape_bytes >> 10,
        told.held >> 10
    );
    let mut lost = 0;
    for (number, (session, sent)) in sessions.iter().enumerate() {
        let recorded: u64 = session.tracks.values().map(|track| track.recorded).sum();
        println!("  room {number}: {recorded} of {sent} packets recorded");
        lost += sent - recorded;
    }
    Ok(lost == 0 && told.stalled.is_some() && told.answers.is_some())
}

fn ms(after: Option<Duration>) -> String {
    after.map_or_else(|| "never".into(), |after| format!("{} ms", after.as_millis()))
}

#[derive(Default)]
struct Told {
    since: Option<Instant>,
    stalled: Option<Duration>,
    answers: Option<Duration>,
    held: usize,
}

impl Evening {
    fn begin(stage: &mut Control, disk: &FaultyDisk) -> Result<Self, Box<dyn Error>> {
        let room = stage.open_room(RoomConfig::default())?;
        let recorder =
            Recorder::create_on(Box::new(disk.clone()), Path::new("memory"), RecorderConfig::default())?;
        let take = stage.begin_recording(room, recorder)?;
        let mut people = Vec::new();
        for number in 0..VOICES {
            let person = stage.admit(room, LaneConfig::new(SpeakerId(0)), &format!("voice{number}"))?;
            stage.open_gate(take, Recordable::dangerously_without_consent(person.speaker(), SOON))?;
            people.push(person);
        }
        let began = stage.now(room).unwrap_or_default() + Samples::from_ms(100);
        Ok(Self { room, take, people, began, sent: 0 })
    }

    /// Hands over what arrives within the next 100 ms.
    fn speak(&mut self, stage: &Control) {
        let end = stage.now(self.room).unwrap_or_default() + Samples::from_ms(100);
        while self.began + Samples::new(self.sent * FRAME) < end {
            let mut datagram = vec![0x80, 111];
            datagram.extend((self.sent as u16).to_be_bytes());
            datagram.extend((self.sent as u32).wrapping_mul(FRAME as u32).to_be_bytes());
            datagram.extend([0, 0, 0, 7, 0xFB, 0x41, 72, 0xFF, 0xFE]);
            datagram.resize(12 + PAYLOAD, 0);
            for person in &mut self.people {
                // A ring that is full is a packet that is not recorded, and shows.
                let _ = person.push_at(&datagram, self.began + Samples::new(self.sent * FRAME));
            }
            self.sent += 1;
        }
    }

    fn end(self, stage: &mut Control) -> Result<(Session, u64), Box<dyn Error>> {
        let finishing = stage.stop_recording(self.take)?;
        Ok((finishing.wait(Duration::from_secs(30))?, self.sent * u64::from(VOICES)))
    }
}

/// Everybody talks for so long, and is not heard to the end of the last 200 ms.
#[expect(clippy::disallowed_methods, reason = "a real disk stands still in real time")]
fn go_on(stage: &mut Control, evenings: &mut [Evening], span: Duration, told: &mut Told) {
    let end = now() + span;
    while now() < end + Duration::from_millis(200) {
        if now() < end {
            evenings.iter_mut().for_each(|evening| evening.speak(stage));
        }
        let since = told.since.map(|since| now() - since);
        while let Some(notice) = stage.poll() {
            match notice {
                Notice::RecordingAlert(_, Alert::Stalled(_)) => told.stalled = told.stalled.or(since),
                Notice::RecordingAlert(_, Alert::Answers) => told.answers = told.answers.or(since),
                _ => {}
            }
        }
        told.held = told.held.max(stage.recording_bytes());
        thread::sleep(Duration::from_millis(5));
    }
}

fn misses(stage: &Control) -> u64 {
    stage.stats().workers.iter().map(|worker| worker.deadline_misses).sum()
}

#[expect(clippy::disallowed_methods, reason = "a real disk stands still in real time")]
fn now() -> Instant {
    Instant::now()
}
