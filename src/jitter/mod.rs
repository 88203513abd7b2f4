//! 2. When does each packet play: slots by sequence number, an estimate of the delay that pays, one decision a pull, a hand
//!    on the speed.

mod buffer;
mod copies;
mod delay;
mod floor;
mod gaps;
mod lowest;
mod memory;
mod price;
mod slots;
mod steer;

pub use buffer::{Decision, Insert, JitterBuffer};
pub use delay::DelayConfig;
pub use slots::Slot;
pub use steer::{Move, Sound};
