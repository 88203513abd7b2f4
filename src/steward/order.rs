//! What a steward leaves to the server.

use crate::{
    live::Transcript,
    record::Derived,
    room::{ItemId, News, Person, Span},
};

/// Something for the server to do, or to know.
#[derive(Debug)]
pub enum Order {
    /// Show it to everybody.
    Tell(News),
    /// Write down what is said here, as this item; the voices that agreed to it are in it. What is written belongs in the
    /// item's folder ([`Steward::folder_of`](super::Steward::folder_of)): from there it goes when the item is deleted, and
    /// whole when somebody in it takes back what was said.
    WriteDown(ItemId, Transcript),
    /// Give an item to somebody.
    HandOver {
        /// What.
        item: ItemId,
        /// To whom.
        to: Person,
        /// Nothing but these stretches of these voices; all there is if this is none.
        only: Option<Vec<(Person, Vec<Span>)>>,
    },
    /// Give it to the public.
    Publish(ItemId),
    /// These were made of an item, held a voice that was taken back, and are gone: their recipients have to be told (GDPR
    /// article 19), and what is still wanted made anew.
    Dropped(ItemId, Vec<Derived>),
    /// Something could not be carried out, and why. What is owed is tried again by itself.
    Failed(ItemId, String),
}
