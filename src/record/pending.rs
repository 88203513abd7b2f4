//! `redaction.json`: what a redaction that was decided still has to do. It is written when the new track is on disk, and goes when
//! all is done: a crash before leaves the old session, one after leaves what finishes the new one, as often as need be.

use super::{
    derived::{self, Derived},
    disk::Disk,
    error::RecordError,
    keys::Seals,
    manifest::{FILE as MANIFEST, Manifest},
    seal,
    sealed::is_sealed,
};
use serde::{Deserialize, Serialize};
use std::{fs, io, ops::Range, path::Path};

/// Its name in the session's folder.
const FILE: &str = "redaction.json";

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

/// A redaction under way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Pending {
    pub(super) speaker: String,
    pub(super) range: Range<u64>,
    /// The segments whose keys go.
    pub(super) segments: Vec<u32>,
    /// What goes that was made of the session.
    pub(super) dropped: Vec<Derived>,
    pub(super) packets: u64,
    /// The SHA-256 of the manifest that it is about.
    pub(super) before: String,
    pub(super) manifest: Manifest,
    /// The files that are made anew.
    #[serde(default)]
    pub(super) files: Vec<String>,
    /// The manifests of the parts that change, by their folders.
    #[serde(default)]
    pub(super) parts: Vec<(String, Manifest)>,
}

/// The new track, while it is not whole.
pub(super) fn part(file: &str) -> String {
    format!("{file}.part")
}

/// The new track, while the old one is still there.
pub(super) fn beside(file: &str) -> String {
    format!("{file}.redacted")
}

impl Pending {
    /// What is under way in `dir`, if it is still about the session there.
    pub(super) fn of(dir: &Path) -> Result<Option<Self>, RecordError> {
        let Some(json) = read(dir, FILE)? else { return Ok(None) };
        let failed = |source| RecordError::new(&dir.join(FILE), "read", source);
        let pending: Self = serde_json::from_slice(&json).map_err(io::Error::from).map_err(failed)?;
        let now = read(dir, MANIFEST)?.map(|json| seal::of_bytes(&json).1);
        let own = seal::of_bytes(&pending.manifest.json()).1;
        Ok(Some(pending).filter(|it| now.is_some_and(|now| now == it.before || now == own)))
    }

    /// Takes away what a redaction that was never decided, or about another session, has left.
    pub(super) fn sweep(disk: &mut dyn Disk, manifest: &Manifest) -> io::Result<()> {
        for (file, _) in manifest.speakers.values().flat_map(|entry| entry.files(0)) {
            disk.remove(&part(file))?;
            disk.remove(&beside(file))?;
        }
        disk.remove(FILE)
    }

    /// From here on it is the new session that stays.
    pub(super) fn commit(&self, disk: &mut dyn Disk, dir: &Path) -> Result<(), RecordError> {
        let json = serde_json::to_vec(self).map_err(io::Error::from);
        let written = json.and_then(|json| disk.replace(FILE, &json));
        written.map_err(|source| RecordError::new(&dir.join(FILE), "write", source))
    }

    /// Does whatever is not done yet. The manifest says that the voice is gone when it is.
    pub(super) fn carry_out(
        self,
        disk: &mut dyn Disk,
        dir: &Path,
        seals: Option<&Seals>,
    ) -> Result<Redacted, RecordError> {
        let failed = |file: &str, source| RecordError::new(&dir.join(file), "redact", source);
        if !self.segments.is_empty() {
            expect(seals, dir)?.destroy(&self.speaker, &self.segments)?;
        }
        let entry = self.manifest.speakers.get(&self.speaker);
        for (file, _) in entry.into_iter().flat_map(|entry| entry.files(0)) {
            exchange(disk, dir, file).map_err(|source| failed(file, source))?;
        }
        let mut dropped = derived::drop_what_holds(dir, &self.speaker, &self.range)?;
        dropped.extend(self.dropped.into_iter().filter(|it| !dropped.contains(it)).collect::<Vec<_>>());
        let mut changed = self.files;
        for (folder, manifest) in self.parts {
            let file = format!("{folder}/{MANIFEST}");
            disk.replace(&file, &manifest.json()).map_err(|source| failed(&file, source))?;
            changed.push(file);
        }
        disk.replace(MANIFEST, &self.manifest.json()).map_err(|source| failed(MANIFEST, source))?;
        disk.remove(FILE).map_err(|source| failed(FILE, source))?;
        changed.push(MANIFEST.into());
        Ok(Redacted { changed, dropped, packets: self.packets })
    }
}

/// The new track takes the old one's place; the old one's bytes are overwritten first, if they are anybody's to read.
fn exchange(disk: &mut dyn Disk, dir: &Path, file: &str) -> io::Result<()> {
    let new = beside(file);
    if dir.join(&new).exists() {
        if !is_sealed(file) {
            disk.shred(file, 0..u64::MAX)?;
        }
        disk.rename(&new, file)?;
    }
    // What a recovery kept beside holds the voice too.
    let damaged = format!("{file}.damaged");
    disk.shred(&damaged, 0..u64::MAX)?;
    disk.remove(&damaged)
}

/// The keys that are needed.
pub(super) fn expect<'a>(seals: Option<&'a Seals>, dir: &Path) -> Result<&'a Seals, RecordError> {
    seals.ok_or_else(|| {
        let why = "it is sealed: expected a folder of keys";
        RecordError::new(dir, "open", io::Error::new(io::ErrorKind::PermissionDenied, why))
    })
}

/// A file's bytes, if there is one.
pub(super) fn read(dir: &Path, file: &str) -> Result<Option<Vec<u8>>, RecordError> {
    let path = dir.join(file);
    match fs::read(&path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(RecordError::new(&path, "read", error)),
    }
}
