//! Recordings read back: the manifest as it was written, tracks packet by packet on the room clock.

mod packets;
mod page;
mod track;

pub use track::{Origin, TrackPacket, TrackReader};

use super::{
    error::RecordError,
    gap::{Cause, Gap},
    keys::Keys,
    manifest::Manifest,
    sealed::is_sealed,
    tape::LOOKAHEAD,
    track_file::{Kind, TrackFile},
    unsealed::{Index, Unsealed},
};
use std::{
    collections::BTreeMap,
    fs::File,
    io,
    ops::Range,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

/// A recording's folder, finished or broken off.
#[derive(Clone, Debug)]
pub struct Recording {
    dir: PathBuf,
    manifest: Manifest,
    keys: Option<PathBuf>,
    /// Of sealed tracks that were opened before, by name.
    indices: Arc<Mutex<BTreeMap<String, Arc<Index>>>>,
}

impl Recording {
    /// Reads the manifest; tracks are opened when they are asked for.
    ///
    /// # Errors
    /// There is no manifest, or it is none.
    pub fn open(dir: &Path) -> Result<Self, RecordError> {
        let manifest = Manifest::read(dir)?;
        Ok(Self { dir: dir.to_owned(), manifest, keys: None, indices: Arc::default() })
    }

    /// Sealed tracks are opened with the keys in the folder `keys`.
    #[must_use]
    pub fn with_keys(self, keys: &Path) -> Self {
        Self { keys: Some(keys.to_owned()), indices: Arc::default(), ..self }
    }

    /// What is told of it.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Its folder.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Opens a speaker's track. Where the key of a sealed one was destroyed it is silent, and its gap's cause is
    /// [`Cause::Revoked`].
    ///
    /// # Errors
    /// Nobody of this name was there, or the file is no Ogg Opus; it is sealed, and its keys are not there.
    pub fn track(&self, name: &str) -> Result<TrackReader, RecordError> {
        let entry = self.manifest.speakers.get(name).ok_or_else(|| {
            let source = io::Error::new(io::ErrorKind::NotFound, "expected one of the session's speakers");
            RecordError::new(Path::new(name), "read", source)
        })?;
        let path = self.dir.join(&entry.file);
        let failed = |source| RecordError::new(&path, "read", source);
        let end = if self.manifest.finished { self.manifest.samples } else { u64::MAX };
        if !is_sealed(&entry.file) {
            let file = TrackFile(Kind::Plain(File::open(&path).map_err(failed)?));
            return TrackReader::new(file, &path, entry.gaps.clone(), end).map_err(failed);
        }
        let file = self.unseal(name, &path)?;
        let destroyed: Vec<_> = file.destroyed().collect();
        let file = TrackFile(Kind::Sealed(Box::new(file)));
        let mut track = TrackReader::new(file, &path, Vec::new(), end).map_err(failed)?;
        track.gaps = beside_destroyed(&entry.gaps, &destroyed, track.pre_skip(), end);
        Ok(track)
    }

    /// Opens a sealed track with its keys.
    pub(super) fn unseal(&self, name: &str, path: &Path) -> Result<Unsealed<File>, RecordError> {
        let failed = |source| RecordError::new(path, "read", source);
        let locked = || {
            let why = "it is sealed: expected a folder of keys";
            failed(io::Error::new(io::ErrorKind::PermissionDenied, why))
        };
        let keys = Keys::read(self.keys.as_deref().ok_or_else(locked)?, name)?;
        let file = File::open(path).map_err(failed)?;
        let index = self.index(name, &file, &keys).map_err(failed)?;
        if self.manifest.finished {
            index.check_end().map_err(failed)?;
        }
        Ok(Unsealed::new(file, keys, index))
    }

    fn index(&self, name: &str, file: &File, keys: &Keys) -> io::Result<Arc<Index>> {
        let mut indices = self.indices.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(index) = indices.get(name) {
            return Ok(index.clone());
        }
        let index = Arc::new(Index::read(file, keys)?);
        indices.insert(name.to_owned(), index.clone());
        Ok(index)
    }
}

/// A track's gaps, and where its keys were destroyed.
fn beside_destroyed(told: &[Gap], destroyed: &[Range<u64>], pre_skip: u64, end: u64) -> Vec<Gap> {
    let room = |sample: u64| (sample + LOOKAHEAD).saturating_sub(pre_skip).min(end);
    let gap = |gone: &Range<u64>| Gap {
        from_sample: room(gone.start),
        to_sample: room(gone.end),
        cause: Cause::Revoked,
    };
    let destroyed = destroyed.iter().map(gap).filter(|gap| gap.from_sample < gap.to_sample);
    destroyed.fold(told.to_vec(), |gaps, gap| gap.beside(&gaps))
}
