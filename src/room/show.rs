//! What hosts and listeners ask for: recording, sound bites, publishing, the end.

use super::{
    clip::ClipRequest,
    entry::{Fact, ItemId},
    keeping::Kind,
    people::Granted,
    person::Person,
    policy::Policy,
    refusal::Refusal,
    role::Action,
    room::{Moment, Room},
};
use crate::consent::Purpose;

impl Room {
    /// A recording begins. Whoever speaks and was never asked is asked; each voice is in it from its own yes on.
    ///
    /// # Errors
    /// Not allowed, one is running already, or the rules have none.
    pub fn record(&mut self, by: Person, now: Moment) -> Result<ItemId, Refusal> {
        self.allow(by, Action::Record, now)?;
        self.is_open()?;
        if self.state.rules.policy == Policy::Ephemeral {
            return Err(Refusal::AgainstTheRules);
        }
        if self.state.running.is_some() {
            return Err(Refusal::Recording);
        }
        Ok(ItemId(self.decide(by, Fact::RecordingStarted, now)))
    }

    /// It keeps nothing from here on.
    ///
    /// # Errors
    /// Not allowed, or nothing is being kept.
    pub fn pause(&mut self, by: Person, now: Moment) -> Granted {
        self.run(by, Action::Record, Some(false), Fact::RecordingPaused, now)
    }

    /// It keeps again.
    ///
    /// # Errors
    /// Not allowed, or none is paused.
    pub fn resume(&mut self, by: Person, now: Moment) -> Granted {
        self.run(by, Action::Record, Some(true), Fact::RecordingResumed, now)
    }

    /// It ends.
    ///
    /// # Errors
    /// Not allowed, or none is running.
    pub fn stop(&mut self, by: Person, now: Moment) -> Granted {
        self.run(by, Action::Stop, None, Fact::RecordingStopped, now)
    }

    /// What is said begins to be written down. Whoever speaks and was never asked is asked; of each voice it is what it says
    /// from its own yes on.
    ///
    /// # Errors
    /// Not allowed, it is being done already, or the rules keep nothing.
    pub fn transcribe(&mut self, by: Person, now: Moment) -> Result<ItemId, Refusal> {
        self.allow(by, Action::Transcribe, now)?;
        self.is_open()?;
        if self.state.rules.policy == Policy::Ephemeral {
            return Err(Refusal::AgainstTheRules);
        }
        if self.state.transcript.is_some() {
            return Err(Refusal::Recording);
        }
        Ok(ItemId(self.decide(by, Fact::TranscriptStarted, now)))
    }

    /// It is written down no more.
    ///
    /// # Errors
    /// Not allowed, or it is not being done.
    pub fn stop_transcript(&mut self, by: Person, now: Moment) -> Granted {
        self.allow(by, Action::Transcribe, now)?;
        match self.state.transcript {
            Some(_) => Ok(self.decide(by, Fact::TranscriptStopped, now)),
            None => Err(Refusal::NotRecording),
        }
    }

    /// Does something to a recording that runs, if it is paused or not as it must be.
    fn run(&mut self, by: Person, action: Action, paused: Option<bool>, fact: Fact, now: Moment) -> Granted {
        self.allow(by, action, now)?;
        match self.state.running {
            Some(running) if paused.is_none_or(|paused| paused == running.paused) => {
                Ok(self.decide(by, fact, now))
            }
            _ => Err(Refusal::NotRecording),
        }
    }

    /// Anybody in the audience asks for a sound bite. It is granted if everybody audible in it has agreed to be recorded
    /// and to be clipped for the whole of it; without the others' voices, if the rules say so. Who is audible is the
    /// server's word, which knows the tracks.
    ///
    /// # Errors
    /// Not allowed, no such recording, too long, not over yet, or consents are missing, all of which are named.
    pub fn clip(&mut self, by: Person, request: &ClipRequest, now: Moment) -> Result<ItemId, Refusal> {
        self.allow(by, Action::Clip, now)?;
        let rules = self.state.rules.clips.ok_or(Refusal::AgainstTheRules)?;
        self.usable(request.parent, &[Kind::Recording])?;
        let recorded = self.state.recordings.get(&request.parent).ok_or(Refusal::NoItem)?;
        request.fits(&rules, *recorded, now.at)?;
        let (voices, without) = request.agreed(&rules, &self.state.ledger)?;
        let fact = Fact::Clipped { parent: request.parent, span: request.span, voices, without };
        Ok(ItemId(self.decide(by, fact, now)))
    }

    /// A recording or a clip is given to the public: by the host, and by everybody audible in it.
    ///
    /// # Errors
    /// Not allowed, still running, gone, a copy for moderators, or consents are missing, all of which are named.
    pub fn publish(&mut self, by: Person, item: ItemId, audible: &[Person], now: Moment) -> Granted {
        self.allow(by, Action::Publish, now)?;
        self.usable(item, &[Kind::Recording, Kind::Clip])?;
        if self.state.running.is_some_and(|running| running.item == item) {
            return Err(Refusal::Recording);
        }
        let publish = Purpose::Publish;
        let agrees = |who: &Person| self.consent(*who, publish, now.at).opens();
        let missing: Vec<_> = audible.iter().filter(|who| !agrees(who)).map(|who| (*who, publish)).collect();
        if !missing.is_empty() {
            return Err(Refusal::Missing(missing));
        }
        Ok(self.decide(by, Fact::Published(item), now))
    }

    /// The room is over. What was kept for as long as it is live is due.
    ///
    /// # Errors
    /// Not allowed, or it is over already.
    pub fn end(&mut self, by: Person, now: Moment) -> Granted {
        self.allow(by, Action::End, now)?;
        self.is_open()?;
        Ok(self.decide(by, Fact::Ended, now))
    }
}
