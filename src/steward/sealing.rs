//! Recordings and copies may be sealed, each with keys in a folder of its own beside no media: `keys/item-N/`. What is taken
//! back or deleted is then gone as soon as its keys are, from backups too.

use super::Steward;
use crate::{
    record::{
        Deleted, RecordError, Recorder, Recording, Redacted, Seals, delete, delete_sealed, recover,
        recover_sealed, redact, redact_sealed,
    },
    room::ItemId,
};
use std::{
    ops::Range,
    path::{Path, PathBuf},
};

impl Steward {
    /// What is recorded from now on is sealed, with keys in `keys`, which is made if need be: on another disk, if that can
    /// be, one that really overwrites what is overwritten. Clips are plain.
    pub fn seal(&mut self, keys: &Path) {
        self.keys = Some(keys.to_owned());
    }

    fn keys_of(&self, item: ItemId) -> Option<PathBuf> {
        self.keys.as_ref().map(|keys| keys.join(format!("item-{}", item.0)))
    }

    /// The keys of an item that was sealed.
    fn seals_of(&self, item: ItemId) -> Result<Option<Seals>, RecordError> {
        self.keys_of(item).filter(|keys| keys.is_dir()).map(|keys| Seals::random(&keys)).transpose()
    }

    /// A recorder for an item, which seals if that is wanted.
    pub(super) fn sealing(&self, item: ItemId, mut recorder: Recorder) -> Result<Recorder, RecordError> {
        if let Some(keys) = self.keys_of(item) {
            recorder.seal(Seals::random(&keys)?);
        }
        Ok(recorder)
    }

    pub(super) fn recording_of(&self, item: ItemId) -> Result<Recording, RecordError> {
        let recording = Recording::open(&self.folder_of(item))?;
        Ok(match self.keys_of(item).filter(|keys| keys.is_dir()) {
            Some(keys) => recording.with_keys(&keys),
            None => recording,
        })
    }

    pub(super) fn redact_item(
        &self,
        item: ItemId,
        name: &str,
        range: Range<u64>,
    ) -> Result<Redacted, RecordError> {
        let folder = self.folder_of(item);
        match self.seals_of(item)? {
            Some(seals) => redact_sealed(&folder, &seals, name, range),
            None => redact(&folder, name, range),
        }
    }

    pub(super) fn delete_item(&self, item: ItemId) -> Result<Deleted, RecordError> {
        match self.seals_of(item)? {
            Some(seals) => delete_sealed(&self.folder_of(item), &seals),
            None => delete(&self.folder_of(item)),
        }
    }

    pub(super) fn recover_item(&self, item: ItemId) -> Result<(), RecordError> {
        let folder = self.folder_of(item);
        match self.seals_of(item)? {
            Some(seals) => recover_sealed(&folder, &seals).map(drop),
            None => recover(&folder).map(drop),
        }
    }
}
