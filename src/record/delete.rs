//! A session goes, and what was made of it. What is handed back is what a deletion's proof is made of.

use super::{
    derived::Derived, erase::erase, error::RecordError, keys::Seals, manifest::Manifest, pending::expect,
    sealed::is_sealed,
};
use std::path::Path;

/// What was deleted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deleted {
    /// Each track's file, and its hash if it had been finished.
    pub tracks: Vec<(String, Option<String>)>,
    /// What was made out of the session: gone too; their recipients have to be told.
    pub derived: Vec<Derived>,
    /// How many keys were destroyed.
    pub keys: usize,
}

/// Deletes the session in `dir` with everything that was made of it, so far as that is listed. What is gone already is no
/// error: who calls it again after a crash ends with nothing left, and has no more to tell.
///
/// # Errors
/// A manifest that cannot be read, sealed tracks, or something that cannot be removed: then it is not deleted.
pub fn delete(dir: &Path) -> Result<Deleted, RecordError> {
    delete_with(dir, None)
}

/// As [`delete`], of a session with sealed tracks. Its keys go first: whatever is left after a crash, nobody can read what was
/// sealed with them.
///
/// # Errors
/// As [`delete`]; keys that cannot be destroyed.
pub fn delete_sealed(dir: &Path, seals: &Seals) -> Result<Deleted, RecordError> {
    delete_with(dir, Some(seals))
}

fn delete_with(dir: &Path, seals: Option<&Seals>) -> Result<Deleted, RecordError> {
    let mut deleted = Deleted::default();
    if dir.join("session.json").exists() {
        let manifest = Manifest::read(dir)?;
        if manifest.speakers.values().any(|entry| is_sealed(&entry.file)) {
            expect(seals, dir)?;
        }
        let tracks = manifest.speakers.into_values().flat_map(|entry| {
            let further = entry.parts.into_iter().skip(1).map(|part| (part.file, part.sha256));
            [(entry.file, entry.sha256)].into_iter().chain(further)
        });
        (deleted.tracks, deleted.derived) = (tracks.collect(), Derived::of(dir)?);
    }
    deleted.keys = seals.map_or(Ok(0), Seals::destroy_all)?;
    let gone = |path: &Path| erase(path).map_err(|source| RecordError::new(path, "delete", source));
    deleted.derived.iter().try_for_each(|derived| gone(&dir.join(&derived.path)))?;
    gone(&dir.join("tracks"))?;
    gone(dir)?;
    Ok(deleted)
}
