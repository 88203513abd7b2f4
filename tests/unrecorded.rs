//! "Not recorded" is true: while no recorder is open, a stage with people talking on it writes no byte anywhere. The kernel
//! counts what this process writes; nothing else runs in it, so this test stands alone.
#![cfg(all(feature = "live", feature = "opus", target_os = "linux"))]
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::{collections::BTreeSet, env, fs, path::PathBuf, thread, time::Duration};
use tertulia::{
    consent::Recordable,
    engine::{Codec, LaneConfig, RoomConfig},
    live::{Control, PacketIn, PcmOut, RoomId, Stage, StageConfig},
    record::RecorderConfig,
    speaker::{SpeakerId, SpeakerSet},
    time::SampleTime,
};

const PACKET: u32 = 960;

/// What the kernel has counted: characters handed to `write` and its like, and bytes on their way to a disk.
fn written() -> (u64, u64) {
    let io = fs::read_to_string("/proc/self/io").unwrap();
    let figure = |name: &str| {
        let line = io.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim().parse().unwrap()
    };
    (figure("wchar:"), figure("write_bytes:"))
}

/// The files that this process has open, pipes and sockets left out.
fn open_files() -> BTreeSet<PathBuf> {
    let links =
        fs::read_dir("/proc/self/fd").unwrap().filter_map(|entry| fs::read_link(entry.ok()?.path()).ok());
    links.filter(|link| link.starts_with("/") && !link.starts_with("/proc")).collect()
}

/// A second of a voice, as datagrams with 16-bit samples that no file may hold.
fn speak(way_in: &mut PacketIn, second: u32) {
    for number in second * 50..(second + 1) * 50 {
        let mut datagram = vec![0x80, 111];
        datagram.extend((number as u16).to_be_bytes());
        datagram.extend((number * PACKET).to_be_bytes());
        datagram.extend(7_u32.to_be_bytes());
        datagram.extend((0..PACKET).flat_map(|_| 0x2E75_i16.to_be_bytes()));
        way_in.push_at(&datagram, SampleTime::from_samples((number * PACKET).into())).unwrap();
    }
}

/// Listens until a second of the mix has been heard.
fn listen(mix: &mut PcmOut) {
    let (mut heard, mut block) = (0, [0.0; 4_800]);
    for _ in 0..30_000 {
        heard += mix.read(&mut block);
        if heard >= 48_000 {
            return;
        }
        thread::park_timeout(Duration::from_millis(1));
    }
    panic!("waited for half a minute");
}

fn stage() -> (Control, RoomId) {
    let config = StageConfig { realtime: false, lane_bytes: 1 << 20, ..StageConfig::default() };
    let mut stage = Stage::start(config).unwrap();
    let room = stage.open_room(RoomConfig::default()).unwrap();
    (stage, room)
}

#[test]
fn without_a_recorder_no_byte_is_written() {
    let folder = tempfile::tempdir().unwrap();
    env::set_current_dir(folder.path()).unwrap();
    let (before, files) = (written(), open_files());
    let (mut stage, room) = stage();
    let lane = LaneConfig { codec: Codec::Pcm, ..LaneConfig::new(SpeakerId(0)) };
    let mut mara = stage.admit(room, lane, "mara").unwrap();
    let mut mix = stage.subscribe_pcm(room, SpeakerSet::EVERYBODY).unwrap();
    for second in 0..2 {
        speak(&mut mara, second);
        listen(&mut mix);
    }
    assert_eq!(written(), before, "characters and bytes written");
    assert_eq!(open_files(), files);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    // With a recorder the same counters move, so that they would have shown it.
    stage.start_recording(room, folder.path(), RecorderConfig::default()).unwrap();
    stage.open_gate(room, Recordable::dangerously_without_consent(mara.speaker(), SampleTime::ZERO)).unwrap();
    speak(&mut mara, 2);
    listen(&mut mix);
    drop(stage.stop_recording(room).unwrap());
    assert!(written().0 > before.0);
}
