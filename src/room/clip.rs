//! Sound bites: may this stretch be cut, and with whose voices?

use super::{
    entry::{ItemId, Span},
    ledger::Ledger,
    person::Person,
    policy::ClipRules,
    refusal::Refusal,
};
use crate::{
    consent::Purpose,
    time::{SampleTime, Samples},
};

/// A stretch of a recording that somebody wants to share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClipRequest {
    /// Of which recording.
    pub parent: ItemId,
    /// Which stretch.
    pub span: Span,
    /// Who is audible in it. The server knows that from its tracks.
    pub audible: Vec<Person>,
}

impl ClipRequest {
    /// The last stretch of this length: "the last 30 s".
    #[must_use]
    pub fn last(parent: ItemId, length: Samples, now: SampleTime, audible: Vec<Person>) -> Self {
        Self { parent, span: Span { from_sample: now.before(length), to_sample: now }, audible }
    }

    /// Is it neither nothing nor too much, and over?
    pub(super) fn fits(&self, rules: &ClipRules, recorded: Span, now: SampleTime) -> Result<(), Refusal> {
        let Span { from_sample, to_sample } = self.span;
        if self.span.is_empty() || to_sample.since(from_sample) > rules.longest {
            return Err(Refusal::Length { longest: rules.longest });
        }
        let within = recorded.from_sample <= from_sample && to_sample <= recorded.to_sample.min(now);
        if within { Ok(()) } else { Err(Refusal::Outside) }
    }

    /// Whose voices may be in it and whose are left out.
    pub(super) fn agreed(
        &self,
        rules: &ClipRules,
        ledger: &Ledger,
    ) -> Result<(Vec<Person>, Vec<Person>), Refusal> {
        let missing = self.missing(ledger);
        let lacks = |who: &Person| missing.iter().any(|(whose, _)| whose == who);
        let (without, voices): (Vec<_>, Vec<_>) = self.audible.iter().copied().partition(lacks);
        let fine = missing.is_empty() || (rules.leaves_out && !voices.is_empty());
        if fine { Ok((voices, without)) } else { Err(Refusal::Missing(missing)) }
    }

    /// Whose consent to what is missing for a part of it.
    fn missing(&self, ledger: &Ledger) -> Vec<(Person, Purpose)> {
        let needed =
            self.audible.iter().flat_map(|who| [Purpose::Record, Purpose::Clip].map(|to| (*who, to)));
        needed.filter(|(who, to)| !ledger.agreed_throughout(*who, *to, &self.span.range())).collect()
    }
}
