//! Where a room stands: the sum of its entries. Entries come in, one after another; the same entries make the same state,
//! whoever adds them up.

use super::{
    entry::{Entry, Fact, ItemId, Span},
    keeping::{Keeping, Kind},
    ledger::{Consent, Ledger},
    person::Person,
    policy::{Retention, Rules},
    role::Role,
    way::Way,
};
use crate::{
    consent::Purpose,
    speaker::SpeakerId,
    time::{SampleTime, Samples, UnixMs},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

/// Somebody who is or was here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Guest {
    pub(super) role: Role,
    pub(super) speaker: Option<SpeakerId>,
    pub(super) present: bool,
    pub(super) minor: bool,
}

/// A recording that runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Running {
    pub(super) item: ItemId,
    pub(super) paused: bool,
}

/// When a yes ends: by the room's clock, and by the wall's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lapse {
    pub(super) at: SampleTime,
    pub(super) wall: UnixMs,
}

/// A clip that was granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Bite {
    pub(super) parent: ItemId,
    pub(super) span: Span,
    pub(super) voices: Vec<Person>,
}

/// The sum of a room's entries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct State {
    pub(super) rules: Rules,
    pub(super) ended: bool,
    pub(super) guests: BTreeMap<Person, Guest>,
    pub(super) ledger: Ledger,
    pub(super) lapses: BTreeMap<(Person, Purpose), Lapse>,
    pub(super) running: Option<Running>,
    /// What is being written down.
    pub(super) transcript: Option<ItemId>,
    /// From where to where each recording went.
    pub(super) recordings: BTreeMap<ItemId, Span>,
    pub(super) copy: Option<ItemId>,
    /// Who spoke while there was a copy.
    pub(super) spoke: BTreeSet<Person>,
    pub(super) clips: BTreeMap<ItemId, Bite>,
    pub(super) keeping: Keeping,
    /// Voices that are still to leave something.
    pub(super) redactions: BTreeMap<u64, (Person, Span)>,
    /// The room's age at the last entry.
    pub(super) age_ms: u64,
}

const OPEN_END: SampleTime = SampleTime::from_samples(u64::MAX);

impl State {
    /// One entry more. Whatever it says, this is harmless: what makes no sense changes nothing.
    pub(super) fn add(&mut self, entry: &Entry) {
        let (id, at, by) = (ItemId(entry.n), entry.at_sample, entry.by);
        match &entry.fact {
            Fact::Opened(rules) => {
                self.rules = rules.clone();
                self.begin_copy(id);
            }
            Fact::Restarted => {
                self.interrupt(at);
                self.begin_copy(id);
            }
            Fact::Joined { role, speaker, minor } => self.join(by, *role, *speaker, *minor, at),
            Fact::Left => self.seat(by, |guest| (guest.present, guest.speaker) = (false, None)),
            Fact::Appointed { who, role, speaker } => {
                self.seat(*who, |guest| (guest.role, guest.speaker) = (*role, *speaker));
            }
            Fact::Consent { of, purpose, state, how: _, until_ms } => {
                self.stand(*of, *purpose, *state, entry, *until_ms);
            }
            Fact::RecordingStarted => self.start(id, at),
            Fact::RecordingPaused => self.pause(true),
            Fact::RecordingResumed => self.pause(false),
            Fact::RecordingStopped => self.stop(at, entry.age_ms),
            Fact::TranscriptStarted => self.write_down(id),
            Fact::TranscriptStopped => self.stop_writing(entry.age_ms),
            Fact::Reported => self.keeping.report(),
            Fact::Clipped { parent, span, voices, .. } => {
                let bite = Bite { parent: *parent, span: *span, voices: voices.clone() };
                self.clips.insert(id, bite);
                let days = self.rules.clips.unwrap_or_default().days;
                self.keeping.begin(id, Kind::Clip, Retention::Clip { days }, Some(entry.age_ms));
            }
            Fact::Revoked(span) => self.revoke(entry.n, by, *span),
            Fact::Redacted { entry, .. } => drop(self.redactions.remove(entry)),
            Fact::Ended => self.end(at, entry.age_ms),
            Fact::Appealed(item) => self.keeping.change(*item, |item| item.appealed = true),
            Fact::Held(item) => self.keeping.change(*item, |item| item.held = true),
            Fact::Released(item) => self.keeping.change(*item, |item| item.held = false),
            Fact::Due(item) => self.keeping.change(*item, |item| item.due = true),
            Fact::Deleted { item, .. } => self.keeping.change(*item, |item| item.gone = true),
            Fact::Kept(..)
            | Fact::Taken { .. }
            | Fact::Published(_)
            | Fact::DeletionFailed(_)
            | Fact::ClockSetBack => {}
        }
        self.age_ms = entry.age_ms;
        let copied: Vec<_> = self.copied().map(|(_, who)| who).collect();
        self.spoke.extend(copied);
    }

    fn begin_copy(&mut self, id: ItemId) {
        if let Some(copy) = self.rules.copy.filter(|_| !self.ended) {
            self.copy = Some(id);
            self.keeping.begin(id, Kind::Copy, copy.retention, None);
        }
    }

    /// A crash: nobody knows how far what was being kept went; its time runs from the last that is known.
    fn interrupt(&mut self, at: SampleTime) {
        let known = self.age_ms;
        self.stop(at, known);
        self.stop_writing(known);
        self.guests.values_mut().for_each(|guest| (guest.present, guest.speaker) = (false, None));
        self.end_copy(known);
        self.keeping.end_of_live();
    }

    fn end_copy(&mut self, age_ms: u64) {
        if let Some(copy) = self.copy.take() {
            self.keeping.finish(copy, age_ms);
        }
    }

    fn end(&mut self, at: SampleTime, age_ms: u64) {
        self.stop(at, age_ms);
        self.stop_writing(age_ms);
        self.end_copy(age_ms);
        self.keeping.end_of_live();
        self.ended = true;
    }

    fn join(&mut self, who: Person, role: Role, speaker: Option<SpeakerId>, minor: bool, at: SampleTime) {
        // Whoever was once known as a minor is one until the room is over.
        let minor = minor || self.guests.get(&who).is_some_and(|guest| guest.minor);
        self.guests.insert(who, Guest { role, speaker, present: true, minor });
        for purpose in Purpose::ALL.into_iter().filter(|_| minor) {
            if self.ledger.state(who, purpose, at) == Consent::Unknown {
                self.ledger.enter(who, purpose, at, Consent::GuardianRequired);
            }
        }
    }

    fn seat(&mut self, who: Person, change: impl FnOnce(&mut Guest)) {
        if let Some(guest) = self.guests.get_mut(&who) {
            change(guest);
        }
    }

    fn stand(
        &mut self,
        of: Person,
        purpose: Purpose,
        consent: Consent,
        entry: &Entry,
        until: Option<UnixMs>,
    ) {
        self.ledger.enter(of, purpose, entry.at_sample, consent);
        self.lapses.remove(&(of, purpose));
        if let Some(wall) = until.filter(|_| consent.opens()) {
            let left = Samples::from_long_ms(wall.ms_since(entry.wall_ms));
            let at = entry.at_sample + left;
            self.ledger.enter(of, purpose, at, Consent::Expired);
            self.lapses.insert((of, purpose), Lapse { at, wall });
        }
    }

    fn start(&mut self, id: ItemId, at: SampleTime) {
        if self.running.is_none() {
            self.running = Some(Running { item: id, paused: false });
            self.recordings.insert(id, Span { from_sample: at, to_sample: OPEN_END });
            self.keeping.begin(id, Kind::Recording, self.rules.recording, None);
        }
    }

    fn pause(&mut self, paused: bool) {
        if let Some(running) = &mut self.running {
            running.paused = paused;
        }
    }

    fn stop(&mut self, at: SampleTime, age_ms: u64) {
        let Some(running) = self.running.take() else { return };
        if let Some(span) = self.recordings.get_mut(&running.item) {
            span.to_sample = at;
        }
        self.keeping.finish(running.item, age_ms);
    }

    fn write_down(&mut self, id: ItemId) {
        if self.transcript.is_none() {
            self.transcript = Some(id);
            self.keeping.begin(id, Kind::Transcript, self.rules.recording, None);
        }
    }

    fn stop_writing(&mut self, age_ms: u64) {
        if let Some(transcript) = self.transcript.take() {
            self.keeping.finish(transcript, age_ms);
        }
    }

    /// A voice leaves a stretch of everything: what was cut out of it goes, the rest is made anew without it.
    fn revoke(&mut self, n: u64, who: Person, span: Span) {
        self.ledger.revoke(who, &span.range());
        self.redactions.insert(n, (who, span));
        let hit = |bite: &Bite| bite.voices.contains(&who) && bite.span.overlaps(span);
        for (item, _) in self.clips.iter().filter(|(_, bite)| hit(bite)) {
            self.keeping.change(*item, |item| item.due = true);
        }
    }

    /// Which gates are to be open at a sample, whose they are, and for which stretch around it.
    pub(super) fn open(&self, at: SampleTime) -> BTreeMap<(Way, SpeakerId), (Person, Range<SampleTime>)> {
        let agreed = |way: Way| {
            move |(speaker, who)| Some(((way, speaker), (who, self.ledger.span_at(who, way.purpose(), at)?)))
        };
        let ways = Way::ALL.into_iter().filter(|way| self.leads(*way));
        ways.flat_map(|way| self.lanes().filter_map(agreed(way))).collect()
    }

    /// Is anything kept on this way?
    fn leads(&self, way: Way) -> bool {
        match way {
            Way::Recording => self.running.is_some(),
            Way::Transcript => self.transcript.is_some(),
        }
    }

    /// Whose gate is to be open in the copy for moderators.
    pub(super) fn copied(&self) -> impl Iterator<Item = (SpeakerId, Person)> + '_ {
        self.copy.iter().flat_map(|_| self.lanes())
    }

    /// Who speaks, and by which lane.
    pub(super) fn lanes(&self) -> impl Iterator<Item = (SpeakerId, Person)> + '_ {
        let here = self.guests.iter().filter(|(_, guest)| guest.present);
        here.filter_map(|(who, guest)| guest.speaker.map(|speaker| (speaker, *who)))
    }

    /// What is to be asked of whoever speaks, now that it would be recorded or written down: what was never asked.
    pub(super) fn unasked(&self, at: SampleTime) -> Vec<(Person, Purpose)> {
        let asks = self.running.iter().flat_map(|_| self.rules.asks.iter().copied());
        let asks: Vec<_> = asks.chain(self.transcript.map(|_| Purpose::Transcribe)).collect();
        let questions = self.lanes().flat_map(|(_, who)| asks.iter().map(move |purpose| (who, *purpose)));
        questions.filter(|(who, purpose)| self.ledger.state(*who, *purpose, at) == Consent::Unknown).collect()
    }

    pub(super) fn is_minor(&self, who: Person) -> bool {
        self.guests.get(&who).is_some_and(|guest| guest.minor)
    }
}
