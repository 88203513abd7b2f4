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
//! *Time.* Tick k of a room is due at its epoch + k · quantum; epochs are spread over 20 ms, so that neither ticks nor encodes
//! of rooms that share a worker come together. A datagram counts for the first tick that is due after its arrival. A late
//! tick runs at once, and a room catches up tick by tick: it skips no sound and sounds as if it had never been late. One
//! that is later than [`StageConfig::longest_catch_up`] lets ticks pass unheard until it is on time.
//!
//! *Memory.* Nothing is allocated or freed on a worker: boxes go down built and come back up to be freed by
//! [`Control`]. An order is taken only when there is room for what it leaves over.
//!
//! *Backlogs.* Whoever does not keep up loses what is new, counted: datagrams in ([`SpeakerStats::refused`]), packets
//! out ([`BusStats::dropped`]), a slow disk ([`RoomStats::unrecorded`]). Ticks never wait.
//!
//! *Many rooms.* A worker looks at those that are due, never at all of them. Rooms are spread by what they cost, and move between two
//! of their ticks when one worker has too much to do ([`Control::move_room`]). A room with nothing to hear rests
//! ([`StageConfig::rest_after`]): it costs nothing until a datagram or an order wakes it.
//!
//! # The promise
//!
//! **What a tick does at most.** It takes 64 datagrams a lane. It decodes, recovers or conceals what is missing of one quantum for each
//! voice that is heard. It encodes each distinct mix whose packet the quantum completes: with k voices audible those are
//! k + 1, however many listen; of six and more, at quanta of 10 ms and less, one half 10 ms after the other. Deep redundancy is unfolded
//! for four packets. Every lane with anything in it and every bus is looked at once.
//! It hands over to rings, reads the clock twice, and calls nothing.
//!
//! **What that costs** in a room of n people of whom k are heard, for 20 ms of sound, with *d* a decode and *e* an encode: at most
//! *k·d + (k + 1)·e + n·l*, where *l*, looking at a lane that is silent, is about *d*/40. `cargo bench --bench tick` prints it beside
//! bare libopus, `--bench rooms` says how many rooms that makes on a core, and `--bench instructions` counts it to the instruction.
//!
//! **What it adds to a voice's way**, from its packet's arrival to the departure of the packet that carries the same sound on, is a sum:
//!
//! | part | on a clean network |
//! |---|---|
//! | playout delay, what the network's jitter demands | 0 |
//! | wait for the tick | 0 … quantum |
//! | wait for the rest of the packet out | packet − quantum |
//! | look-ahead of the limiter | 0.5 ms |
//! | look-ahead of the encoder | 6.5 ms |
//! | lateness of the worker and of whoever fetches from the ring | measured: [`WorkerStats::lateness_ns`] |
//!
//! Packets of 20 ms at a quantum of 20 ms are thus 7 to 27 ms late, at one of 10 ms 17 to 27 ms. Where a lone voice's own packets are
//! relayed (`EncoderConfig::relay`), nothing is encoded, and all is sent at their pace: 20 ms late and the wait for the tick.
//!
//! **What is guaranteed at which load.** A worker that has its core to itself (`SCHED_FIFO`) and whose ticks take less than four fifths
//! of it misses no deadline: `cargo bench --bench latency` measures it at 25, 50 and 80 %. Opening, closing, joining and leaving take
//! at most 32 orders between two ticks. Without `SCHED_FIFO` ([`Control::warnings`]) this holds as far as the machine is idle.
//!
//! **What happens when it does not fit.** Before each tick its end is foreseen, from its lateness and from the work that lies ahead
//! at the prices paid lately. When that comes too near to the deadline for a tenth of a second, or when nine tenths
//! of the time are spent, the worker goes up one [`Rung`]: neural concealment, the encoders' complexity, voices; on the last it takes
//! no new rooms ([`OpenError::Overloaded`]). It comes down again, a rung in 0.15 s, once what would come back
//! fits with a fifth to spare. Each step is told ([`Notice::Shed`]). A miss is counted ([`RoomStats::deadline_misses`]), and whatever is too late to be of
//! use passes unheard ([`RoomStats::passed`]): voices go on at their place, recordings lose nothing, listeners hear a gap.

mod agenda;
mod attended;
mod balance;
mod bell;
mod clock;
mod config;
mod control;
mod cost;
mod disk;
mod error;
mod front;
mod gauge;
mod hall;
mod ladder;
mod notice;
mod outlet;
mod pace;
mod port;
mod priority;
mod pulse;
mod recorder;
mod rest;
mod ring;
mod room;
mod seats;
mod spread;
mod stage;
mod stats;
mod survey;
mod take;
mod takes;
mod tape;
mod transcript;
mod warning;
mod worker;

pub use config::StageConfig;
pub use control::{Control, SOON};
pub use error::{AttachError, FinishError, MoveError, OpenError, OrderError, RecordingError, StartError};
pub use gauge::WorkerStats;
pub use ladder::Rung;
pub use notice::Notice;
pub use outlet::{PacketsOut, PcmOut};
pub use port::{MAX_DATAGRAM_BYTES, PacketIn, PushError};
pub use room::RoomId;
pub use spread::{RoomLoad, StageStats};
pub use stage::Stage;
pub use stats::{BusStats, Quantiles, RoomStats, SpeakerStats, Spread};
pub use take::{Take, TakeId};
pub use takes::Finishing;
pub use transcript::{Heard, Transcript};
pub use warning::Warning;
