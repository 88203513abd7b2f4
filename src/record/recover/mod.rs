//! Finishes a recording whose recorder died: by a signal, with its machine, or on a disk that never came back. Nothing is
//! guessed: what whole pages hold is kept and stands where it stood, everything else is silence and told, with its cause.

mod known;
mod page;
mod stream;

use super::{
    disk::{Disk, Folder},
    error::RecordError,
    gap::{Cause, Gap},
    journal::{self, FILE as JOURNAL},
    manifest::{FILE as MANIFEST, Manifest, SCHEMA, file_name},
    ogg::{self, OggOpus},
    seal,
    tape::LOOKAHEAD,
};
use crate::time::RATE_HZ;
use known::{Known, KnownTrack};
use std::{collections::BTreeMap, fs, io, path::Path};
use stream::{Hole, Stream};

/// What was found, and done about it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovery {
    /// It had been finished: nothing was changed.
    pub was_whole: bool,
    /// The room's length.
    pub samples: u64,
    /// By name.
    pub tracks: BTreeMap<String, TrackRecovery>,
}

/// What became of one track.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrackRecovery {
    /// How far its file was whole, on the room clock.
    pub reached: u64,
    /// Bytes behind the last whole page, or between two.
    pub dropped_bytes: u64,
    /// What was damaged further ahead and is silence now.
    pub damaged: Vec<Gap>,
}

/// How much longer than it was known a room may have become.
const SLACK: u64 = 60 * 48_000;

/// Finishes the recording in `dir`: cuts pages that are not whole, ends every track where the room ended, rebuilds the
/// manifest with every gap and hash. Once more changes nothing; a file that was damaged is kept beside as
/// `NAME.opus.damaged`.
///
/// # Errors
/// There is no recording, or something cannot be read or written. What was done before stays, and it can be tried again.
pub fn recover(dir: &Path) -> Result<Recovery, RecordError> {
    let (manifest, journal) = (Manifest::read(dir), read(dir, JOURNAL)?);
    if let (Ok(whole), None) = (&manifest, &journal)
        && whole.finished
        && is_as_told(dir, whole)?
    {
        return Ok(Recovery { was_whole: true, samples: whole.samples, ..Recovery::default() });
    }
    let mut lines = journal.as_deref().map(journal::lines).into_iter().flatten().peekable();
    let known = match lines.peek() {
        Some(_) => Known::from_journal(lines),
        None => Known::from_manifest(manifest?),
    };
    finish(dir, known)
}

/// A file's bytes, if there is one.
fn read(dir: &Path, file: &str) -> Result<Option<Vec<u8>>, RecordError> {
    let path = dir.join(file);
    match fs::read(&path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(RecordError::new(&path, "read", error)),
    }
}

fn is_as_told(dir: &Path, manifest: &Manifest) -> Result<bool, RecordError> {
    for entry in manifest.speakers.values() {
        let bytes = read(dir, &entry.file)?;
        if bytes.is_none_or(|bytes| entry.sha256.as_deref() != Some(&seal::of_bytes(&bytes).1)) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn finish(dir: &Path, known: Known) -> Result<Recovery, RecordError> {
    let mut files = BTreeMap::new();
    for name in known.tracks.keys() {
        files.insert(name.clone(), read(dir, &file_name(name))?.unwrap_or_default());
    }
    let longest = known.now + SLACK;
    let streams: BTreeMap<_, _> =
        files.iter().map(|(name, bytes)| (name, Stream::read(bytes, longest))).collect();
    let reached = streams.values().flatten().map(Stream::reached).max().unwrap_or(0);
    let end = reached.max(known.now);
    let disk = Folder::create(dir, true).map_err(|error| RecordError::new(dir, "open", error))?;
    let mut session = Session { dir, disk, end, recovery: Recovery { samples: end, ..Recovery::default() } };
    let mut speakers = BTreeMap::new();
    for (name, track) in known.tracks {
        let stream = streams.get(&name).and_then(Option::as_ref);
        let bytes = files.get(&name).map_or(&[][..], Vec::as_slice);
        speakers.insert(name.clone(), session.track(&name, track, bytes, stream)?);
    }
    let manifest = Manifest {
        schema: SCHEMA,
        finished: true,
        recovered: true,
        sample_rate_hz: RATE_HZ,
        epoch_unix_ms: known.epoch_unix_ms,
        samples: end,
        paused: known.paused,
        speakers,
        events: known.events,
    };
    session.write(MANIFEST, &manifest.json())?;
    session.disk.remove(JOURNAL).map_err(|error| RecordError::new(&dir.join(JOURNAL), "remove", error))?;
    Ok(session.recovery)
}

/// A session that is being finished.
struct Session<'a> {
    dir: &'a Path,
    disk: Folder,
    end: u64,
    recovery: Recovery,
}

impl Session<'_> {
    fn track(
        &mut self,
        name: &str,
        track: KnownTrack,
        bytes: &[u8],
        stream: Option<&Stream<'_>>,
    ) -> Result<super::TrackEntry, RecordError> {
        let file = file_name(name);
        let reached = stream.map_or(0, |stream| stream.reached().min(self.end));
        let damaged: Vec<Gap> = stream.into_iter().flat_map(Stream::holes).map(gap).collect();
        let finished = stream.map_or_else(|| silent(name, self.end), |stream| stream.finish(self.end));
        if !bytes.is_empty() && stream.is_none_or(|stream| stream.is_damaged) {
            self.write(&format!("{file}.damaged"), bytes)?;
        }
        if finished != bytes {
            self.write(&file, &finished)?;
        }
        let mut entry =
            track.entry(name, stream.map_or(LOOKAHEAD, |it| it.pre_skip), reached, &damaged, self.end);
        entry.seal(seal::of_bytes(&finished));
        let kept = stream.map_or(0, Stream::bytes);
        let dropped_bytes = (bytes.len() as u64).saturating_sub(kept);
        self.recovery.tracks.insert(name.to_owned(), TrackRecovery { reached, dropped_bytes, damaged });
        Ok(entry)
    }

    fn write(&mut self, file: &str, bytes: &[u8]) -> Result<(), RecordError> {
        let written = self.disk.replace(file, bytes);
        written.map_err(|error| RecordError::new(&self.dir.join(file), "write", error))
    }
}

/// A hole of a file is lost.
fn gap(Hole { from, to }: Hole) -> Gap {
    Gap { from_sample: from, to_sample: to, cause: Cause::Crash }
}

/// A track of which nothing is left.
fn silent(name: &str, end: u64) -> Vec<u8> {
    let head = OggOpus::new(ogg::serial(name), 1, LOOKAHEAD).take();
    Stream::read(&head, 0).map(|stream| stream.finish(end)).unwrap_or_default()
}
