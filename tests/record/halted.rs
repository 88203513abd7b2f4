//! A redaction that stops at any moment: whatever was done by then, what is left is the old session or becomes the new one.

use crate::support::{FRAME, Mode, Talker, at, play};
use std::{
    collections::BTreeMap,
    fs, io,
    ops::Range,
    path::{Path, PathBuf},
    sync::{Arc, LazyLock, Mutex},
};
use tertulia::{
    consent::Recordable,
    record::{
        Cause, Derived, Disk, Folder, Manifest, Recorder, RecorderConfig, Recording, Redacted, Seals,
        TrackPacket, recover, recover_sealed, redact_on,
    },
    speaker::{SpeakerId, VoicePacket},
};

const FRAMES: u64 = 250;
const STRETCH: Range<u64> = 100_500..150_300;

/// A real folder whose power fails in the middle of the n-th thing that is asked of it: a write or an overwrite arrives by half,
/// and what was appended and not synced is gone.
#[derive(Clone, Debug)]
struct Failing(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    folder: Folder,
    dir: PathBuf,
    /// How much of each file that was appended to is safe.
    safe: BTreeMap<String, u64>,
    left: Arc<Mutex<u64>>,
}

impl Failing {
    /// All of those that share `left` fail together.
    fn new(dir: &Path, left: &Arc<Mutex<u64>>) -> Self {
        let folder = Folder::open(dir, true).unwrap();
        Self(Arc::new(Mutex::new(State {
            folder,
            dir: dir.to_owned(),
            safe: BTreeMap::new(),
            left: left.clone(),
        })))
    }
}

impl State {
    /// May it be done? The last that may be asked is done by half.
    fn ask(&self) -> io::Result<bool> {
        let mut left = self.left.lock().unwrap();
        if *left == 0 {
            return Err(io::Error::other("no power"));
        }
        *left -= 1;
        Ok(*left > 0)
    }

    fn lose_power(&self) -> io::Error {
        for (file, safe) in &self.safe {
            if let Ok(file) = fs::OpenOptions::new().write(true).open(self.dir.join(file)) {
                let length = file.metadata().unwrap().len();
                file.set_len(length.min(*safe)).unwrap();
            }
        }
        io::Error::other("no power")
    }
}

impl Disk for Failing {
    fn append(&mut self, file: &str, at: u64, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.0.lock().unwrap();
        let whole = state.ask()?;
        let safe = state.safe.get(file).copied().unwrap_or(at).min(at);
        state.safe.insert(file.to_owned(), safe);
        let arrives = if whole { bytes } else { &bytes[..bytes.len() / 2] };
        state.folder.append(file, at, arrives)?;
        if whole { Ok(()) } else { Err(state.lose_power()) }
    }

    fn sync(&mut self, file: &str) -> io::Result<()> {
        let mut state = self.0.lock().unwrap();
        if !state.ask()? {
            return Err(state.lose_power());
        }
        let length = fs::metadata(state.dir.join(file)).unwrap().len();
        state.safe.insert(file.to_owned(), length);
        state.folder.sync(file)
    }

    fn replace(&mut self, file: &str, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.0.lock().unwrap();
        if !state.ask()? {
            return Err(state.lose_power());
        }
        state.folder.replace(file, bytes)
    }

    fn remove(&mut self, file: &str) -> io::Result<()> {
        let mut state = self.0.lock().unwrap();
        if !state.ask()? {
            return Err(state.lose_power());
        }
        state.folder.remove(file)
    }

    fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        let mut state = self.0.lock().unwrap();
        if !state.ask()? {
            return Err(state.lose_power());
        }
        if let Some(safe) = state.safe.remove(from) {
            state.safe.insert(to.to_owned(), safe);
        }
        state.folder.rename(from, to)
    }

    fn shred(&mut self, file: &str, bytes: Range<u64>) -> io::Result<()> {
        let mut state = self.0.lock().unwrap();
        let whole = state.ask()?;
        let length = fs::metadata(state.dir.join(file)).map_or(0, |it| it.len());
        let end = bytes.end.min(length);
        let arrives =
            if whole { bytes } else { bytes.start..bytes.start + end.saturating_sub(bytes.start) / 2 };
        state.folder.shred(file, arrives)?;
        if whole { Ok(()) } else { Err(state.lose_power()) }
    }
}

static TALKERS: LazyLock<[Talker; 2]> =
    LazyLock::new(|| [Mode::Speech, Mode::Music].map(|mode| Talker::new(mode, FRAMES)));

/// A session's folder, its keys beside it if it is sealed.
struct Place {
    dir: PathBuf,
    keys: Option<PathBuf>,
}

impl Place {
    fn at(root: &Path, is_sealed: bool) -> Self {
        Self { dir: root.join("session"), keys: is_sealed.then(|| root.join("keys")) }
    }

    /// Mara and George, a mix of both, and what a recovery once kept beside.
    fn record(&self) {
        let mut recorder = Recorder::create(&self.dir, RecorderConfig::default()).unwrap();
        self.seals(1).into_iter().for_each(|seals| recorder.seal(seals));
        let mut packets = Vec::new();
        for ((id, name), talker) in (0..).zip(["mara", "george"]).zip(&*TALKERS) {
            let speaker = SpeakerId(id);
            recorder.join(speaker, name, at(0)).unwrap();
            recorder.open(Recordable::dangerously_without_consent(speaker, at(0)));
            packets.extend((0..FRAMES).map(|n| VoicePacket { speaker, ..talker.packet(n, 0, 0) }));
        }
        play(&mut recorder, packets);
        recorder.finish(at(FRAMES * FRAME)).unwrap();
        fs::write(self.dir.join("mix.wav"), "a mix").unwrap();
        if self.keys.is_none() {
            fs::copy(self.dir.join("tracks/mara.opus"), self.dir.join("tracks/mara.opus.damaged")).unwrap();
        }
        mix().note(&self.dir).unwrap();
    }

    fn copy_to(&self, root: &Path) -> Self {
        let copy = Self::at(root, self.keys.is_some());
        let folders =
            [(self.dir.clone(), copy.dir.clone()), (self.dir.join("tracks"), copy.dir.join("tracks"))];
        for (from, to) in folders.into_iter().chain(self.keys.clone().zip(copy.keys.clone())) {
            fs::create_dir_all(&to).unwrap();
            for entry in fs::read_dir(from).unwrap().map(Result::unwrap).filter(|it| it.path().is_file()) {
                fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
            }
        }
        copy
    }

    fn seals(&self, seed: u8) -> Option<Seals> {
        self.keys.as_ref().map(|keys| Seals::new(keys, [seed; 32]).unwrap())
    }

    fn redact_until(&self, operations: u64) -> Result<Redacted, String> {
        let left = Arc::new(Mutex::new(operations));
        let keys =
            self.keys.as_ref().map(|keys| Seals::on(Box::new(Failing::new(keys, &left)), keys, [2; 32]));
        let mut disk = Failing::new(&self.dir, &left);
        redact_on(&mut disk, &self.dir, keys.as_ref(), "mara", STRETCH).map_err(|error| error.to_string())
    }

    fn recover(&self) -> tertulia::record::Recovery {
        match self.seals(3) {
            Some(seals) => recover_sealed(&self.dir, &seals).unwrap(),
            None => recover(&self.dir).unwrap(),
        }
    }

    fn track(&self, name: &str) -> Vec<u8> {
        let file = &Manifest::read(&self.dir).unwrap().speakers[name].file;
        fs::read(self.dir.join(file)).unwrap()
    }

    fn packets(&self, name: &str) -> Vec<TrackPacket> {
        let recording = Recording::open(&self.dir).unwrap();
        let recording = match &self.keys {
            Some(keys) => recording.with_keys(keys),
            None => recording,
        };
        recording.track(name).unwrap().packets(0..u64::MAX).map(Result::unwrap).collect()
    }

    /// Does the manifest say that the voice is gone?
    fn says_gone(&self) -> bool {
        let manifest = Manifest::read(&self.dir).unwrap();
        manifest.speakers["mara"].gaps.iter().any(|gap| gap.cause == Cause::Revoked)
    }

    /// Is what was said in the stretch anywhere in the folder, by name or as it is played?
    fn tells(&self) -> bool {
        let said = &TALKERS[0].packets[120];
        let files =
            [&self.dir, &self.dir.join("tracks")].map(|dir| fs::read_dir(dir).unwrap().map(Result::unwrap));
        let paths = files.into_iter().flatten().map(|entry| entry.path()).filter(|path| path.is_file());
        let holds = |path: PathBuf| fs::read(path).unwrap().windows(said.len()).any(|window| window == said);
        paths.map(holds).fold(false, |any, holds| any | holds)
            || self.packets("mara").iter().any(|packet| packet.payload == *said)
    }

    /// What is there, by name.
    fn names(&self) -> Vec<String> {
        let files =
            [&self.dir, &self.dir.join("tracks")].map(|dir| fs::read_dir(dir).unwrap().map(Result::unwrap));
        let mut names: Vec<_> =
            files.into_iter().flatten().map(|it| it.file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

fn mix() -> Derived {
    Derived {
        path: "mix.wav".into(),
        kind: "mix".into(),
        from_sample: 0,
        to_sample: FRAMES * FRAME,
        speakers: vec!["mara".into(), "george".into()],
        recipients: vec!["feed".into()],
    }
}

/// Stops it at each operation in turn; how many there are.
fn stop_everywhere(is_sealed: bool) -> u64 {
    let root = tempfile::tempdir().unwrap();
    let old = Place::at(root.path(), is_sealed);
    old.record();
    assert!(old.tells() && !old.says_gone());
    let (names, manifest) = (old.names(), Manifest::read(&old.dir).unwrap());
    let (before, other) = (old.packets("mara"), old.track("george"));
    let whole = tempfile::tempdir().unwrap();
    let new = old.copy_to(whole.path());
    assert_eq!(new.redact_until(u64::MAX).unwrap().dropped, [mix()]);
    assert!(!new.tells() && new.says_gone());
    for stop in 1.. {
        let root = tempfile::tempdir().unwrap();
        let place = old.copy_to(root.path());
        if place.redact_until(stop).is_ok() {
            return stop;
        }
        assert_eq!(place.track("george"), other, "stopped at {stop}");
        let settle = |redacted: Redacted| {
            assert_eq!(redacted.dropped, [mix()], "stopped at {stop}");
            assert_eq!(place.packets("mara"), new.packets("mara"), "stopped at {stop}");
            assert_eq!(
                Manifest::read(&place.dir).unwrap().speakers["mara"].gaps,
                Manifest::read(&new.dir).unwrap().speakers["mara"].gaps
            );
            assert_eq!((place.names(), place.tells()), (new.names(), false), "stopped at {stop}");
            assert_eq!(place.track("george"), other);
            assert_eq!(Derived::of(&place.dir).unwrap(), []);
            assert!(place.recover().was_whole, "stopped at {stop}");
        };
        if place.says_gone() {
            assert!(!place.tells(), "stopped at {stop}");
        }
        if stop % 2 == 0 {
            settle(place.redact_until(u64::MAX).unwrap());
            continue;
        }
        match place.recover().redacted {
            Some(redacted) => settle(redacted),
            None => {
                assert_eq!(Manifest::read(&place.dir).unwrap(), manifest, "stopped at {stop}");
                assert_eq!((place.names(), place.packets("mara")), (names.clone(), before.clone()));
                assert_eq!(Derived::of(&place.dir).unwrap(), [mix()]);
                settle(place.redact_until(u64::MAX).unwrap());
            }
        }
    }
    0
}

#[test]
fn a_redaction_that_stops_anywhere_is_undone_or_finished() {
    assert!(stop_everywhere(false) > 8);
}

#[test]
fn one_of_a_sealed_track_too() {
    assert!(stop_everywhere(true) > 9);
}
