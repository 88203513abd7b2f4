//! A long recording goes on in another part now and then. Nobody who reads it as one notices; each part plays by itself.

use crate::support::{FRAME, MARA, Mode, Talker, at, parse, play, read};
use std::{fs, path::Path};
use tertulia::{
    consent::Recordable,
    record::{
        Manifest, Origin, Recorder, RecorderConfig, Recording, Rotation, Seals, Session, TrackPacket,
        recover, recover_sealed, redact, redact_sealed, unseal,
    },
    render::{What, render},
    sim::{Fault, FaultyDisk, Rng},
    speaker::{SpeakerId, VoicePacket},
    time::Samples,
};

const LATER: SpeakerId = SpeakerId(1);

/// Parts of 3.3 s and some samples.
const EVERY: u64 = 160_001;

fn rotating() -> RecorderConfig {
    let rotation = Rotation { every: Some(Samples::new(EVERY)), bytes: None };
    RecorderConfig { rotation, ..RecorderConfig::default() }
}

/// Twelve seconds of two voices: one over a network that loses and is late, the other comes in the middle.
fn evening(recorder: &mut Recorder, talker: &Talker) {
    for (id, name, joined) in [(MARA, "mara", 0), (LATER, "later", 300_017)] {
        recorder.join(id, name, at(joined)).unwrap();
        recorder.open(Recordable::dangerously_without_consent(id, at(joined)));
    }
    let mut packets = Vec::new();
    for n in (0..600).filter(|n| n % 37 != 5) {
        packets.push(talker.packet(n, 0, if n % 11 == 0 { 30_000 } else { n * 31 % 700 }));
    }
    for n in 0..250 {
        packets.push(VoicePacket { speaker: LATER, ..talker.packet(n, 300_017, n * 17 % 500) });
    }
    play(recorder, packets);
}

fn recorded(dir: &Path, config: RecorderConfig, talker: &Talker) -> Session {
    let mut recorder = Recorder::create(dir, config).unwrap();
    evening(&mut recorder, talker);
    recorder.finish(at(600 * FRAME)).unwrap()
}

fn packets(dir: &Path, name: &str) -> Vec<TrackPacket> {
    Recording::open(dir).unwrap().track(name).unwrap().packets(0..u64::MAX).map(Result::unwrap).collect()
}

fn is_said(packet: &TrackPacket) -> bool {
    packet.origin == Origin::Speaker
}

#[test]
fn it_is_read_as_one() {
    let (one, several) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let talker = Talker::new(Mode::Speech, 600);
    let whole = recorded(one.path(), RecorderConfig::default(), &talker);
    assert_eq!(recorded(several.path(), rotating(), &talker), whole);
    for name in ["mara", "later"] {
        let (apart, joined) = (packets(one.path(), name), packets(several.path(), name));
        assert!(apart.iter().filter(|it| is_said(it)).eq(joined.iter().filter(|it| is_said(it))));
        // No packet lies on another, and none is missing between two. Before its first sound a track stands on no multiple of 2.5 ms.
        let begun = joined.iter().position(is_said).unwrap();
        for pair in joined[begun..].windows(2) {
            assert_eq!(pair[0].end(), pair[1].at, "{name}");
        }
        for from in (0..600 * FRAME).step_by(7_001) {
            let recording = Recording::open(several.path()).unwrap();
            let mut track = recording.track(name).unwrap();
            let some: Vec<_> = track.packets(from..from + 9_000).map(Result::unwrap).collect();
            let expected = joined.iter().filter(|it| it.end() > from as i64 && it.at < from as i64 + 9_000);
            assert!(some.iter().eq(expected), "{name} from {from}");
        }
    }
}

#[test]
fn each_part_is_a_session_by_itself() {
    let (one, several) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let talker = Talker::new(Mode::Music, 600);
    let whole = recorded(one.path(), RecorderConfig::default(), &talker);
    recorded(several.path(), rotating(), &talker);
    let session = Manifest::read(several.path()).unwrap();
    let starts: Vec<_> = session.parts.iter().map(|part| part.from_sample).collect();
    assert_eq!(starts, [EVERY, 2 * EVERY, 3 * EVERY]);
    let sound = read(one.path(), "mara").decode();
    let mut received = 0;
    for (part, to) in session.parts.iter().zip([2 * EVERY, 3 * EVERY, whole.samples]) {
        let dir = several.path().join(&part.folder);
        let manifest = Manifest::read(&dir).unwrap();
        assert_eq!((manifest.from_sample, manifest.samples, manifest.finished), (part.from_sample, to, true));
        let file = read(&dir, "mara");
        assert_eq!((file.samples() as u64, file.ended), (to - part.from_sample, true));
        // A decoder that began 80 ms before hears what it would have heard, but for the last of what its packets hold.
        let (here, there) = (file.decode(), &sound[part.from_sample as usize..(to - 400) as usize]);
        let error = here.iter().zip(there).map(|(one, other)| (one - other).abs()).fold(0.0, f32::max);
        assert!(error < 0.1, "{}: {error}", part.folder);
        let gaps = &manifest.speakers["mara"].gaps;
        assert!(gaps.iter().all(|gap| part.from_sample <= gap.from_sample && gap.to_sample <= to));
        received += manifest.speakers["mara"].packets.received;
        assert_eq!(manifest.speakers["mara"].file, "tracks/mara.opus");
        assert!(recover(&dir).unwrap().was_whole);
    }
    assert!(received < whole.tracks["mara"].recorded && received > whole.tracks["mara"].recorded / 2);
    assert!(recover(several.path()).unwrap().was_whole);
}

/// What a mix of the whole sounds like.
fn mix(dir: &Path) -> Vec<f32> {
    let mut mix = Vec::new();
    render(&Recording::open(dir).unwrap(), &What::default(), &mut |block| {
        mix.extend_from_slice(block.mix);
        Ok(())
    })
    .unwrap();
    mix
}

#[test]
fn it_is_rendered_as_one_bit_by_bit() {
    let (one, several) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let talker = Talker::new(Mode::Speech, 600);
    recorded(one.path(), RecorderConfig::default(), &talker);
    recorded(several.path(), rotating(), &talker);
    assert!(mix(one.path()) == mix(several.path()));
}

#[test]
fn who_comes_later_has_files_in_later_parts_alone() {
    let (dir, talker) = (tempfile::tempdir().unwrap(), Talker::new(Mode::Speech, 100));
    let mut recorder = Recorder::create(dir.path(), rotating()).unwrap();
    for second in 1..=6 {
        recorder.advance(at(second * 48_000)).unwrap();
    }
    recorder.join(MARA, "mara", at(290_000)).unwrap();
    recorder.open(Recordable::dangerously_without_consent(MARA, at(290_000)));
    play(&mut recorder, (0..100).map(|n| talker.packet(n, 290_000, 0)).collect());
    recorder.finish(at(400_000)).unwrap();
    let session = Manifest::read(dir.path()).unwrap();
    let files: Vec<_> = session.speakers["mara"].parts.iter().map(|part| part.file.as_str()).collect();
    assert_eq!(files, ["part-0002/tracks/mara.opus", "part-0003/tracks/mara.opus"]);
    let said: Vec<_> = packets(dir.path(), "mara").into_iter().filter(is_said).collect();
    assert!((0..100).all(|n| said[n].at == 290_000 + n as i64 * 960 && said[n].payload == talker.packets[n]));
    assert!(recover(dir.path()).unwrap().was_whole);
}

#[test]
fn it_turns_when_a_part_is_full() {
    let dir = tempfile::tempdir().unwrap();
    let rotation = Rotation { every: None, bytes: Some(20_000) };
    recorded(
        dir.path(),
        RecorderConfig { rotation, ..RecorderConfig::default() },
        &Talker::new(Mode::Speech, 600),
    );
    let session = Manifest::read(dir.path()).unwrap();
    assert!(session.parts.len() >= 2, "{:?}", session.parts);
    let bytes = |number: usize| {
        let parts = session.speakers.values().flat_map(|entry| &entry.parts);
        let folder = &session.parts[number].folder;
        parts.filter(|part| part.file.starts_with(folder)).filter_map(|part| part.file_bytes).sum::<u64>()
    };
    // What is there when it is found to be full, and what was said by then but still waits: two seconds of two voices.
    assert!((20_000..40_000).contains(&bytes(0)), "{}", bytes(0));
}

#[test]
fn a_power_failure_at_any_moment_leaves_parts_that_recovery_finishes() {
    let talker = Talker::new(Mode::Speech, 600);
    let mut rng = Rng::new(3);
    for cut in 0..30 {
        let (disk, dir) = (FaultyDisk::new(), tempfile::tempdir().unwrap());
        let mut recorder =
            Recorder::create_on(Box::new(disk.clone()), Path::new("memory"), rotating()).unwrap();
        recorder.join(MARA, "mara", at(0)).unwrap();
        recorder.open(Recordable::dangerously_without_consent(MARA, at(0)));
        let died = 150 + 13 * cut;
        for n in 0..died {
            recorder.packet(talker.packet(n, 0, 0));
            recorder.advance(at((n + 1) * FRAME)).unwrap();
        }
        disk.cut_power(&mut rng);
        disk.spill(dir.path()).unwrap();
        let recovery = recover(dir.path()).unwrap();
        let reached = recovery.tracks["mara"].reached;
        assert!(
            reached + 48_000 >= died * FRAME && recovery.tracks["mara"].damaged.is_empty(),
            "{recovery:?}"
        );
        let said: Vec<_> = packets(dir.path(), "mara").into_iter().filter(is_said).collect();
        assert_eq!(said.len() as u64, reached / FRAME);
        for (n, packet) in said.iter().enumerate() {
            assert!(packet.at == n as i64 * 960 && packet.payload == talker.packets[n], "{n}");
        }
        let session = Manifest::read(dir.path()).unwrap();
        for part in &session.parts {
            assert!(Manifest::read(&dir.path().join(&part.folder)).unwrap().finished);
        }
        assert!(recover(dir.path()).unwrap().was_whole);
    }
}

#[test]
fn a_packet_across_the_seam_is_told_once_though_nothing_came_behind_it() {
    let (dir, talker) = (tempfile::tempdir().unwrap(), Talker::new(Mode::Speech, 167));
    let mut recorder = Recorder::create(dir.path(), rotating()).unwrap();
    recorder.join(MARA, "mara", at(0)).unwrap();
    recorder.open(Recordable::dangerously_without_consent(MARA, at(0)));
    for n in 0..250 {
        (n < 167).then(|| recorder.packet(talker.packet(n, 0, 0)));
        recorder.advance(at((n + 1) * FRAME)).unwrap();
    }
    drop(recorder);
    // The recorder died as the first part was on disk, and nothing of the second.
    fs::remove_file(dir.path().join("part-0002/tracks/mara.opus")).unwrap();
    recover(dir.path()).unwrap();
    let said: Vec<_> = packets(dir.path(), "mara").into_iter().filter(|it| it.payload.len() > 3).collect();
    assert!(said.len() == 167 && said[166].at < EVERY as i64 && said[166].end() > EVERY as i64);
    let gaps = Manifest::read(dir.path()).unwrap().speakers.remove("mara").unwrap().gaps;
    assert_eq!(gaps.first().map(|gap| gap.from_sample), Some(167 * FRAME), "{gaps:?}");
}

#[test]
fn a_disk_that_fails_as_parts_turn_costs_nothing() {
    let talker = Talker::new(Mode::Speech, 600);
    for fault in [Fault::Full, Fault::ReadOnly, Fault::Removed, Fault::Io, Fault::NoSync] {
        for from in (140..180).step_by(13) {
            let (disk, dir) = (FaultyDisk::new(), tempfile::tempdir().unwrap());
            let mut recorder =
                Recorder::create_on(Box::new(disk.clone()), Path::new("memory"), rotating()).unwrap();
            recorder.join(MARA, "mara", at(0)).unwrap();
            recorder.open(Recordable::dangerously_without_consent(MARA, at(0)));
            for n in 0..600 {
                disk.fail(if (from..from + 200).contains(&n) { fault } else { Fault::None });
                recorder.packet(talker.packet(n, 0, 0));
                let _told = recorder.advance(at((n + 1) * FRAME));
            }
            let session = recorder.finish(at(600 * FRAME)).unwrap();
            assert_eq!((session.tracks["mara"].recorded, &session.tracks["mara"].gaps), (600, &vec![]));
            disk.spill(dir.path()).unwrap();
            assert_eq!(packets(dir.path(), "mara").iter().filter(|it| is_said(it)).count(), 600, "{fault:?}");
            assert!(recover(dir.path()).unwrap().was_whole);
        }
    }
}

#[test]
fn a_voice_is_taken_back_from_all_parts() {
    let dir = tempfile::tempdir().unwrap();
    let talker = Talker::new(Mode::Speech, 600);
    recorded(dir.path(), rotating(), &talker);
    let range = EVERY - 2_000..2 * EVERY + 10;
    redact(dir.path(), "mara", range.clone()).unwrap();
    let inside = |packet: &TrackPacket| packet.end() > range.start as i64 && packet.at < range.end as i64;
    assert!(!packets(dir.path(), "mara").iter().any(|it| is_said(it) && inside(it)));
    for folder in ["part-0002", "part-0003"] {
        // Not even what a part begins with for its decoder tells of it.
        let here = packets(&dir.path().join(folder), "mara");
        assert!(!here.iter().any(|it| it.payload.len() > 3 && inside(it)), "{folder}");
        assert!(recover(&dir.path().join(folder)).unwrap().was_whole);
    }
    assert!(recover(dir.path()).unwrap().was_whole);
    assert!(fs::read_dir(dir.path().join("part-0002/tracks")).unwrap().count() == 2);
}

/// A session whose tracks are sealed, and its keys.
fn sealed(root: &Path, talker: &Talker, finished: bool) -> Recording {
    let mut recorder = Recorder::create(&root.join("sealed"), rotating()).unwrap();
    recorder.seal(Seals::new(&root.join("keys"), [1; 32]).unwrap());
    evening(&mut recorder, talker);
    if finished {
        recorder.finish(at(600 * FRAME)).unwrap();
    } else {
        drop(recorder);
        let seals = Seals::new(&root.join("keys"), [2; 32]).unwrap();
        assert!(!recover_sealed(&root.join("sealed"), &seals).unwrap().was_whole);
        assert!(recover_sealed(&root.join("sealed"), &seals).unwrap().was_whole);
    }
    Recording::open(&root.join("sealed")).unwrap().with_keys(&root.join("keys"))
}

fn said(recording: &Recording, name: &str) -> Vec<TrackPacket> {
    let mut track = recording.track(name).unwrap();
    track.packets(0..u64::MAX).map(Result::unwrap).filter(is_said).collect()
}

#[test]
fn sealed_tracks_go_on_in_parts_too() {
    let (plain, root) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let talker = Talker::new(Mode::Speech, 600);
    recorded(plain.path(), rotating(), &talker);
    let opened = sealed(root.path(), &talker, true);
    let plain = Recording::open(plain.path()).unwrap();
    for name in ["mara", "later"] {
        assert!(opened.manifest().speakers[name].parts.len() == 4, "{:?}", opened.manifest().parts);
        assert_eq!(said(&opened, name), said(&plain, name));
    }
    let seals = Seals::new(&root.path().join("keys"), [3; 32]).unwrap();
    let range = EVERY - 2_000..2 * EVERY + 10;
    redact_sealed(opened.dir(), &seals, "mara", range.clone()).unwrap();
    let again = Recording::open(opened.dir()).unwrap().with_keys(&root.path().join("keys"));
    let inside = |it: &TrackPacket| it.end() > range.start as i64 && it.at < range.end as i64;
    assert!(!said(&again, "mara").iter().any(inside));
    assert_eq!(said(&again, "later"), said(&plain, "later"));
    assert!(recover_sealed(opened.dir(), &seals).unwrap().was_whole);
}

#[test]
fn a_sealed_part_by_itself_is_unsealed_as_what_the_plain_one_is() {
    let (plain, root) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let talker = Talker::new(Mode::Speech, 600);
    recorded(plain.path(), rotating(), &talker);
    let sealed = sealed(root.path(), &talker, true);
    for folder in ["", "part-0002", "part-0003", "part-0004"] {
        let part = Recording::open(&sealed.dir().join(folder)).unwrap().with_keys(&root.path().join("keys"));
        let out = root.path().join("out.opus");
        unseal(&part, "mara", &out).unwrap();
        let (file, plain) = (parse(&fs::read(&out).unwrap()), read(&plain.path().join(folder), "mara"));
        if folder.is_empty() {
            // The whole session, all parts behind each other.
            assert_eq!(file.samples() as u64, 600 * FRAME);
        } else {
            assert!(file.packets == plain.packets && file.ended, "{folder}");
            assert_eq!((file.pre_skip, file.granule), (plain.pre_skip, plain.granule), "{folder}");
        }
    }
}

#[test]
fn sealed_parts_are_recovered() {
    let (plain, root) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let talker = Talker::new(Mode::Speech, 600);
    recorded(plain.path(), rotating(), &talker);
    let opened = sealed(root.path(), &talker, false);
    let whole = said(&Recording::open(plain.path()).unwrap(), "later");
    let left = said(&opened, "later");
    assert!(left.len() + 150 > whole.len() && left[..] == whole[..left.len()]);
}
