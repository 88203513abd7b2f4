//! 2. When does each packet play: slots by sequence number, an estimate of the delay that pays, and one decision a pull.

mod buffer;
mod delay;
mod floor;
mod histogram;
mod slots;

pub use buffer::{Decision, Insert, JitterBuffer};
pub use delay::DelayConfig;
pub use slots::Slot;
