//! What can go wrong in a simulation, each as one line: where, and what was expected.

use crate::{engine::BuildError, record::RecordError};
use std::{
    fmt, io,
    path::{Path, PathBuf},
};

/// An input file that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid {
    /// Which file.
    pub file: PathBuf,
    /// Which line, counted from 1, where the file has lines.
    pub line: Option<usize>,
    /// What was expected, and what was found instead.
    pub expected: String,
}

impl Invalid {
    pub(super) fn new(file: &Path, line: Option<usize>, expected: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line, expected: expected.into() }
    }

    pub(super) fn unreadable(file: &Path, error: &io::Error) -> Self {
        Self::new(file, None, format!("expected a readable file: {error}"))
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.file.display())?;
        if let Some(line) = self.line {
            write!(f, "{line}:")?;
        }
        write!(f, " {}", self.expected)
    }
}

impl std::error::Error for Invalid {}

/// A simulation that could not be run to its end.
#[derive(Debug)]
pub enum SimError {
    /// An input file is at fault.
    Invalid(Invalid),
    /// An output file could not be written.
    Write(PathBuf, io::Error),
    /// The codec refused a lane or a bus.
    Build(BuildError),
    /// The recording could not be written.
    Record(RecordError),
    /// A packet of this speaker is in no counter or in two: a fault of the engine or of the recorder.
    Unbalanced {
        /// Whose.
        speaker: String,
        /// Datagrams the engine was given.
        arrived: u64,
        /// The sum of what became of them.
        accounted: u64,
    },
}

impl fmt::Display for SimError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid(invalid) => invalid.fmt(f),
            Self::Write(file, error) => write!(f, "{}: expected a writable file: {error}", file.display()),
            Self::Build(error) => write!(f, "{error}"),
            Self::Record(error) => write!(f, "expected a recording that can be written: {error:?}"),
            Self::Unbalanced { speaker, arrived, accounted } => write!(
                f,
                "speaker {speaker}: expected every packet in exactly one counter, {arrived} arrived and \
                 {accounted} are accounted for"
            ),
        }
    }
}

impl std::error::Error for SimError {}

impl From<Invalid> for SimError {
    fn from(invalid: Invalid) -> Self {
        Self::Invalid(invalid)
    }
}

impl From<BuildError> for SimError {
    fn from(error: BuildError) -> Self {
        Self::Build(error)
    }
}

impl From<RecordError> for SimError {
    fn from(error: RecordError) -> Self {
        Self::Record(error)
    }
}
