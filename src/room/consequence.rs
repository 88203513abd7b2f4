//! What an entry brings about by itself: everything but voices' gates, which follow from the whole state.

use super::{
    effect::Effect,
    entry::{Entry, Fact, ItemId, Span},
    keeping::Kind,
    ledger::Consent,
    person::Person,
    role::Role,
    state::State,
    view::{News, View},
};
use crate::{
    consent::Purpose,
    time::{SampleTime, UnixMs},
};

impl State {
    /// What follows once an entry, which has just been added, is written; before gates open.
    pub(super) fn opening(&self, entry: &Entry) -> Vec<Effect> {
        let (id, at, by) = (ItemId(entry.n), entry.at_sample, entry.by);
        match &entry.fact {
            Fact::Opened(_) => self.start_copy(at).collect(),
            Fact::Restarted => self.start_copy(at).chain(self.deletions()).collect(),
            Fact::Joined { .. } => self.told_of_a_minor(by, at).collect(),
            Fact::Consent { of, purpose, state, .. } => vec![tell(News::Consent(*of, *purpose, *state))],
            Fact::RecordingStarted => {
                vec![tell(News::RecordingStarted(at)), Effect::StartRecording(id, at)]
            }
            Fact::TranscriptStarted => vec![Effect::StartTranscript(id, at)],
            Fact::RecordingResumed => vec![tell(News::RecordingResumed(at)), Effect::ResumeRecording(at)],
            Fact::Clipped { parent, span, voices, .. } => {
                let (parent, span, voices) = (*parent, *span, voices.clone());
                vec![Effect::Cut { item: id, parent, span, voices }, tell(News::Clipped(id))]
            }
            Fact::Taken { item, own, without } => {
                let only = self.part(*item, by, *own, without);
                vec![Effect::HandOver { item: *item, to: by, only }]
            }
            Fact::Published(item) => vec![Effect::Publish(*item), tell(News::Published(*item))],
            Fact::Revoked(span) => {
                let redact = Effect::Redact { entry: entry.n, who: by, span: *span };
                [redact].into_iter().chain(self.standing_of(by, at)).chain(self.deletions()).collect()
            }
            Fact::Due(item) | Fact::Released(item) => {
                self.keeping.owed().filter(|owed| owed == item).map(Effect::Delete).collect()
            }
            Fact::Ended => self.deletions().collect(),
            _ => Vec::new(),
        }
    }

    /// What a fact, which is about to be added, shuts; after the gates that it shuts.
    pub(super) fn closing(&self, fact: &Fact, at: SampleTime) -> Vec<(Effect, Option<News>)> {
        let stop = self
            .running
            .map(|running| (Effect::StopRecording(running.item, at), Some(News::RecordingStopped(at))));
        let written = self.transcript.map(|item| (Effect::StopTranscript(item, at), None));
        match fact {
            Fact::TranscriptStopped => written.into_iter().collect(),
            Fact::RecordingPaused => vec![(Effect::PauseRecording(at), Some(News::RecordingPaused(at)))],
            Fact::RecordingStopped => stop.into_iter().collect(),
            Fact::Ended => {
                let copy = self.copy.map(|copy| (Effect::StopCopy(copy, at), None));
                stop.into_iter().chain(written).chain(copy).collect()
            }
            _ => Vec::new(),
        }
    }

    fn start_copy(&self, at: SampleTime) -> impl Iterator<Item = Effect> + use<> {
        self.copy.map(|copy| Effect::StartCopy(copy, at)).into_iter()
    }

    fn deletions(&self) -> impl Iterator<Item = Effect> + '_ {
        self.keeping.owed().map(Effect::Delete)
    }

    fn told_of_a_minor(&self, who: Person, at: SampleTime) -> impl Iterator<Item = Effect> + '_ {
        let minor = self.is_minor(who);
        self.standing_of(who, at).filter(move |_| minor)
    }

    fn standing_of(&self, who: Person, at: SampleTime) -> impl Iterator<Item = Effect> + '_ {
        let standing = move |purpose| (purpose, self.ledger.state(who, purpose, at));
        let said = Purpose::ALL.map(standing).into_iter().filter(|(_, state)| *state != Consent::Unknown);
        said.map(move |(purpose, state)| tell(News::Consent(who, purpose, state)))
    }

    /// What may be handed over of an item: everything if this is none.
    fn part(
        &self,
        id: ItemId,
        to: Person,
        own: bool,
        without: &[Person],
    ) -> Option<Vec<(Person, Vec<Span>)>> {
        let item = self.keeping.item(id)?;
        if own {
            let all = Span { from_sample: SampleTime::ZERO, to_sample: SampleTime::from_samples(u64::MAX) };
            return Some(vec![(to, vec![all])]);
        }
        let reviews = self.guests.get(&to).is_some_and(|guest| guest.role == Role::Moderator);
        if item.kind != Kind::Copy || reviews {
            return None;
        }
        let agreed = |who: &Person| {
            let spans = self.ledger.spans(*who, Purpose::Record).into_iter();
            (*who, spans.map(|span| Span { from_sample: span.start, to_sample: span.end }).collect())
        };
        Some(self.spoke.iter().filter(|who| !without.contains(who)).map(agreed).collect())
    }

    /// Which yeses have lapsed, and from which sample on.
    pub(super) fn lapsed(&self, at: SampleTime, wall: UnixMs) -> Vec<((Person, Purpose), SampleTime)> {
        let over = self.lapses.iter().filter(|(_, lapse)| lapse.at <= at || lapse.wall <= wall);
        over.map(|(whose, lapse)| (*whose, lapse.at.min(at))).collect()
    }

    /// What is to be seen when nobody is in the room yet.
    pub(super) fn view_of_nobody(&self, at: SampleTime) -> View {
        let standing = self.guests.keys().flat_map(|who| Purpose::ALL.map(|purpose| (*who, purpose)));
        let standing = standing.map(|(who, purpose)| ((who, purpose), self.ledger.state(who, purpose, at)));
        View {
            standing: standing.filter(|(_, state)| *state != Consent::Unknown).collect(),
            ..View::default()
        }
    }
}

fn tell(news: News) -> Effect {
    Effect::Tell(news)
}
