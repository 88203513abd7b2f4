//! Policy: who may be recorded. No audio, no clock: samples of the room come in, decisions leave. What a decision changes
//! (a recorder's gate, a bus's members) is changed by whoever asked.

mod hex;
mod ledger;
mod person;
mod policy;

pub use hex::{Hex, NotHex};
pub use ledger::{Consent, Ledger};
pub use person::Person;
pub use policy::{ClipRules, ModerationCopy, Policy, Retention, Rules};
