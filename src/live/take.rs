//! Which recording of which room, and what opens its gates.

use super::room::RoomId;
use crate::consent::Recordable;
use std::{fmt, marker::PhantomData};

/// One recording of a room, of whatever kind. A room may have several at once, each with its own gates; the next may begin
/// while one is still being written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TakeId {
    pub(super) room: RoomId,
    pub(super) number: u32,
}

impl TakeId {
    /// Of which room.
    #[must_use]
    pub fn room(self) -> RoomId {
        self.room
    }
}

/// A recording whose gates open by proofs `P` and no others: a recording ([`Recordable`]), a copy for moderators
/// ([`ModerationBasis`](crate::consent::ModerationBasis)), a transcript ([`Transcribable`](crate::consent::Transcribable)).
pub struct Take<P = Recordable> {
    id: TakeId,
    opens_by: PhantomData<fn(P)>,
}

impl<P> Take<P> {
    pub(super) fn new(id: TakeId) -> Self {
        Self { id, opens_by: PhantomData }
    }

    /// As notices name it.
    #[must_use]
    pub fn id(self) -> TakeId {
        self.id
    }

    /// Of which room.
    #[must_use]
    pub fn room(self) -> RoomId {
        self.id.room
    }
}

impl<P> Clone for Take<P> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<P> Copy for Take<P> {}

impl<P> PartialEq for Take<P> {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl<P> Eq for Take<P> {}

impl<P> fmt::Debug for Take<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.id.fmt(f)
    }
}
