//! What is there is reported to the room.

use super::Steward;
use crate::room::{Hash, ItemId, Moment, sha256};
use std::{fs, path::Path};

impl Steward {
    /// An item's files are there, or others than before.
    pub(super) fn keep(&mut self, item: ItemId, now: Moment) {
        if let Some(hash) = hash_of(&self.folder_of(item)) {
            // What was deleted meanwhile is not kept.
            let _ = self.room.kept(item, hash, now);
        }
    }
}

/// What a folder's session is known by: its manifest, which holds the hashes of its tracks.
pub(super) fn hash_of(folder: &Path) -> Option<Hash> {
    fs::read(folder.join("session.json")).ok().map(|json| sha256(&json))
}
