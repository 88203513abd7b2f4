//! A voice is taken back: out of a finished session goes what it said in a stretch of the room's time. In the place of its
//! packets stands silence of the same length; those behind that may tell of it go too, as behind a gate. Whatever was made
//! out of the session and holds the voice there is removed and listed.
//!
//! A crash at any moment leaves either the old track or the new one; to be sure, redact once more.

use super::{
    derived::{self, Derived},
    erase::{erase, overwrite},
    eraser::Eraser,
    error::RecordError,
    event::Event,
    fill,
    gap::{Cause, Gap},
    manifest::{FILE as MANIFEST, Manifest},
    ogg,
    ogg_file::OggOpusFile,
    read::{Recording, TrackReader},
    seal,
};
use std::{
    borrow::Cow,
    fs::{self, File, OpenOptions},
    io,
    ops::Range,
    path::{Path, PathBuf},
};

/// What became of a session out of which a voice was taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Redacted {
    /// Files that are others now, from the session's folder.
    pub changed: Vec<String>,
    /// What was made out of the session, held the voice, and is gone: to be rendered anew, and its recipients told.
    pub dropped: Vec<Derived>,
    /// The speaker's packets that were taken out.
    pub packets: u64,
}

/// Takes `speaker` out of `range` of the room's time, in the finished session in `dir`, out of all its parts. What
/// [`recover`](super::recover()) kept beside a damaged track is erased whole.
///
/// # Errors
/// No such session or speaker, a session that is not finished, or files that cannot be written.
pub fn redact(dir: &Path, speaker: &str, range: Range<u64>) -> Result<Redacted, RecordError> {
    let recording = Recording::open(dir)?;
    let files = files_of(recording.manifest(), speaker)?;
    let mut redacted = Redacted::default();
    for (file, _) in &files {
        redacted.changed.extend(erase_damaged(dir, file)?);
    }
    redacted.dropped = derived::drop_what_holds(dir, speaker, &range)?;
    let mut eraser = Eraser::new(recording.manifest(), speaker, range.clone());
    let ends = files.iter().skip(1).map(|(_, next)| *next).chain([recording.manifest().samples]);
    let mut anew = Vec::new();
    for ((file, from), end) in files.iter().cloned().zip(ends) {
        anew.extend(Anew::make(&recording, speaker, file, from..end, &mut eraser)?);
    }
    redacted.packets = eraser.packets();
    let taken = Taken { speaker, range: &range, erased: eraser.erased(), anew: &anew };
    taken.note(dir)?;
    for track in &anew {
        redacted.changed.extend(track.take_place(&taken, dir)?);
    }
    redacted.changed.push(MANIFEST.into());
    Ok(redacted)
}

/// The speaker's files in a session that has ended, each with the room sample it begins with.
fn files_of(manifest: &Manifest, speaker: &str) -> Result<Vec<(String, u64)>, RecordError> {
    let invalid = |why| {
        RecordError::new(Path::new(speaker), "redact", io::Error::new(io::ErrorKind::InvalidInput, why))
    };
    if !manifest.finished {
        return Err(invalid("expected a finished session"));
    }
    let entry = manifest.speakers.get(speaker);
    let files =
        entry.ok_or_else(|| invalid("expected one of the session's speakers"))?.files(manifest.from_sample);
    Ok(files.into_iter().map(|(file, from)| (file.to_owned(), from)).collect())
}

/// Nobody knows what is where in a damaged file.
fn erase_damaged(dir: &Path, file: &str) -> Result<Option<String>, RecordError> {
    let damaged = format!("{file}.damaged");
    let path = dir.join(&damaged);
    if !path.exists() {
        return Ok(None);
    }
    erase(&path).map_err(|source| RecordError::new(&path, "erase", source))?;
    Ok(Some(damaged))
}

/// A file of a track that is made anew, beside the old one.
struct Anew {
    file: String,
    /// The folder of its part, as far as it is not the session's.
    part: Option<PathBuf>,
    path: PathBuf,
    new: PathBuf,
}

impl Anew {
    /// Makes it, if anything in it is to go.
    fn make(
        recording: &Recording,
        speaker: &str,
        file: String,
        span: Range<u64>,
        eraser: &mut Eraser,
    ) -> Result<Option<Self>, RecordError> {
        let (dir, manifest) = (recording.dir(), recording.manifest());
        let path = dir.join(&file);
        let new = path.with_extension("opus.new");
        let mut track = TrackReader::open(vec![(path.clone(), span.start)], Vec::new(), manifest.samples)?;
        eraser.goes_on_at(span.start);
        rewrite(&mut track, &new, speaker, span.end - span.start, eraser)?;
        if !eraser.has_changed() && !manifest.parts.is_empty() {
            fs::remove_file(&new).map_err(|source| RecordError::new(&new, "remove", source))?;
            return Ok(None);
        }
        let part = manifest.parts.iter().find(|part| part.from_sample == span.start);
        let part = part.map(|part| dir.join(&part.folder));
        Ok(Some(Self { file, part, path, new }))
    }

    /// Takes the old one's place, and is what the manifests know; which files have changed.
    fn take_place(&self, taken: &Taken<'_>, dir: &Path) -> Result<Vec<String>, RecordError> {
        let failed = |source| RecordError::new(&self.path, "redact", source);
        replace(&self.path, &self.new).map_err(failed)?;
        let seal = seal::of_file(&self.path).map_err(failed)?;
        for folder in [Some(dir), self.part.as_deref()].into_iter().flatten() {
            let mut manifest = Manifest::read(folder)?;
            if let Some(entry) = manifest.speakers.get_mut(taken.speaker) {
                let name = if folder == dir { self.file.clone() } else { entry.file.clone() };
                entry.known_by(&name, Some(seal.clone()));
            }
            manifest.write(folder)?;
        }
        let part = self.part.as_deref().and_then(|part| part.strip_prefix(dir).ok());
        let part = part.map(|part| part.join(MANIFEST).to_string_lossy().into_owned());
        Ok([Some(self.file.clone()), part].into_iter().flatten().collect())
    }
}

/// Copies a track's file packet by packet into a new one of the same length, and waits until it is on disk.
fn rewrite(
    track: &mut TrackReader,
    new: &Path,
    speaker: &str,
    length: u64,
    eraser: &mut Eraser,
) -> Result<(), RecordError> {
    let failed = |source| RecordError::new(new, "write", source);
    let (pre_skip, channels) = (track.pre_skip(), track.channels().count() as u8);
    let mut file = OggOpusFile::create(new, ogg::serial(speaker), channels, pre_skip).map_err(failed)?;
    let mut at = None;
    for packet in track.packets(0..u64::MAX) {
        let packet = packet?;
        // What a crash cut out of the old file is silence in the new one.
        let missing = packet.at - at.unwrap_or(packet.at);
        at = Some(packet.end());
        for coded in fill::silences(missing.max(0) as u64) {
            file.push(coded).map_err(failed)?;
        }
        let samples = packet.samples;
        match eraser.pass(packet) {
            Some(payload) => file.push((Cow::Owned(payload), samples)).map_err(failed)?,
            None => fill::silences(samples).try_for_each(|coded| file.push(coded)).map_err(failed)?,
        }
    }
    file.finish(pre_skip + length).map_err(failed)
}

/// What was taken out of a session, for its manifests.
struct Taken<'a> {
    speaker: &'a str,
    range: &'a Range<u64>,
    /// In room samples.
    erased: &'a [Range<u64>],
    anew: &'a [Anew],
}

impl Taken<'_> {
    /// Tells it in the manifests of the session and of its parts; from here on nobody takes an old track for whole.
    fn note(&self, dir: &Path) -> Result<(), RecordError> {
        self.note_in(dir, self.anew.iter().map(|track| track.file.clone()).collect())?;
        for part in self.anew.iter().filter_map(|track| track.part.as_deref()) {
            let own = Manifest::read(part)?.speakers.get(self.speaker).map(|entry| entry.file.clone());
            self.note_in(part, own.into_iter().collect())?;
        }
        Ok(())
    }

    fn note_in(&self, folder: &Path, changed: Vec<String>) -> Result<(), RecordError> {
        let mut manifest = Manifest::read(folder)?;
        let (from, end) = (manifest.from_sample, manifest.samples);
        manifest.events.push(Event {
            at_sample: self.range.start,
            verb: "redact".into(),
            speaker: Some(self.speaker.to_owned()),
            to: None,
            over_samples: Some(self.range.end.min(end).saturating_sub(self.range.start)),
        });
        if let Some(entry) = manifest.speakers.get_mut(self.speaker) {
            changed.iter().for_each(|file| entry.known_by(file, None));
            for span in self.erased {
                let gap = Gap { from_sample: span.start, to_sample: span.end, cause: Cause::Revoked };
                entry.gaps =
                    gap.within(from, end).map_or_else(|| entry.gaps.clone(), |gap| gap.beside(&entry.gaps));
            }
        }
        manifest.write(folder)
    }
}

/// The new file takes the old one's name, and the old one's bytes are overwritten.
fn replace(path: &Path, new: &Path) -> io::Result<()> {
    let mut old = OpenOptions::new().write(true).open(path)?;
    fs::rename(new, path)?;
    if let Some(folder) = path.parent() {
        File::open(folder)?.sync_all()?;
    }
    overwrite(&mut old)
}
