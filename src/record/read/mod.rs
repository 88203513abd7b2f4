//! Recordings read back: the manifest as it was written, tracks packet by packet on the room clock.

mod packets;
mod page;
mod track;

pub use track::{Origin, TrackPacket, TrackReader};

use super::{error::RecordError, manifest::Manifest};
use std::{
    io,
    path::{Path, PathBuf},
};

/// A recording's folder, finished or broken off.
#[derive(Clone, Debug)]
pub struct Recording {
    dir: PathBuf,
    manifest: Manifest,
}

impl Recording {
    /// Reads the manifest; tracks are opened when they are asked for.
    ///
    /// # Errors
    /// There is no manifest, or it is none.
    pub fn open(dir: &Path) -> Result<Self, RecordError> {
        Ok(Self { dir: dir.to_owned(), manifest: Manifest::read(dir)? })
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

    /// Opens a speaker's track.
    ///
    /// # Errors
    /// Nobody of this name was there, or the file is no Ogg Opus.
    pub fn track(&self, name: &str) -> Result<TrackReader, RecordError> {
        let entry = self.manifest.speakers.get(name).ok_or_else(|| {
            let source = io::Error::new(io::ErrorKind::NotFound, "expected one of the session's speakers");
            RecordError::new(Path::new(name), "read", source)
        })?;
        let end = if self.manifest.finished { self.manifest.samples } else { u64::MAX };
        let files = entry.files(self.manifest.from_sample).into_iter();
        let files = files.map(|(file, from)| (self.dir.join(file), from)).collect();
        TrackReader::open(files, entry.gaps.clone(), end)
    }
}
