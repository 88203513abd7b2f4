//! A lane's exact counters. `arrived = kept + reports + duplicate + Σ rejected`, always.

use crate::{packet::Reject, time::Samples};

/// Packets of one lane.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PacketCounts {
    /// Datagrams given to the lane.
    pub arrived: u64,
    /// Handed on to the recording: see [`super::Received::Kept`].
    pub kept: u64,
    /// What the sender reported of its clock: see [`super::Received::Report`].
    pub reports: u64,
    /// A packet that had come before.
    pub duplicate: u64,
    /// Turned away, by [`Reject::index`].
    pub rejected: [u64; Reject::ALL.len()],
    /// Kept, though a later packet came first.
    pub reordered: u64,
    /// Kept, but too late to be heard live.
    pub late: u64,
    /// Heard by their own bytes.
    pub heard: u64,
    /// Dropped unheard to catch up.
    pub skipped: u64,
    /// Passed undecoded, as nobody heard it: see [`super::Source::Unmixed`].
    pub unmixed: u64,
}

impl PacketCounts {
    /// All that were turned away.
    #[must_use]
    pub fn rejected_total(&self) -> u64 {
        self.rejected.iter().sum()
    }
}

/// Samples of one lane. `played + concealed + fec + dred + silence + unmixed + inserted − removed` is what it has put out, and
/// what waits to be put out next. Holes in what nobody heard count as if it had been heard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SampleCounts {
    /// From packets' own bytes, decoded here or, where they are relayed, by whoever hears them.
    pub played: u64,
    /// Invented in place of what did not come.
    pub concealed: u64,
    /// From in-band FEC copies.
    pub fec: u64,
    /// From deep redundancy.
    pub dred: u64,
    /// Comfort noise or silence where the sender sent nothing.
    pub silence: u64,
    /// Passed undecoded, as nobody heard it: see [`super::Source::Unmixed`].
    pub unmixed: u64,
    /// Added to slow down.
    pub inserted: u64,
    /// Decoded, but left out again to speed up.
    pub removed: u64,
}

/// What a lane has done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LaneStats {
    /// Packets.
    pub packets: PacketCounts,
    /// Samples.
    pub samples: SampleCounts,
    /// The playout delay it aims at, over the quickest transit lately.
    pub target: Samples,
    /// The playout delay it has.
    pub delay: Samples,
}
