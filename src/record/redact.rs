//! A voice is taken back: out of a finished session goes what it said in a stretch of the room's time. In the place of its
//! packets stands silence of the same length; those behind that may tell of it go too, as behind a gate. Whatever was made
//! out of the session and holds the voice there is removed and listed.
//!
//! A crash at any moment leaves either the old track or the new one; to be sure, redact once more.

use super::{
    derived::{self, Derived},
    erase::overwrite,
    error::RecordError,
    event::Event,
    fill,
    gap::{Cause, Gap},
    manifest::Manifest,
    memory::EncoderMemory,
    ogg,
    ogg_file::OggOpusFile,
    read::{Recording, TrackPacket, TrackReader},
    seal,
    tape::Place,
    waiting::Run,
};
use std::{
    borrow::Cow,
    fs::{self, File, OpenOptions},
    io::{self, Read, Seek},
    ops::Range,
    path::Path,
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

/// Takes `speaker` out of `range` of the room's time, in the finished session in `dir`.
///
/// # Errors
/// No such session or speaker, a session that is not finished, or files that cannot be written.
pub fn redact(dir: &Path, speaker: &str, range: Range<u64>) -> Result<Redacted, RecordError> {
    let recording = Recording::open(dir)?;
    let file = entry_of(recording.manifest(), speaker)?;
    let path = dir.join(&file);
    let new = path.with_extension("opus.new");
    let mut track = recording.track(speaker)?;
    let (mut redacted, mut manifest) = into(&recording, speaker, range, &mut track, &new)?;
    let failed = |source| RecordError::new(&path, "redact", source);
    replace(&path, &new).map_err(failed)?;
    if let Some(entry) = manifest.speakers.get_mut(speaker) {
        entry.seal(seal::of_file(&path).map_err(failed)?);
    }
    manifest.write(dir)?;
    redacted.changed = vec![file, "session.json".into()];
    Ok(redacted)
}

/// Makes the new track, and a manifest that says so already: from here on nobody takes the old track for whole.
pub(super) fn into<R: Read + Seek>(
    recording: &Recording,
    speaker: &str,
    range: Range<u64>,
    track: &mut TrackReader<R>,
    new: &Path,
) -> Result<(Redacted, Manifest), RecordError> {
    let (dir, mut manifest) = (recording.dir(), recording.manifest().clone());
    let dropped = derived::drop_what_holds(dir, speaker, &range)?;
    let mut eraser = Eraser::new(&manifest, speaker, range.clone());
    let end = manifest.samples;
    rewrite(track, new, speaker, end, &mut eraser)?;
    note(&mut manifest, speaker, &range, &eraser.erased, end);
    manifest.write(dir)?;
    Ok((Redacted { changed: Vec::new(), dropped, packets: eraser.packets }, manifest))
}

/// The speaker's file in a session that has ended.
pub(super) fn entry_of(manifest: &Manifest, speaker: &str) -> Result<String, RecordError> {
    let invalid = |why| {
        RecordError::new(Path::new(speaker), "redact", io::Error::new(io::ErrorKind::InvalidInput, why))
    };
    if !manifest.finished {
        return Err(invalid("expected a finished session"));
    }
    let entry = manifest.speakers.get(speaker);
    Ok(entry.ok_or_else(|| invalid("expected one of the session's speakers"))?.file.clone())
}

/// Copies a track packet by packet into a new file of the same length, and waits until it is on disk.
fn rewrite<R: Read + Seek>(
    track: &mut TrackReader<R>,
    new: &Path,
    speaker: &str,
    end: u64,
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
    file.finish(pre_skip + end).map_err(failed)
}

/// Decides what is erased.
struct Eraser {
    range: Range<i64>,
    memory: EncoderMemory,
    places: Vec<Place>,
    /// Was the last packet erased, so that no decoder may make up anything behind it?
    silent: bool,
    packets: u64,
    /// In room samples, neighbours made one.
    erased: Vec<Range<u64>>,
}

impl Eraser {
    fn new(manifest: &Manifest, speaker: &str, range: Range<u64>) -> Self {
        let bound = |sample: u64| sample.min(i64::MAX as u64) as i64;
        Self {
            range: bound(range.start)..bound(range.end),
            memory: EncoderMemory::default(),
            places: manifest.speakers.get(speaker).map(|entry| entry.placed.clone()).unwrap_or_default(),
            silent: false,
            packets: 0,
            erased: Vec::new(),
        }
    }

    /// What is left of a packet; nothing if it is erased.
    fn pass(&mut self, packet: TrackPacket) -> Option<Vec<u8>> {
        let (at, end, samples) = (packet.at, packet.end(), packet.samples);
        let mut payload = packet.payload;
        let inside = at < self.range.end && self.range.start < end;
        if inside {
            self.memory.shut(Cause::Revoked);
        }
        if fill::is_fill(&payload) {
            self.silent |= inside;
            return (!self.silent || payload.len() > 1).then_some(payload);
        }
        self.silent = inside || self.memory.hear(self.run(at), samples, &mut payload).is_some();
        if self.silent {
            self.erase(at.max(0) as u64..end.max(0) as u64);
        }
        (!self.silent).then_some(payload)
    }

    fn erase(&mut self, span: Range<u64>) {
        self.packets += 1;
        match self.erased.last_mut().filter(|last| last.end == span.start) {
            Some(last) => last.end = span.end,
            None => self.erased.push(span),
        }
    }

    /// Which run of the sender's clock a packet is of.
    fn run(&self, at: i64) -> Run {
        let before = |place: &&Place| i64::try_from(place.room_sample).is_ok_and(|from| from <= at);
        self.places.iter().rev().find(before).map_or((0, 0), |place| (place.stay, place.epoch))
    }
}

/// What the manifest says of it.
fn note(manifest: &mut Manifest, speaker: &str, range: &Range<u64>, erased: &[Range<u64>], end: u64) {
    manifest.events.push(Event {
        at_sample: range.start,
        verb: "redact".into(),
        speaker: Some(speaker.to_owned()),
        to: None,
        over_samples: Some(range.end.min(end).saturating_sub(range.start)),
    });
    if let Some(entry) = manifest.speakers.get_mut(speaker) {
        (entry.file_bytes, entry.sha256) = (None, None);
        for span in erased {
            let gap = Gap { from_sample: span.start, to_sample: span.end.min(end), cause: Cause::Revoked };
            entry.gaps = gap.beside(&entry.gaps);
        }
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
