//! A composite is a view: once a voice is taken back, what is rendered is what would have been rendered without it.

use crate::support::{FRAME, Mode, Talker, at, play};
use std::{
    collections::BTreeMap,
    ops::Range,
    path::{Path, PathBuf},
    sync::LazyLock,
};
use tertulia::{
    consent::Recordable,
    frame::Channels,
    record::{Cause, Recorder, RecorderConfig, Recording, Seals, redact, redact_sealed},
    render::{What, render},
    sim::Rng,
    speaker::{SpeakerId, VoicePacket},
    time::{MediaTime, Samples},
};

/// Enough for a stretch with a block in it, and one before and behind.
const LONG: u64 = 46 * 48_000;
const SHORT: u64 = 13 * 48_000;
/// What is decoded together, and with how much before it: see `render`.
const BLOCK: u64 = 480_000;
const WARM_UP: u64 = 48_000;
/// A limiter's memory.
const FORGETS: u64 = 480_480;
const NAMES: [&str; 3] = ["anna", "bert", "cleo"];

static TALKERS: LazyLock<[Talker; 3]> =
    LazyLock::new(|| [Mode::Speech, Mode::Music, Mode::Speech].map(|mode| Talker::new(mode, 300)));

/// Three voices that say the same six seconds again and again, all at once.
fn record(dir: &Path, keys: Option<&Path>, end: u64) {
    let mut recorder =
        Recorder::create(dir, RecorderConfig { sync: None, ..RecorderConfig::default() }).unwrap();
    keys.into_iter().for_each(|keys| recorder.seal(Seals::new(keys, [1; 32]).unwrap()));
    let mut packets = Vec::new();
    for ((id, name), talker) in (0..).zip(NAMES).zip(&*TALKERS) {
        let speaker = SpeakerId(id);
        recorder.join(speaker, name, at(0)).unwrap();
        recorder.open(Recordable::dangerously_without_consent(speaker, at(0)));
        packets.extend((0..end / FRAME).map(|n| VoicePacket {
            speaker,
            sequence: n,
            media: MediaTime::ORIGIN + Samples::new(n * FRAME),
            arrived: at(n * FRAME),
            ..talker.packet(n % 300, 0, 0)
        }));
    }
    play(&mut recorder, packets);
    recorder.finish(at(end)).unwrap();
}

/// Bits of what is rendered.
#[derive(PartialEq)]
struct Rendered {
    mix: Vec<u32>,
    sum: Vec<u32>,
    stems: BTreeMap<String, Vec<u32>>,
}

fn rendered(dir: &Path, keys: Option<&Path>, without: Option<&str>) -> Rendered {
    let recording = Recording::open(dir).unwrap();
    let recording = keys.map(|keys| recording.clone().with_keys(keys)).unwrap_or(recording);
    let voices = NAMES.iter().filter(|name| Some(**name) != without).map(|name| (*name).to_owned()).collect();
    let what = What { voices: Some(voices), channels: Some(Channels::Stereo), ..What::default() };
    let mut all = Rendered { mix: Vec::new(), sum: Vec::new(), stems: BTreeMap::new() };
    let bits = |samples: &[f32]| samples.iter().map(|sample| sample.to_bits()).collect::<Vec<_>>();
    render(&recording, &what, &mut |block| {
        all.mix.extend(bits(block.mix));
        all.sum.extend(bits(block.sum));
        for name in NAMES {
            let stem = all.stems.entry(name.to_owned()).or_default();
            match block.stem(name) {
                Some(samples) => stem.extend(bits(samples)),
                None => stem.resize(all.sum.len(), 0),
            }
        }
        Ok(())
    })
    .unwrap();
    all
}

fn there(range: &Range<u64>) -> Range<usize> {
    2 * range.start as usize..2 * range.end as usize
}

fn blocks() -> impl Iterator<Item = Range<u64>> {
    (0..LONG).step_by(BLOCK as usize).map(|from| from..(from + BLOCK).min(LONG))
}

/// A session, plain or sealed, and its renders.
struct Session {
    _root: tempfile::TempDir,
    dir: PathBuf,
    keys: Option<PathBuf>,
    before: Rendered,
}

impl Session {
    fn new(is_sealed: bool, end: u64) -> Self {
        let root = tempfile::tempdir().unwrap();
        let (dir, keys) = (root.path().join("session"), is_sealed.then(|| root.path().join("keys")));
        record(&dir, keys.as_deref(), end);
        let before = rendered(&dir, keys.as_deref(), None);
        Self { _root: root, dir, keys, before }
    }

    fn take_back(&self, name: &str, range: Range<u64>) -> Range<u64> {
        match &self.keys {
            Some(keys) => redact_sealed(&self.dir, &Seals::new(keys, [2; 32]).unwrap(), name, range).unwrap(),
            None => redact(&self.dir, name, range).unwrap(),
        };
        let manifest = Recording::open(&self.dir).unwrap().manifest().clone();
        let gaps = &manifest.speakers[name].gaps;
        let gap = gaps.iter().find(|gap| gap.cause == Cause::Revoked).unwrap();
        gap.from_sample..gap.to_sample
    }

    fn rendered(&self, without: Option<&str>) -> Rendered {
        rendered(&self.dir, self.keys.as_deref(), without)
    }
}

#[test]
fn a_render_after_a_voice_was_taken_back_is_one_without_it() {
    for is_sealed in [false, true] {
        let session = Session::new(is_sealed, SHORT);
        let expected = session.rendered(Some("bert"));
        session.take_back("bert", 0..u64::MAX);
        let after = session.rendered(None);
        assert!(after.mix == expected.mix && after.sum == expected.sum, "sealed: {is_sealed}");
        assert!(after.mix != session.before.mix);
        for name in ["anna", "cleo"] {
            assert!(after.stems[name] == session.before.stems[name], "{name}, sealed: {is_sealed}");
        }
        assert!(after.stems["bert"].iter().all(|bits| *bits == 0));
    }
}

#[test]
fn where_a_stretch_was_taken_back_the_voice_is_not_and_elsewhere_all_is_as_it_was() {
    let mut rng = Rng::new(6);
    for is_sealed in [false, true] {
        let session = Session::new(is_sealed, LONG);
        let name = NAMES[rng.between(0.0, 3.0) as usize];
        let range = rng.between(481_000.0, 900_000.0) as u64..rng.between(1_500_000.0, 1_800_000.0) as u64;
        let without = session.rendered(Some(name));
        let gap = session.take_back(name, range.clone());
        let after = session.rendered(None);
        let (mut silent, mut whole) = (0, 0);
        for block in blocks() {
            let here = there(&block);
            if gap.start + WARM_UP <= block.start && block.end < gap.end {
                assert!(after.sum[here.clone()] == without.sum[here.clone()], "{name} {range:?} {block:?}");
                silent += 1;
            }
            // Nothing but the gap is another: a decoder forgets within its warm-up, packets behind hold copies.
            if block.end + WARM_UP + 5_760 <= gap.start || gap.end + WARM_UP <= block.start {
                assert!(after.sum[here.clone()] == session.before.sum[here], "{name} {range:?} {block:?}");
                whole += 1;
            }
        }
        assert!(silent >= 1 && whole >= 2, "{gap:?}: {silent} {whole}");
        let before = there(&(0..gap.start - WARM_UP));
        assert!(after.mix[before.clone()] == session.before.mix[before]);
        let behind = there(&(LONG.min((gap.end + WARM_UP).next_multiple_of(BLOCK) + FORGETS)..LONG));
        assert!(after.mix[behind.clone()] == session.before.mix[behind]);
        for other in NAMES.iter().filter(|other| **other != name) {
            assert!(after.stems[*other] == session.before.stems[*other], "{other}");
        }
    }
}
