//! One recording a voice, aligned on the room clock. Never on a real-time thread.
//!
//! In: the packets that the engine kept, un-transcoded, and what happened when (joins, mutes, consent). Out: a folder
//! with `tracks/NAME.opus` (Ogg Opus, RFC 7845) and `session.json`. Every track begins at room sample 0 and lasts as long
//! as the room; where the speaker's own sound is missing, the manifest says from where to where and why.
//!
//! - *Place.* A packet lies at its media time plus the smallest transit of its run's first [`RecorderConfig::repair`]
//!   window: the quickest packet was on time, all others by the sender's clock. If that drifts, places follow in steps of
//!   2.5 ms, where nobody speaks; the manifest's `clock` tells what was said where, to the sample ([`ClockPoint`]). A run that would begin up to 120 ms before room sample 0 begins there.
//! - *Patience.* A packet is written 250 ms after it ended, if none is missing before it. Where one is, what follows waits
//!   until room time is `repair` + 100 ms past the hole, so that late ones and copies fall into their places. What comes
//!   later still is refused and its gap told as [`Cause::Late`].
//! - *Consent.* Nothing is written without a [`Recordable`](crate::consent::Recordable). A packet is kept only if it lies
//!   wholly where all gates are open, arrived when they were, and its encoder has forgotten what was said while one was
//!   shut: the first 60 ms of packets behind a gate are left out (80 to 120 ms of long or short frames, 300 ms of CELT unless it was a mute),
//!   the first 1.1 s are written without their deep redundancy. A shut stretch is digital silence; no decoder is made to
//!   conceal into it.
//! - *Files.* `tracks/NAME.opus` grows by whole pages; with the first sound, which tells its pre-skip and channels, the
//!   silent file is replaced whole. `session.json` is replaced now and then. `journal.jsonl` grows by lines, tells each
//!   gap and its cause before the page that depends on it is written, and goes when the session is finished. `latest.log` holds what
//!   came last of all of them: one file that is made safe each second, so that the others need not be; they are after 15 s.
//! - *A disk that takes nothing* for a while costs nothing; for longer, silence that is told ([`Cause::Storage`]).
//! - *Parts.* A long recording may go on in `part-0002` and so on ([`Rotation`]): from one room sample on all tracks are written
//!   there. Whoever reads the session reads it as one; a part that is over is a session by itself too.
//! - *Memory* is bounded: some 2 × `repair` of packets a voice, 64 KiB until its own file is safe, 256 KiB that wait for the disk (twice
//!   that where parts meet), and the list of gaps. [`Limits`] bound what a recording, an [`Allowance`] what a process keeps and writes; what they refuse is told
//!   at once ([`Alert`]).
//! - *Reading back* is [`Recording`]'s: the manifest as it was written, and each track's packets from any sample on.
//! - *Sealed* tracks ([`Recorder::seal`]) are `tracks/NAME.sealed`, for whoever has the keys; with them everything that reads
//!   recordings reads them, and a voice is taken back by destroying keys.
//! - *A stop at any moment*, of the process or the power, leaves files that players open, a second short at most, and
//!   the repair window where a packet was missing. [`recover`](recover()) finishes them.

mod allowance;
mod armed;
mod bounds;
mod clock;
mod clock_map;
mod config;
mod counts;
mod cut;
mod delete;
mod derived;
mod disk;
mod drift;
mod erase;
mod eraser;
mod error;
mod event;
mod fill;
mod fingerprint;
mod gap;
mod gate;
mod growing;
mod journal;
mod keys;
mod latest;
mod lead;
mod limits;
mod manifest;
mod memory;
mod moves;
mod nowhere;
mod ogg;
mod ogg_file;
mod pace;
mod page;
mod parts;
mod pending;
mod place;
mod read;
mod recorder;
mod recover;
mod redact;
mod reel;
mod reports;
mod reseal;
mod scribe;
mod seal;
mod sealed;
mod sealer;
mod sender;
mod session;
mod store;
mod tape;
mod toc;
mod track;
mod track_file;
mod trial;
mod turning;
mod unseal;
mod unsealed;
mod waiting;
mod watch;
mod weight;

pub use allowance::Allowance;
pub use clock_map::ClockPoint;
pub use config::RecorderConfig;
pub use counts::Counts;
pub use cut::{ClipOrigin, Cuttable, cut};
pub use delete::{Deleted, delete, delete_sealed};
pub use derived::Derived;
pub use disk::{Disk, Folder};
pub use error::RecordError;
pub use event::Event;
pub use fingerprint::fingerprint;
pub use gap::{Cause, Gap};
pub use gate::{Span, Spans};
pub use keys::Seals;
pub use limits::{Alert, Limit, Limits};
pub use manifest::{Manifest, TrackEntry};
#[cfg(any(feature = "render", feature = "sim"))]
pub(crate) use ogg_file::OggOpusFile;
pub use parts::{Part, Rotation, TrackPart};
pub use pending::Redacted;
pub use place::Place;
pub use read::{Origin, Recording, TrackPacket, TrackReader};
pub use recorder::Recorder;
#[cfg(any(fuzzing, feature = "sim"))]
pub(crate) use recover::recover_bytes;
pub use recover::{Recovery, TrackRecovery, recover, recover_sealed};
pub use redact::{redact, redact_on, redact_sealed};
pub use session::{Session, TrackSummary};
#[cfg(feature = "render")]
pub(crate) use tape::LOOKAHEAD;
pub use track_file::TrackFile;
pub use unseal::unseal;
#[cfg(any(fuzzing, feature = "sim"))]
pub(crate) use unsealed::Unsealed;
