//! The keys of a session's sealed tracks, in a folder of their own: `NAME.keys` beside no media. In comes a seed; out come
//! keys, one a segment, each made once and never again, and later whether a segment's key is there or was destroyed.
//!
//! A file of keys is nothing but keys, 32 bytes each, the segment's number its place. Zeros stand for one that was destroyed.
//! It only grows, so a number never means another key.

use super::{disk::Disk, disk::Folder, error::RecordError};
use sha2::{Digest, Sha256};
use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};
use zeroize::Zeroizing;

/// A key's length in bytes.
pub(super) const KEY: usize = 32;

/// One segment's key; its memory is wiped when it goes.
pub(super) type Key = Zeroizing<[u8; KEY]>;

/// Where a session's keys lie, and what new ones are made of. Clones are the same.
#[derive(Clone)]
pub struct Seals {
    dir: PathBuf,
    disk: Arc<Mutex<Box<dyn Disk>>>,
    seed: Key,
}

impl Seals {
    /// Keys in the folder `dir`, which is made if need be and belongs to one session alone: on another disk than the media, if
    /// that can be, and one that really overwrites what is overwritten.
    ///
    /// New keys follow from `seed` alone: 32 bytes that nobody can guess, drawn anew for each session and for each
    /// redaction or recovery. It is not stored.
    ///
    /// # Errors
    /// The folder cannot be made.
    pub fn new(dir: &Path, seed: [u8; KEY]) -> Result<Self, RecordError> {
        let is_new = !dir.exists();
        let folder = Folder::open(dir, true)
            .and_then(|folder| if is_new { close(dir).map(|()| folder) } else { Ok(folder) });
        let folder = folder.map_err(|source| RecordError::new(dir, "create", source))?;
        Ok(Self::on(Box::new(folder), dir, seed))
    }

    /// As [`Self::new`], with a seed from the system's random numbers.
    ///
    /// # Errors
    /// The folder cannot be made, or the system has no random numbers.
    pub fn random(dir: &Path) -> Result<Self, RecordError> {
        let mut seed = [0; KEY];
        let drawn = getrandom::fill(&mut seed).map_err(io::Error::from);
        drawn.map_err(|source| RecordError::new(dir, "draw keys for", source))?;
        Self::new(dir, seed)
    }

    /// As [`Self::new`], written to a disk of the caller's; keys are read from `dir`.
    #[must_use]
    pub fn on(disk: Box<dyn Disk>, dir: &Path, seed: [u8; KEY]) -> Self {
        Self { dir: dir.to_owned(), disk: Arc::new(Mutex::new(disk)), seed: seed.into() }
    }

    /// Where they lie.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    pub(super) fn with_disk<T>(&self, ask: impl FnOnce(&mut dyn Disk) -> T) -> T {
        ask(self.disk.lock().unwrap_or_else(PoisonError::into_inner).as_mut())
    }

    /// What new keys of a track are drawn from.
    pub(super) fn chain(&self, name: &str) -> KeyChain {
        KeyChain(hash(&[b"track", &self.seed[..], name.as_bytes()]))
    }

    /// What a session is known by to its segments.
    pub(super) fn session(&self) -> [u8; 16] {
        let mut session = [0; 16];
        session.copy_from_slice(&hash(&[b"session", &self.seed[..]])[..16]);
        session
    }

    /// Destroys these keys of a track, and returns once that is on disk.
    pub(super) fn destroy(&self, name: &str, segments: &[u32]) -> Result<(), RecordError> {
        let file = file_name(name);
        let destroyed = self.with_disk(|disk| {
            let place = |segment: u32| u64::from(segment) * KEY as u64;
            segments.iter().try_for_each(|&it| disk.shred(&file, place(it)..place(it) + KEY as u64))
        });
        destroyed.map_err(|source| RecordError::new(&self.dir.join(file), "destroy keys in", source))
    }

    /// Destroys all keys of the session and removes their files; how many there were.
    pub(super) fn destroy_all(&self) -> Result<usize, RecordError> {
        let failed = |source| RecordError::new(&self.dir, "destroy keys in", source);
        let entries: Vec<_> = fs::read_dir(&self.dir).and_then(Iterator::collect).map_err(failed)?;
        let names = entries.iter().filter_map(|it| it.file_name().into_string().ok());
        let mut destroyed = 0;
        for name in names.filter_map(|file| Some(file.strip_suffix(".keys")?.to_owned())) {
            destroyed += Keys::read(&self.dir, &name)?.live();
            let file = file_name(&name);
            let gone =
                self.with_disk(|disk| disk.shred(&file, 0..u64::MAX).and_then(|()| disk.remove(&file)));
            gone.map_err(failed)?;
        }
        Ok(destroyed)
    }
}

impl fmt::Debug for Seals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seals").field("dir", &self.dir).finish_non_exhaustive()
    }
}

/// Nobody else may look in.
fn close(dir: &Path) -> io::Result<()> {
    #[cfg(unix)]
    fs::set_permissions(dir, std::os::unix::fs::PermissionsExt::from_mode(0o700))?;
    Ok(())
}

/// Draws keys so that none tells of those before it, nor of those of another number.
pub(super) struct KeyChain(Key);

impl KeyChain {
    /// The key of segment `number`.
    pub(super) fn draw(&mut self, number: u32) -> Key {
        let key = hash(&[b"key", &self.0[..], &number.to_le_bytes()]);
        self.0 = hash(&[b"next", &self.0[..]]);
        key
    }
}

fn hash(parts: &[&[u8]]) -> Key {
    let mut hash = Sha256::new_with_prefix(b"tertulia seals 1");
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    Zeroizing::new(hash.finalize().into())
}

/// A track's file of keys, from their folder.
pub(super) fn file_name(name: &str) -> String {
    format!("{name}.keys")
}

/// All keys of one track.
#[derive(Clone)]
pub(super) struct Keys(Zeroizing<Vec<u8>>);

/// What became of a key.
pub(super) enum Known {
    Live(Key),
    Destroyed,
    Missing,
}

impl Keys {
    pub(super) fn read(dir: &Path, name: &str) -> Result<Self, RecordError> {
        let path = dir.join(file_name(name));
        let bytes = fs::read(&path).map_err(|source| RecordError::new(&path, "read", source))?;
        Ok(Self(Zeroizing::new(bytes)))
    }

    #[cfg(any(fuzzing, feature = "sim"))]
    pub(super) fn of(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    pub(super) fn of_segment(&self, segment: u32) -> Known {
        let at = segment as usize * KEY;
        match self.0.get(at..at + KEY).and_then(|bytes| <[u8; KEY]>::try_from(bytes).ok()) {
            None => Known::Missing,
            Some(key) if key == [0; KEY] => Known::Destroyed,
            Some(key) => Known::Live(Zeroizing::new(key)),
        }
    }

    /// How many are not destroyed.
    fn live(&self) -> usize {
        self.0.chunks_exact(KEY).filter(|key| **key != [0; KEY]).count()
    }

    /// How many there are; the next one's number.
    pub(super) fn count(&self) -> u32 {
        (self.0.len() / KEY) as u32
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keys({})", self.count())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn no_key_is_drawn_twice_not_even_from_one_seed() {
        let dir = tempfile::tempdir().unwrap();
        let mut drawn = BTreeSet::new();
        let seals = Seals::new(dir.path(), [7; KEY]).unwrap();
        for name in ["mara", "george"] {
            // A redaction that is given the recorder's seed goes on with other numbers.
            for from in [0, 40] {
                let mut chain = seals.chain(name);
                drawn.extend((from..from + 40).map(|number| *chain.draw(number)));
            }
        }
        assert_eq!(drawn.len(), 160);
        assert_eq!(*seals.chain("mara").draw(0), *seals.chain("mara").draw(0));
    }

    #[test]
    fn a_key_that_was_destroyed_is_zeros_on_disk_and_the_others_stay() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("mara.keys");
        let all: Vec<u8> = (1..=3).flat_map(|key| [key; KEY]).collect();
        fs::write(&path, &all).unwrap();
        Seals::new(dir.path(), [7; KEY]).unwrap().destroy("mara", &[1]).unwrap();
        assert_eq!(fs::read(&path).unwrap(), [[1; KEY], [0; KEY], [3; KEY]].concat());
        let keys = Keys::read(dir.path(), "mara").unwrap();
        assert!(matches!(keys.of_segment(0), Known::Live(key) if *key == [1; KEY]));
        assert!(matches!(keys.of_segment(1), Known::Destroyed));
        assert!(matches!(keys.of_segment(3), Known::Missing));
        assert_eq!(format!("{keys:?}"), "Keys(3)");
    }
}
