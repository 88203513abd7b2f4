//! What a room promises about what it keeps. Rules come in when a room opens and do not change while it lasts.

use crate::{
    consent::{LegalBasis, ModerationBasis, Purpose},
    speaker::SpeakerId,
    time::{SampleTime, Samples},
};
use serde::{Deserialize, Serialize};

/// How a voice comes to be recorded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Policy {
    /// Each voice by its own yes; nothing is kept of anybody who has not said it. Those who have not are heard live all
    /// the same, and are silence in what is kept.
    #[default]
    AllParty,
    /// Whoever has been given notice and does not refuse is recorded. Being told counts as a yes, and is written down as
    /// one that was given by notice. A refusal stands against any notice.
    OptOutNotice,
    /// There is no recording, whatever anybody says.
    Ephemeral,
}

/// How long something is kept, from when it was finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Retention {
    /// Until the room ends.
    LiveOnly,
    /// For moderators, this many days; longer if somebody appeals.
    Moderation {
        /// As a rule.
        days: u32,
        /// After an appeal.
        appeal_days: u32,
    },
    /// The host's, for this many days.
    HostDays(u32),
    /// The host's, until the host deletes it.
    HostKeeps,
    /// A sound bite, for this many days.
    Clip {
        /// As a rule 30.
        days: u32,
    },
}

impl Retention {
    /// The moderation copy of a room as it is usual: 30 days, 90 on appeal.
    pub const MODERATION: Self = Self::Moderation { days: 30, appeal_days: 90 };

    /// Days after which it is due, if days count.
    #[must_use]
    pub fn days(self, appealed: bool) -> Option<u32> {
        match self {
            Self::Moderation { appeal_days, .. } if appealed => Some(appeal_days),
            Self::Moderation { days, .. } | Self::HostDays(days) | Self::Clip { days } => Some(days),
            Self::LiveOnly | Self::HostKeeps => None,
        }
    }
}

/// The copy for moderators: of every voice, on a legal basis of its own, from the room's first sample to its last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModerationCopy {
    /// Why it may be made.
    pub basis: LegalBasis,
    /// How long it is kept: [`Retention::LiveOnly`] or [`Retention::Moderation`].
    pub retention: Retention,
    /// May hosts take it while it exists? What they get is without the voices that do not agree to be recorded.
    pub hosts_may_take: bool,
}

impl ModerationCopy {
    /// The key to the copy's gate.
    #[must_use = "the proof is what opens the gate"]
    pub fn proof(&self, speaker: SpeakerId, from: SampleTime) -> ModerationBasis {
        ModerationBasis::by_rule(speaker, from, self.basis)
    }
}

/// What may be cut out of a recording by its audience.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClipRules {
    /// The longest clip, in samples.
    pub longest: Samples,
    /// How long a clip is kept, in days.
    pub days: u32,
    /// Is a clip made without the voices that have not agreed? Else it is not made at all.
    pub leaves_out: bool,
}

impl Default for ClipRules {
    /// A minute at most, for 30 days, by everybody's yes.
    fn default() -> Self {
        Self { longest: Samples::from_ms(60_000), days: 30, leaves_out: false }
    }
}

/// All that a room promises.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    /// How a voice comes to be recorded.
    pub policy: Policy,
    /// What a speaker is asked for once a recording has begun.
    pub asks: Vec<Purpose>,
    /// How long a recording is kept.
    pub recording: Retention,
    /// The copy for moderators, if there is one.
    pub copy: Option<ModerationCopy>,
    /// Sound bites, if there are any.
    pub clips: Option<ClipRules>,
}

impl Default for Rules {
    /// Each voice by its own yes, kept by the host, no copy for moderators, clips by consent.
    fn default() -> Self {
        Self {
            policy: Policy::AllParty,
            asks: vec![Purpose::Record, Purpose::Clip],
            recording: Retention::HostKeeps,
            copy: None,
            clips: Some(ClipRules::default()),
        }
    }
}

impl Rules {
    /// As Twitter's Spaces promised: who speaks under the sign is recorded, the replay stays for 30 days; a copy for
    /// moderators is kept for 30 days, 90 after an appeal, and hosts may take it while it exists; clips of 30 s. What it
    /// did not have: a refusal that is honoured without leaving.
    #[must_use]
    pub fn spaces() -> Self {
        Self {
            policy: Policy::OptOutNotice,
            asks: vec![Purpose::Record],
            recording: Retention::HostDays(30),
            copy: Some(ModerationCopy {
                basis: LegalBasis::LegitimateInterest,
                retention: Retention::MODERATION,
                hosts_may_take: true,
            }),
            clips: Some(ClipRules { longest: Samples::from_ms(30_000), ..ClipRules::default() }),
        }
    }

    /// As Clubhouse promised at first: nothing is recorded; a copy for moderators exists while the room is live and is
    /// gone with it, unless somebody reports the room.
    #[must_use]
    pub fn clubhouse() -> Self {
        Self {
            policy: Policy::Ephemeral,
            asks: Vec::new(),
            recording: Retention::LiveOnly,
            copy: Some(ModerationCopy {
                basis: LegalBasis::LegitimateInterest,
                retention: Retention::LiveOnly,
                hosts_may_take: false,
            }),
            clips: None,
        }
    }

    /// As Fireside promised: a show that is recorded, kept and published; everybody on stage is asked for all of it.
    #[must_use]
    pub fn fireside() -> Self {
        Self { asks: vec![Purpose::Record, Purpose::Clip, Purpose::Publish], ..Self::default() }
    }
}
