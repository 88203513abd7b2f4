//! A voice is taken back after the fact: out of its track, and out of what was made of the session; everybody else's stays.

use crate::support::{FRAME, Mode, Talker, at, play, read, recorder};
use std::{fs, path::Path};
use tertulia::{
    consent::Recordable,
    frame::Channels,
    record::{Cause, Derived, Gap, Manifest, Recording, redact},
    sim::{loudest_dbfs, overhear},
    speaker::{SpeakerId, VoicePacket},
};

const END: u64 = 400 * FRAME;

/// Mara and George talk at once.
fn session(dir: &Path, talkers: [&Talker; 2]) {
    let mut recorder = recorder(dir);
    let mut packets = Vec::new();
    for ((id, name), talker) in (0..).zip(["mara", "george"]).zip(talkers) {
        let speaker = SpeakerId(id);
        recorder.join(speaker, name, at(0)).unwrap();
        recorder.open(Recordable::dangerously_without_consent(speaker, at(0)));
        let theirs = (0..talker.packets.len() as u64).map(|n| talker.packet(n, 0, 0));
        packets.extend(theirs.map(|packet| VoicePacket { speaker, ..packet }));
    }
    play(&mut recorder, packets);
    recorder.finish(at(END)).unwrap();
}

fn track(dir: &Path, name: &str) -> Vec<u8> {
    fs::read(dir.join(format!("tracks/{name}.opus"))).unwrap()
}

#[test]
fn a_stretch_is_silence_of_the_same_length_and_the_others_keep_every_byte() {
    let (dir, mara, george) =
        (tempfile::tempdir().unwrap(), Talker::new(Mode::Speech, 400), Talker::new(Mode::Speech, 380));
    session(dir.path(), [&mara, &george]);
    let (before, other) = (read(dir.path(), "mara"), track(dir.path(), "george"));
    let (from, to) = (100_500, 200_300);
    let redacted = redact(dir.path(), "mara", from..to).unwrap();
    // Packets 104 to 208 lie in it; three more may tell of it.
    assert_eq!((redacted.packets, redacted.dropped.len()), (105 + 3, 0));
    assert_eq!(redacted.changed, ["tracks/mara.opus", "session.json"]);
    assert_eq!(track(dir.path(), "george"), other);
    let after = read(dir.path(), "mara");
    assert_eq!(
        (after.samples(), after.pre_skip, after.channels),
        (before.samples(), before.pre_skip, before.channels)
    );
    assert_eq!(after.packets[..104], before.packets[..104]);
    assert_eq!(after.packets[212..], before.packets[212..]);
    assert!(after.packets[104..212].iter().all(|packet| packet[..] == [0xF8, 0xFF, 0xFE]));
    let played = after.decode();
    assert!(loudest_dbfs(&played[from as usize..to as usize], Channels::Mono) < -90.0);
    let manifest = Manifest::read(dir.path()).unwrap();
    let entry = &manifest.speakers["mara"];
    let gap = Gap { from_sample: 104 * FRAME, to_sample: 212 * FRAME, cause: Cause::Revoked };
    assert_eq!(entry.gaps, [gap]);
    assert_eq!(entry.file_bytes, Some(track(dir.path(), "mara").len() as u64));
    assert_eq!(manifest.events.last().map(|event| &*event.verb), Some("redact"));
}

#[test]
fn all_of_a_voice_goes_and_twice_is_once() {
    let (dir, mara, george) =
        (tempfile::tempdir().unwrap(), Talker::deep(400), Talker::new(Mode::Music, 400));
    session(dir.path(), [&mara, &george]);
    assert_eq!(redact(dir.path(), "mara", 0..u64::MAX).unwrap().packets, 400);
    let once = (track(dir.path(), "mara"), Manifest::read(dir.path()).unwrap().speakers["mara"].clone());
    assert!(overhear(&read(dir.path(), "mara").packets, Channels::Mono, 0.0).unwrap().worst_dbfs() < -150.0);
    assert_eq!(redact(dir.path(), "mara", 0..u64::MAX).unwrap().packets, 0);
    let twice = (track(dir.path(), "mara"), Manifest::read(dir.path()).unwrap().speakers["mara"].clone());
    assert_eq!(once, twice);
}

#[test]
fn deep_redundancy_behind_the_stretch_tells_nothing_of_it() {
    let (dir, mara, george) =
        (tempfile::tempdir().unwrap(), Talker::deep(400), Talker::new(Mode::Speech, 400));
    session(dir.path(), [&mara, &george]);
    let range = 96_000..144_000;
    redact(dir.path(), "mara", range.clone()).unwrap();
    let recording = Recording::open(dir.path()).unwrap();
    let mut track = recording.track("mara").unwrap();
    let packets: Vec<_> = track.packets(range.end..END).map(Result::unwrap).collect();
    let telling = |it: &&tertulia::record::TrackPacket| tertulia::packet::has_dred(&it.payload);
    assert!(packets.iter().take(55).filter(telling).count() == 0);
    assert!(packets.iter().skip(55).filter(telling).count() > 100);
}

#[test]
fn what_holds_the_voice_goes_and_is_listed_with_who_has_it() {
    let (dir, mara, george) =
        (tempfile::tempdir().unwrap(), Talker::new(Mode::Speech, 400), Talker::new(Mode::Speech, 400));
    session(dir.path(), [&mara, &george]);
    let made = |path: &str, speakers: &[&str]| {
        fs::write(dir.path().join(path), path).unwrap();
        let derived = Derived {
            path: path.into(),
            kind: "mix".into(),
            from_sample: 0,
            to_sample: END,
            speakers: speakers.iter().map(|name| (*name).into()).collect(),
            recipients: vec!["https://example.org/feed".into()],
        };
        derived.clone().note(dir.path()).unwrap();
        derived
    };
    let (both, alone) = (made("mix.wav", &["mara", "george"]), made("george.wav", &["george"]));
    assert_eq!(redact(dir.path(), "mara", 0..10_000).unwrap().dropped, [both]);
    assert!(!dir.path().join("mix.wav").exists() && dir.path().join("george.wav").exists());
    assert_eq!(Derived::of(dir.path()).unwrap(), [alone]);
}

#[test]
fn strangers_and_broken_sessions_are_errors_of_one_line() {
    let dir = tempfile::tempdir().unwrap();
    assert!(redact(dir.path(), "mara", 0..1).is_err());
    let mut unfinished = recorder(dir.path());
    unfinished.join(SpeakerId(0), "mara", at(0)).unwrap();
    unfinished.advance(at(1)).unwrap();
    let refused = |who, expected| {
        let error = redact(dir.path(), who, 0..1).unwrap_err().to_string();
        assert!(error.contains(expected) && !error.contains('\n'), "{error}");
    };
    refused("mara", "expected a finished session");
    unfinished.finish(at(2)).unwrap();
    refused("eve", "expected one of");
}
