//! What came last is safe in one file before it is where it belongs: wherever a recording stops, a recovery finds it there.

use crate::support::{FRAME, MARA, Mode, Talker, at, recorder_with_mara};
use std::{collections::BTreeMap, fs, path::Path};
use tertulia::{
    consent::Recordable,
    record::{Manifest, Recorder, RecorderConfig, Recording, Rotation, recover},
    sim::{Fault, FaultyDisk, Rng},
    speaker::{SpeakerId, VoicePacket},
    time::Samples,
};

const LATER: SpeakerId = SpeakerId(1);

/// The later one says something for the first time only here, so that its silent file is replaced.
const SPEAKS: u64 = 260;

/// Twenty seconds of two voices in parts of seven, on a disk that may be gone sometime; up to which frame it took everything.
fn record(disk: &FaultyDisk, talker: &Talker) -> Result<u64, u64> {
    let rotation = Rotation { every: Some(Samples::from_ms(7_000)), bytes: None };
    let config = RecorderConfig { rotation, ..RecorderConfig::default() };
    let mut recorder =
        Recorder::create_on(Box::new(disk.clone()), Path::new("memory"), config).map_err(|_| 0_u64)?;
    for (id, name) in [(MARA, "mara"), (LATER, "later")] {
        recorder.join(id, name, at(0)).unwrap();
        recorder.open(Recordable::dangerously_without_consent(id, at(0)));
    }
    for n in 0..1_000 {
        recorder.packet(talker.packet(n, 0, 0));
        if n >= SPEAKS {
            recorder.packet(VoicePacket { speaker: LATER, ..talker.packet(n, 0, 0) });
        }
        if (n + 1) % 5 == 0 {
            recorder.advance(at((n + 1) * FRAME)).map_err(|_| n)?;
        }
    }
    recorder.finish(at(1_000 * FRAME)).map(|_| 1_000).map_err(|_| 1_000)
}

/// Each voice's packets stand where they belong, up to a second before the end.
fn check(dir: &Path, talker: &Talker, reached: u64, what: &str) {
    let manifest = Manifest::read(dir).unwrap();
    for (name, first) in [("mara", 0), ("later", SPEAKS)] {
        if !manifest.speakers.contains_key(name) {
            assert!(reached < 55, "{what}: {name} is not there");
            continue;
        }
        let mut track = Recording::open(dir).unwrap().track(name).unwrap();
        let packets: BTreeMap<i64, Vec<u8>> =
            track.packets(0..u64::MAX).map(Result::unwrap).map(|it| (it.at, it.payload)).collect();
        for n in first..reached.saturating_sub(55) {
            let there = packets.get(&((n * FRAME) as i64));
            assert!(there == Some(&talker.packets[n as usize]), "{what}: packet {n} of {name}");
        }
    }
}

#[test]
fn wherever_the_power_fails_no_more_than_a_second_is_lost() {
    let (talker, mut rng) = (Talker::new(Mode::Speech, 1_000), Rng::new(7));
    let mut is_whole = false;
    for stop in (1..).step_by(7) {
        let (disk, dir) = (FaultyDisk::new(), tempfile::tempdir().unwrap());
        disk.fail_after(stop, Fault::Removed);
        let reached = record(&disk, &talker);
        is_whole |= reached.is_ok();
        disk.cut_power(&mut rng);
        if disk.read("session.json").is_none() {
            continue;
        }
        disk.spill(dir.path()).unwrap();
        recover(dir.path()).unwrap();
        let reached = reached.unwrap_or_else(|n| n);
        check(dir.path(), &talker, reached, &format!("stopped at {stop}"));
        assert!(recover(dir.path()).unwrap().was_whole, "stopped at {stop}");
        assert!(!dir.path().join("latest.log").exists());
        if is_whole {
            break;
        }
    }
}

/// A session of mara's that died, whose files are as they were before what came last was written.
fn died(dir: &Path, talker: &Talker) -> Vec<u8> {
    let mut recorder = recorder_with_mara(dir, 0);
    for n in 0..300 {
        recorder.packet(talker.packet(n, 0, 0));
        recorder.advance(at((n + 1) * FRAME)).unwrap();
    }
    fs::read(dir.join("latest.log")).unwrap()
}

#[test]
fn a_log_that_was_cut_off_or_changed_puts_nothing_where_it_does_not_belong() {
    let (dir, talker) = (tempfile::tempdir().unwrap(), Talker::new(Mode::Speech, 300));
    let log = died(dir.path(), &talker);
    let [track, journal] = ["tracks/mara.opus", "journal.jsonl"].map(|file| dir.path().join(file));
    let (whole, told) = (fs::read(&track).unwrap(), fs::read(&journal).unwrap());
    let mut reached = Vec::new();
    for at in (0..log.len()).step_by(1_499).chain([log.len()]) {
        for cut in [true, false] {
            let mut hurt = log.clone();
            if cut {
                hurt.truncate(at);
            } else if let Some(byte) = hurt.get_mut(at) {
                *byte ^= 4;
            }
            fs::write(dir.path().join("latest.log"), hurt).unwrap();
            // What was written in the last second is not there.
            fs::write(&track, &whole[..whole.len() - 2_000]).unwrap();
            fs::write(&journal, &told).unwrap();
            recover(dir.path()).unwrap();
            let mut read = Recording::open(dir.path()).unwrap().track("mara").unwrap();
            let packets: Vec<_> = read.packets(0..u64::MAX).map(Result::unwrap).collect();
            let said = packets.iter().filter(|it| it.payload.len() > 8);
            let stands = said.clone().all(|it| it.payload == talker.packets[(it.at / FRAME as i64) as usize]);
            assert!(stands, "byte {at}, cut: {cut}");
            reached.push(said.count());
        }
    }
    assert!(reached.last() > reached.first(), "{reached:?}");
}

#[test]
fn what_another_recording_left_is_not_put_into_this_one() {
    let (dir, talker) = (tempfile::tempdir().unwrap(), Talker::new(Mode::Speech, 300));
    assert!(died(dir.path(), &talker).len() > 1_000);
    drop(recorder_with_mara(dir.path(), 0));
    let recovery = recover(dir.path()).unwrap();
    assert_eq!((recovery.samples, recovery.tracks["mara"].reached), (0, 0));
}

#[test]
fn a_finished_recording_has_left_no_log() {
    let (dir, talker) = (tempfile::tempdir().unwrap(), Talker::new(Mode::Speech, 300));
    died(dir.path(), &talker);
    let mut recorder = recorder_with_mara(dir.path(), 0);
    recorder.packet(talker.packet(0, 0, 0));
    recorder.advance(at(48_000)).unwrap();
    assert!(dir.path().join("latest.log").exists());
    recorder.finish(at(96_000)).unwrap();
    assert!(!dir.path().join("latest.log").exists() && !dir.path().join("journal.jsonl").exists());
}
