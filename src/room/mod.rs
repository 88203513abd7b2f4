//! Policy: who may be recorded. No audio, no clock: samples of the room come in, decisions leave. What a decision changes
//! (a recorder's gate, a bus's members) is changed by whoever asked.

mod ledger;

pub use ledger::{Consent, Ledger};
