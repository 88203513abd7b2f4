//! The stage: worker threads that each run many rooms on a paced clock. Datagrams and orders come in through rings, RTP
//! datagrams, PCM, recordings and notices leave. The only clock of the crate is here.
//!
//! ```text
//!  network threads            worker (SCHED_FIFO)                       ordinary threads
//!  PacketIn ──ring──▶ ┌──────────────────────────────────┐ ──ring──▶ PacketsOut ─▶ sockets
//!  Control ──orders─▶ │ obey · receive · tick · hand out │ ──ring──▶ PcmOut
//!  Control ◀─returns─ │ sleep until the next deadline    │ ──tape──▶ recorder ─▶ disk
//!                     └──────────────────────────────────┘
//! ```
//!
//! *Time.* Tick k of a room is due at its epoch + k · quantum; the rooms of a worker are spread over the quantum. A
//! datagram counts for the first tick that is due after its arrival. A late tick runs at once, and after a stall a room
//! catches up tick by tick: it skips no sound and sounds as if it had never been late. A worker that has more to do than
//! a quantum holds falls behind for good, and [`RoomStats::deadline_misses`] tells.
//!
//! *Memory.* Nothing is allocated or freed on a worker: boxes go down built and come back up to be freed by
//! [`Control`]. An order is taken only when there is room for what it leaves over.
//!
//! *Backlogs.* Whoever does not keep up loses what is new, counted: datagrams in ([`SpeakerStats::refused`]), packets
//! out ([`BusStats::dropped`]), a slow disk ([`RoomStats::unrecorded`]). Ticks never wait.

mod clock;
mod config;
mod control;
mod error;
mod hall;
mod notice;
mod outlet;
mod pace;
mod port;
mod priority;
mod pulse;
mod recorder;
mod ring;
mod room;
mod seats;
mod stage;
mod stats;
mod take;
mod takes;
mod tape;
mod worker;

pub use config::StageConfig;
pub use control::{Control, SOON, Warning};
pub use error::{AttachError, FinishError, OpenError, OrderError, RecordingError, StartError};
pub use notice::Notice;
pub use outlet::{PacketsOut, PcmOut};
pub use port::{MAX_DATAGRAM_BYTES, PacketIn, PushError};
pub use room::RoomId;
pub use stage::Stage;
pub use stats::{BusStats, Quantiles, RoomStats, SpeakerStats, Spread};
pub use take::Take;
pub use takes::Finishing;
