//! A steward on a real stage: what the room decides is what the files hold. Nothing is timed: packets are handed over with the
//! room time at which they arrive, and waiting ends when something has happened (or, to fail, after half a minute).
#![cfg(all(feature = "live", feature = "room", feature = "sim"))]

use std::{path::Path, thread, time::Duration};
use tertulia::{
    consent::Purpose,
    engine::{LaneConfig, RoomConfig},
    live::{Control, PacketIn, RoomId, Stage, StageConfig},
    record::{Cause, Manifest, Origin, Recording},
    room::{
        Audit, ClipRequest, Excerpt, Fact, Head, ItemId, Moment, News, Person, Refusal, Role, Rules, Signed,
        SigningKey, Span, sha256,
    },
    sim::Talker,
    speaker::SpeakerId,
    steward::{Order, Steward, StewardError},
    time::{SampleTime, Samples, UnixMs},
};

const SECOND: u64 = 48_000;

fn person(name: &str) -> Person {
    Person::of(b"tonight", name)
}

fn key() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

fn span(from_ms: u64, to_ms: u64) -> Span {
    let at = |ms: u64| SampleTime::from_samples(ms * 48);
    Span { from_sample: at(from_ms), to_sample: at(to_ms) }
}

/// A stage with one room, and its steward. Times are what the test says.
struct House {
    control: Control,
    live: RoomId,
    steward: Steward,
    now_ms: u64,
    orders: Vec<Order>,
}

impl House {
    fn open(folder: &Path) -> Self {
        let (control, live) = stage();
        let now = moment(0);
        let steward =
            Steward::open(live, folder, Rules::default(), person("ada"), key(), now).expect("a folder");
        let mut house = Self { control, live, steward, now_ms: 0, orders: Vec::new() };
        house.decide(|room, now| room.join(person("ada"), Role::Host, None, false, now));
        house.decide(|room, now| room.join(person("leo"), Role::Listener, None, false, now));
        house
    }

    fn decide<T>(
        &mut self,
        request: impl FnOnce(&mut tertulia::room::Room, Moment) -> Result<T, Refusal>,
    ) -> T {
        let now = moment(self.now_ms);
        let done = self.steward.decide(&mut self.control, now, |room| request(room, now));
        self.orders.extend(std::iter::from_fn(|| self.steward.poll()));
        done.expect("granted")
    }

    /// Somebody comes on stage.
    fn seat(&mut self, name: &str) -> PacketIn {
        let lane = self.control.admit(self.live, LaneConfig::new(SpeakerId(0)), name).expect("a place");
        self.steward.call(person(name), name);
        let speaker = Some(lane.speaker());
        self.decide(|room, now| room.join(person(name), Role::Speaker, speaker, false, now));
        lane
    }

    /// Time passes until the log says so.
    fn until(&mut self, says: impl Fn(&Fact) -> bool) {
        for _ in 0..3_000 {
            let now = moment(self.now_ms);
            self.steward.advance(&mut self.control, now).expect("a disk");
            self.orders.extend(std::iter::from_fn(|| self.steward.poll()));
            if self.steward.room().entries().iter().any(|entry| says(&entry.fact)) {
                return;
            }
            thread::park_timeout(Duration::from_millis(10));
        }
        panic!("waited for half a minute: {:?}", self.orders);
    }

    /// The room's own clock has come so far.
    fn wait_for(&mut self, ms: u64) {
        self.now_ms = ms;
        for _ in 0..30_000 {
            if self.control.now(self.live).is_some_and(|now| now.samples() > ms * 48) {
                return;
            }
            thread::park_timeout(Duration::from_millis(1));
        }
        panic!("waited for half a minute");
    }

    fn failures(&self) -> Vec<&Order> {
        self.orders.iter().filter(|order| matches!(order, Order::Failed(..))).collect()
    }
}

fn stage() -> (Control, RoomId) {
    let longest_catch_up = Duration::from_secs(60);
    let config =
        StageConfig { realtime: false, longest_catch_up, lane_bytes: 1 << 20, ..StageConfig::default() };
    let mut control = Stage::start(config).expect("threads");
    let live = control.open_room(RoomConfig::default()).expect("a place");
    (control, live)
}

fn moment(ms: u64) -> Moment {
    Moment { at: SampleTime::from_samples(ms * 48), wall: UnixMs(1_760_000_000_000 + ms) }
}

/// So many milliseconds of a voice, each packet to arrive when it is sent, from the room's first sample on.
fn talk(lane: &mut PacketIn, seed: u64, ms: u64) {
    for (number, payload) in (0..ms / 20).zip(Talker::new(seed).packets()) {
        let mut packet = vec![0x80, 111];
        packet.extend((number as u16).to_be_bytes());
        packet.extend((number as u32 * 960).to_be_bytes());
        packet.extend((seed as u32).to_be_bytes());
        packet.extend_from_slice(&payload);
        let sent = SampleTime::ZERO + Samples::new(number * 960);
        lane.push_at(&packet, sent).expect("room in the ring");
    }
}

/// How many packets of the speaker's stand in a track, and how many fill a gap of that cause.
fn packets(folder: &Path, name: &str, cause: Cause) -> (usize, usize) {
    let recording = Recording::open(folder).expect("a session");
    let mut track = recording.track(name).expect("a track");
    let all: Vec<_> = track.packets(0..u64::MAX).map(|packet| packet.expect("packets").origin).collect();
    let count = |origin: Origin| all.iter().filter(|it| **it == origin).count();
    (count(Origin::Speaker), count(Origin::Gap(cause)))
}

#[test]
fn a_voice_is_kept_cut_and_taken_back_as_the_room_decides() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut house = House::open(&dir.path().join("room"));
    let (mut mara, mut george) = (house.seat("mara"), house.seat("george"));
    let recording = house.decide(|room, now| room.record(person("ada"), now));
    for purpose in [Purpose::Record, Purpose::Clip] {
        house.decide(|room, now| room.agree(person("mara"), purpose, None, now));
    }
    house.decide(|room, now| room.decline(person("george"), Purpose::Record, now));
    talk(&mut mara, 1, 4_000);
    talk(&mut george, 2, 4_000);
    house.wait_for(3_000);
    let request = ClipRequest { parent: recording, span: span(1_000, 2_000), audible: vec![person("mara")] };
    let clip = house.decide(|room, now| room.clip(person("leo"), &request, now));
    house.wait_for(4_500);
    house.decide(|room, now| room.stop(person("ada"), now));
    house.until(|fact| matches!(fact, Fact::Kept(item, _) if *item == clip));
    house.until(|fact| matches!(fact, Fact::Kept(item, _) if *item == recording));

    let folder = house.steward.folder_of(recording);
    assert!(packets(&folder, "mara", Cause::Gate).0 >= 195);
    assert_eq!(packets(&folder, "george", Cause::Loss).0, 0, "he said no");
    the_clip_and_its_papers_are_right(&house, clip, recording);

    let everything = span(1_500, 2_500);
    house.decide(|room, now| room.revoke(person("mara"), everything, now));
    house.until(|fact| matches!(fact, Fact::Redacted { .. }));
    house.until(|fact| matches!(fact, Fact::Deleted { item, .. } if *item == clip));
    assert!(!house.steward.folder_of(clip).exists(), "her clip is gone");
    let proof = std::fs::read(dir.path().join(format!("room/deleted-{}.json", clip.0))).expect("a proof");
    let proof = Signed::<Excerpt>::read(&proof, None).expect("signed").body;
    assert!(proof.holds() && matches!(proof.entry.fact, Fact::Deleted { item, .. } if item == clip));
    let (kept, taken_back) = packets(&folder, "mara", Cause::Revoked);
    assert!(kept < 150 && taken_back >= 16, "{kept} packets left, {taken_back} of silence");
    assert!(house.failures().is_empty(), "{:?}", house.failures());
    let told =
        |wanted: News| house.orders.iter().any(|it| matches!(it, Order::Tell(news) if *news == wanted));
    assert!(told(News::VoiceIn(person("mara"), SampleTime::ZERO)));
}

fn the_clip_and_its_papers_are_right(house: &House, clip: ItemId, recording: ItemId) {
    let folder = house.steward.folder_of(clip);
    let manifest = Manifest::read(&folder).expect("a clip");
    assert_eq!(
        (manifest.samples, manifest.speakers.keys().cloned().collect::<Vec<_>>()),
        (SECOND, vec!["mara".to_owned()])
    );
    let log = std::fs::read(folder.with_file_name("room.log")).expect("a journal");
    let head = Signed::<Head>::sign(house.steward.room().head(UnixMs(0)), &key()).to_json();
    let audit = Audit::of(&log, head.as_bytes(), None).expect("the log is whole");
    let papers = std::fs::read(folder.join("papers.json")).expect("papers");
    assert_eq!(audit.clip(&papers).expect("its own papers"), (recording, span(1_000, 2_000)));
    let session = sha256(&std::fs::read(folder.join("session.json")).expect("a manifest"));
    let is_it = |fact: &Fact| matches!(fact, Fact::Kept(item, hash) if *item == clip && *hash == session);
    assert!(house.steward.room().entries().iter().any(|entry| is_it(&entry.fact)));
}

#[test]
fn a_transcript_goes_when_somebody_in_it_takes_back_what_was_said() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut house = House::open(&dir.path().join("room"));
    let lanes = ["mara", "george"].map(|name| house.seat(name));
    let transcript = house.decide(|room, now| room.transcribe(person("ada"), now));
    house.decide(|room, now| room.agree(person("mara"), Purpose::Transcribe, None, now));
    let folder = house.steward.folder_of(transcript);
    std::fs::create_dir_all(&folder).expect("a disk");
    std::fs::write(folder.join("words.txt"), "what Mara said").expect("a disk");
    house.now_ms = 1_000;
    let past = span(0, 1_000);
    house.decide(|room, now| room.revoke(person("george"), past, now));
    house.until(|fact| matches!(fact, Fact::Redacted { .. }));
    assert!(folder.exists(), "he was never in it");
    let entry = house.decide(|room, now| room.revoke(person("mara"), past, now));
    let is_done = |house: &House| {
        let done = |fact: &Fact| matches!(fact, Fact::Redacted { entry: of, .. } if *of == entry);
        house.steward.room().entries().iter().any(|it| done(&it.fact))
    };
    assert!(folder.exists() && !is_done(&house), "it is still being written");
    house.decide(|room, now| room.stop_transcript(person("ada"), now));
    house.until(|fact| matches!(fact, Fact::Redacted { entry: of, .. } if *of == entry));
    assert!(!folder.exists());
    let told = |order: &Order| matches!(order, Order::Dropped(item, gone) if *item == transcript && gone[0].kind == "transcript");
    assert!(house.orders.iter().any(told) && house.failures().is_empty(), "{:?}", house.orders);
    drop(lanes);
}

#[test]
fn a_sealed_recording_is_gone_with_its_keys() {
    let dir = tempfile::tempdir().expect("a folder");
    let (folder, keys) = (dir.path().join("room"), dir.path().join("keys"));
    let mut house = House::open(&folder);
    house.steward.seal(&keys);
    let mut mara = house.seat("mara");
    let recording = house.decide(|room, now| room.record(person("ada"), now));
    house.decide(|room, now| room.agree(person("mara"), Purpose::Record, None, now));
    talk(&mut mara, 1, 1_000);
    house.wait_for(1_500);
    house.decide(|room, now| room.stop(person("ada"), now));
    house.until(|fact| matches!(fact, Fact::Kept(item, _) if *item == recording));
    let kept = house.steward.folder_of(recording);
    assert!(kept.join("tracks/mara.sealed").is_file() && !kept.join("tracks/mara.opus").exists());
    // Somebody made a copy of the folder, which no deletion will ever find.
    let elsewhere = dir.path().join("elsewhere");
    copy(&kept, &elsewhere);
    let their_keys = keys.join(format!("item-{}", recording.0));
    let read = |keys: &Path| {
        let recording = Recording::open(&elsewhere).expect("a session").with_keys(keys);
        recording.track("mara").is_ok_and(|mut track| {
            track.packets(0..u64::MAX).flatten().any(|packet| packet.origin == Origin::Speaker)
        })
    };
    assert!(read(&their_keys));
    house.decide(|room, now| room.discard(person("ada"), recording, now));
    house.until(|fact| matches!(fact, Fact::Deleted { item, .. } if *item == recording));
    assert!(!kept.exists() && !read(&their_keys), "the copy is noise");
    assert!(house.failures().is_empty(), "{:?}", house.failures());
}

#[test]
fn after_a_crash_gates_are_shut_and_what_broke_off_is_finished() {
    let dir = tempfile::tempdir().expect("a folder");
    let folder = dir.path().join("room");
    let mut house = House::open(&folder);
    let mut mara = house.seat("mara");
    let recording = house.decide(|room, now| room.record(person("ada"), now));
    house.decide(|room, now| room.agree(person("mara"), Purpose::Record, None, now));
    talk(&mut mara, 1, 6_000);
    house.wait_for(5_000);
    // What a crash leaves: the files as they are, and half a line.
    let crashed = dir.path().join("crashed");
    copy(&folder, &crashed);
    let mut log = std::fs::read(crashed.join("room.log")).expect("a journal");
    log.extend_from_slice(b"0123 half a li");
    std::fs::write(crashed.join("room.log"), log).expect("a disk");

    let (mut control, live) = stage();
    let now = moment(10_000);
    let mut steward = Steward::reopen(live, &crashed, None, key(), now).expect("the room comes back");
    steward.advance(&mut control, now).expect("a disk");
    let opened = |order: &Order| matches!(order, Order::Tell(News::VoiceIn(..)) | Order::Failed(..));
    assert!(!std::iter::from_fn(|| steward.poll()).any(|order| opened(&order)), "nothing opens by itself");
    let manifest = Manifest::read(&steward.folder_of(recording)).expect("a session");
    assert!(manifest.finished && manifest.recovered);
    assert!(packets(&steward.folder_of(recording), "mara", Cause::Crash).0 > 50);
    let kept = |fact: &Fact| matches!(fact, Fact::Kept(item, _) if *item == recording);
    assert!(steward.room().entries().iter().any(|entry| kept(&entry.fact)));
    let written = std::fs::read(crashed.join("room.log")).expect("a journal");
    let again = tertulia::room::Room::replay(&written, now).expect("no half line is left");
    assert_eq!(again.1, 0);
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let into = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &into);
        } else {
            std::fs::copy(entry.path(), into).expect("a disk");
        }
    }
}

#[test]
fn what_is_refused_changes_nothing() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut house = House::open(dir.path());
    let entries = house.steward.room().entries().len();
    let now = moment(10);
    let refused = house.steward.decide(&mut house.control, now, |room| room.record(person("leo"), now));
    assert!(matches!(refused, Err(StewardError::Refused(Refusal::NotAllowed(..)))));
    assert_eq!(house.steward.room().entries().len(), entries);
    let again = Steward::open(house.live, dir.path(), Rules::default(), person("ada"), key(), now);
    assert!(matches!(again, Err(StewardError::Disk(..))), "a folder is one room's");
}
