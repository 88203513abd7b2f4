//! 2. When does each packet play: slots by sequence number, an estimate of the delay that pays, and one decision a pull.

mod buffer;
mod delay;
mod floor;
mod histogram;
mod slots;

pub use buffer::{Decision, Insert, JitterBuffer};
pub use delay::DelayConfig;
pub use slots::Slot;

/// TEMPORARY.
pub static KNOBS: [std::sync::atomic::AtomicI64; 32] = [const { std::sync::atomic::AtomicI64::new(i64::MIN) }; 32];
pub(crate) fn knob(i: usize, default: i64) -> i64 {
    let v = KNOBS[i].load(std::sync::atomic::Ordering::Relaxed);
    if v == i64::MIN { default } else { v }
}
