//! What becomes of files: finished, redacted, deleted; and each is reported to the room.

use super::{Order, Steward, cutting::Cutting};
use crate::{
    consent::Purpose,
    record::{Derived, Manifest, RecordError, Redacted},
    room::{Consent, Entry, Fact, ItemId, Kind, Moment, Person, Span, sha256},
};
use std::{fs, time::Duration};

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
                    match self.recover_item(item) {
                        Ok(()) => self.keep(item, now),
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
            match self.take_out(item, &name, span) {
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
        done &= self.drop_transcripts(who, &name, span);
        if done {
            let _ = self.room.redacted(entry, sha256(&keys), now);
        }
    }

    /// What may hold words of somebody who takes them back goes whole, as nobody here can read it; one that is still being
    /// written is waited for. Are all gone?
    fn drop_transcripts(&mut self, who: Person, name: &str, span: Span) -> bool {
        let agreed = |entry: &Entry| matches!(entry.fact, Fact::Consent { of, purpose: Purpose::Transcribe, state: Consent::Given, .. } if of == who);
        if !self.room.entries().iter().any(agreed) {
            return true;
        }
        let items = self.room.items().filter(|(_, it)| !it.gone && it.kind == Kind::Transcript);
        let items: Vec<_> = items.map(|(item, _)| item).collect();
        // None is skipped because another is still being written.
        items.into_iter().filter(|item| !self.drop_transcript(*item, name, span)).count() == 0
    }

    fn drop_transcript(&mut self, item: ItemId, name: &str, span: Span) -> bool {
        let path = self.folder_of(item);
        if self.is_being_written(item) {
            return false;
        }
        if !path.exists() {
            return true;
        }
        if let Err(error) = self.delete_item(item) {
            self.fail(item, &error);
            return false;
        }
        let dropped = Derived {
            path,
            kind: "transcript".into(),
            from_sample: span.from_sample.samples(),
            to_sample: span.to_sample.samples(),
            speakers: vec![name.to_owned()],
            recipients: Vec::new(),
        };
        self.orders.push_back(Order::Dropped(item, vec![dropped]));
        true
    }

    /// Nothing is to be done where the voice never was.
    fn take_out(&self, item: ItemId, name: &str, span: Span) -> Result<Option<Redacted>, Undone> {
        let folder = self.folder_of(item);
        if !folder.join("session.json").exists() {
            return Ok(None);
        }
        let manifest = Manifest::read(&folder).map_err(Undone::Failed)?;
        if !manifest.finished {
            return Err(Undone::Running);
        }
        if !manifest.speakers.contains_key(name) {
            return Ok(None);
        }
        let range = span.from_sample.samples()..span.to_sample.samples();
        self.redact_item(item, name, range).map(Some).map_err(Undone::Failed)
    }

    /// The proof that an item was deleted, by the entry that says so.
    fn prove(&mut self, item: ItemId, entry: Option<u64>) {
        let Some(excerpt) = entry.and_then(|entry| self.room.excerpt(entry)) else { return };
        let path = self.folder.join(format!("deleted-{}.json", item.0));
        if let Err(error) = fs::write(path, self.sign(excerpt)) {
            self.fail(item, &error);
        }
    }

    /// Keys and files go, and the room is told how that went.
    pub(super) fn delete(&mut self, item: ItemId, now: Moment) {
        self.cuttings.retain(|cutting| cutting.item != item);
        match self.delete_item(item) {
            Ok(deleted) => {
                let names = deleted.tracks.iter().flat_map(|(file, _)| file.bytes());
                let gone = self.room.deleted(item, sha256(&names.collect::<Vec<_>>()), None, now);
                self.prove(item, gone.ok());
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

/// The grant of a clip, as it stands in the log.
fn granted(entries: &[Entry], item: ItemId) -> Option<Cutting> {
    match &entries.get(usize::try_from(item.0).ok()?)?.fact {
        Fact::Clipped { parent, span, voices, .. } => {
            Some(Cutting { item, parent: *parent, span: *span, voices: voices.clone() })
        }
        _ => None,
    }
}
