//! What `simulate` promises, from scenario files to the folder it leaves.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod arguments;
mod bad_input;
mod counters;
mod determinism;
mod ends;
mod events;
mod mixes;
mod panel;
mod stage;
