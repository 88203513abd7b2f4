//! A disk that fails is no voice that fails: what there is waits, what is lost is told, and all else stands where it
//! belongs.

use crate::support::{FRAME, Mode, Talker, at, parse};
use std::path::Path;
use tertulia::{
    consent::Recordable,
    record::{Alert, Cause, Gap, Recorder, RecorderConfig, recover},
    sim::{Fault, FaultyDisk, Rng},
    speaker::SpeakerId,
};

const MARA: SpeakerId = SpeakerId(0);

fn recorder_on(disk: &FaultyDisk) -> Recorder {
    let config = RecorderConfig::default();
    let mut recorder = Recorder::create_on(Box::new(disk.clone()), Path::new("memory"), config).unwrap();
    recorder.join(MARA, "mara", at(0)).unwrap();
    recorder.open(Recordable::dangerously_without_consent(MARA, at(0)));
    recorder
}

/// Seconds `from` to `to` of a voice that says the same six seconds again and again; how many errors came of it.
fn speak(recorder: &mut Recorder, talker: &Talker, from: u64, to: u64) -> usize {
    let packets = talker.packets.len() as u64;
    let mut errors = 0;
    for n in from * 50..to * 50 {
        let packet = talker.packet(n % packets, 0, 0);
        let media = packet.media + tertulia::time::Samples::new(n / packets * packets * FRAME);
        recorder.packet(tertulia::speaker::VoicePacket {
            media,
            sequence: n,
            arrived: at(n * FRAME),
            ..packet
        });
        errors += usize::from(recorder.advance(at((n + 1) * FRAME)).is_err());
    }
    errors
}

#[test]
fn a_disk_that_comes_back_in_time_has_cost_nothing() {
    let talker = Talker::new(Mode::Speech, 300);
    for fault in [Fault::Full, Fault::ReadOnly, Fault::Removed, Fault::Io, Fault::NoSync] {
        let disk = FaultyDisk::new();
        let mut recorder = recorder_on(&disk);
        assert_eq!(speak(&mut recorder, &talker, 0, 5), 0);
        disk.fail(fault);
        assert_eq!(speak(&mut recorder, &talker, 5, 15), 1, "{fault:?} is told once");
        assert!(recorder.trouble().is_some_and(|since| since < at(6 * 48_000)));
        disk.fail(Fault::None);
        assert_eq!(speak(&mut recorder, &talker, 15, 20), 0);
        assert_eq!(recorder.trouble(), None);
        let track = recorder.finish(at(20 * 48_000)).unwrap().tracks.remove("mara").unwrap();
        assert_eq!((track.recorded, track.gaps), (1_000, vec![]), "{fault:?}");
        let file = parse(&disk.read("tracks/mara.opus").unwrap());
        assert!(file.ended && file.packets.len() >= 1_000);
        assert!((0..1_000).all(|n| file.packets[n] == talker.packets[n % 300]), "{fault:?}");
    }
}

/// Two minutes on a disk that takes so long for each thing from 20 to 60 s; what was told.
fn on_a_slow_disk(ms: u32) -> Vec<Alert> {
    let (disk, talker) = (FaultyDisk::new(), Talker::new(Mode::Speech, 300));
    let mut recorder = recorder_on(&disk);
    let (mut busy_until, mut alerts) = (0, Vec::new());
    for n in 0..6_000 {
        disk.fail(if (1_000..3_000).contains(&n) { Fault::Slow(ms) } else { Fault::None });
        let packet = talker.packet(n % 300, 0, 0);
        let media = packet.media + tertulia::time::Samples::new(n / 300 * 300 * FRAME);
        let arrived = at(n * FRAME);
        recorder.packet(tertulia::speaker::VoicePacket { media, sequence: n, arrived, ..packet });
        if n * 20 >= busy_until {
            recorder.advance(at((n + 1) * FRAME)).unwrap();
            busy_until = n * 20 + disk.took().as_millis() as u64;
            alerts.extend(recorder.take_alerts());
        }
    }
    let track = recorder.finish(at(6_000 * FRAME)).unwrap().tracks.remove("mara").unwrap();
    assert_eq!((track.recorded, track.gaps), (6_000, vec![]), "{ms} ms");
    alerts
}

#[test]
fn a_slow_disk_costs_nothing_and_is_told_where_it_is_too_slow() {
    assert_eq!(on_a_slow_disk(100), []);
    assert_eq!(on_a_slow_disk(1_000), [Alert::Behind, Alert::CaughtUp]);
}

#[test]
fn what_memory_does_not_hold_is_silence_and_told() {
    let (disk, talker) = (FaultyDisk::new(), Talker::new(Mode::Music, 300));
    let mut recorder = recorder_on(&disk);
    speak(&mut recorder, &talker, 0, 5);
    disk.fail(Fault::Full);
    speak(&mut recorder, &talker, 5, 60);
    disk.fail(Fault::None);
    speak(&mut recorder, &talker, 60, 80);
    let session = recorder.finish(at(80 * 48_000)).unwrap();
    let track = &session.tracks["mara"];
    let [Gap { from_sample, to_sample, cause: Cause::Storage }] = track.gaps[..] else {
        panic!("one gap: {:?}", track.gaps)
    };
    assert_eq!(track.recorded + (to_sample - from_sample) / FRAME, 4_000);
    assert!(session.unbalanced.is_empty());
    let file = parse(&disk.read("tracks/mara.opus").unwrap());
    assert_eq!(file.samples(), 80 * 48_000);
    for (n, packet) in file.packets[..4_000].iter().enumerate() {
        let lost = (from_sample..to_sample).contains(&(n as u64 * FRAME));
        assert!(
            if lost { packet[..] == [0xF8, 0xFF, 0xFE] } else { *packet == talker.packets[n % 300] },
            "{n}"
        );
    }
}

#[test]
fn a_file_that_is_deleted_is_begun_anew_and_its_loss_told() {
    let (disk, talker) = (FaultyDisk::new(), Talker::new(Mode::Speech, 300));
    let mut recorder = recorder_on(&disk);
    speak(&mut recorder, &talker, 0, 10);
    disk.delete("tracks/mara.opus");
    speak(&mut recorder, &talker, 10, 20);
    let session = recorder.finish(at(20 * 48_000)).unwrap();
    let [Gap { from_sample: 0, to_sample, cause: Cause::Storage }] = session.tracks["mara"].gaps[..] else {
        panic!("{:?}", session.tracks["mara"].gaps)
    };
    assert!((9 * 48_000..11 * 48_000).contains(&to_sample));
    assert!(session.unbalanced.is_empty());
    let file = parse(&disk.read("tracks/mara.opus").unwrap());
    assert_eq!(file.samples(), 20 * 48_000);
    let kept = (to_sample / FRAME) as usize;
    assert!((kept..1_000).all(|n| file.packets.contains(&talker.packets[n % 300])));
}

#[test]
fn a_power_failure_costs_a_second_and_recovery_is_done_once() {
    let talker = Talker::new(Mode::Speech, 300);
    let mut rng = Rng::new(1);
    for seconds in 4..24 {
        let (disk, dir) = (FaultyDisk::new(), tempfile::tempdir().unwrap());
        let mut recorder = recorder_on(&disk);
        speak(&mut recorder, &talker, 0, seconds);
        disk.cut_power(&mut rng);
        disk.spill(dir.path()).unwrap();
        let recovery = recover(dir.path()).unwrap();
        assert!(recovery.tracks["mara"].reached + 48_000 >= seconds * 48_000, "{recovery:?}");
        let file = crate::support::read(dir.path(), "mara");
        assert_eq!((file.ended, file.samples() as u64), (true, recovery.samples));
        let whole = (recovery.tracks["mara"].reached / FRAME) as usize;
        assert!((0..whole).all(|n| file.packets[n] == talker.packets[n % 300]));
        assert!(recover(dir.path()).unwrap().was_whole);
    }
}
