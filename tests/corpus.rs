//! Whatever the fuzzers have found interesting stays harmless.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::{fs, path::Path};
use tertulia::fuzzing;

fn replay(target: &str, body: fn(&[u8])) {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let mut inputs = 0;
    for entry in fs::read_dir(&corpus).unwrap() {
        let path = entry.unwrap().path();
        println!("{}", path.display());
        body(&fs::read(path).unwrap());
        inputs += 1;
    }
    assert!(inputs > 0, "{} is empty", corpus.display());
}

#[test]
fn every_packet_input_is_harmless() {
    replay("packet", fuzzing::packet);
}

#[test]
fn every_engine_input_is_harmless() {
    replay("engine_ops", fuzzing::engine_ops);
}

#[test]
fn every_jitter_input_is_harmless() {
    replay("jitter_ops", fuzzing::jitter_ops);
}

#[test]
fn every_room_log_is_harmless() {
    replay("room_log", fuzzing::room_log);
}

#[test]
fn every_recovery_input_is_harmless() {
    replay("recover", fuzzing::recover);
}

#[test]
fn every_recording_input_is_harmless() {
    replay("session_read", fuzzing::session_read);
}

#[test]
fn every_sealed_track_is_harmless() {
    replay("sealed_read", fuzzing::sealed_read);
}
