//! Finishes a recording whose recorder died: by a signal, with its machine, or on a disk that never came back. Nothing is
//! guessed: what whole pages hold is kept and stands where it stood, everything else is silence and told, with its cause.

mod known;
mod left;
mod put_back;
mod stream;

use super::{
    disk::{Disk, Folder},
    error::RecordError,
    event::Event,
    gap::{Cause, Gap},
    gate::Spans,
    journal::{self, FILE as JOURNAL},
    keys::Seals,
    manifest::{FILE as MANIFEST, Manifest, SCHEMA},
    ogg::{self, OggOpus},
    parts::{self, TrackPart},
    pending::{Pending, Redacted, read},
    seal,
    tape::LOOKAHEAD,
};
use crate::time::RATE_HZ;
use known::{Known, KnownTrack};
use left::Left;
use std::{collections::BTreeMap, ops::Range, path::Path};
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
    put_back::put_back(dir)?;
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

/// The same in memory, of a session in one part: what becomes of `file`, were it the file of each of the tracks that the journal knows.
#[cfg(any(fuzzing, feature = "sim"))]
pub(crate) fn recover_bytes(journal: &[u8], file: &[u8]) -> Vec<(String, Manifest, Vec<u8>)> {
    let mut known = Known::from_journal(journal::lines(journal));
    known.now = known.now.min(SLACK);
    let stream = Stream::read(file, known.now + SLACK);
    let end = stream.as_ref().map_or(0, Stream::reached).max(known.now);
    let Known { epoch_unix_ms, events, paused, tracks, .. } = known;
    let finish = |(name, track): (String, KnownTrack)| {
        let finished = stream.as_ref().map_or_else(|| silent(&name, end), |stream| stream.finish(end));
        let holes: Vec<Gap> = stream.iter().flat_map(Stream::holes).map(|hole| gap(0, hole)).collect();
        let part = part(super::manifest::file_name(&name), 0, stream.as_ref());
        let reached = stream.as_ref().map_or(0, Stream::reached).min(end);
        let entry = track.entry(vec![part], reached, &holes, end);
        let speakers = BTreeMap::from([(name.clone(), entry)]);
        let (paused, events) = (paused.clone(), events.clone());
        (name, manifest(end, epoch_unix_ms, paused, speakers, events, &[]), finished)
    };
    tracks.into_iter().map(finish).collect()
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

/// Are all files of the session in `dir`, and of its parts, what the manifest says?
fn is_as_told(dir: &Path, manifest: &Manifest) -> Result<bool, RecordError> {
    for entry in manifest.speakers.values() {
        let parts = entry.parts.iter().skip(1).map(|part| (&part.file, &part.sha256));
        for (file, sha256) in [(&entry.file, &entry.sha256)].into_iter().chain(parts) {
            let bytes = read(dir, file)?;
            if bytes.is_none_or(|bytes| sha256.as_deref() != Some(&seal::of_bytes(&bytes).1)) {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

fn finish(dir: &Path, known: Known, seals: Option<&Seals>) -> Result<Recovery, RecordError> {
    let starts: Vec<u64> = [0].into_iter().chain(known.parts).collect();
    let disk = Folder::create(dir, true).map_err(|error| RecordError::new(dir, "open", error))?;
    let longest = known.now.saturating_add(SLACK);
    let recovery = Recovery::default();
    let mut session = Session { dir, disk, seals, starts, end: known.now, longest, recovery };
    session.end = session.reached(known.tracks.keys())?.max(known.now);
    session.recovery.samples = session.end;
    let mut speakers = BTreeMap::new();
    for (name, track) in known.tracks {
        speakers.insert(name.clone(), session.track(&name, track)?);
    }
    let further = session.starts.get(1..).unwrap_or_default();
    let manifest = manifest(session.end, known.epoch_unix_ms, known.paused, speakers, known.events, further);
    session.write_parts(&manifest)?;
    session.write(MANIFEST, &manifest.json())?;
    session.disk.remove(JOURNAL).map_err(|error| RecordError::new(&dir.join(JOURNAL), "remove", error))?;
    Ok(session.recovery)
}

/// A finished session's, which ends at `end` and has these `further` parts.
fn manifest(
    end: u64,
    epoch_unix_ms: Option<u64>,
    paused: Spans,
    speakers: BTreeMap<String, super::TrackEntry>,
    events: Vec<Event>,
    further: &[u64],
) -> Manifest {
    Manifest {
        schema: SCHEMA,
        finished: true,
        recovered: true,
        sample_rate_hz: RATE_HZ,
        epoch_unix_ms,
        from_sample: 0,
        samples: end,
        paused,
        speakers,
        events,
        parts: parts::listed(further),
    }
}

/// What the manifest says of a file that begins with room sample `from`, but for its hash.
fn part(file: String, from: u64, stream: Option<&Stream<'_>>) -> TrackPart {
    TrackPart {
        file,
        from_sample: from,
        pre_skip: stream.map_or(LOOKAHEAD, |stream| stream.pre_skip),
        recorded: stream.map_or(0, Stream::recorded),
        file_bytes: None,
        sha256: None,
    }
}

/// A session that is being finished.
struct Session<'a> {
    dir: &'a Path,
    disk: Folder,
    seals: Option<&'a Seals>,
    /// Where its parts begin.
    starts: Vec<u64>,
    end: u64,
    /// No file goes further than this.
    longest: u64,
    recovery: Recovery,
}

/// A file of a track, finished.
struct Piece {
    part: TrackPart,
    /// Up to where there was anything in it.
    reached: Option<u64>,
    to: u64,
    holes: Vec<Gap>,
    dropped_bytes: u64,
}

impl Session<'_> {
    /// Folder, beginning and end of each part.
    fn parts(&self) -> Vec<(String, u64, u64)> {
        let ends = self.starts.iter().skip(1).copied().chain([self.end]);
        let parts = (1..).zip(&self.starts).zip(ends);
        parts.map(|((number, from), to)| (parts::folder(number), *from, to)).collect()
    }

    /// How far the last part goes.
    fn reached<'n>(&self, names: impl Iterator<Item = &'n String>) -> Result<u64, RecordError> {
        let Some((folder, from, _)) = self.parts().pop() else { return Ok(0) };
        let mut reached = from;
        for name in names {
            let Some(left) = Left::read(self.dir, &folder, name, self.seals)? else { continue };
            let stream = Stream::read(left.stream(), self.longest.saturating_sub(from));
            reached = reached.max(stream.map_or(0, |stream| from + stream.reached()));
        }
        Ok(reached)
    }

    fn track(&mut self, name: &str, track: KnownTrack) -> Result<super::TrackEntry, RecordError> {
        let mut pieces: Vec<Piece> = Vec::new();
        let parts = self.parts();
        let last = parts.len();
        for (number, (folder, from, to)) in (1..).zip(parts) {
            match Left::read(self.dir, &folder, name, self.seals)? {
                // Whoever joined later has no file in the first parts.
                None if pieces.is_empty() && number < last => {}
                left => {
                    let left = left.unwrap_or_else(|| Left::none(&folder, name));
                    pieces.push(self.piece(name, &left, from..to)?);
                }
            }
        }
        let reached = pieces.iter().filter_map(|piece| piece.reached).max().unwrap_or(0).min(self.end);
        let (mut damaged, mut before) = (Vec::new(), 0);
        for piece in &pieces {
            damaged.extend(piece.lost(before, reached));
            before = before.max(piece.reached.unwrap_or(0));
        }
        let dropped_bytes = pieces.iter().map(|piece| piece.dropped_bytes).sum();
        let files = pieces.into_iter().map(|piece| piece.part).collect();
        let entry = track.entry(files, reached, &damaged, self.end);
        self.recovery.tracks.insert(name.to_owned(), TrackRecovery { reached, dropped_bytes, damaged });
        Ok(entry)
    }

    /// Finishes a file of which this is left, and which goes over `span` of the room.
    fn piece(&mut self, name: &str, left: &Left, span: Range<u64>) -> Result<Piece, RecordError> {
        let Left { file, bytes, .. } = left;
        let length = span.end - span.start;
        let stream = Stream::read(left.stream(), self.longest.saturating_sub(span.start));
        let stream = stream.as_ref();
        let finished = stream.map_or_else(|| silent(name, length), |stream| stream.finish(length));
        let finished = left.finish(name, finished, self.seals)?;
        if !bytes.is_empty() && stream.is_none_or(|stream| stream.is_damaged) {
            self.write(&format!("{file}.damaged"), bytes)?;
        }
        if finished != *bytes {
            self.write(file, &finished)?;
        }
        let part = part(file.clone(), span.start, stream);
        let kept = left.kept(stream.map_or(0, Stream::bytes));
        let on_the_room_clock = |hole| gap(span.start, hole);
        Ok(Piece {
            part: part.sealed(seal::of_bytes(&finished)),
            // A packet across the seam is in the part where it begins.
            reached: stream.map(|stream| span.start + stream.reached().min(length).max(stream.said())),
            to: span.end,
            holes: stream.into_iter().flat_map(Stream::holes).map(on_the_room_clock).collect(),
            dropped_bytes: (bytes.len() as u64).saturating_sub(kept),
        })
    }

    /// The parts' own manifests, but for those that are whole.
    fn write_parts(&mut self, session: &Manifest) -> Result<(), RecordError> {
        for (folder, from, to) in self.parts().into_iter().skip(1) {
            let dir = self.dir.join(&folder);
            let told = Manifest::read(&dir).ok().filter(|part| part.finished);
            if told.is_none_or(|part| !is_as_told(&dir, &part).unwrap_or(false)) {
                self.write(&format!("{folder}{MANIFEST}"), &session.part(&folder, from, to).json())?;
            }
        }
        Ok(())
    }

    fn write(&mut self, file: &str, bytes: &[u8]) -> Result<(), RecordError> {
        let written = self.disk.replace(file, bytes);
        written.map_err(|error| RecordError::new(&self.dir.join(file), "write", error))
    }
}

impl Piece {
    /// What is not in it, if the track goes up to `reached` and the parts before it up to `before`.
    fn lost(&self, before: u64, reached: u64) -> impl Iterator<Item = Gap> + '_ {
        let from_sample = self.reached.unwrap_or(self.part.from_sample).max(before);
        let rest = Gap { from_sample, to_sample: self.to.min(reached), cause: Cause::Crash };
        let rest = (rest.from_sample < rest.to_sample).then_some(rest);
        self.holes.iter().copied().chain(rest)
    }
}

/// A hole of a file that begins at `start` is lost.
fn gap(start: u64, Hole { from, to }: Hole) -> Gap {
    Gap { from_sample: start + from, to_sample: start + to, cause: Cause::Crash }
}

/// A track of which nothing is left.
fn silent(name: &str, end: u64) -> Vec<u8> {
    let head = OggOpus::new(ogg::serial(name), 1, LOOKAHEAD).take();
    Stream::read(&head, 0).map(|stream| stream.finish(end)).unwrap_or_default()
}
