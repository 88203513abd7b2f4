//! Recordings read back: the manifest as it was written, tracks packet by packet on the room clock.

mod packets;
mod page;
mod track;

pub(super) use track::PartFile;
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
    /// Of sealed tracks that were opened before, by file.
    indices: Arc<Mutex<BTreeMap<PathBuf, Arc<Index>>>>,
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
        let end = if self.manifest.finished { self.manifest.samples } else { u64::MAX };
        let (mut files, mut gaps) = (Vec::new(), entry.gaps.clone());
        for (file, from) in entry.files(self.manifest.from_sample) {
            let (file, destroyed) = self.part_file(name, file, from)?;
            gaps = beside_destroyed(&gaps, &destroyed, (from, file.pre_skip()), end);
            files.push(file);
        }
        Ok(TrackReader::over(files, gaps, end))
    }

    /// A file of a track, and where its keys were destroyed.
    pub(super) fn part_file(
        &self,
        name: &str,
        file: &str,
        from: u64,
    ) -> Result<(PartFile<TrackFile>, Vec<Range<u64>>), RecordError> {
        let path = self.dir.join(file);
        let failed = |source| RecordError::new(&path, "read", source);
        let (kind, destroyed) = if is_sealed(file) {
            let unsealed = self.unseal(name, &path)?;
            let destroyed = unsealed.destroyed().collect();
            (Kind::Sealed(Box::new(unsealed)), destroyed)
        } else {
            (Kind::Plain(File::open(&path).map_err(failed)?), Vec::new())
        };
        Ok((PartFile::open(TrackFile(kind), &path, from).map_err(failed)?, destroyed))
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
        let index = self.index(path, &file, &keys).map_err(failed)?;
        if self.manifest.finished {
            index.check_end().map_err(failed)?;
        }
        Ok(Unsealed::new(file, keys, index))
    }

    fn index(&self, path: &Path, file: &File, keys: &Keys) -> io::Result<Arc<Index>> {
        let mut indices = self.indices.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(index) = indices.get(path) {
            return Ok(index.clone());
        }
        let index = Arc::new(Index::read(file, keys)?);
        indices.insert(path.to_owned(), index.clone());
        Ok(index)
    }
}

/// A track's gaps, and where its keys were destroyed.
fn beside_destroyed(
    told: &[Gap],
    destroyed: &[Range<u64>],
    (from, pre_skip): (u64, u64),
    end: u64,
) -> Vec<Gap> {
    let room = |sample: u64| (from + sample + LOOKAHEAD).saturating_sub(pre_skip).max(from).min(end);
    let gap = |gone: &Range<u64>| Gap {
        from_sample: room(gone.start),
        to_sample: room(gone.end),
        cause: Cause::Revoked,
    };
    let destroyed = destroyed.iter().map(gap).filter(|gap| gap.from_sample < gap.to_sample);
    destroyed.fold(told.to_vec(), |gaps, gap| gap.beside(&gaps))
}
