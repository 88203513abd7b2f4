//! What a tick tells beside the sound: where each packet was heard, and what happened to whom.

use super::Shed;
use crate::{
    speaker::SpeakerId,
    time::{MediaTime, SampleTime, Samples},
};

/// How a packet's audio got into the live mix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// Its own bytes were decoded.
    Primary,
    /// Recovered from the in-band FEC copy in the packet after it.
    Fec,
    /// A copy of its bytes that came with a later packet was decoded (RFC 2198).
    Red,
    /// Synthesised from the deep redundancy of a later packet.
    Dred,
    /// It had its turn, but nobody heard it: there were more voices than places, or it was the background behind a voice that is relayed.
    /// It is not decoded.
    Unmixed,
    /// It was there, but dropped to catch up.
    Skipped,
}

/// One packet's place in the live mix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Playout {
    /// Whose.
    pub speaker: SpeakerId,
    /// Its RTP sequence number, unwrapped (a lane's first packet keeps its own 16 bits).
    pub sequence: u64,
    /// Where its first sample lies on the sender's clock.
    pub media: MediaTime,
    /// Where its first sample stands in every mix; for [`Source::Skipped`] and [`Source::Unmixed`] where it would have stood.
    pub at: SampleTime,
    /// Its playout delay over the quickest transit this lane has seen lately.
    pub delay: Samples,
    /// How it got there.
    pub source: Source,
}

/// Something that happened in a room, once.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Event {
    /// A lane opened; the first sample that can carry it.
    Joined {
        /// Whose.
        speaker: SpeakerId,
        /// Since when.
        at: SampleTime,
    },
    /// A lane closed.
    Left {
        /// Whose.
        speaker: SpeakerId,
        /// The first sample without it.
        at: SampleTime,
    },
    /// A voice fell silent, at exactly this sample.
    Muted {
        /// Whose.
        speaker: SpeakerId,
        /// The first sample without it.
        at: SampleTime,
    },
    /// A voice is heard again, from exactly this sample.
    Unmuted {
        /// Whose.
        speaker: SpeakerId,
        /// The first sample with it.
        at: SampleTime,
    },
    /// A voice becomes louder or softer, from exactly this sample on.
    Gained {
        /// Whose.
        speaker: SpeakerId,
        /// The linear factor that is reached.
        to: f32,
        /// The first sample that is changed.
        at: SampleTime,
        /// The length of the ramp.
        over: Samples,
    },
    /// A voice moves between left and right, from exactly this sample on.
    Panned {
        /// Whose.
        speaker: SpeakerId,
        /// −1 left … 1 right.
        to: f32,
        /// The first sample that is changed.
        at: SampleTime,
    },
    /// A sender began anew: another SSRC, or a clock that jumped.
    Restarted {
        /// Whose.
        speaker: SpeakerId,
        /// The epoch that began.
        epoch: u32,
    },
    /// The room does without something, or no longer.
    Shed {
        /// How much.
        shed: Shed,
        /// The first sample made so.
        at: SampleTime,
    },
}
