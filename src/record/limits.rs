//! How much a recording may take.

use std::io;

/// How many voices may have a track in one recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Whoever joins as one more is not recorded: `join` says so.
    pub tracks: usize,
}

impl Default for Limits {
    /// None.
    fn default() -> Self {
        Self { tracks: usize::MAX }
    }
}

impl Limits {
    /// May there be one more track?
    pub(super) fn allow_track(&self, tracks: usize) -> io::Result<()> {
        if tracks < self.tracks {
            return Ok(());
        }
        Err(io::Error::other(format!("the recording has {tracks} tracks, and no more are allowed")))
    }
}
