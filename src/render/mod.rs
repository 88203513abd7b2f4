//! Composites as views: a recording comes in, a mix and stems leave, offline and faster than real time.
//!
//! Tracks are the truth; whatever is published is rendered from them and from the log of what the faders did, so that a
//! voice can leave it later. The same recording and the same [`What`] make the same samples, on every run and for any
//! number of threads; a range's samples are those of the whole there, bit by bit:
//!
//! - *Blocks.* Room time is cut into blocks of 10 s. Each voice's part of a block is decoded by a decoder of its own that
//!   was fed the second before, so that no block depends on another, nor on where a render begins. That second is
//!   twelve times what RFC 7845 §4.6 asks for.
//! - *Faders* are computed from the room clock: gain and pan at a sample follow from the log alone.
//! - *Sums* are made voice by voice in the order of names.
//! - *The limiter* is the only step that remembers; it forgets within 10 s, so a range's begins that much earlier.
//!
//! *Better than live.* What was lost and stands once more in a later packet, as in-band FEC or deep redundancy, is heard
//! here. It is never taken across a shut gate.
//!
//! *Where.* A render's sample is the room sample at which it was said, as near as the whole recording tells: the encoders'
//! look-ahead and the drift of the senders' clocks are taken out.

mod automation;
mod block;
mod deliver;
mod error;
mod flac;
mod follow;
mod mix;
mod opus;
mod peaks;
mod voice;
mod warp;
mod wav;
mod what;

pub use automation::{Change, Move};
pub use block::Block;
pub use deliver::{Format, Of, Order, deliver};
pub use error::RenderError;
pub use follow::Follow;
pub use mix::render;
pub use peaks::{Bits, Peaks};
pub use what::{Automation, What};
