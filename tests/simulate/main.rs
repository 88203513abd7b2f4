//! What `simulate` promises, from scenario files to the folder it leaves.

mod bad_input;
mod counters;
mod determinism;
mod events;
mod mixes;
mod stage;
