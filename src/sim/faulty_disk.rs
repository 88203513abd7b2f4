//! A disk in memory that fails on purpose, and can lose its power: for tests of what a recorder makes of that.

use super::Rng;
use crate::record::Disk;
use std::{
    collections::BTreeMap,
    fs,
    io::{self, ErrorKind},
    ops::Range,
    path::Path,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// What is wrong with a disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    #[default]
    None,
    /// No space is left: of each write only a part arrives.
    Full,
    /// Nothing may be written.
    ReadOnly,
    /// The session's folder is not there.
    Removed,
    /// Errors of the device; what was written since the last sync is lost with the first.
    Io,
    /// Everything is written, nothing is ever made safe.
    NoSync,
    /// It does not answer: whoever asks waits until the fault is another.
    Stalled,
    /// It does all it is asked, and takes so many milliseconds for each thing. They do not pass: [`FaultyDisk::took`] tells how many they
    /// were.
    Slow(u32),
}

/// A disk in memory. Clones are the same disk: one is the recorder's, another the test's.
#[derive(Clone, Debug, Default)]
pub struct FaultyDisk(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    fault: Fault,
    files: BTreeMap<String, Content>,
    calls: u64,
    /// From which call on it fails, and how.
    fails_at: Option<(u64, Fault)>,
    took_ms: u64,
    free: Option<u64>,
}

#[derive(Clone, Debug, Default)]
struct Content {
    bytes: Vec<u8>,
    /// How much of it outlives the power.
    safe: usize,
}

impl FaultyDisk {
    /// A disk without faults.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// From now on it fails like this.
    pub fn fail(&self, fault: Fault) {
        self.state().fault = fault;
        self.0.changed.notify_all();
    }

    /// After so many calls it fails like this.
    pub fn fail_after(&self, calls: u64, fault: Fault) {
        let mut state = self.state();
        state.fails_at = Some((state.calls + calls, fault));
    }

    /// So many bytes are free on it, it says.
    pub fn has_free(&self, bytes: u64) {
        self.state().free = Some(bytes);
    }

    /// A file goes away by itself.
    pub fn delete(&self, file: &str) {
        self.state().files.remove(file);
    }

    /// How often it was asked for something.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.state().calls
    }

    /// How long it took since this was last asked.
    #[must_use]
    pub fn took(&self) -> Duration {
        Duration::from_millis(std::mem::take(&mut self.state().took_ms))
    }

    /// What a file holds.
    #[must_use]
    pub fn read(&self, file: &str) -> Option<Vec<u8>> {
        self.state().files.get(file).map(|content| content.bytes.clone())
    }

    /// The power fails: of what was not safe, each file keeps as much as it happens to.
    pub fn cut_power(&self, rng: &mut Rng) {
        for content in self.state().files.values_mut() {
            let unsafe_bytes = (content.bytes.len() - content.safe) as f64;
            let kept = content.safe + rng.between(0.0, unsafe_bytes + 1.0) as usize;
            content.bytes.truncate(kept);
        }
    }

    /// Puts all files into a real folder.
    ///
    /// # Errors
    /// What the file system refuses.
    pub fn spill(&self, dir: &Path) -> io::Result<()> {
        fs::create_dir_all(dir.join("tracks"))?;
        self.state().files.iter().try_for_each(|(name, content)| {
            let path = dir.join(name);
            path.parent().map_or(Ok(()), fs::create_dir_all)?;
            fs::write(path, &content.bytes)
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The same, once it answers.
    fn answers(&self) -> MutexGuard<'_, State> {
        let stalled = |state: &mut State| state.fault == Fault::Stalled;
        let answers = self.0.changed.wait_while(self.state(), stalled);
        answers.unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn ask(&mut self) -> io::Result<()> {
        if let Some((_, fault)) = self.fails_at.take_if(|(at, _)| *at <= self.calls) {
            self.fault = fault;
        }
        self.calls += 1;
        Err(match self.fault {
            Fault::None | Fault::Full | Fault::NoSync | Fault::Stalled => return Ok(()),
            Fault::Slow(ms) => {
                self.took_ms += u64::from(ms);
                return Ok(());
            }
            Fault::ReadOnly => ErrorKind::ReadOnlyFilesystem.into(),
            Fault::Removed => io::Error::other("the session's folder is gone"),
            Fault::Io => {
                self.files.values_mut().for_each(|content| content.bytes.truncate(content.safe));
                io::Error::other("input/output error")
            }
        })
    }
}

impl Disk for FaultyDisk {
    fn append(&mut self, file: &str, at: u64, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.answers();
        state.ask()?;
        let full = state.fault == Fault::Full;
        if at > 0 && !state.files.contains_key(file) {
            return Err(ErrorKind::NotFound.into());
        }
        let content = state.files.entry(file.to_owned()).or_default();
        if content.bytes.len() < at as usize {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        content.bytes.truncate(at as usize);
        content.safe = content.safe.min(at as usize);
        let fits = if full { bytes.len() / 2 } else { bytes.len() };
        content.bytes.extend(&bytes[..fits]);
        if full { Err(ErrorKind::StorageFull.into()) } else { Ok(()) }
    }

    fn sync(&mut self, file: &str) -> io::Result<()> {
        let mut state = self.answers();
        state.ask()?;
        if state.fault == Fault::NoSync {
            return Err(io::Error::other("input/output error"));
        }
        let content = state.files.get_mut(file).ok_or(ErrorKind::NotFound)?;
        content.safe = content.bytes.len();
        Ok(())
    }

    fn replace(&mut self, file: &str, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.answers();
        state.ask()?;
        if state.fault == Fault::Full {
            return Err(ErrorKind::StorageFull.into());
        }
        state.files.insert(file.to_owned(), Content { bytes: bytes.to_vec(), safe: bytes.len() });
        Ok(())
    }

    fn remove(&mut self, file: &str) -> io::Result<()> {
        let mut state = self.answers();
        state.ask()?;
        state.files.remove(file);
        Ok(())
    }

    fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        let mut state = self.answers();
        state.ask()?;
        let content = state.files.remove(from).ok_or(ErrorKind::NotFound)?;
        state.files.insert(to.to_owned(), content);
        Ok(())
    }

    fn shred(&mut self, file: &str, bytes: Range<u64>) -> io::Result<()> {
        let mut state = self.answers();
        state.ask()?;
        let Some(content) = state.files.get_mut(file) else { return Ok(()) };
        let end = bytes.end.min(content.bytes.len() as u64) as usize;
        let start = (bytes.start as usize).min(end);
        content.bytes[start..end].fill(0);
        Ok(())
    }

    fn free_bytes(&mut self) -> Option<u64> {
        self.state().free
    }
}
