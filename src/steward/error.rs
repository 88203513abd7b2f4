//! Why something was not done.

use crate::room::Refusal;
use std::{
    error::Error,
    fmt, io,
    path::{Path, PathBuf},
};

/// Why something was not done.
#[derive(Debug)]
pub enum StewardError {
    /// The room does not grant it.
    Refused(Refusal),
    /// A file of the room's cannot be read or written.
    Disk(PathBuf, io::Error),
}

impl StewardError {
    pub(super) fn disk(path: &Path, error: io::Error) -> Self {
        Self::Disk(path.to_owned(), error)
    }
}

impl fmt::Display for StewardError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refusal) => refusal.fmt(f),
            Self::Disk(path, error) => write!(f, "{}: {error}", path.display()),
        }
    }
}

impl Error for StewardError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Refused(_) => None,
            Self::Disk(_, error) => Some(error),
        }
    }
}
