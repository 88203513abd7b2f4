//! What went wrong with a recording: which file, what was tried, why.

use std::{
    error::Error,
    fmt, io,
    path::{Path, PathBuf},
};

/// A recording that could not be written.
#[derive(Debug)]
pub struct RecordError {
    /// The file or folder, or the name that cannot be one.
    pub path: PathBuf,
    /// What was tried.
    pub action: &'static str,
    /// Why it failed.
    pub source: io::Error,
}

impl RecordError {
    pub(super) fn new(path: &Path, action: &'static str, source: io::Error) -> Self {
        Self { path: path.to_owned(), action, source }
    }
}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot {} {}: {}", self.action, self.path.display(), self.source)
    }
}

impl Error for RecordError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.source)
    }
}
