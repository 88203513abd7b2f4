//! What `simulate` promises, from scenario files to the folder it leaves.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod arguments;
mod bad_input;
mod consent;
mod counters;
mod determinism;
mod ends;
mod events;
mod mixes;
mod panel;
mod pictures;
#[path = "../../examples/simulate/plot.rs"]
mod plot;
#[path = "../../examples/simulate/sheet.rs"]
mod sheet;
mod stage;
#[path = "../../examples/simulate/thin.rs"]
mod thin;
