//! The audio engine of a live audio room: many jittery RTP/Opus speakers in, the live mix and one aligned recording per
//! voice out.
//!
//! # The rooms of the house, in the order a packet walks through them
//!
//! | module | what happens there |
//! |---|---|
//! | [`packet`] | bytes become packets: RTP, header extensions, what an Opus packet tells undecoded |
//! | [`jitter`] | when does each packet play: slots, delay estimate, decision |
//! | [`codec`] | payload ↔ samples: Opus with FEC and concealment, linear PCM |
//! | [`stretch`] | decoded sound waits; pauses are made shorter or longer, what is invented fades |
//! | [`mix`] | faders, sums, mix-minus, limiters, levels |
//! | [`engine`] | the conductor: lanes in, buses out, commands, events, [`tick`](engine::Engine::tick) |
//! | `live` | the stage: real-time threads, rings, the only clock (feature `live`) |
//! | `record` | one track a voice on the room clock, behind the gate of consent (feature `record`) |
//! | `room` | who may be recorded, what is kept of whom and for how long, and the proof of it (feature `room`) |
//! | `steward` | what a room decides, carried out on a live room and its files (features `live` and `room`) |
//! | `render` | mixes and stems from recordings, offline (feature `render`) |
//! | `sim` | rooms in simulated time for tests, benches and examples (feature `sim`) |
//!
//! Everything is counted in samples at 48 kHz since the room opened: [`time::SampleTime`].
//!
//! # Where to begin
//!
//! A server drives rooms through `live::Stage`; `examples/link_a_server.rs` is the shortest one. A test, a simulation or
//! an offline render drives [`engine::Engine`] itself, as the README shows.
//!
//! # Real-time
//!
//! Each public function says in a line of this name whether a real-time thread may call it: *safe* means no allocation,
//! lock, system call, clock, log or panic.
#![cfg_attr(rtsan, feature(sanitize))]

pub mod codec;
pub mod consent;
pub mod engine;
pub mod frame;
#[cfg(any(fuzzing, feature = "sim"))]
#[doc(hidden)]
pub mod fuzzing;
pub mod jitter;
#[cfg(feature = "live")]
pub mod live;
pub mod mix;
pub mod packet;
#[cfg(feature = "record")]
pub mod record;
#[cfg(feature = "render")]
pub mod render;
#[cfg(feature = "room")]
pub mod room;
#[cfg(feature = "sim")]
pub mod sim;
pub mod speaker;
#[cfg(all(feature = "live", feature = "room"))]
pub mod steward;
pub mod stretch;
pub mod time;

/// The README's code is tested too.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
