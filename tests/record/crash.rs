//! A stop at any moment leaves files that can be played.

use crate::support::{FRAME, Mode, Talker, at, lag, parse, play, recorder_with_mara};
use std::fs;

#[test]
fn files_can_be_played_while_they_grow() {
    let (dir, talker) = (tempfile::tempdir().unwrap(), Talker::new(Mode::Speech, 600));
    let mut recorder = recorder_with_mara(dir.path(), 0);
    let path = dir.path().join("tracks/mara.opus");
    for second in 0..12 {
        play_second(&mut recorder, &talker, second);
        let bytes = fs::read(&path).unwrap();
        let file = parse(&bytes);
        // Behind by a second, once the sender's clock is known.
        let behind = (second + 1) * 48_000 - file.granule.min((second + 1) * 48_000);
        assert!(second < 3 || behind <= 48_000, "second {second}: {behind}");
        assert!(!file.ended);
    }
    drop(recorder);
    let bytes = fs::read(&path).unwrap();
    for cut in (120..bytes.len()).step_by(997).chain([bytes.len()]) {
        let file = parse(&bytes[..cut]);
        let played = if file.samples_known() { file.decode() } else { Vec::new() };
        if played.len() > 110_000 {
            assert!(lag(&played, 96_000, &talker.said, 96_000).abs() <= 10);
        }
    }
    let manifest = fs::read(dir.path().join("session.json")).unwrap();
    assert!(serde_json::from_slice::<serde_json::Value>(&manifest).is_ok());
}

fn play_second(recorder: &mut tertulia::record::Recorder, talker: &Talker, second: u64) {
    for tenth in 0..10 {
        let from = second * 50 + tenth * 5;
        (from..from + 5).for_each(|n| recorder.packet(talker.packet(n, 0, 0)));
        recorder.advance(at((from + 5) * FRAME)).unwrap();
    }
}

#[test]
fn a_stopped_recorder_has_a_playable_file_of_a_silent_speaker() {
    let dir = tempfile::tempdir().unwrap();
    let mut recorder = recorder_with_mara(dir.path(), 0);
    let bytes = |_: &mut _| fs::read(dir.path().join("tracks/mara.opus")).unwrap();
    assert_eq!(parse(&bytes(&mut recorder)).packets.len(), 0);
    recorder.advance(at(480_000)).unwrap();
    let file = parse(&bytes(&mut recorder));
    assert!(file.granule > 300_000 && file.decode().iter().all(|sample| sample.abs() < 1e-9));
}

#[test]
fn the_same_calls_make_the_same_bytes() {
    let talker = Talker::new(Mode::Speech, 200);
    let record = || {
        let dir = tempfile::tempdir().unwrap();
        let mut recorder = recorder_with_mara(dir.path(), 0);
        play(&mut recorder, (0..200).map(|n| talker.packet(n, 5, n * 31 % 700)).collect());
        recorder.finish(at(200 * FRAME)).unwrap();
        ["tracks/mara.opus", "session.json"].map(|name| fs::read(dir.path().join(name)).unwrap())
    };
    assert_eq!(record(), record());
}
