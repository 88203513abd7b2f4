//! Promises of the recorder, checked from outside: calls in, files out, files decoded.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod crash;
mod gates;
mod place;
mod random;
mod read_back;
mod redundancy;
mod render;
mod stays;
mod support;
