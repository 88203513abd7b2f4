//! What a finished recording holds.

use super::{gap::Gap, limits::Limit};
use std::collections::BTreeMap;

/// A finished session.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Session {
    /// The room's length.
    pub samples: u64,
    /// By name.
    pub tracks: BTreeMap<String, TrackSummary>,
    /// Packets of nobody: their speaker never joined.
    pub unclaimed: u64,
    /// The tracks whose counters do not add up: a fault of the recorder's, to be reported.
    pub unbalanced: Vec<String>,
    /// How many packets each limit has refused: they are among the tracks' `refused`.
    pub limited: BTreeMap<Limit, u64>,
}

/// One finished track. `recorded + gated + refused` is what the engine kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrackSummary {
    /// Packets in the file.
    pub recorded: u64,
    /// Packets left out because a gate was closed: no consent, muted, paused, not joined.
    pub gated: u64,
    /// Packets that had no place any more: past the repair window, or where another packet lies; and those that are no
    /// Opus.
    pub refused: u64,
    /// Packets that never came, or not in time: copies of them are in the file.
    pub repaired: u64,
    /// What is not the speaker's own sound, in order, without overlap.
    pub gaps: Vec<Gap>,
}
