//! A disk that does not answer holds up the recorder's thread, and nobody else: rooms go on, what is to be recorded waits on its
//! tapes, and all of it is on its disk in the end. Nothing is timed: waiting ends when something has happened.
#![cfg(all(feature = "live", feature = "opus"))]
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::{path::Path, thread, time::Duration};
use tertulia::{
    consent::Recordable,
    engine::{LaneConfig, RoomConfig},
    live::{Control, Notice, RoomId, SOON, Stage, StageConfig, Take},
    record::{Alert, Recorder, RecorderConfig},
    sim::{Fault, FaultyDisk},
    speaker::SpeakerId,
    time::{SampleTime, Samples},
};

const PACKETS: u16 = 75;
const FRAME: u64 = 960;

/// Tries until there is something.
fn until<T>(mut look: impl FnMut() -> Option<T>) -> T {
    for _ in 0..30_000 {
        if let Some(found) = look() {
            return found;
        }
        thread::park_timeout(Duration::from_millis(1));
    }
    panic!("waited for half a minute");
}

/// A room that is recorded to this disk, and in which somebody says something for a second and a half from now on.
fn recorded_room(stage: &mut Control, disk: &FaultyDisk) -> (RoomId, Take, SampleTime) {
    let room = stage.open_room(RoomConfig::default()).unwrap();
    let config = RecorderConfig { repair: Samples::from_ms(100), ..RecorderConfig::default() };
    let recorder = Recorder::create_on(Box::new(disk.clone()), Path::new("memory"), config).unwrap();
    let take = stage.begin_recording(room, recorder).unwrap();
    let mut mara = stage.admit(room, LaneConfig::new(SpeakerId(0)), "mara").unwrap();
    stage.open_gate(take, Recordable::dangerously_without_consent(mara.speaker(), SOON)).unwrap();
    let joined = stage.now(room).unwrap();
    for number in 0..PACKETS {
        let mut datagram = vec![0x80, 111];
        datagram.extend(number.to_be_bytes());
        datagram.extend((u32::from(number) * FRAME as u32).to_be_bytes());
        datagram.extend([0, 0, 0, 7, 0xF8, 0xFF, 0xFE]);
        mara.push_at(&datagram, joined + Samples::new(u64::from(number) * FRAME)).unwrap();
    }
    (room, take, joined + Samples::new((u64::from(PACKETS) + 10) * FRAME))
}

#[test]
fn a_disk_that_does_not_answer_holds_up_no_room_and_costs_no_recording_anything() {
    let longest_catch_up = Duration::from_secs(60);
    let config =
        StageConfig { realtime: false, longest_catch_up, lane_bytes: 1 << 20, ..StageConfig::default() };
    let mut stage = Stage::start(config).unwrap();
    let (stuck, well) = (FaultyDisk::new(), FaultyDisk::new());
    let rooms = [&stuck, &well].map(|disk| recorded_room(&mut stage, disk));
    stuck.fail(Fault::Stalled);
    // Whose disk it is, is told.
    let stalled = until(|| match stage.poll() {
        Some(Notice::RecordingAlert(take, Alert::Stalled(_))) => Some(take),
        _ => None,
    });
    assert_eq!(stalled, rooms[0].1.id());
    // The rooms hear all of it to the end while the disk stands still.
    for (room, _, spoken) in rooms {
        until(|| {
            let _asked = stage.measure(room);
            let measured = std::iter::from_fn(|| stage.poll()).find_map(|notice| match notice {
                Notice::Measured(of, stats) if of == room => Some(stats),
                _ => None,
            });
            measured.filter(|stats| stats.samples > spoken.samples() && stats.passed == 0)
        });
    }
    stuck.fail(Fault::None);
    let whose = rooms[0].1.id();
    until(|| match stage.poll() {
        Some(Notice::RecordingAlert(take, Alert::Answers)) if take == whose => Some(()),
        _ => None,
    });
    for (_, take, _) in rooms {
        let session = stage.stop_recording(take).unwrap().wait(Duration::from_secs(30)).unwrap();
        let track = &session.tracks["mara"];
        assert_eq!((track.recorded, track.gated, track.refused), (PACKETS.into(), 0, 0), "{track:?}");
        assert!(session.unbalanced.is_empty() && session.limited.is_empty());
    }
}
