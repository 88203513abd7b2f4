//! Sealed tracks: whoever has the keys reads what a plain track would hold, whoever has not reads nothing, and what a key that was
//! destroyed had sealed is silence.

use crate::support::{FRAME, MARA, Mode, Talker, at, parse, peak_dbfs, play, read};
use std::{collections::BTreeSet, fs, ops::Range, path::Path, sync::LazyLock};
use tertulia::{
    consent::Recordable,
    record::{
        Cause, Cuttable, Derived, Gap, Manifest, Recorder, RecorderConfig, Recording, Seals, TrackPacket,
        cut, delete, delete_sealed, recover, recover_sealed, redact, redact_sealed, unseal,
    },
    render::{What, render},
    sim::{Fault, FaultyDisk, Rng},
    speaker::{SpeakerId, VoicePacket},
};

const FRAMES: u64 = 1_600;
const END: u64 = FRAMES * FRAME;

/// Where a test's session and its keys lie, and a plain session of the same calls.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn plain(&self) -> std::path::PathBuf {
        self.0.path().join("plain")
    }

    fn sealed(&self) -> std::path::PathBuf {
        self.0.path().join("sealed")
    }

    fn keys(&self) -> std::path::PathBuf {
        self.0.path().join("keys")
    }

    fn seals(&self, seed: u8) -> Seals {
        Seals::new(&self.keys(), [seed; 32]).unwrap()
    }

    fn opened(&self) -> Recording {
        Recording::open(&self.sealed()).unwrap().with_keys(&self.keys())
    }
}

static TALKERS: LazyLock<[Talker; 2]> =
    LazyLock::new(|| [Talker::new(Mode::Speech, FRAMES), Talker::new(Mode::Music, FRAMES - 100)]);

/// Mara, who says no between 12 and 15 s, and George, twice: plain and sealed.
fn record(place: &Place, finished: bool) {
    for (dir, seals) in [(place.plain(), None), (place.sealed(), Some(place.seals(1)))] {
        let mut recorder = Recorder::create(&dir, RecorderConfig::default()).unwrap();
        seals.into_iter().for_each(|seals| recorder.seal(seals));
        let mut packets = Vec::new();
        for ((id, name), talker) in (0..).zip(["mara", "george"]).zip(&*TALKERS) {
            let speaker = SpeakerId(id);
            recorder.join(speaker, name, at(0)).unwrap();
            recorder.open(Recordable::dangerously_without_consent(speaker, at(0)));
            let theirs = (0..talker.packets.len() as u64).map(|n| talker.packet(n, 0, 0));
            packets.extend(theirs.map(|packet| VoicePacket { speaker, ..packet }));
        }
        recorder.close(MARA, at(12 * 48_000));
        recorder.open(Recordable::dangerously_without_consent(MARA, at(15 * 48_000)));
        play(&mut recorder, packets);
        if finished {
            recorder.finish(at(END)).unwrap();
        }
    }
}

fn packets(recording: &Recording, name: &str, range: Range<u64>) -> Vec<TrackPacket> {
    recording.track(name).unwrap().packets(range).map(Result::unwrap).collect()
}

fn mix(recording: &Recording, without: Option<&str>) -> Vec<u32> {
    let names = recording.manifest().speakers.keys().filter(|name| Some(&***name) != without);
    let what = What { voices: Some(names.cloned().collect::<BTreeSet<_>>()), ..What::default() };
    let mut mix = Vec::new();
    render(recording, &what, &mut |block| {
        mix.extend(block.mix.iter().map(|sample| sample.to_bits()));
        Ok(())
    })
    .unwrap();
    mix
}

fn file(dir: &Path, name: &str) -> Vec<u8> {
    fs::read(dir.join("tracks").join(name)).unwrap()
}

#[test]
fn with_its_keys_a_sealed_track_is_a_plain_one_and_without_it_is_noise() {
    let place = Place::new();
    record(&place, true);
    let (plain, sealed) = (Recording::open(&place.plain()).unwrap(), place.opened());
    for name in ["mara", "george"] {
        for range in [0..END, 500_000..700_000, END - 1..END] {
            assert_eq!(packets(&sealed, name, range.clone()), packets(&plain, name, range));
        }
        let bytes = file(&place.sealed(), &format!("{name}.sealed"));
        assert!(!place.sealed().join(format!("tracks/{name}.opus")).exists());
        // Headers and heads aside it is as long as the plain one, and none of its packets is in it.
        let spoken = packets(&plain, name, 0..END).into_iter().map(|packet| packet.payload);
        let telling = spoken.filter(|payload| payload.len() > 8);
        assert!(telling.take(50).all(|packet| !bytes.windows(packet.len()).any(|window| window == packet)));
    }
    assert_eq!(mix(&sealed, None), mix(&plain, None));
    let error = Recording::open(&place.sealed()).unwrap().track("mara").unwrap_err().to_string();
    assert!(error.contains("mara.sealed: it is sealed: expected a folder of keys"), "{error}");
}

#[test]
fn a_wrong_key_or_a_changed_bit_is_an_error_that_names_file_and_segment() {
    let place = Place::new();
    record(&place, true);
    let path = place.sealed().join("tracks/mara.sealed");
    let whole = fs::read(&path).unwrap();
    let read_all = || {
        let mut all = place.opened().track("mara").map_err(|error| error.to_string())?;
        let first = all.packets(0..END).find_map(Result::err);
        first.map_or(Ok(()), |error| Err(error.to_string()))
    };
    for at in (200..whole.len()).step_by(1_777) {
        let mut hurt = whole.clone();
        hurt[at] ^= 1;
        fs::write(&path, &hurt).unwrap();
        let error = read_all().unwrap_err();
        assert!(error.contains("mara.sealed") && error.contains("segment"), "byte {at}: {error}");
    }
    fs::write(&path, &whole[..whole.len() - 1]).unwrap();
    assert!(read_all().unwrap_err().contains("expected the stream's end behind segment"));
    fs::write(&path, &whole).unwrap();
    let (keys, others) = (place.keys().join("mara.keys"), place.keys().join("george.keys"));
    fs::copy(others, &keys).unwrap();
    let error = read_all().unwrap_err();
    assert!(error.contains("mara.sealed") && error.contains("expected its own key"), "{error}");
    fs::write(&keys, b"").unwrap();
    assert!(read_all().unwrap_err().contains("expected a key, there is none"));
    fs::remove_file(&keys).unwrap();
    assert!(read_all().unwrap_err().contains("mara.keys"));
}

#[test]
fn what_a_destroyed_key_had_sealed_is_silence_of_the_same_length() {
    let place = Place::new();
    record(&place, true);
    let before = packets(&place.opened(), "mara", 0..END);
    let path = place.keys().join("mara.keys");
    let keys = fs::read(&path).unwrap();
    for segment in 0..keys.len() / 32 {
        let mut gone = keys.clone();
        gone[32 * segment..32 * (segment + 1)].fill(0);
        fs::write(&path, &gone).unwrap();
        let recording = place.opened();
        let after = packets(&recording, "mara", 0..END);
        let samples = |all: &[TrackPacket]| all.iter().map(|packet| packet.samples).sum::<u64>();
        assert_eq!(samples(&after), samples(&before));
        let stays: Vec<_> = before.iter().filter(|packet| after.contains(packet)).collect();
        let is_silent =
            |packet: &TrackPacket| packet.payload.len() == 3 && packet.payload[1..] == [0xFF, 0xFE];
        let changed: Vec<_> = after.iter().filter(|packet| !stays.contains(packet)).collect();
        assert!(changed.iter().all(|packet| is_silent(packet)), "segment {segment}");
        let revoked: Vec<_> =
            changed.iter().filter(|it| it.origin == tertulia::record::Origin::Gap(Cause::Revoked)).collect();
        let lasts = changed.iter().map(|packet| packet.samples).sum::<u64>();
        assert!(lasts <= 480_000 + FRAME, "a segment is 10 s at most");
        assert!(changed.is_empty() || !revoked.is_empty(), "segment {segment}");
    }
}

#[test]
fn a_segment_ends_at_each_gate() {
    let place = Place::new();
    record(&place, true);
    // Of 32 s: sound to 12 s, silence to 15 s, sound to the end.
    let keys = |name: &str| fs::read(place.keys().join(format!("{name}.keys"))).unwrap().len() / 32;
    assert_eq!((keys("mara"), keys("george")), (2 + 1 + 2, 4));
}

#[test]
fn a_stretch_that_is_taken_back_is_silence_and_all_other_segments_keep_every_byte() {
    let place = Place::new();
    record(&place, true);
    let (from, to) = (1_000_500, 1_100_300);
    let before = file(&place.sealed(), "mara.sealed");
    let keys = fs::read(place.keys().join("mara.keys")).unwrap();
    let other = file(&place.sealed(), "george.sealed");
    redact(&place.plain(), "mara", from..to).unwrap();
    let error = redact(&place.sealed(), "mara", from..to).unwrap_err().to_string();
    assert!(error.contains("expected a folder of keys"), "{error}");
    let redacted = redact_sealed(&place.sealed(), &place.seals(2), "mara", from..to).unwrap();
    assert_eq!(redacted.changed, ["tracks/mara.sealed", "session.json"]);
    let plain = Recording::open(&place.plain()).unwrap();
    let sealed = place.opened();
    assert_eq!(packets(&sealed, "mara", 0..END), packets(&plain, "mara", 0..END));
    assert_eq!(file(&place.sealed(), "george.sealed"), other);
    let (a, b) = (&sealed.manifest().speakers["mara"], &plain.manifest().speakers["mara"]);
    assert_eq!(a.gaps, b.gaps);
    assert!(a.gaps.iter().any(|gap| gap.cause == Cause::Revoked));
    // One segment was touched: its key is zeros, one came behind, and the file is the same before it.
    let now = fs::read(place.keys().join("mara.keys")).unwrap();
    assert_eq!(now.len(), keys.len() + 32);
    let destroyed = |keys: &[u8]| keys.chunks(32).filter(|key| **key == [0; 32]).count();
    assert_eq!((destroyed(&keys), destroyed(&now)), (0, 1));
    let after = file(&place.sealed(), "mara.sealed");
    let same = before.iter().zip(&after).take_while(|(a, b)| a == b).count();
    assert!(same > before.len() / 3, "{same} of {}", before.len());
    // The old file is worth nothing any more.
    fs::write(place.sealed().join("tracks/mara.sealed"), &before).unwrap();
    let old = packets(&place.opened(), "mara", from..to);
    assert!(old.iter().all(|packet| packet.payload.len() == 3));
    assert!(recover_sealed(&place.sealed(), &place.seals(3)).is_ok());
}

#[test]
fn a_recorder_that_died_leaves_a_sealed_session_that_recovers_with_its_keys() {
    let place = Place::new();
    record(&place, false);
    let bytes = file(&place.sealed(), "mara.sealed");
    assert!(recover(&place.sealed()).unwrap_err().to_string().contains("expected a folder of keys"));
    recover(&place.plain()).unwrap();
    let recovery = recover_sealed(&place.sealed(), &place.seals(2)).unwrap();
    assert!(recovery.tracks["mara"].damaged.is_empty());
    assert!(recover_sealed(&place.sealed(), &place.seals(3)).unwrap().was_whole);
    let (plain, sealed) = (Recording::open(&place.plain()).unwrap(), place.opened());
    for name in ["mara", "george"] {
        let (a, b) = (&sealed.manifest().speakers[name], &plain.manifest().speakers[name]);
        assert_eq!((&a.gaps, a.pre_skip), (&b.gaps, b.pre_skip));
        assert_eq!(packets(&sealed, name, 0..END), packets(&plain, name, 0..END));
    }
    // What was sealed stays so, byte for byte.
    assert!(file(&place.sealed(), "mara.sealed").starts_with(&bytes));
}

#[test]
fn wherever_a_sealed_file_is_cut_off_what_is_whole_stays() {
    let place = Place::new();
    record(&place, false);
    let path = place.sealed().join("tracks/mara.sealed");
    let (bytes, journal) =
        (fs::read(&path).unwrap(), fs::read(place.sealed().join("journal.jsonl")).unwrap());
    let all = packets(&place.opened(), "mara", 0..END);
    for cut in (0..bytes.len()).step_by(bytes.len() / 12).chain([bytes.len() - 1]) {
        fs::write(&path, &bytes[..cut]).unwrap();
        fs::write(place.sealed().join("journal.jsonl"), &journal).unwrap();
        let recovery = recover_sealed(&place.sealed(), &place.seals(cut as u8)).unwrap();
        let reached = recovery.tracks["mara"].reached;
        let left = packets(&place.opened(), "mara", 0..reached);
        let same = left.iter().zip(&all).take_while(|(a, b)| a.payload == b.payload && a.at == b.at).count();
        assert!(same + 1 >= left.len(), "cut at {cut}: {same} of {}", left.len());
    }
}

#[test]
fn retention_destroys_the_keys_before_the_files() {
    let place = Place::new();
    record(&place, true);
    assert!(delete(&place.sealed()).unwrap_err().to_string().contains("expected a folder of keys"));
    let keys = ["mara", "george"]
        .map(|name| fs::read(place.keys().join(format!("{name}.keys"))).unwrap().len() / 32);
    let deleted = delete_sealed(&place.sealed(), &place.seals(2)).unwrap();
    assert_eq!((deleted.keys, deleted.tracks.len()), (keys.iter().sum(), 2));
    assert!(!place.sealed().exists());
    assert_eq!(fs::read_dir(place.keys()).unwrap().count(), 0);
    assert_eq!(delete_sealed(&place.sealed(), &place.seals(2)).unwrap().keys, 0);
}

/// Something that cannot be removed stands for a crash between keys and files.
#[test]
#[cfg(target_os = "linux")]
fn a_deletion_that_stops_between_keys_and_files_leaves_nothing_readable() {
    let place = Place::new();
    record(&place, true);
    let made = Derived {
        path: "/proc/self/status".into(),
        kind: "mix".into(),
        from_sample: 0,
        to_sample: END,
        speakers: vec!["mara".into()],
        recipients: Vec::new(),
    };
    made.note(&place.sealed()).unwrap();
    let said = &TALKERS[0].packets[300];
    assert!(packets(&place.opened(), "mara", 0..END).iter().any(|packet| packet.payload == *said));
    assert!(delete_sealed(&place.sealed(), &place.seals(2)).is_err());
    let bytes = file(&place.sealed(), "mara.sealed");
    assert!(!bytes.windows(said.len()).any(|window| window == said));
    assert!(place.opened().track("mara").unwrap_err().to_string().contains("mara.keys"));
    fs::remove_file(place.sealed().join("derived.json")).unwrap();
    delete_sealed(&place.sealed(), &place.seals(2)).unwrap();
    assert!(!place.sealed().exists());
}

#[test]
fn a_silent_stretch_is_heard_as_silence() {
    let place = Place::new();
    record(&place, true);
    redact_sealed(&place.sealed(), &place.seals(2), "mara", 200_000..300_000).unwrap();
    let what =
        What { voices: Some(["mara".to_owned()].into()), range: Some(200_000..300_000), ..What::default() };
    let mut loudest = -200.0_f32;
    render(&place.opened(), &what, &mut |block| {
        loudest = loudest.max(peak_dbfs(block.mix));
        Ok(())
    })
    .unwrap();
    assert!(loudest < -90.0, "{loudest}");
    let manifest = Manifest::read(&place.sealed()).unwrap();
    let is_it = |gap: &&Gap| gap.cause == Cause::Revoked;
    assert_eq!(manifest.speakers["mara"].gaps.iter().filter(is_it).count(), 1);
    assert!(read(&place.plain(), "mara").ended);
}

#[test]
fn whoever_may_have_it_gets_an_ordinary_file_that_goes_with_the_voice() {
    let place = Place::new();
    record(&place, true);
    let out = place.0.path().join("mara.opus");
    unseal(&place.opened(), "mara", &out).unwrap();
    let (file, plain) = (parse(&fs::read(&out).unwrap()), read(&place.plain(), "mara"));
    assert!(file.packets == plain.packets && file.ended && file.granule == plain.granule);
    let dropped = redact_sealed(&place.sealed(), &place.seals(2), "mara", 0..10).unwrap().dropped;
    assert_eq!(dropped.iter().map(|it| &*it.kind).collect::<Vec<_>>(), ["track"]);
    assert!(!out.exists());
}

#[test]
fn a_clip_of_a_sealed_session_is_the_plain_ones() {
    let place = Place::new();
    record(&place, true);
    let clip = |parent: &Recording, into: &str| {
        let into = place.0.path().join(into);
        cut(parent, 900_000..1_100_000, &[Cuttable { speaker: "mara".into(), span: 0..END }], &into).unwrap();
        file(&into, "mara.opus")
    };
    let plain = clip(&Recording::open(&place.plain()).unwrap(), "a");
    assert_eq!(clip(&place.opened(), "b"), plain);
}

/// So many seconds of mara, on these disks.
fn record_on(media: &FaultyDisk, keys: &FaultyDisk, place: &Place) -> Recorder {
    let config = RecorderConfig::default();
    let mut recorder = Recorder::create_on(Box::new(media.clone()), Path::new("memory"), config).unwrap();
    recorder.seal(Seals::on(Box::new(keys.clone()), &place.keys(), [1; 32]));
    recorder.join(MARA, "mara", at(0)).unwrap();
    recorder.open(Recordable::dangerously_without_consent(MARA, at(0)));
    recorder
}

/// How many errors came of it.
fn speak(recorder: &mut Recorder, seconds: Range<u64>) -> usize {
    let mut errors = 0;
    for n in seconds.start * 50..seconds.end * 50 {
        recorder.packet(TALKERS[0].packet(n, 0, 0));
        errors += usize::from(recorder.advance(at((n + 1) * FRAME)).is_err());
    }
    errors
}

#[test]
fn a_power_failure_of_both_disks_costs_a_second() {
    let mut rng = Rng::new(3);
    for seconds in 4..20 {
        let (place, media, keys) = (Place::new(), FaultyDisk::new(), FaultyDisk::new());
        let mut recorder = record_on(&media, &keys, &place);
        speak(&mut recorder, 0..seconds);
        media.cut_power(&mut rng);
        keys.cut_power(&mut rng);
        media.spill(&place.sealed()).unwrap();
        keys.spill(&place.keys()).unwrap();
        let recovery = recover_sealed(&place.sealed(), &place.seals(2)).unwrap();
        let reached = recovery.tracks["mara"].reached;
        assert!(reached + 48_000 >= seconds * 48_000, "{recovery:?}");
        let left = packets(&place.opened(), "mara", 0..reached);
        let whole = (reached / FRAME) as usize;
        assert!((0..whole).all(|n| left[n].payload == TALKERS[0].packets[n]), "{seconds} s");
        assert!(recover_sealed(&place.sealed(), &place.seals(3)).unwrap().was_whole);
    }
}

#[test]
fn nothing_is_written_whose_key_is_not_on_disk() {
    let (place, media, keys) = (Place::new(), FaultyDisk::new(), FaultyDisk::new());
    let mut recorder = record_on(&media, &keys, &place);
    speak(&mut recorder, 0..9);
    keys.fail(Fault::NoSync);
    // At 10 s a segment ends, and the next one's key is taken by nobody.
    let before = media.read("tracks/mara.sealed").unwrap();
    assert_eq!(speak(&mut recorder, 9..15), 1, "told once");
    let during = media.read("tracks/mara.sealed").unwrap();
    assert!(during.len() < before.len() + before.len() / 5);
    keys.fail(Fault::None);
    assert_eq!(speak(&mut recorder, 15..20), 0);
    recorder.finish(at(20 * 48_000)).unwrap();
    media.spill(&place.sealed()).unwrap();
    keys.spill(&place.keys()).unwrap();
    let all = packets(&place.opened(), "mara", 0..20 * 48_000);
    assert!((0..1_000).all(|n| all[n].payload == TALKERS[0].packets[n]));
}
