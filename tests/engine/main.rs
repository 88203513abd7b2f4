//! Promises of the core machine, driven through its public face alone.
//!
//! Packets are made by hand, time is counted by hand; nothing here reads a clock or a file.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod click;
mod comings_and_goings;
mod desk;
mod line;
mod malformed;
mod mix_minus;
mod onset;
mod playout;
mod relaying;
mod relaying_anyhow;
mod reports;
mod restarts;
mod resting;
mod returns;
mod sample_accuracy;
mod selection;
mod sharing;
mod shedding;
mod staggering;
