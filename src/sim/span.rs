//! From when to when.

use crate::time::SampleTime;

/// A stretch of the room clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Its first sample.
    pub from: SampleTime,
    /// The first sample after it.
    pub to: SampleTime,
}
