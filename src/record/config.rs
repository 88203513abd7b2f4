//! How a session is recorded.

use super::{limits::Limits, parts::Rotation};
use crate::time::Samples;

/// How a session is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecorderConfig {
    /// How long a track waits for stragglers before it writes a gap.
    pub repair: Samples,
    /// Wall time of room sample 0, if it is to stand in the manifest.
    pub epoch_unix_ms: Option<u64>,
    /// How much of a voice a power failure may take back, 400 ms at the least; none leaves that to the system. A process
    /// that dies loses no more than that, or than a second.
    pub sync: Option<Samples>,
    /// How many voices may have a track, and how much they may write.
    pub limits: Limits,
    /// When it goes on in another part.
    pub rotation: Rotation,
}

/// Of each voice, when a process dies.
pub(super) const LOST_AT_MOST: Samples = Samples::from_ms(1_000);

impl Default for RecorderConfig {
    /// Two seconds of repair, no wall time, safe every second, no limits, one part.
    fn default() -> Self {
        let sync = Some(LOST_AT_MOST);
        let (limits, rotation) = (Limits::default(), Rotation::default());
        Self { repair: Samples::from_ms(2_000), epoch_unix_ms: None, sync, limits, rotation }
    }
}
