//! Consent as a step function of the room clock, one for each speaker. The only maker of [`Recordable`] proofs.

use crate::{consent::Recordable, speaker::SpeakerId, time::SampleTime};
use std::collections::BTreeMap;

/// What a speaker has said about being recorded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Consent {
    /// Nothing yet: not recorded.
    #[default]
    Unknown,
    /// Yes.
    Given,
    /// No.
    Refused,
    /// Yes before, no from now on.
    Withdrawn,
}

/// Who agreed from when to when.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    steps: BTreeMap<SpeakerId, BTreeMap<SampleTime, Consent>>,
}

impl Ledger {
    /// Nobody has said anything.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The speaker agrees from `at` on. The proof opens one gate once; a speaker who comes back needs another.
    ///
    /// # Real-time
    /// Allocates.
    #[must_use = "the proof is what opens the gate"]
    pub fn given(&mut self, speaker: SpeakerId, at: SampleTime) -> Recordable {
        self.step(speaker, at, Consent::Given);
        Recordable::agreed(speaker, at)
    }

    /// The speaker declines from `at` on.
    ///
    /// # Real-time
    /// Allocates.
    pub fn refused(&mut self, speaker: SpeakerId, at: SampleTime) {
        self.step(speaker, at, Consent::Refused);
    }

    /// The speaker no longer agrees: `at` is the first sample that may not be kept. Somebody who had not agreed at that
    /// moment refuses.
    ///
    /// # Real-time
    /// Allocates.
    pub fn withdrawn(&mut self, speaker: SpeakerId, at: SampleTime) {
        let had_agreed = self.state(speaker, at) == Consent::Given;
        self.step(speaker, at, if had_agreed { Consent::Withdrawn } else { Consent::Refused });
    }

    /// Where the speaker stands at one sample.
    #[must_use]
    pub fn state(&self, speaker: SpeakerId, at: SampleTime) -> Consent {
        let last = self.steps.get(&speaker).and_then(|steps| steps.range(..=at).next_back());
        last.map_or(Consent::Unknown, |(_, consent)| *consent)
    }

    /// A lane is somebody else's from `at` on, who has said nothing yet.
    ///
    /// # Real-time
    /// Allocates.
    pub fn forget(&mut self, speaker: SpeakerId, at: SampleTime) {
        self.step(speaker, at, Consent::Unknown);
    }

    /// The newest word counts: what was said for later samples before is void.
    fn step(&mut self, speaker: SpeakerId, at: SampleTime, consent: Consent) {
        let steps = self.steps.entry(speaker).or_default();
        steps.split_off(&at);
        steps.insert(at, consent);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MARA: SpeakerId = SpeakerId(3);

    fn at(samples: u64) -> SampleTime {
        SampleTime::from_samples(samples)
    }

    #[test]
    fn consent_changes_at_exactly_its_sample() {
        let mut ledger = Ledger::new();
        let proof = ledger.given(MARA, at(100));
        ledger.withdrawn(MARA, at(200));
        assert_eq!((proof.speaker(), proof.from()), (MARA, at(100)));
        let states = [0, 99, 100, 199, 200, 9_999].map(|sample| ledger.state(MARA, at(sample)));
        use Consent::{Given, Unknown, Withdrawn};
        assert_eq!(states, [Unknown, Unknown, Given, Given, Withdrawn, Withdrawn]);
        assert_eq!(ledger.state(SpeakerId(4), at(150)), Unknown);
    }

    #[test]
    fn only_what_was_given_can_be_withdrawn() {
        let mut ledger = Ledger::new();
        ledger.withdrawn(MARA, at(5));
        assert_eq!(ledger.state(MARA, at(5)), Consent::Refused);
    }

    #[test]
    fn a_no_for_an_earlier_sample_voids_a_later_yes() {
        let mut ledger = Ledger::new();
        let _ = ledger.given(MARA, at(100));
        ledger.refused(MARA, at(50));
        assert_eq!(ledger.state(MARA, at(1_000)), Consent::Refused);
    }

    #[test]
    fn a_lane_that_changes_hands_starts_without_consent() {
        let mut ledger = Ledger::new();
        let _ = ledger.given(MARA, at(0));
        ledger.forget(MARA, at(10));
        assert_eq!(ledger.state(MARA, at(10)), Consent::Unknown);
    }
}
