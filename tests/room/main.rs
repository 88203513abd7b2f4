//! What a room's policy promises, by module: the gates are what the ledger says, a crash leaves them shut, the dot is
//! never wrong, nothing is kept for longer, everybody may do what the table says and no more.
#![expect(clippy::unwrap_used, reason = "tests may panic")]

mod clips;
mod gates;
mod people;
mod restart;
mod retention;
mod roles;
mod support;
mod verify;
