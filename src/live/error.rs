//! Why the control side could not do something: one small enum a verb.

use crate::{engine::BuildError, record::RecordError};
use std::{error::Error, fmt, io};

/// A stage that did not start.
#[derive(Debug)]
pub enum StartError {
    /// No workers were asked for.
    NoWorkers,
    /// The system gave no thread.
    Thread(io::Error),
}

/// A room that did not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenError {
    /// Every worker has as many rooms as it takes.
    Full,
    /// More lanes than [`crate::speaker::MAX_SPEAKERS`].
    TooManyLanes,
    /// The worker has not kept up with orders.
    Busy,
    /// Every worker sheds all it can to keep its rooms alive: see [`super::Rung::NewRooms`].
    Overloaded,
}

/// A speaker or an output that was not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttachError {
    /// No such room (any more).
    NoRoom,
    /// Every place of the room is taken.
    Full,
    /// The worker has not kept up with orders.
    Busy,
    /// It cannot be built.
    Build(BuildError),
}

/// An order that was not given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderError {
    /// No such room (any more).
    NoRoom,
    /// The worker has not kept up with orders.
    Busy,
}

/// A room that was not moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MoveError {
    /// No such room (any more).
    NoRoom,
    /// No such worker.
    NoWorker,
    /// That worker has as many rooms as it takes.
    Full,
    /// The worker has not kept up with orders.
    Busy,
}

/// A recording that could not be begun, changed or ended.
#[derive(Debug)]
pub enum RecordingError {
    /// No such room (any more).
    NoRoom,
    /// The worker has not kept up with orders.
    Busy,
    /// The room has as many recordings at once as it may have: 4.
    TooMany,
    /// The stage has as many as it may have: [`max_recordings`](super::StageConfig::max_recordings).
    Full,
    /// That recording has ended.
    NotRecording,
    /// There is no such speaker.
    NoSpeaker,
    /// It cannot be written.
    Record(RecordError),
}

/// A recording whose result is not there.
#[derive(Debug)]
pub enum FinishError {
    /// The disk has not kept up; the recording goes on ending.
    Timeout,
    /// It failed earlier: see [`super::Notice::RecordingFailed`].
    Failed,
    /// Its end could not be written.
    Record(RecordError),
}

impl From<OrderError> for AttachError {
    fn from(error: OrderError) -> Self {
        match error {
            OrderError::NoRoom => Self::NoRoom,
            OrderError::Busy => Self::Busy,
        }
    }
}

impl From<OrderError> for RecordingError {
    fn from(error: OrderError) -> Self {
        match error {
            OrderError::NoRoom => Self::NoRoom,
            OrderError::Busy => Self::Busy,
        }
    }
}

const NO_ROOM: &str = "no such room: it was closed";
const BUSY: &str = "the worker's order ring is full: it is overloaded or stalled";

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoWorkers => write!(f, "stage: 0 workers, expected at least 1"),
            Self::Thread(error) => write!(f, "stage: no thread: {error}"),
        }
    }
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full => "open a room: every worker has all the rooms it takes",
            Self::TooManyLanes => "open a room: max_lanes is above 1024",
            Self::Overloaded => "open a room: the stage is overloaded, those who are here come first",
            Self::Busy => BUSY,
        })
    }
}

impl fmt::Display for AttachError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRoom => f.write_str(NO_ROOM),
            Self::Full => f.write_str("every place of the room is taken"),
            Self::Busy => f.write_str(BUSY),
            Self::Build(error) => error.fmt(f),
        }
    }
}

impl fmt::Display for OrderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoRoom => NO_ROOM,
            Self::Busy => BUSY,
        })
    }
}

impl fmt::Display for MoveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoRoom => NO_ROOM,
            Self::NoWorker => "no such worker",
            Self::Full => "that worker has all the rooms it takes",
            Self::Busy => BUSY,
        })
    }
}

impl fmt::Display for RecordingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRoom => f.write_str(NO_ROOM),
            Self::Busy => f.write_str(BUSY),
            Self::TooMany => f.write_str("the room has 4 recordings at once already"),
            Self::Full => f.write_str("the stage has all the recordings it may have at once"),
            Self::NotRecording => f.write_str("that recording has ended"),
            Self::NoSpeaker => f.write_str("no such speaker: nobody has that place"),
            Self::Record(error) => error.fmt(f),
        }
    }
}

impl fmt::Display for FinishError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Timeout => f.write_str("the recording is not written yet: the disk has not kept up"),
            Self::Failed => f.write_str("the recording failed earlier"),
            Self::Record(error) => error.fmt(f),
        }
    }
}

impl Error for StartError {}
impl Error for OpenError {}
impl Error for AttachError {}
impl Error for OrderError {}
impl Error for MoveError {}
impl Error for RecordingError {}
impl Error for FinishError {}
