//! One room's policy: requests come in, each with the moment it was made at; entries for the journal and effects leave.
//! What a request is, stands in `people.rs`, `show.rs` and `custody.rs`; here is what all of them go through.

use super::{
    age::Age,
    effect::{Effect, Outbox},
    entry::{Entry, Fact, How},
    journal::{self, Damaged, Fault, Journal},
    ledger::Consent,
    merkle::Tree,
    person::Person,
    policy::{Policy, Rules},
    refusal::Refusal,
    role::Action,
    state::State,
    view::{News, View},
    way::Way,
};
use crate::{
    consent::Purpose,
    speaker::SpeakerId,
    time::{SampleTime, UnixMs},
};
use std::{collections::BTreeMap, ops::Range};

/// When something is asked for: by the room's clock, and by the wall's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moment {
    /// From this sample on it holds.
    pub at: SampleTime,
    /// Wall time.
    pub wall: UnixMs,
}

/// One room: who is in it, what they have agreed to, what is kept of them and for how long.
///
/// Each request either is refused and changes nothing, or becomes an [`Entry`]. The caller appends
/// [`unwritten`](Self::unwritten) to a file, syncs it, says [`written`](Self::written), and carries out what
/// [`poll`](Self::poll) gives. Keys to gates come out of there only when the decisions they rest on are written; after a
/// crash [`replay`](Self::replay) brings back everything but open gates.
///
/// # Real-time
/// Never: it allocates and hashes.
#[derive(Debug)]
pub struct Room {
    pub(super) state: State,
    pub(super) entries: Vec<Entry>,
    age: Age,
    /// The latest sample that something was decided for.
    latest: SampleTime,
    log: Tree,
    unwritten: Vec<u8>,
    written: u64,
    /// Whose gates were given their keys, and up to where.
    gates: BTreeMap<(Way, SpeakerId), (Person, SampleTime)>,
    copied: BTreeMap<SpeakerId, Person>,
    pub(super) outbox: Outbox,
    told: View,
}

impl Room {
    /// A room opens under these rules.
    #[must_use]
    pub fn open(rules: Rules, by: Person, now: Moment) -> Self {
        let mut room = Self::empty(now);
        room.decide(by, Fact::Opened(rules), now);
        room
    }

    fn empty(now: Moment) -> Self {
        Self {
            state: State::default(),
            entries: Vec::new(),
            age: Age::new(now.at, now.wall, 0),
            latest: SampleTime::ZERO,
            log: Tree::default(),
            unwritten: Vec::new(),
            written: 0,
            gates: BTreeMap::new(),
            copied: BTreeMap::new(),
            outbox: Outbox::default(),
            told: View::default(),
        }
    }

    /// A room comes back from its journal: all that was written is known, nobody is in it, every gate is shut and no
    /// recording runs. What was kept for as long as the room is live is due. Says how many bytes at the journal's end
    /// were not written whole; they have to be cut off before anything is appended.
    ///
    /// The room's clock goes on: `now.at` is to lie no earlier than the last entry's sample.
    ///
    /// A "no" shuts its gate at once, but is told as done only when it is written: whoever was not told has to say it
    /// again.
    ///
    /// # Errors
    /// A journal that was changed.
    pub fn replay(bytes: &[u8], now: Moment) -> Result<(Self, usize), Damaged> {
        let Journal { entries, torn_bytes } = Journal::read(bytes)?;
        if !matches!(entries.first(), Some((Entry { fact: Fact::Opened(_), .. }, _))) {
            return Err(Damaged { line: 1, fault: Fault::NotOpened });
        }
        let mut room = Self::empty(now);
        for (entry, leaf) in entries {
            room.state.add(&entry);
            room.log.push(leaf);
            room.age = Age::new(entry.at_sample, entry.wall_ms, entry.age_ms);
            room.latest = room.latest.max(entry.at_sample);
            room.entries.push(entry);
        }
        room.written = room.log.len();
        room.told = room.state.view_of_nobody(now.at);
        room.age.pass(now.at, now.wall);
        if !room.state.ended {
            room.decide(Person::ROOM, Fact::Restarted, now);
        }
        Ok((room, torn_bytes))
    }

    /// Time has come so far: yeses lapse, what is kept too long is due, and what is still to be deleted or redacted is
    /// asked for, each time anew until it is reported. To be called at each step of a timer; what is due is gone at most
    /// one step later than it should be.
    pub fn advance(&mut self, now: Moment) {
        // What is owed from now on is asked for by the entry that says so.
        let owed: Vec<_> = self.state.keeping.owed().map(Effect::Delete).collect();
        let redactions = self.state.redactions.iter();
        let redactions = redactions.map(|(&entry, &(who, span))| Effect::Redact { entry, who, span });
        let entries = self.log.len();
        for effect in redactions.chain(owed) {
            self.outbox.when_written(entries, effect);
        }
        self.go_on(now);
    }

    /// Bytes that are still to be appended to the journal.
    #[must_use]
    pub fn unwritten(&self) -> &[u8] {
        &self.unwritten
    }

    /// The first `bytes` of [`unwritten`](Self::unwritten) are in the journal and will outlast a crash.
    pub fn written(&mut self, bytes: usize) {
        let written = self.unwritten.drain(..bytes.min(self.unwritten.len()));
        self.written += written.filter(|byte| *byte == b'\n').count() as u64;
    }

    /// The next thing to do, in order, until there is none.
    #[must_use = "an effect that is dropped is not carried out"]
    pub fn poll(&mut self) -> Option<Effect> {
        let effect = self.outbox.next(self.written)?;
        if let Effect::Tell(news) = effect {
            self.told.learn(news);
        }
        Some(effect)
    }

    /// What people have been told so far.
    #[must_use]
    pub fn view(&self) -> &View {
        &self.told
    }

    /// All that was decided, in order.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The tree over all entries.
    #[must_use]
    pub fn log(&self) -> &Tree {
        &self.log
    }

    /// Where somebody stands towards a purpose at a sample.
    #[must_use]
    pub fn consent(&self, who: Person, purpose: Purpose, at: SampleTime) -> Consent {
        self.state.ledger.state(who, purpose, at)
    }

    /// The stretches for which somebody has agreed.
    #[must_use]
    pub fn spans(&self, who: Person, purpose: Purpose) -> Vec<Range<SampleTime>> {
        self.state.ledger.spans(who, purpose)
    }

    /// The latest sample that something was decided for, now included.
    pub(super) fn latest(&self, now: Moment) -> SampleTime {
        self.latest.max(now.at)
    }

    /// May `by` do this? Time goes on first, so that what has lapsed is no yes any more.
    pub(super) fn allow(&mut self, by: Person, action: Action, now: Moment) -> Result<(), Refusal> {
        self.go_on(now);
        let guest = self.state.guests.get(&by).filter(|guest| guest.present || !action.is_live());
        let guest = guest.ok_or(Refusal::NotHere(by))?;
        if guest.role.may(action) { Ok(()) } else { Err(Refusal::NotAllowed(guest.role, action)) }
    }

    /// Time passes: what it decides is decided.
    pub(super) fn go_on(&mut self, now: Moment) {
        if self.age.pass(now.at, now.wall) {
            self.decide(Person::ROOM, Fact::ClockSetBack, now);
        }
        for ((of, purpose), at) in self.state.lapsed(now.at, now.wall) {
            let fact =
                Fact::Consent { of, purpose, state: Consent::Expired, how: How::Lapse, until_ms: None };
            self.decide(Person::ROOM, fact, Moment { at, ..now });
        }
        for item in self.state.keeping.over(self.age) {
            self.decide(Person::ROOM, Fact::Due(item), now);
        }
    }

    /// Makes an entry, brings about what follows from it, and asks whoever is to be asked now.
    pub(super) fn decide(&mut self, by: Person, fact: Fact, now: Moment) -> u64 {
        let n = self.enter(by, fact, now);
        for (of, purpose) in self.state.unasked(self.latest) {
            self.put(by, of, purpose, now);
        }
        n
    }

    fn enter(&mut self, by: Person, fact: Fact, now: Moment) -> u64 {
        let n = self.log.len();
        let (at_sample, wall_ms, age_ms) = (now.at, now.wall, self.age.ms());
        let closing = self.state.closing(&fact, at_sample);
        let entry = Entry { n, at_sample, wall_ms, age_ms, by, fact };
        self.write(&entry);
        for effect in self.state.opening(&entry) {
            self.outbox.when_written(n + 1, effect);
        }
        self.settle(at_sample);
        for (effect, news) in closing {
            self.outbox.shut(n + 1, effect, news);
        }
        self.entries.push(entry);
        n
    }

    fn write(&mut self, entry: &Entry) {
        let (line, leaf) = journal::line(entry);
        self.unwritten.extend_from_slice(line.as_bytes());
        self.log.push(leaf);
        self.state.add(entry);
    }

    /// Puts a question, to which nothing that was said before is an answer. Where being told is enough, it is.
    pub(super) fn put(&mut self, by: Person, of: Person, purpose: Purpose, now: Moment) -> u64 {
        let now = Moment { at: self.latest(now), ..now };
        let notice_is_enough = self.state.rules.policy == Policy::OptOutNotice
            && purpose == Purpose::Record
            && self.consent(of, purpose, now.at) == Consent::Unknown;
        let (state, how) = match (self.state.is_minor(of), notice_is_enough) {
            (true, _) => (Consent::GuardianRequired, How::Said),
            (false, true) => (Consent::Given, How::Notice),
            (false, false) => (Consent::Requested, How::Said),
        };
        self.enter(by, Fact::Consent { of, purpose, state, how, until_ms: None }, now)
    }

    /// Opens the gates that are to be open from `at` on, and shuts the others; a recording begins before its gates open and
    /// ends when they are shut. Who is in it is asked of the latest sample that anything was decided for: requests may
    /// overtake each other on their way here.
    fn settle(&mut self, at: SampleTime) {
        self.latest = self.latest.max(at);
        let entries = self.log.len();
        let wanted = self.state.open(self.latest);
        let gates = std::mem::take(&mut self.gates);
        for (&gate, &(who, _)) in &gates {
            if wanted.get(&gate).is_none_or(|(now, _)| *now != who) {
                let (way, speaker) = gate;
                self.outbox.shut(entries, way.close(speaker, at), Some(way.told_out(who, at)));
            }
        }
        for (&gate, (who, span)) in &wanted {
            let had = gates.get(&gate).filter(|(then, _)| then == who).map(|(_, end)| *end);
            self.open_until(gate, *who, had, at.max(span.start)..span.end);
        }
        self.gates = wanted.into_iter().map(|(gate, (who, span))| (gate, (who, span.end))).collect();
        self.settle_copy(at);
    }

    /// Sees to one gate that is to be open for `span`, and was to be until `had` if it was open before.
    fn open_until(
        &mut self,
        (way, speaker): (Way, SpeakerId),
        who: Person,
        had: Option<SampleTime>,
        span: Range<SampleTime>,
    ) {
        let entries = self.log.len();
        if had.is_none() {
            self.outbox.when_written(entries, Effect::Tell(way.told_in(who, span.start)));
        }
        if had.is_none_or(|had| had < span.end)
            && let Some(open) = way.open(&self.state.ledger, who, speaker, span.start)
        {
            self.outbox.when_written(entries, open);
        }
        if had != Some(span.end) && span.end.samples() != u64::MAX {
            self.outbox.shut(entries, way.close(speaker, span.end), None);
        }
    }

    fn settle_copy(&mut self, at: SampleTime) {
        let entries = self.log.len();
        let wanted: BTreeMap<_, _> = self.state.copied().collect();
        let copied = std::mem::take(&mut self.copied);
        for (speaker, who) in copied.iter().filter(|(speaker, who)| wanted.get(speaker) != Some(who)) {
            self.outbox.shut(entries, Effect::CloseCopy(*speaker, at), Some(News::CopyOut(*who, at)));
        }
        let rule = self.state.rules.copy;
        for (speaker, who) in wanted.iter().filter(|(speaker, who)| copied.get(speaker) != Some(who)) {
            self.outbox.when_written(entries, Effect::Tell(News::CopyIn(*who, at)));
            let proof = rule.map(|rule| Effect::OpenCopy(rule.proof(*speaker, at)));
            proof.into_iter().for_each(|effect| self.outbox.when_written(entries, effect));
        }
        self.copied = wanted;
    }
}
