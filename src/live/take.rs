//! Which recording of which room.

use super::room::RoomId;

/// One recording of a room. A room may have several at once, each with its own gates; the next may begin while one is
/// still being written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Take {
    pub(super) room: RoomId,
    pub(super) number: u32,
}

impl Take {
    /// Of which room.
    #[must_use]
    pub fn room(self) -> RoomId {
        self.room
    }
}
