//! What goes down to a worker was allocated elsewhere and is freed elsewhere. An allocator counts what the workers ask for;
//! it is this binary's own, with one test, so that no other stage is counted.
#![cfg(all(feature = "live", feature = "opus"))]
#![expect(unsafe_code, reason = "an allocator is unsafe by its trait; this one passes everything on")]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    thread,
    time::Duration,
};
use tertulia::{
    consent::Recordable,
    engine::{EncoderConfig, LaneConfig, RoomConfig, StreamConfig},
    live::{Control, Notice, RoomId, SOON, Stage, StageConfig},
    record::RecorderConfig,
    speaker::{SpeakerId, SpeakerSet},
    time::Samples,
};

#[global_allocator]
static COUNTING: Counting = Counting;

/// Allocations and frees on workers.
static ON_WORKERS: AtomicU64 = AtomicU64::new(0);

struct Counting;

thread_local! {
    /// Is this thread a worker? Not known before its first allocation.
    static WORKER: Cell<Option<bool>> = const { Cell::new(None) };
}

fn count() {
    let worker = WORKER.get().unwrap_or_else(|| {
        // Asking for the name may allocate: that is not counted.
        WORKER.set(Some(false));
        let worker = thread::current().name() == Some("stage-0");
        WORKER.set(Some(worker));
        worker
    });
    ON_WORKERS.fetch_add(worker.into(), Relaxed);
}

// SAFETY: everything is passed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        count();
        // SAFETY: the caller's promises are passed on.
        unsafe { System.dealloc(memory, layout) }
    }
}

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

/// Packet `number` of a voice: an Opus packet of one 20 ms CELT frame (RFC 6716 §3.1) that holds silence.
fn datagram(number: u16) -> Vec<u8> {
    let timestamp = u32::from(number) * 960;
    [&[0x80, 111][..], &number.to_be_bytes(), &timestamp.to_be_bytes(), &[0, 0, 0, 7], &[0xf8, 0xff, 0xfe]]
        .concat()
}

/// Everything that a room can be told to do.
fn a_life(stage: &mut Control) {
    let room = stage.open_room(RoomConfig::default()).expect("a place");
    let mut mara = stage.admit(room, LaneConfig::new(SpeakerId(0)), "mara").expect("a place");
    let speaker = mara.speaker();
    let dir = tempfile::tempdir().expect("a directory");
    let config = RecorderConfig { repair: Samples::from_ms(100), epoch_unix_ms: None };
    stage.start_recording(room, dir.path(), config).expect("a directory");
    stage.open_gate(room, Recordable::dangerously_without_consent(speaker, SOON)).expect("a recording");
    let everybody = SpeakerSet::EVERYBODY;
    let mut out =
        stage.subscribe(room, everybody, EncoderConfig::default(), StreamConfig::default()).expect("a place");
    let pcm = stage.subscribe_pcm(room, everybody).expect("a place");
    for number in 0..30 {
        mara.push(&datagram(number)).expect("room in the ring");
        until(|| out.pop().map(drop));
    }
    stage.mute(room, speaker, SOON).expect("a room");
    stage.unmute(room, speaker, SOON).expect("a room");
    stage.gain(room, speaker, 0.5, SOON, Samples::from_ms(10)).expect("a room");
    stage.hear(room, pcm.bus(), SpeakerSet::NOBODY).expect("a room");
    measure(stage, room);
    for worker in [1, 0] {
        stage.move_room(room, worker).expect("a worker");
        measure(stage, room);
    }
    stage.stop_recording(room).expect("a recording").wait(Duration::from_secs(30)).expect("a disk");
    stage.unsubscribe(room, out.bus()).expect("a room");
    stage.unsubscribe(room, pcm.bus()).expect("a room");
    let rests = |stage: &Control| stage.stats().rooms.iter().any(|load| load.room == room && load.resting);
    until(|| rests(stage).then_some(()));
    mara.push(&datagram(30)).expect("room in the ring");
    until(|| (!rests(stage)).then_some(()));
    stage.dismiss(room, speaker).expect("a room");
    // Nobody is there any more: refused, and that comes back too.
    stage.dismiss(room, speaker).expect("a room");
    stage.close_room(room).expect("a room");
    until(|| matches!(stage.poll(), Some(Notice::Closed(..))).then_some(()));
}

fn measure(stage: &mut Control, room: RoomId) {
    stage.measure(room).expect("a room");
    until(|| matches!(stage.poll(), Some(Notice::Measured(..))).then_some(()));
}

#[test]
fn workers_neither_allocate_nor_free() {
    let rest_after = Some(Duration::ZERO);
    let config = StageConfig { workers: 2, realtime: false, rest_after, ..StageConfig::default() };
    let mut stage = Stage::start(config).expect("threads");
    // The thread's own beginning is over once it has closed a room.
    let first = stage.open_room(RoomConfig::default()).expect("a place");
    stage.close_room(first).expect("a room");
    until(|| matches!(stage.poll(), Some(Notice::Closed(..))).then_some(()));
    let before = ON_WORKERS.load(Relaxed);
    assert!(before > 0, "workers are not recognised");
    a_life(&mut stage);
    assert_eq!(ON_WORKERS.load(Relaxed), before);
}
