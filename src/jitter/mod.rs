//! 2. When does each packet play: slots by sequence number, an estimate of the delay that pays, one decision a pull, a hand
//!    on the speed.

mod buffer;
mod copies;
mod decision;
mod delay;
mod floor;
mod gaps;
mod lowest;
mod memory;
mod price;
mod slots;
mod steer;

pub use buffer::JitterBuffer;
pub use decision::{Decision, Insert};
pub use delay::DelayConfig;
pub use slots::Slot;
pub use steer::{Move, Sound};
