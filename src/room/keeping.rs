//! What exists and until when. Facts come in; what has to be deleted leaves. Nothing is deleted here: it stays on the list
//! until somebody says that it is gone.

use super::{age::Age, entry::ItemId, policy::Retention};
use std::collections::BTreeMap;

const DAY_MS: u64 = 86_400_000;

/// What an item is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A recording, behind the gates of consent.
    Recording,
    /// A copy for moderators.
    Copy,
    /// A sound bite.
    Clip,
    /// What was said, written down.
    Transcript,
}

/// Something that is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Item {
    /// What it is.
    pub kind: Kind,
    /// How long it is kept.
    pub retention: Retention,
    /// Has somebody appealed?
    pub appealed: bool,
    /// Is it held back from deletion?
    pub held: bool,
    /// Is its time up? Then nobody may have it, whether it is held or not.
    pub due: bool,
    /// Has it been deleted?
    pub gone: bool,
    /// The room's age when it was finished.
    finished_ms: Option<u64>,
}

impl Item {
    fn new(kind: Kind, retention: Retention, finished_ms: Option<u64>) -> Self {
        Self { kind, retention, appealed: false, held: false, due: false, gone: false, finished_ms }
    }

    /// Is its time up?
    fn is_over(&self, age: Age) -> bool {
        match self.retention {
            Retention::LiveOnly | Retention::HostKeeps => false,
            _ => self
                .retention
                .days(self.appealed)
                .zip(self.finished_ms)
                .is_some_and(|(days, finished)| age.is_over(finished, u64::from(days) * DAY_MS)),
        }
    }
}

/// All that is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Keeping {
    items: BTreeMap<ItemId, Item>,
}

impl Keeping {
    /// Something begins to exist; a clip is finished at once.
    pub(super) fn begin(&mut self, id: ItemId, kind: Kind, retention: Retention, finished_ms: Option<u64>) {
        self.items.insert(id, Item::new(kind, retention, finished_ms));
    }

    /// It grows no more.
    pub(super) fn finish(&mut self, id: ItemId, age_ms: u64) {
        if let Some(item) = self.items.get_mut(&id) {
            item.finished_ms.get_or_insert(age_ms);
        }
    }

    pub(super) fn item(&self, id: ItemId) -> Option<&Item> {
        self.items.get(&id)
    }

    /// Changes something that is not deleted yet.
    pub(super) fn change(&mut self, id: ItemId, change: impl FnOnce(&mut Item)) {
        if let Some(item) = self.items.get_mut(&id).filter(|item| !item.gone) {
            change(item);
        }
    }

    /// What was to be kept while the room is live becomes evidence.
    pub(super) fn report(&mut self) {
        let kept = self.items.values_mut().filter(|item| item.retention == Retention::LiveOnly && !item.due);
        kept.for_each(|item| item.retention = Retention::MODERATION);
    }

    /// The room is live no more: what was kept for as long as it was is due.
    pub(super) fn end_of_live(&mut self) {
        let kept = self.items.values_mut().filter(|item| item.retention == Retention::LiveOnly);
        kept.for_each(|item| item.due = true);
    }

    /// Whose time is up, and nobody has said so yet.
    pub(super) fn over(&self, age: Age) -> Vec<ItemId> {
        let over = self.items.iter().filter(|(_, item)| !item.due && item.is_over(age));
        over.map(|(id, _)| *id).collect()
    }

    /// What has to be deleted now.
    pub(super) fn owed(&self) -> impl Iterator<Item = ItemId> + '_ {
        self.items.iter().filter(|(_, item)| item.due && !item.held && !item.gone).map(|(id, _)| *id)
    }

    pub(super) fn items(&self) -> impl Iterator<Item = (ItemId, &Item)> {
        self.items.iter().map(|(id, item)| (*id, item))
    }
}
