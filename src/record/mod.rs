//! One recording a voice, aligned on the room clock. Never on a real-time thread.
//!
//! In: the packets that the engine kept, un-transcoded, and what happened when (joins, mutes, consent). Out: a folder
//! with `tracks/NAME.opus` (Ogg Opus, RFC 7845) and `session.json`. Every track begins at room sample 0 and lasts as long
//! as the room; where the speaker's own sound is missing, the manifest says from where to where and why.
//!
//! - *Place.* A packet lies at its media time plus the smallest transit of its run's first [`RecorderConfig::repair`]
//!   window: the quickest packet was on time, all others by the sender's clock. If that drifts, places follow in steps of
//!   2.5 ms, where nobody speaks; the manifest's `clock` tells what was said where, to the sample ([`ClockPoint`]). A run that would begin up to 120 ms before room sample 0 begins there.
//! - *Patience.* A packet is written when room time is `repair` + 100 ms past its place, so that reordered and late ones
//!   fall into theirs. What comes later still is refused and its gap told as [`Cause::Late`].
//! - *Consent.* Nothing is written without a [`Recordable`](crate::consent::Recordable). A packet is kept only if it lies
//!   wholly where all gates are open, and not within 60 ms behind a gate that opened on a running voice: in-band FEC
//!   carries what was said before. A shut stretch is digital silence; no decoder is made to conceal into it. The first
//!   1.1 s of packets behind a gate are written without their deep redundancy, which tells what was said in the second
//!   before.
//! - *Memory* is bounded: some 2 × `repair` of packets a voice, and the list of gaps.
//! - *A stop at any moment* leaves files that players open, at most about a second of written sound short.

mod clock;
mod clock_map;
mod drift;
mod error;
mod fill;
mod gap;
mod gate;
mod manifest;
mod memory;
mod ogg;
mod recorder;
mod session;
mod tape;
mod toc;
mod track;
mod waiting;

pub use clock_map::ClockPoint;
pub use error::RecordError;
pub use gap::{Cause, Gap};
pub use gate::{Span, Spans};
pub use manifest::{Event, Manifest, TrackEntry};
#[cfg(feature = "sim")]
pub(crate) use ogg::OggOpus;
pub use recorder::{Recorder, RecorderConfig};
pub use session::{Session, TrackSummary};
pub use tape::Place;
pub use track::Counts;
