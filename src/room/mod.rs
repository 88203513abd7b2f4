//! Policy: who may be recorded. No audio, no clock: samples of the room come in, decisions leave. What a decision changes
//! (a recorder's gate, a bus's members) is changed by whoever asked.

mod age;
mod audit;
mod clip;
mod clip_manifest;
mod consequence;
mod custody;
mod effect;
mod entry;
mod hex;
mod journal;
mod kantara;
mod keeping;
mod ledger;
mod merkle;
mod people;
mod person;
mod policy;
mod receipt;
mod refusal;
mod role;
#[expect(clippy::module_inception, reason = "a room of people, in the folder of that name")]
mod room;
mod show;
mod signed;
mod state;
mod view;
mod way;
mod witness;

pub use audit::{Audit, Flaw};
pub use clip::ClipRequest;
pub use clip_manifest::ClipManifest;
pub use ed25519_dalek::SigningKey;
pub use effect::Effect;
pub use entry::{Entry, Fact, How, ItemId, Span};
pub use hex::{Hex, NotHex};
pub use journal::{Damaged, Fault, Journal};
pub use kantara::{Controller, KantaraReceipt, PurposeLine, Service};
pub use keeping::{Item, Kind};
pub use ledger::{Consent, Ledger};
pub use merkle::{Hash, Tree, extends, includes, leaf_hash, sha256};
pub use person::Person;
pub use policy::{ClipRules, ModerationCopy, Policy, Retention, Rules};
pub use receipt::{ConsentRecord, Control, Event, Notice, Process, Storage};
pub use refusal::Refusal;
pub use role::{Action, Role};
pub use room::{Moment, Room};
pub use signed::{Signed, Statement, Untrue};
pub use view::{Lamp, News, View};
pub use witness::{Continuation, Excerpt, Head, Inclusion};
