//! Promises of the recorder, checked from outside: calls in, files out, files decoded.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod clips;
mod clocks;
mod composite;
mod crash;
mod faults;
mod follow;
mod gates;
mod halted;
mod latest;
mod leaks;
mod limits;
mod parts;
mod place;
mod random;
mod read_back;
mod redact;
mod redundancy;
mod render;
mod schedules;
mod sealed;
mod stays;
mod support;
