//! Why a render ended early.

use crate::{codec::CodecError, record::RecordError};
use std::{error::Error, fmt, io, path::PathBuf};

/// A render that could not be made.
#[derive(Debug)]
pub enum RenderError {
    /// The recording cannot be read.
    Record(RecordError),
    /// There is no codec for it.
    Codec(CodecError),
    /// What is asked for cannot be: what was expected.
    What(String),
    /// A file cannot be written.
    Write(PathBuf, io::Error),
}

impl fmt::Display for RenderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Record(error) => error.fmt(f),
            Self::Codec(error) => error.fmt(f),
            Self::What(expected) => f.write_str(expected),
            Self::Write(path, error) => write!(f, "cannot write {}: {error}", path.display()),
        }
    }
}

impl Error for RenderError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Record(error) => Some(error),
            Self::Codec(error) => Some(error),
            Self::What(_) => None,
            Self::Write(_, error) => Some(error),
        }
    }
}

impl From<RecordError> for RenderError {
    fn from(error: RecordError) -> Self {
        Self::Record(error)
    }
}

impl From<CodecError> for RenderError {
    fn from(error: CodecError) -> Self {
        Self::Codec(error)
    }
}
