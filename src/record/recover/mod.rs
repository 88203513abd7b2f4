//! Finishes a recording whose recorder died: by a signal, with its machine, or on a disk that never came back. Nothing is
//! guessed: what whole pages hold is kept and stands where it stood, everything else is silence and told, with its cause.

mod known;
mod left;
pub(super) mod page;
mod stream;

use super::{
    disk::{Disk, Folder},
    error::RecordError,
    gap::{Cause, Gap},
    journal::{self, FILE as JOURNAL},
    keys::Seals,
    manifest::{FILE as MANIFEST, Manifest, SCHEMA},
    ogg::{self, OggOpus},
    pending::{Pending, Redacted, read},
    seal,
    tape::LOOKAHEAD,
};
use crate::time::RATE_HZ;
use known::{Known, KnownTrack};
use left::Left;
use std::{collections::BTreeMap, path::Path};
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
    /// A redaction that was cut short, and is done now.
    pub redacted: Option<Redacted>,
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
/// `NAME.opus.damaged`. A redaction that was cut short is finished too.
///
/// # Errors
/// There is no recording, tracks are sealed, or something cannot be read or written. What was done before stays, and it can be
/// tried again.
pub fn recover(dir: &Path) -> Result<Recovery, RecordError> {
    recover_with(dir, None)
}

/// As [`recover`], of a session with sealed tracks: what is new at their ends is sealed too.
///
/// # Errors
/// As [`recover`]; keys that are not there, do not fit or cannot be written.
pub fn recover_sealed(dir: &Path, seals: &Seals) -> Result<Recovery, RecordError> {
    recover_with(dir, Some(seals))
}

fn recover_with(dir: &Path, seals: Option<&Seals>) -> Result<Recovery, RecordError> {
    let redacted = finish_redaction(dir, seals)?;
    let (manifest, journal) = (Manifest::read(dir), read(dir, JOURNAL)?);
    if let (Ok(whole), None) = (&manifest, &journal)
        && whole.finished
        && is_as_told(dir, whole)?
    {
        return Ok(Recovery { was_whole: true, samples: whole.samples, redacted, ..Recovery::default() });
    }
    let mut lines = journal.as_deref().map(journal::lines).into_iter().flatten().peekable();
    let known = match lines.peek() {
        Some(_) => Known::from_journal(lines),
        None => Known::from_manifest(manifest?),
    };
    Ok(Recovery { redacted, ..finish(dir, known, seals)? })
}

/// Does what is left to do of one, and takes away what one has left that was never decided.
fn finish_redaction(dir: &Path, seals: Option<&Seals>) -> Result<Option<Redacted>, RecordError> {
    let pending = Pending::of(dir)?;
    let Ok(manifest) = Manifest::read(dir) else { return Ok(None) };
    let failed = |source| RecordError::new(dir, "recover", source);
    let mut disk = Folder::open(dir, true).map_err(failed)?;
    let redacted = pending.map(|pending| pending.carry_out(&mut disk, dir, seals)).transpose()?;
    Pending::sweep(&mut disk, &manifest).map_err(failed)?;
    Ok(redacted)
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

fn finish(dir: &Path, known: Known, seals: Option<&Seals>) -> Result<Recovery, RecordError> {
    let mut files = BTreeMap::new();
    for name in known.tracks.keys() {
        files.insert(name.clone(), Left::read(dir, name, seals)?);
    }
    let longest = known.now + SLACK;
    let streams: BTreeMap<_, _> =
        files.iter().map(|(name, left)| (name, Stream::read(left.stream(), longest))).collect();
    let reached = streams.values().flatten().map(Stream::reached).max().unwrap_or(0);
    let end = reached.max(known.now);
    let disk = Folder::create(dir, true).map_err(|error| RecordError::new(dir, "open", error))?;
    let recovery = Recovery { samples: end, ..Recovery::default() };
    let mut session = Session { dir, disk, seals, end, recovery };
    let mut speakers = BTreeMap::new();
    for (name, track) in known.tracks {
        let stream = streams.get(&name).and_then(Option::as_ref);
        speakers.insert(name.clone(), session.track(&name, track, &files[&name], stream)?);
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
    seals: Option<&'a Seals>,
    end: u64,
    recovery: Recovery,
}

impl Session<'_> {
    fn track(
        &mut self,
        name: &str,
        track: KnownTrack,
        left: &Left,
        stream: Option<&Stream<'_>>,
    ) -> Result<super::TrackEntry, RecordError> {
        let Left { file, bytes, .. } = left;
        let reached = stream.map_or(0, |stream| stream.reached().min(self.end));
        let damaged: Vec<Gap> = stream.into_iter().flat_map(Stream::holes).map(gap).collect();
        let finished = stream.map_or_else(|| silent(name, self.end), |stream| stream.finish(self.end));
        let finished = left.finish(name, finished, self.seals)?;
        if !bytes.is_empty() && stream.is_none_or(|stream| stream.is_damaged) {
            self.write(&format!("{file}.damaged"), bytes)?;
        }
        if finished != *bytes {
            self.write(file, &finished)?;
        }
        let pre_skip = stream.map_or(LOOKAHEAD, |it| it.pre_skip);
        let mut entry = track.entry(file.clone(), pre_skip, reached, &damaged, self.end);
        entry.seal(seal::of_bytes(&finished));
        let kept = left.kept(stream.map_or(0, Stream::bytes));
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
