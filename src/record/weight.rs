//! What one track holds in memory, told to the purse that all of them share.

use super::allowance::Purse;

/// What a tape holds, in bytes, of what a purse allows; nothing once it is gone.
#[derive(Debug)]
pub(super) struct Weight {
    pub(super) purse: Purse,
    held: usize,
}

impl Weight {
    /// Nothing is held as yet.
    pub(super) fn of(purse: Purse) -> Self {
        Self { purse, held: 0 }
    }

    /// So much is held now.
    pub(super) fn weigh(&mut self, now: usize) {
        self.purse.weigh(std::mem::replace(&mut self.held, now), now);
    }
}

impl Drop for Weight {
    fn drop(&mut self) {
        self.weigh(0);
    }
}
