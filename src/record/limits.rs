//! How much a recording may take, and what is told when it may not take more.

use std::{io, time::Duration};

/// How many voices may have a track in one recording, how much may wait for the disk, how much may lie on it.
///
/// What a limit refuses is silence in its track (cause [`Storage`](super::Cause::Storage)), counted
/// ([`Session::limited`](super::Session::limited)) and told at once ([`Alert`]); what comes once there is room again is kept again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Whoever joins as one more is not recorded: `join` says so.
    pub tracks: usize,
    /// What all its voices together keep in memory while the disk takes nothing, and a page a voice: half a KiB of speech, 64 KiB at most.
    pub waiting_bytes: usize,
    /// What its tracks may take on disk. Looked at as often as all is made safe; what is silent grows on, by 200 bytes a second.
    pub disk_bytes: u64,
    /// What has to stay free on the disk, where that can be asked.
    pub free_bytes: u64,
}

impl Default for Limits {
    /// None.
    fn default() -> Self {
        Self::NONE
    }
}

/// What may be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Limit {
    /// 256 KiB of one voice wait for the disk.
    Voice,
    /// [`Limits::waiting_bytes`].
    Waiting,
    /// What all recordings of the process together may keep in memory: an [`Allowance`](super::Allowance).
    Process,
    /// [`Limits::disk_bytes`].
    Disk,
    /// [`Limits::free_bytes`].
    Free,
}

/// What whoever runs a recording has to know at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Alert {
    /// Packets are refused because of this limit.
    Limited(Limit),
    /// They are kept again.
    Unlimited(Limit),
    /// Its disk takes all, but so slowly that two seconds of each voice are not safe. What comes waits.
    Behind,
    /// They are safe again within a second.
    CaughtUp,
    /// Its disk has not answered for so long: a quarter of a second, or four times what one answer took lately, up to a second. What
    /// comes waits.
    Stalled(Duration),
    /// Its disk answers again.
    Answers,
    /// A track's counters do not add up as the recording ends: a fault of the recorder's, to be reported.
    Unbalanced(String),
}

impl Limit {
    pub(super) const ALL: [Self; 5] = [Self::Voice, Self::Waiting, Self::Process, Self::Disk, Self::Free];

    /// Its name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Voice => "voice",
            Self::Waiting => "waiting",
            Self::Process => "process",
            Self::Disk => "disk",
            Self::Free => "free",
        }
    }
}

impl Limits {
    /// No limits.
    pub const NONE: Self =
        Self { tracks: usize::MAX, waiting_bytes: usize::MAX, disk_bytes: u64::MAX, free_bytes: 0 };

    /// May there be one more track?
    pub(super) fn allow_track(&self, tracks: usize) -> io::Result<()> {
        if tracks < self.tracks {
            return Ok(());
        }
        Err(io::Error::other(format!("the recording has {tracks} tracks, and no more are allowed")))
    }
}
