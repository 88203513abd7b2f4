//! Where a track's packets went: each into exactly one counter.

use serde::{Deserialize, Serialize};

/// How many packets went where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// All that came; the other three make this up.
    pub received: u64,
    /// Into the file.
    pub recorded: u64,
    /// Left out behind a shut gate.
    pub gated: u64,
    /// Left out without a place.
    pub refused: u64,
    /// Packets that never came, or not in time: copies of them, which others brought along, are in the file.
    #[serde(default)]
    pub repaired: u64,
}

impl Counts {
    /// Did every packet end in one counter?
    pub(super) fn balance(&self) -> bool {
        self.received == self.recorded + self.gated + self.refused
    }
}
