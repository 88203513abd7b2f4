//! A voice is taken back: out of a finished session goes what it said in a stretch of the room's time. In the place of its
//! packets stands silence of the same length; those behind that may tell of it go too, as behind a gate. Whatever was made
//! out of the session and holds the voice there is removed and listed.
//!
//! Of a sealed track the segments that are touched are sealed anew with new keys, without the voice, and the old keys are
//! destroyed; all others stay as they are, byte for byte.
//!
//! A crash at any moment leaves either the old session or one that [`recover`](super::recover()) or the next redaction
//! finishes: never a manifest that says that a voice is gone while it is not.

use super::{
    derived,
    disk::{Disk, Folder},
    eraser::Eraser,
    error::RecordError,
    event::Event,
    fill::{self, Coded},
    gap::{Cause, Gap},
    growing::Growing,
    keys::{Keys, Seals},
    manifest::{FILE as MANIFEST, Manifest},
    ogg::{self, OggOpus},
    parts::own_name,
    pending::{Pending, Redacted, beside, expect, part},
    read::{Recording, TrackReader},
    reseal,
    seal::{self, Seal},
    sealed::is_sealed,
    sealer::Sealer,
};
use std::{
    borrow::Cow,
    io::{self, Read, Seek},
    ops::Range,
    path::Path,
};

/// Takes `speaker` out of `range` of the room's time, in the finished session in `dir`.
///
/// # Errors
/// No such session or speaker, a session that is not finished, a sealed track, or files that cannot be written.
pub fn redact(dir: &Path, speaker: &str, range: Range<u64>) -> Result<Redacted, RecordError> {
    redact_on(&mut folder(dir)?, dir, None, speaker, range)
}

/// As [`redact`], of a session with sealed tracks.
///
/// # Errors
/// As [`redact`]; keys that are not there, do not fit or cannot be written.
pub fn redact_sealed(
    dir: &Path,
    seals: &Seals,
    speaker: &str,
    range: Range<u64>,
) -> Result<Redacted, RecordError> {
    redact_on(&mut folder(dir)?, dir, Some(seals), speaker, range)
}

fn folder(dir: &Path) -> Result<Folder, RecordError> {
    Folder::open(dir, true).map_err(|source| RecordError::new(dir, "open", source))
}

/// As [`redact`], written to a disk of the caller's; what is there is read from `dir`.
///
/// # Errors
/// As [`redact_sealed`].
pub fn redact_on(
    disk: &mut dyn Disk,
    dir: &Path,
    seals: Option<&Seals>,
    speaker: &str,
    range: Range<u64>,
) -> Result<Redacted, RecordError> {
    let mut before = Vec::new();
    if let Some(pending) = Pending::of(dir)? {
        let is_same = (&*pending.speaker, &pending.range) == (speaker, &range);
        let done = pending.carry_out(disk, dir, seals)?;
        if is_same {
            return Ok(done);
        }
        before = done.dropped;
    }
    let pending = prepare(disk, dir, seals, speaker, range)?;
    pending.commit(disk, dir)?;
    let mut redacted = pending.carry_out(disk, dir, seals)?;
    redacted.dropped.splice(..0, before);
    Ok(redacted)
}

/// Makes the new track beside the old one; nothing else changes.
fn prepare(
    disk: &mut dyn Disk,
    dir: &Path,
    seals: Option<&Seals>,
    speaker: &str,
    range: Range<u64>,
) -> Result<Pending, RecordError> {
    let recording = Recording::open(dir)?;
    let recording = seals.map(|seals| recording.clone().with_keys(seals.dir())).unwrap_or(recording);
    let files = files_of(recording.manifest(), speaker)?;
    let mut eraser = Eraser::new(recording.manifest(), speaker, &range);
    let (mut segments, mut anew) = (Vec::new(), Vec::new());
    let ends = files.iter().skip(1).map(|(_, next)| *next).chain([recording.manifest().samples]);
    for ((file, from), end) in files.iter().cloned().zip(ends) {
        eraser.goes_on_at(from);
        let mut new = NewTrack::new(disk, dir, &file);
        if is_sealed(&file) {
            let place = Place { file: &file, from };
            segments.extend(seal_anew(
                &recording,
                expect(seals, dir)?,
                speaker,
                place,
                &mut eraser,
                &mut new,
            )?);
        } else {
            let (part, _) = recording.part_file(speaker, &file, from)?;
            let mut track = TrackReader::over(vec![part], Vec::new(), recording.manifest().samples);
            rewrite(&mut track, speaker, end - from, &mut eraser, &mut new)?;
        }
        if eraser.has_changed || files.len() == 1 {
            anew.push((file, new.finish()?));
        } else {
            new.drop()?;
        }
    }
    let mut manifest = recording.manifest().clone();
    note(&mut manifest, speaker, &range, &eraser.erased);
    if let Some(entry) = manifest.speakers.get_mut(speaker) {
        anew.iter().for_each(|(file, seal)| entry.known_by(file, seal.clone()));
    }
    let parts = parts_of(&recording, speaker, &range, &eraser.erased, &anew)?;
    let files = anew.into_iter().map(|(file, _)| file).collect();
    let dropped = derived::what_holds(dir, speaker, &range)?;
    let before = seal::of_file(&dir.join(MANIFEST));
    let (_, before) = before.map_err(|source| RecordError::new(&dir.join(MANIFEST), "read", source))?;
    let (speaker, packets) = (speaker.to_owned(), eraser.packets);
    Ok(Pending { speaker, range, segments, dropped, packets, before, manifest, files, parts })
}

/// The manifests of the parts in which a file is made anew, by their folders.
fn parts_of(
    recording: &Recording,
    speaker: &str,
    range: &Range<u64>,
    erased: &[Range<u64>],
    anew: &[(String, Seal)],
) -> Result<Vec<(String, Manifest)>, RecordError> {
    let mut parts = Vec::new();
    for part in &recording.manifest().parts {
        let folder = format!("{}/", part.folder);
        let Some((file, seal)) = anew.iter().find(|(file, _)| file.starts_with(&folder)) else { continue };
        let mut manifest = Manifest::read(&recording.dir().join(&part.folder))?;
        note(&mut manifest, speaker, range, erased);
        if let Some(entry) = manifest.speakers.get_mut(speaker) {
            entry.known_by(own_name(file), seal.clone());
        }
        parts.push((part.folder.clone(), manifest));
    }
    Ok(parts)
}

/// A file of the track, and the room sample that it begins with.
struct Place<'a> {
    file: &'a str,
    from: u64,
}

/// The speaker's files in a session that has ended, each with the room sample that it begins with.
fn files_of(manifest: &Manifest, speaker: &str) -> Result<Vec<(String, u64)>, RecordError> {
    let invalid = |why| {
        RecordError::new(Path::new(speaker), "redact", io::Error::new(io::ErrorKind::InvalidInput, why))
    };
    if !manifest.finished {
        return Err(invalid("expected a finished session"));
    }
    let entry = manifest.speakers.get(speaker);
    let entry = entry.ok_or_else(|| invalid("expected one of the session's speakers"))?;
    Ok(entry.files(manifest.from_sample).into_iter().map(|(file, from)| (file.to_owned(), from)).collect())
}

/// A track in the making, beside the one that it replaces.
struct NewTrack<'a> {
    disk: &'a mut dyn Disk,
    dir: &'a Path,
    /// What it is called once it is whole.
    whole: String,
    file: Growing,
}

/// So much waits in memory.
const BLOCK: usize = 1 << 20;

impl<'a> NewTrack<'a> {
    fn new(disk: &'a mut dyn Disk, dir: &'a Path, file: &str) -> Self {
        Self { disk, dir, whole: beside(file), file: Growing::new(part(file)) }
    }

    fn failed(&self, source: io::Error) -> RecordError {
        RecordError::new(&self.dir.join(self.file.name()), "write", source)
    }

    /// Adds bytes; whatever they need to be read is on disk.
    fn push(&mut self, bytes: &[u8]) -> Result<(), RecordError> {
        self.file.push(bytes);
        if self.file.held() < BLOCK { Ok(()) } else { self.sync() }
    }

    fn sync(&mut self) -> Result<(), RecordError> {
        self.file.sync(self.disk).map_err(|source| self.failed(source))
    }

    /// It is not needed.
    fn drop(mut self) -> Result<(), RecordError> {
        self.sync()?;
        self.disk.remove(self.file.name()).map_err(|source| self.failed(source))
    }

    /// It is whole, and on disk.
    fn finish(mut self) -> Result<Seal, RecordError> {
        self.sync()?;
        self.disk.rename(self.file.name(), &self.whole).map_err(|source| self.failed(source))?;
        Ok(self.file.seal())
    }
}

/// Copies a track packet by packet into a new file of the same length.
fn rewrite<R: Read + Seek>(
    track: &mut TrackReader<R>,
    speaker: &str,
    length: u64,
    eraser: &mut Eraser,
    new: &mut NewTrack<'_>,
) -> Result<(), RecordError> {
    let (pre_skip, channels) = (track.pre_skip(), track.channels().count() as u8);
    let mut stream = OggOpus::new(ogg::serial(speaker), channels, pre_skip);
    let mut push = |packet: Coded| {
        stream.push(packet);
        new.push(&stream.take())
    };
    let mut at = None;
    for packet in track.packets(0..u64::MAX) {
        let packet = packet?;
        // What a crash cut out of the old file is silence in the new one.
        let missing = packet.at - at.unwrap_or(packet.at);
        at = Some(packet.end());
        fill::silences(missing.max(0) as u64).try_for_each(&mut push)?;
        let samples = packet.samples;
        match eraser.pass(packet.at, samples, packet.payload) {
            Some(payload) => push((Cow::Owned(payload), samples))?,
            None => fill::silences(samples).try_for_each(&mut push)?,
        }
    }
    stream.finish(pre_skip + length);
    new.push(&stream.take())
}

/// Copies a sealed track segment by segment; which keys may go then.
fn seal_anew(
    recording: &Recording,
    seals: &Seals,
    speaker: &str,
    place: Place<'_>,
    eraser: &mut Eraser,
    new: &mut NewTrack<'_>,
) -> Result<Vec<u32>, RecordError> {
    let path = recording.dir().join(place.file);
    let failed = |source| RecordError::new(&path, "redact", source);
    let mut track = recording.unseal(speaker, &path)?;
    let pre_skip = recording.part_file(speaker, place.file, place.from)?.0.pre_skip();
    let silenced = reseal::silence(&mut track, (place.from, pre_skip), eraser).map_err(failed)?;
    let keys = Keys::read(seals.dir(), speaker)?;
    let mut sealer = Sealer::behind(&keys, speaker, seals);
    let (bytes, segments) = reseal::replace(&mut track, &silenced, &mut sealer).map_err(failed)?;
    sealer.sync().map_err(failed)?;
    new.push(&bytes)?;
    Ok(segments)
}

/// What the manifest says of it.
fn note(manifest: &mut Manifest, speaker: &str, range: &Range<u64>, erased: &[Range<u64>]) {
    let (from, end) = (manifest.from_sample, manifest.samples);
    manifest.events.push(Event {
        at_sample: range.start,
        verb: "redact".into(),
        speaker: Some(speaker.to_owned()),
        to: None,
        over_samples: Some(range.end.min(end).saturating_sub(range.start)),
    });
    if let Some(entry) = manifest.speakers.get_mut(speaker) {
        for span in erased {
            let gap = Gap { from_sample: span.start, to_sample: span.end, cause: Cause::Revoked };
            if let Some(gap) = gap.within(from, end) {
                entry.gaps = gap.beside(&entry.gaps);
            }
        }
    }
}
