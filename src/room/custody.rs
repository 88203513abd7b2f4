//! What becomes of what is kept: who takes it, who holds it back, when it is gone.

use super::{
    entry::{Fact, ItemId},
    keeping::{Item, Kind},
    merkle::Hash,
    people::Granted,
    person::Person,
    refusal::Refusal,
    role::{Action, Role},
    room::{Moment, Room},
};
use crate::consent::Purpose;

impl Room {
    /// Somebody takes a recording or a clip, whole or but its own track; a moderator reviews a copy; a host takes one, if
    /// the rules let it, without the voices that never agreed to be recorded.
    ///
    /// # Errors
    /// Not allowed, no such item, or its time is up.
    pub fn take(&mut self, by: Person, item: ItemId, own: bool, now: Moment) -> Granted {
        self.go_on(now);
        let kind = self.usable(item, &[Kind::Recording, Kind::Copy, Kind::Clip, Kind::Transcript])?.kind;
        let (action, without) = match (kind, self.role(by)?) {
            (Kind::Copy, Role::Moderator) => (Action::Review, Vec::new()),
            (Kind::Copy, _) if self.state.rules.copy.is_none_or(|copy| !copy.hosts_may_take) => {
                return Err(Refusal::AgainstTheRules);
            }
            (Kind::Copy, _) => (Action::TakeCopy, self.never_agreed()),
            (_, _) if own => (Action::TakeOwn, Vec::new()),
            (_, _) => (Action::TakeAll, Vec::new()),
        };
        self.allow(by, action, now)?;
        Ok(self.decide(by, Fact::Taken { item, own: own && kind != Kind::Copy, without }, now))
    }

    fn never_agreed(&self) -> Vec<Person> {
        let agreed = |who: &Person| !self.spans(*who, Purpose::Record).is_empty();
        self.state.spoke.iter().filter(|who| !agreed(who)).copied().collect()
    }

    /// Somebody reports the room: a copy that was to live as long as the room is kept for moderators.
    ///
    /// # Errors
    /// Was never here.
    pub fn report(&mut self, by: Person, now: Moment) -> Granted {
        self.allow(by, Action::Report, now)?;
        Ok(self.decide(by, Fact::Reported, now))
    }

    /// Somebody appeals against what was decided by a copy, which is kept for longer then.
    ///
    /// # Errors
    /// Not allowed, no copy, or its time is up.
    pub fn appeal(&mut self, by: Person, item: ItemId, now: Moment) -> Granted {
        self.allow(by, Action::Appeal, now)?;
        self.usable(item, &[Kind::Copy])?;
        Ok(self.decide(by, Fact::Appealed(item), now))
    }

    /// A moderator keeps something from being deleted, as the law may demand. Its time runs on, and when that is up nobody may
    /// have it all the same.
    ///
    /// # Errors
    /// Not allowed, no such item, or deleted.
    pub fn hold(&mut self, by: Person, item: ItemId, now: Moment) -> Granted {
        self.allow(by, Action::Hold, now)?;
        self.exists(item)?;
        Ok(self.decide(by, Fact::Held(item), now))
    }

    /// A moderator lets it go; it is deleted at once if its time is up.
    ///
    /// # Errors
    /// Not allowed, no such item, or deleted.
    pub fn release(&mut self, by: Person, item: ItemId, now: Moment) -> Granted {
        self.allow(by, Action::Hold, now)?;
        self.exists(item)?;
        Ok(self.decide(by, Fact::Released(item), now))
    }

    /// The host wants a recording, a clip or a transcript gone before its time.
    ///
    /// # Errors
    /// Not allowed, no such item, a copy for moderators, still running, or gone.
    pub fn discard(&mut self, by: Person, item: ItemId, now: Moment) -> Granted {
        self.allow(by, Action::Delete, now)?;
        self.usable(item, &[Kind::Recording, Kind::Clip, Kind::Transcript])?;
        let runs = self.state.running.is_some_and(|running| running.item == item);
        if runs || self.state.transcript == Some(item) {
            return Err(Refusal::Recording);
        }
        Ok(self.decide(by, Fact::Due(item), now))
    }

    /// Whoever keeps the files reports: this is there, and its bytes have this SHA-256.
    ///
    /// # Errors
    /// No such item, or deleted.
    pub fn kept(&mut self, item: ItemId, sha256: Hash, now: Moment) -> Granted {
        self.go_on(now);
        self.exists(item)?;
        Ok(self.decide(Person::ROOM, Fact::Kept(item, sha256), now))
    }

    /// Whoever keeps the files reports: its keys are destroyed and its files are gone. `keys` stands for the keys (a
    /// SHA-256 of their names, say), `sealed` for bytes that may be left somewhere and that nobody can read any more.
    ///
    /// # Errors
    /// No such item, or nobody asked for that.
    pub fn deleted(&mut self, item: ItemId, keys: Hash, sealed: Option<Hash>, now: Moment) -> Granted {
        self.go_on(now);
        self.owed(item)?;
        Ok(self.decide(Person::ROOM, Fact::Deleted { item, keys, sealed }, now))
    }

    /// Whoever keeps the files reports: it could not be deleted. It stays on the list and is asked for again.
    ///
    /// # Errors
    /// No such item, or nobody asked for that.
    pub fn deletion_failed(&mut self, item: ItemId, now: Moment) -> Granted {
        self.go_on(now);
        self.owed(item)?;
        Ok(self.decide(Person::ROOM, Fact::DeletionFailed(item), now))
    }

    /// Whoever keeps the files reports: the voice has left everything that entry `entry` demanded.
    ///
    /// # Errors
    /// Nobody asked for that.
    pub fn redacted(&mut self, entry: u64, keys: Hash, now: Moment) -> Granted {
        self.go_on(now);
        self.state.redactions.get(&entry).ok_or(Refusal::NoItem)?;
        Ok(self.decide(Person::ROOM, Fact::Redacted { entry, keys }, now))
    }

    /// All that is or was kept.
    pub fn items(&self) -> impl Iterator<Item = (ItemId, &Item)> {
        self.state.keeping.items()
    }

    fn role(&self, who: Person) -> Result<Role, Refusal> {
        self.state.guests.get(&who).map(|guest| guest.role).ok_or(Refusal::NotHere(who))
    }

    /// Something that anybody may still have, of one of these kinds.
    pub(super) fn usable(&self, item: ItemId, kinds: &[Kind]) -> Result<&Item, Refusal> {
        let item = self.exists(item)?;
        if !kinds.contains(&item.kind) {
            return Err(Refusal::AgainstTheRules);
        }
        if item.due { Err(Refusal::Gone) } else { Ok(item) }
    }

    fn exists(&self, item: ItemId) -> Result<&Item, Refusal> {
        let item = self.state.keeping.item(item).ok_or(Refusal::NoItem)?;
        if item.gone { Err(Refusal::Gone) } else { Ok(item) }
    }

    /// Something that is to be deleted now. What was held back meanwhile and is gone all the same is reported too.
    fn owed(&self, item: ItemId) -> Result<(), Refusal> {
        if self.exists(item)?.due { Ok(()) } else { Err(Refusal::NotDue) }
    }
}
