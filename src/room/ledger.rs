//! Consent as step functions of the room clock, one for each person and purpose. The only maker of [`Recordable`]
//! and [`Transcribable`] proofs.

use super::person::Person;
use crate::{
    consent::{Purpose, Recordable, Transcribable},
    speaker::SpeakerId,
    time::SampleTime,
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, ops::Range};

/// Where somebody stands towards one purpose. Only [`Given`](Self::Given) opens anything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Consent {
    /// Nothing was asked or said.
    #[default]
    Unknown,
    /// Asked, not yet answered.
    Requested,
    /// Yes.
    Given,
    /// No.
    Refused,
    /// Yes before, no from now on.
    Withdrawn,
    /// Yes for a time that is over.
    Expired,
    /// A minor's, and no guardian has said yes.
    GuardianRequired,
}

impl Consent {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Unknown,
        Self::Requested,
        Self::Given,
        Self::Refused,
        Self::Withdrawn,
        Self::Expired,
        Self::GuardianRequired,
    ];

    /// May the voice be used?
    #[must_use]
    pub fn opens(self) -> bool {
        self == Self::Given
    }
}

/// Who agreed to what from when to when. It lies in memory alone: whoever needs a proof that outlives a crash asks a
/// room.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    steps: BTreeMap<(Person, Purpose), BTreeMap<SampleTime, Consent>>,
}

impl Ledger {
    /// Nobody has said anything.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// `who` stands so towards a purpose from `at` on. The newest word counts: what was said for later samples before is
    /// void.
    ///
    /// # Real-time
    /// Allocates.
    pub fn enter(&mut self, who: Person, purpose: Purpose, at: SampleTime, consent: Consent) {
        let steps = self.steps.entry((who, purpose)).or_default();
        steps.split_off(&at);
        steps.insert(at, consent);
    }

    /// `who` no longer agrees: `at` is the first sample that may not be used. Somebody who had not agreed at that moment
    /// refuses.
    ///
    /// # Real-time
    /// Allocates.
    pub fn withdraw(&mut self, who: Person, purpose: Purpose, at: SampleTime) {
        let consent = self.without(who, purpose, at);
        self.enter(who, purpose, at, consent);
    }

    /// What a "no" makes of where somebody stands.
    pub(super) fn without(&self, who: Person, purpose: Purpose, at: SampleTime) -> Consent {
        match self.state(who, purpose, at) {
            Consent::Given | Consent::Withdrawn => Consent::Withdrawn,
            _ => Consent::Refused,
        }
    }

    /// Where somebody stands at one sample.
    #[must_use]
    pub fn state(&self, who: Person, purpose: Purpose, at: SampleTime) -> Consent {
        let last = self.steps.get(&(who, purpose)).and_then(|steps| steps.range(..=at).next_back());
        last.map_or(Consent::Unknown, |(_, consent)| *consent)
    }

    /// The stretches for which somebody has agreed, in order; the last may end with the clock.
    #[must_use]
    pub fn spans(&self, who: Person, purpose: Purpose) -> Vec<Range<SampleTime>> {
        let mut spans = Vec::<Range<SampleTime>>::new();
        let mut open = None;
        for (&at, consent) in self.steps.get(&(who, purpose)).into_iter().flatten() {
            match (open, consent.opens()) {
                (None, true) => open = Some(at),
                (Some(from), false) => {
                    spans.push(from..at);
                    open = None;
                }
                _ => {}
            }
        }
        spans.extend(open.map(|from| from..SampleTime::from_samples(u64::MAX)));
        spans
    }

    /// The stretch around `at` for which somebody has agreed.
    #[must_use]
    pub fn span_at(&self, who: Person, purpose: Purpose, at: SampleTime) -> Option<Range<SampleTime>> {
        self.state(who, purpose, at).opens().then_some(())?;
        self.spans(who, purpose).into_iter().find(|span| span.contains(&at))
    }

    /// Afterwards: for this stretch `who` has agreed to nothing. What holds before and behind it stays as it was.
    ///
    /// # Real-time
    /// Allocates.
    pub fn revoke(&mut self, who: Person, span: &Range<SampleTime>) {
        for purpose in Purpose::ALL.into_iter().filter(|_| !span.is_empty()) {
            let [within, behind] = [span.start, span.end].map(|at| self.state(who, purpose, at));
            let Some(steps) = self.steps.get_mut(&(who, purpose)) else { continue };
            steps.insert(span.start, within);
            steps.insert(span.end, behind);
            for (_, consent) in steps.range_mut(span.clone()).filter(|(_, consent)| consent.opens()) {
                *consent = Consent::Withdrawn;
            }
        }
    }

    /// Has somebody agreed for the whole of a stretch? For nothing at all everybody has.
    #[must_use]
    pub fn agreed_throughout(&self, who: Person, purpose: Purpose, span: &Range<SampleTime>) -> bool {
        let holds = |given: &Range<SampleTime>| given.start <= span.start && span.end <= given.end;
        span.is_empty() || self.spans(who, purpose).iter().any(holds)
    }

    /// The key to the gate of the lane that `who` speaks by, if `who` agrees at `at` to be recorded. It opens one gate
    /// once; a speaker who comes back needs another.
    #[must_use = "the proof is what opens the gate"]
    pub fn proof(&self, who: Person, speaker: SpeakerId, at: SampleTime) -> Option<Recordable> {
        self.state(who, Purpose::Record, at).opens().then(|| Recordable::agreed(speaker, at))
    }

    /// As [`Self::proof`], if `who` agrees to be written down.
    #[must_use = "the proof is what opens the gate"]
    pub fn transcription(&self, who: Person, speaker: SpeakerId, at: SampleTime) -> Option<Transcribable> {
        self.state(who, Purpose::Transcribe, at).opens().then(|| Transcribable::agreed(speaker, at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Consent::{Expired, Given, Refused, Requested, Unknown, Withdrawn};
    use Purpose::{Clip, Record};
    use proptest::prelude::*;

    fn mara() -> Person {
        Person::of(b"", "mara")
    }

    fn at(samples: u64) -> SampleTime {
        SampleTime::from_samples(samples)
    }

    #[test]
    fn consent_changes_at_exactly_its_sample() {
        let mut ledger = Ledger::new();
        ledger.enter(mara(), Record, at(50), Requested);
        ledger.enter(mara(), Record, at(100), Given);
        let proof = ledger.proof(mara(), SpeakerId(3), at(100)).unwrap();
        ledger.withdraw(mara(), Record, at(200));
        assert_eq!((proof.speaker(), proof.from()), (SpeakerId(3), at(100)));
        let states = [0, 99, 100, 199, 200, 9_999].map(|sample| ledger.state(mara(), Record, at(sample)));
        assert_eq!(states, [Unknown, Requested, Given, Given, Withdrawn, Withdrawn]);
        assert_eq!(ledger.state(Person::of(b"", "george"), Record, at(150)), Unknown);
    }

    #[test]
    fn nothing_but_a_yes_makes_a_proof() {
        for consent in Consent::ALL {
            let mut ledger = Ledger::new();
            ledger.enter(mara(), Record, at(0), consent);
            assert_eq!(ledger.proof(mara(), SpeakerId(0), at(5)).is_some(), consent == Given, "{consent:?}");
        }
        assert_eq!(Ledger::new().proof(mara(), SpeakerId(0), at(5)), None);
    }

    #[test]
    fn a_yes_to_one_purpose_is_no_yes_to_another() {
        let mut ledger = Ledger::new();
        for purpose in Purpose::ALL.into_iter().filter(|purpose| *purpose != Record) {
            ledger.enter(mara(), purpose, at(0), Given);
        }
        assert_eq!(ledger.proof(mara(), SpeakerId(0), at(5)), None);
        assert!(ledger.agreed_throughout(mara(), Clip, &(at(0)..at(5))));
    }

    #[test]
    fn only_what_was_given_can_be_withdrawn() {
        let mut ledger = Ledger::new();
        ledger.withdraw(mara(), Record, at(5));
        assert_eq!(ledger.state(mara(), Record, at(5)), Refused);
    }

    #[test]
    fn a_no_for_an_earlier_sample_voids_a_later_yes() {
        let mut ledger = Ledger::new();
        ledger.enter(mara(), Record, at(100), Given);
        ledger.enter(mara(), Record, at(50), Refused);
        assert_eq!(ledger.state(mara(), Record, at(1_000)), Refused);
    }

    #[test]
    fn spans_are_where_it_was_given() {
        let mut ledger = Ledger::new();
        for (sample, consent) in
            [(10, Given), (20, Withdrawn), (30, Given), (35, Given), (40, Expired), (50, Given)]
        {
            ledger.enter(mara(), Clip, at(sample), consent);
        }
        let spans = [at(10)..at(20), at(30)..at(40), at(50)..at(u64::MAX)];
        assert_eq!(ledger.spans(mara(), Clip), spans);
        assert!(ledger.agreed_throughout(mara(), Clip, &(at(30)..at(40))));
        assert!(!ledger.agreed_throughout(mara(), Clip, &(at(39)..at(41))));
        assert!(!ledger.agreed_throughout(mara(), Clip, &(at(15)..at(35))), "not across a no");
    }

    proptest! {
        /// Against one word a sample.
        #[test]
        fn it_is_what_a_list_of_samples_would_say(
            words in prop::collection::vec((0_usize..40, 0_usize..9, 0_usize..40), 0..20),
        ) {
            let (mut ledger, mut list) = (Ledger::new(), [Unknown; 40]);
            for (from, word, to) in words {
                match Consent::ALL.get(word) {
                    Some(consent) => {
                        ledger.enter(mara(), Record, at(from as u64), *consent);
                        list[from..].fill(*consent);
                    }
                    None if word == 7 => {
                        let had = [Given, Withdrawn].contains(&list[from]);
                        ledger.withdraw(mara(), Record, at(from as u64));
                        list[from..].fill(if had { Withdrawn } else { Refused });
                    }
                    None => {
                        ledger.revoke(mara(), &(at(from as u64)..at(to as u64)));
                        let within = list.get_mut(from..to).into_iter().flatten();
                        within.filter(|consent| **consent == Given).for_each(|consent| *consent = Withdrawn);
                    }
                }
            }
            let spans = ledger.spans(mara(), Record);
            for (sample, consent) in list.into_iter().enumerate() {
                let sample = at(sample as u64);
                prop_assert_eq!(ledger.state(mara(), Record, sample), consent);
                let around = spans.iter().find(|span| span.contains(&sample)).cloned();
                prop_assert_eq!(around.is_some(), consent == Given);
                prop_assert_eq!(ledger.span_at(mara(), Record, sample), around);
            }
        }
    }
}
