//! Who comes back, and senders that begin anew.

use crate::support::{FRAME, MARA, Mode, Talker, at, lag, play, read, recorder_with_mara};
use std::fs;
use tertulia::{
    consent::Recordable,
    record::{Cause, Gap},
    speaker::{SpeakerId, VoicePacket},
};

fn gap(from_sample: u64, to_sample: u64, cause: Cause) -> Gap {
    Gap { from_sample, to_sample, cause }
}

#[test]
fn who_comes_back_goes_on_in_the_same_track() {
    let (dir, talker) = (tempfile::tempdir().unwrap(), Talker::new(Mode::Speech, 300));
    let (left, back, lane) = (96_000, 200_017, SpeakerId(7));
    let mut recorder = recorder_with_mara(dir.path(), 0);
    play(&mut recorder, (0..110).map(|n| talker.packet(n, 0, 0)).collect());
    recorder.leave(MARA, at(left));
    recorder.join(lane, "mara", at(back)).unwrap();
    recorder.open(Recordable::dangerously_without_consent(lane, at(back)));
    let again = (0..300).map(|n| VoicePacket { speaker: lane, ..talker.packet(n, back, 0) });
    play(&mut recorder, again.collect());
    let end = back + 300 * FRAME;
    let track = recorder.finish(at(end)).unwrap().tracks.remove("mara").unwrap();
    // Whatever its encoder took in elsewhere is left out with its first three frames.
    assert_eq!(track.gaps, [gap(left, back, Cause::NotJoined), gap(back, back + 3 * FRAME, Cause::Gate)]);
    assert_eq!((track.recorded, track.gated), (397, 13));
    let played = read(dir.path(), "mara").decode();
    // A second stay stands on the file's 2.5 ms lattice: up to 60 samples off, here 23.
    assert!((lag(&played, back + 96_000, &talker.said, 96_000) - 23).abs() <= 10);
    let manifest: serde_json::Value = read_json(dir.path());
    let placed = &manifest["speakers"]["mara"]["placed"];
    assert_eq!(
        (placed[0]["room_sample"].as_u64(), placed[1]["room_sample"].as_u64()),
        (Some(0), Some(200_040 + 3 * FRAME))
    );
}

#[test]
fn consent_does_not_outlive_a_stay() {
    let (dir, talker) = (tempfile::tempdir().unwrap(), Talker::new(Mode::Speech, 200));
    let mut recorder = recorder_with_mara(dir.path(), 0);
    recorder.leave(MARA, at(96_000));
    recorder.join(MARA, "mara", at(96_000)).unwrap();
    play(&mut recorder, (0..200).map(|n| talker.packet(n, 0, 0)).collect());
    let track = recorder.finish(at(200 * FRAME)).unwrap().tracks.remove("mara").unwrap();
    assert_eq!((track.recorded, track.gated), (100, 100));
    assert_eq!(track.gaps, [gap(96_000, 200 * FRAME, Cause::Gate)]);
}

#[test]
fn a_sender_that_begins_anew_is_placed_anew() {
    let (dir, talker) = (tempfile::tempdir().unwrap(), Talker::new(Mode::Speech, 400));
    let mut recorder = recorder_with_mara(dir.path(), 0);
    // After 200 packets half a second of nothing, then another clock; two stragglers of the old one come after that.
    let transit = |n: u64| if n == 150 || n == 199 { 60_000 } else { 0 };
    let first = (0..200).map(|n| talker.packet(n, 0, transit(n)));
    let second = (200..400).map(|n| VoicePacket {
        epoch: 1,
        media: tertulia::time::MediaTime::from_samples(5_000 + n * FRAME),
        ..talker.packet(n, 24_000, 0)
    });
    play(&mut recorder, first.chain(second).collect());
    let track = recorder.finish(at(400 * FRAME + 24_000)).unwrap().tracks.remove("mara").unwrap();
    assert_eq!(track.gaps, [gap(200 * FRAME, 200 * FRAME + 24_000, Cause::Dtx)]);
    assert_eq!(track.recorded, 400);
    let played = read(dir.path(), "mara").decode();
    assert!(lag(&played, 24_000 + 300 * FRAME, &talker.said, 300 * FRAME).abs() <= 10);
}

#[test]
fn a_sender_that_begins_anew_without_a_pause_loses_nothing_to_jitter() {
    for quicker in [1, 100, 480] {
        let (dir, talker) = (tempfile::tempdir().unwrap(), Talker::new(Mode::Speech, 400));
        let mut recorder = recorder_with_mara(dir.path(), 0);
        // Behind the restart, packets come a little quicker than all before: the two clocks seem to overlap.
        let first = (0..200).map(|n| talker.packet(n, 0, 600));
        let second = (200..400).map(|n| VoicePacket {
            epoch: 1,
            media: tertulia::time::MediaTime::from_samples(5_000 + n * FRAME),
            ..talker.packet(n, 0, 600 - quicker)
        });
        play(&mut recorder, first.chain(second).collect());
        let track = recorder.finish(at(400 * FRAME + 600)).unwrap().tracks.remove("mara").unwrap();
        // What is off by more than 2.5 ms is steered back, a packet at a time at most.
        assert!(track.recorded >= 397 && track.recorded + track.refused == 400, "{quicker}: {track:?}");
        assert!(quicker > 120 || track.recorded == 400, "{quicker}: {track:?}");
        let played = read(dir.path(), "mara").decode();
        assert!(lag(&played, 600 + 300 * FRAME, &talker.said, 300 * FRAME).abs() <= 480);
    }
}

#[test]
fn packets_of_nobody_are_counted() {
    let (dir, talker) = (tempfile::tempdir().unwrap(), Talker::new(Mode::Speech, 1));
    let mut recorder = recorder_with_mara(dir.path(), 0);
    recorder.packet(VoicePacket { speaker: SpeakerId(9), ..talker.packet(0, 0, 0) });
    assert_eq!(recorder.finish(at(960)).unwrap().unclaimed, 1);
}

#[test]
fn the_manifest_tells_what_happened() {
    let (dir, talker) = (tempfile::tempdir().unwrap(), Talker::new(Mode::Speech, 100));
    let mut recorder = recorder_with_mara(dir.path(), 480);
    recorder.mute(MARA, at(48_000));
    recorder.close(MARA, at(72_000));
    play(&mut recorder, (0..100).map(|n| talker.packet(n, 480, 0)).collect());
    recorder.advance(at(97_000)).unwrap();
    assert_eq!(read_json(dir.path())["finished"], false);
    recorder.finish(at(97_000)).unwrap();
    let manifest = read_json(dir.path());
    let mara = &manifest["speakers"]["mara"];
    let verbs: Vec<_> =
        manifest["events"].as_array().unwrap().iter().map(|it| it["do"].as_str().unwrap()).collect();
    assert_eq!(verbs, ["record", "join", "grant", "mute", "withdraw", "stop"]);
    assert_eq!(manifest["samples"], 97_000);
    assert_eq!(mara["consent"], serde_json::json!([{"from_sample": 480, "to_sample": 72_000}]));
    assert_eq!(mara["muted"], serde_json::json!([{"from_sample": 48_000, "to_sample": null}]));
    assert_eq!(mara["joined"], serde_json::json!([{"from_sample": 480, "to_sample": null}]));
    let gaps = serde_json::json!([
        {"from_sample": 0, "to_sample": 480, "cause": "not_joined"},
        {"from_sample": 47_520, "to_sample": 71_520, "cause": "mute"},
        {"from_sample": 71_520, "to_sample": 97_000, "cause": "gate"}
    ]);
    assert_eq!(mara["gaps"], gaps);
    let file = fs::read(dir.path().join(mara["file"].as_str().unwrap())).unwrap();
    assert_eq!(mara["file_bytes"], file.len());
    assert_eq!(mara["sha256"].as_str().unwrap().len(), 64);
}

fn read_json(dir: &std::path::Path) -> serde_json::Value {
    serde_json::from_slice(&fs::read(dir.join("session.json")).unwrap()).unwrap()
}

#[test]
fn copies_repair_what_never_came() {
    let (dir, talker) = (tempfile::tempdir().unwrap(), Talker::new(Mode::Speech, 400));
    let mut recorder = recorder_with_mara(dir.path(), 0);
    // 200 to 203 never come; 201 to 203 are brought along by those behind. 210 comes behind its copy.
    let arrives = |n: &u64| !(200..204).contains(n);
    let late = |n: u64| if n == 210 { 1_500 } else { 0 };
    play(&mut recorder, (0..204).filter(arrives).map(|n| talker.packet(n, 0, 0)).collect());
    for n in [204, 205, 206, 211] {
        let copy = talker.packet(if n == 211 { 210 } else { n - 3 }, 0, 0);
        recorder.copy(VoicePacket { arrived: at(n * FRAME), ..copy });
    }
    play(&mut recorder, (204..400).map(|n| talker.packet(n, 0, late(n))).collect());
    let track = recorder.finish(at(400 * FRAME)).unwrap().tracks.remove("mara").unwrap();
    assert_eq!(track.gaps, [gap(200 * FRAME, 201 * FRAME, Cause::Loss)]);
    assert_eq!((track.recorded, track.repaired, track.refused), (396, 3, 0));
    let packets = read(dir.path(), "mara").packets;
    assert!((201..400).all(|n| packets[n] == talker.packets[n]));
}
