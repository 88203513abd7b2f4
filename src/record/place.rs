//! Where a run of a sender's clock stands in its track: what the manifest and the journal tell of it.

use serde::{Deserialize, Serialize};

/// Where a run of the sender's clock stands in the track; in the manifest, so that a reader can find it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Which of the speaker's stays in the room, from 1.
    #[serde(default)]
    pub stay: u32,
    /// Which run of the sender's clock in it: each restart counts one.
    pub epoch: u32,
    /// Where its first packet that stands by this reckoning begins in the track.
    pub room_sample: u64,
    /// That packet's media time, counted from where the stay's first packet was put.
    pub media_sample: i64,
}
