//! What becomes of files: finished, redacted, deleted; and each is reported to the room.

use super::{Order, Steward, cutting::Cutting};
use crate::{
    record::{Manifest, RecordError, Redacted, delete, recover, redact},
    room::{Entry, Fact, ItemId, Kind, Moment, Person, Span, sha256},
};
use std::{path::Path, time::Duration};

impl Steward {
    /// Recordings whose end is on disk are kept: the hash of the manifest, which holds the tracks', stands for them.
    pub(super) fn note_what_is_finished(&mut self, now: Moment) {
        let finishing = std::mem::take(&mut self.takes.finishing);
        for (item, finishing) in finishing {
            match finishing.wait(Duration::ZERO) {
                Ok(_) => self.keep(item, now),
                Err(crate::live::FinishError::Timeout) => self.takes.finishing.push((item, finishing)),
                Err(error) => self.fail(item, &error),
            }
        }
    }

    /// After a crash: recordings without an end get one, clips without files are cut.
    pub(super) fn finish_what_broke_off(&mut self, now: Moment) {
        let kept = |entry: &Entry| if let Fact::Kept(item, _) = entry.fact { Some(item) } else { None };
        let kept: Vec<_> = self.room.entries().iter().filter_map(kept).collect();
        let lacking = self.room.items().filter(|(item, it)| !it.gone && !kept.contains(item));
        for (item, kind) in lacking.map(|(item, it)| (item, it.kind)).collect::<Vec<_>>() {
            match kind {
                Kind::Clip => self.cuttings.extend(granted(self.room.entries(), item)),
                Kind::Recording | Kind::Copy if self.folder_of(item).is_dir() => {
                    match recover(&self.folder_of(item)) {
                        Ok(_) => self.keep(item, now),
                        Err(error) => self.fail(item, &error),
                    }
                }
                _ => {}
            }
        }
    }

    /// Takes a voice out of what is finished; what still runs is waited for, and the room asks again.
    pub(super) fn redact(&mut self, entry: u64, who: Person, span: Span, now: Moment) {
        let Some(name) = self.names.get(&who).cloned() else { return };
        let items = self.room.items().filter(|(_, it)| !it.gone && it.kind == Kind::Recording);
        let (mut keys, mut done) = (Vec::new(), true);
        for item in items.map(|(item, _)| item).collect::<Vec<_>>() {
            match take_out(&self.folder_of(item), &name, span) {
                Ok(Some(Redacted { changed, dropped, .. })) => {
                    keys.extend(changed.iter().flat_map(|file| file.bytes()));
                    if !dropped.is_empty() {
                        self.orders.push_back(Order::Dropped(item, dropped));
                    }
                    self.keep(item, now);
                }
                Ok(None) => {}
                Err(Undone::Running) => done = false,
                Err(Undone::Failed(error)) => {
                    self.fail(item, &error);
                    done = false;
                }
            }
        }
        if done {
            let _ = self.room.redacted(entry, sha256(&keys), now);
        }
    }

    /// Keys and files go, and the room is told how that went.
    pub(super) fn delete(&mut self, item: ItemId, now: Moment) {
        self.cuttings.retain(|cutting| cutting.item != item);
        match delete(&self.folder_of(item)) {
            Ok(deleted) => {
                let names = deleted.tracks.iter().flat_map(|(file, _)| file.bytes());
                let _ = self.room.deleted(item, sha256(&names.collect::<Vec<_>>()), None, now);
            }
            Err(error) => {
                self.fail(item, &error);
                let _ = self.room.deletion_failed(item, now);
            }
        }
    }
}

/// Why a voice is still in something.
enum Undone {
    Running,
    Failed(RecordError),
}

/// Nothing is to be done where the voice never was.
fn take_out(folder: &Path, name: &str, span: Span) -> Result<Option<Redacted>, Undone> {
    if !folder.join("session.json").exists() {
        return Ok(None);
    }
    let manifest = Manifest::read(folder).map_err(Undone::Failed)?;
    if !manifest.finished {
        return Err(Undone::Running);
    }
    if !manifest.speakers.contains_key(name) {
        return Ok(None);
    }
    let range = span.from_sample.samples()..span.to_sample.samples();
    redact(folder, name, range).map(Some).map_err(Undone::Failed)
}

/// The grant of a clip, as it stands in the log.
fn granted(entries: &[Entry], item: ItemId) -> Option<Cutting> {
    match &entries.get(usize::try_from(item.0).ok()?)?.fact {
        Fact::Clipped { parent, span, voices, .. } => {
            Some(Cutting { item, parent: *parent, span: *span, voices: voices.clone() })
        }
        _ => None,
    }
}
