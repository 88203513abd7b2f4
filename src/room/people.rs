//! Who is here, and what they say about themselves.

use super::{
    entry::{Fact, How, Span},
    ledger::Consent,
    person::Person,
    refusal::Refusal,
    role::{Action, Role},
    room::{Moment, Room},
};
use crate::{consent::Purpose, speaker::SpeakerId, time::UnixMs};

/// A request's answer: the number of the entry that was made.
pub(super) type Granted = Result<u64, Refusal>;

impl Room {
    /// Somebody comes in. Consent that was given before holds on, by the new lane; a minor agrees through a guardian only.
    ///
    /// # Errors
    /// The lane is taken, or the room is over.
    pub fn join(
        &mut self,
        who: Person,
        role: Role,
        speaker: Option<SpeakerId>,
        minor: bool,
        now: Moment,
    ) -> Granted {
        self.go_on(now);
        self.is_open()?;
        self.is_free(speaker, who)?;
        Ok(self.decide(who, Fact::Joined { role, speaker, minor }, now))
    }

    /// Somebody goes; its gates shut.
    ///
    /// # Errors
    /// Was never here.
    pub fn leave(&mut self, who: Person, now: Moment) -> Granted {
        self.allow(who, Action::Decide, now)?;
        Ok(self.decide(who, Fact::Left, now))
    }

    /// The host gives somebody who is here another role: a listener who is asked up gets a lane, one who steps down gives it
    /// back.
    ///
    /// # Errors
    /// Not the host's doing, not here, or the lane is taken.
    pub fn appoint(
        &mut self,
        by: Person,
        who: Person,
        role: Role,
        speaker: Option<SpeakerId>,
        now: Moment,
    ) -> Granted {
        self.allow(by, Action::Appoint, now)?;
        self.is_here(who)?;
        self.is_free(speaker, who)?;
        Ok(self.decide(by, Fact::Appointed { who, role, speaker }, now))
    }

    /// Somebody is asked. In a room where being told is enough, a first question about recording counts as a yes at once.
    ///
    /// # Errors
    /// Not the host's or a co-host's doing, not here, or has said yes already.
    pub fn ask(&mut self, by: Person, of: Person, purpose: Purpose, now: Moment) -> Granted {
        self.allow(by, Action::Ask, now)?;
        self.is_here(of)?;
        match self.consent(of, purpose, self.latest(now)) {
            Consent::Given => Err(Refusal::Answered),
            _ => Ok(self.put(by, of, purpose, now)),
        }
    }

    /// Somebody agrees, for good or until a moment of wall time.
    ///
    /// # Errors
    /// Was never here, or needs a guardian.
    pub fn agree(&mut self, who: Person, purpose: Purpose, until: Option<UnixMs>, now: Moment) -> Granted {
        self.allow(who, Action::Decide, now)?;
        if self.state.is_minor(who) {
            return Err(Refusal::GuardianNeeded);
        }
        let (state, how) = (Consent::Given, How::Said);
        Ok(self.decide(who, Fact::Consent { of: who, purpose, state, how, until_ms: until }, now))
    }

    /// Somebody who is here and of age says yes for a minor.
    ///
    /// # Errors
    /// One of them is not here or not what it should be.
    pub fn agree_for(&mut self, guardian: Person, of: Person, purpose: Purpose, now: Moment) -> Granted {
        self.allow(guardian, Action::DecideForWard, now)?;
        self.is_here(of)?;
        if guardian == of || self.state.is_minor(guardian) || !self.state.is_minor(of) {
            return Err(Refusal::NoGuardian);
        }
        let (state, how) = (Consent::Given, How::Guardian);
        Ok(self.decide(guardian, Fact::Consent { of, purpose, state, how, until_ms: None }, now))
    }

    /// Somebody says no, or no more: as easy as yes, a minor can do it too. `now.at` is the first sample that may not be used.
    ///
    /// # Errors
    /// Was never here.
    pub fn decline(&mut self, who: Person, purpose: Purpose, now: Moment) -> Granted {
        self.allow(who, Action::Decide, now)?;
        let state = self.state.ledger.without(who, purpose, now.at);
        let (of, how, until_ms) = (who, How::Said, None);
        Ok(self.decide(who, Fact::Consent { of, purpose, state, how, until_ms }, now))
    }

    /// Somebody takes its voice out of what was kept already, for a stretch of the past or for all of it, while the room is
    /// live or after it. Clips with that voice in that stretch go; a copy for moderators does not stand on consent and stays. What is kept from now on is another question:
    /// [`decline`](Self::decline).
    ///
    /// # Errors
    /// Was never here, or a stretch that holds nothing of the past.
    pub fn revoke(&mut self, who: Person, span: Span, now: Moment) -> Granted {
        self.allow(who, Action::Decide, now)?;
        let past = Span { to_sample: span.to_sample.min(now.at), ..span };
        if past.is_empty() {
            return Err(Refusal::Outside);
        }
        Ok(self.decide(who, Fact::Revoked(past), now))
    }

    pub(super) fn is_here(&self, who: Person) -> Result<(), Refusal> {
        self.state.guests.get(&who).map(|_| ()).ok_or(Refusal::NotHere(who))
    }

    pub(super) fn is_open(&self) -> Result<(), Refusal> {
        if self.state.ended { Err(Refusal::Ended) } else { Ok(()) }
    }

    fn is_free(&self, speaker: Option<SpeakerId>, who: Person) -> Result<(), Refusal> {
        let theirs = self.state.lanes().find(|(lane, other)| Some(*lane) == speaker && *other != who);
        theirs.map_or(Ok(()), |(_, other)| Err(Refusal::LaneTaken(other)))
    }
}
