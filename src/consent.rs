//! Consent is a type: nothing reaches a recording without a [`Recordable`], and only the consent ledger makes one.

use crate::{speaker::SpeakerId, time::SampleTime};

/// Proof that a voice may be kept, from one sample on. It opens one gate once: it can be neither copied nor cloned.
#[derive(Debug, PartialEq, Eq)]
pub struct Recordable {
    speaker: SpeakerId,
    from: SampleTime,
}

impl Recordable {
    /// What the ledger hands out when a speaker has agreed.
    #[cfg(feature = "room")]
    pub(crate) fn agreed(speaker: SpeakerId, from: SampleTime) -> Self {
        Self { speaker, from }
    }

    /// A proof of nothing, for tests and for servers that settled consent elsewhere and answer for it.
    #[must_use]
    pub fn dangerously_without_consent(speaker: SpeakerId, from: SampleTime) -> Self {
        Self { speaker, from }
    }

    /// Whose voice.
    #[must_use]
    pub fn speaker(&self) -> SpeakerId {
        self.speaker
    }

    /// The first sample that may be kept.
    #[must_use]
    pub fn from(&self) -> SampleTime {
        self.from
    }
}
