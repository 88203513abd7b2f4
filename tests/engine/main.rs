//! Promises of the core machine, driven through its public face alone.
//!
//! Packets are made by hand, time is counted by hand; nothing here reads a clock or a file.

mod desk;
mod mix_minus;
