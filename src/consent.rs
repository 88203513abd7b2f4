//! Consent is a type: nothing reaches a recording without a [`Recordable`], and only the consent ledger makes one. Whoever
//! writes down what is said needs another yes, [`Transcribable`]; a copy for moderators has another ground,
//! [`ModerationBasis`]. None opens another's gate.

use crate::{speaker::SpeakerId, time::SampleTime};

/// What somebody may agree to. Each is asked for and answered by itself. A copy for moderators is none of them: it does
/// not stand on consent, see [`ModerationBasis`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "room", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Purpose {
    /// One's voice is kept in the room's recording.
    Record,
    /// Others may cut sound bites out of it.
    Clip,
    /// It is written down.
    Transcribe,
    /// It is given to the public.
    Publish,
    /// Machines learn from it.
    Train,
}

impl Purpose {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Record, Self::Clip, Self::Transcribe, Self::Publish, Self::Train];
}

/// Proof that a voice may be kept, from one sample on. It opens one gate once: it can be neither copied nor cloned.
#[derive(Debug, PartialEq, Eq)]
pub struct Recordable {
    speaker: SpeakerId,
    from: SampleTime,
}

impl Recordable {
    /// What the ledger hands out when a speaker has agreed to [`Purpose::Record`].
    #[cfg(feature = "room")]
    pub(crate) fn agreed(speaker: SpeakerId, from: SampleTime) -> Self {
        Self { speaker, from }
    }

    /// A proof of nothing, for tests and for servers that settled consent elsewhere and answer for it.
    #[must_use]
    pub fn dangerously_without_consent(speaker: SpeakerId, from: SampleTime) -> Self {
        Self { speaker, from }
    }
}

/// Proof that a voice may be written down, from one sample on. It opens a transcript's gate and no other.
#[derive(Debug, PartialEq, Eq)]
pub struct Transcribable {
    speaker: SpeakerId,
    from: SampleTime,
}

impl Transcribable {
    /// What the ledger hands out when a speaker has agreed to [`Purpose::Transcribe`].
    #[cfg(feature = "room")]
    pub(crate) fn agreed(speaker: SpeakerId, from: SampleTime) -> Self {
        Self { speaker, from }
    }

    /// A proof of nothing, for tests and for servers that settled consent elsewhere and answer for it.
    #[must_use]
    pub fn dangerously_without_consent(speaker: SpeakerId, from: SampleTime) -> Self {
        Self { speaker, from }
    }
}

/// Why a voice may be kept for moderators without its consent (GDPR article 6(1)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "room", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum LegalBasis {
    /// The law demands it (point c).
    LegalObligation,
    /// The room's safety weighs more than what it costs the speaker (point f).
    LegitimateInterest,
}

/// Proof that a voice may go into the copy for moderators, from one sample on: told to everybody, agreed to by nobody. It
/// opens no gate of a recording, as [`Recordable`] opens none of a moderation copy.
#[derive(Debug, PartialEq, Eq)]
pub struct ModerationBasis {
    speaker: SpeakerId,
    from: SampleTime,
    basis: LegalBasis,
}

impl ModerationBasis {
    /// What a room hands out whose rules have such a copy.
    #[cfg(feature = "room")]
    pub(crate) fn by_rule(speaker: SpeakerId, from: SampleTime, basis: LegalBasis) -> Self {
        Self { speaker, from, basis }
    }

    /// For tests and for servers that settled their ground elsewhere and answer for it.
    #[must_use]
    pub fn dangerously_without_rule(speaker: SpeakerId, from: SampleTime, basis: LegalBasis) -> Self {
        Self { speaker, from, basis }
    }

    /// Why.
    #[must_use]
    pub fn basis(&self) -> LegalBasis {
        self.basis
    }
}

/// What opens a gate: one of [`Recordable`], [`Transcribable`] and [`ModerationBasis`], spent as it is turned. Each fits what
/// is kept on its own ground, and nothing else; another type of proof fits nothing.
pub trait Proof: std::fmt::Debug {
    /// Whose voice.
    fn speaker(&self) -> SpeakerId;
    /// The first sample that may be kept.
    fn from(&self) -> SampleTime;
}

macro_rules! proof {
    ($($proof:ty),*) => {$(
        impl $proof {
            /// Whose voice.
            #[must_use]
            pub fn speaker(&self) -> SpeakerId {
                self.speaker
            }

            /// The first sample that it holds for.
            #[must_use]
            pub fn from(&self) -> SampleTime {
                self.from
            }
        }

        impl Proof for $proof {
            fn speaker(&self) -> SpeakerId {
                self.speaker
            }
            fn from(&self) -> SampleTime {
                self.from
            }
        }
    )*};
}

proof!(Recordable, Transcribable, ModerationBasis);

/// A proof that was spent on the gate it fits: whose it was, and from where on.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Opening {
    speaker: SpeakerId,
    from: SampleTime,
}

#[cfg_attr(not(any(feature = "record", feature = "live")), expect(dead_code, reason = "nothing is kept"))]
impl Opening {
    pub(crate) fn by(proof: &impl Proof) -> Self {
        Self { speaker: proof.speaker(), from: proof.from() }
    }

    pub(crate) fn speaker(&self) -> SpeakerId {
        self.speaker
    }

    pub(crate) fn from(&self) -> SampleTime {
        self.from
    }
}
