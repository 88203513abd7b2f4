//! What is written down: one entry a decision, in the order in which they were made. All that a room knows is what its
//! entries say, so that whoever replays them stands where it stood.

use super::{
    ledger::Consent,
    merkle::{Hash, leaf_hash},
    person::Person,
    policy::Rules,
    role::Role,
};
use crate::{
    consent::Purpose,
    speaker::SpeakerId,
    time::{SampleTime, UnixMs},
};
use serde::{Deserialize, Serialize};

/// Something that is kept: the number of the entry that it began with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ItemId(pub u64);

/// A stretch of the room clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Span {
    /// Its first sample.
    pub from_sample: SampleTime,
    /// The first sample after it.
    pub to_sample: SampleTime,
}

impl Span {
    /// Does it hold nothing?
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.to_sample <= self.from_sample
    }

    pub(super) fn range(self) -> std::ops::Range<SampleTime> {
        self.from_sample..self.to_sample
    }

    pub(super) fn overlaps(self, other: Self) -> bool {
        self.from_sample < other.to_sample && other.from_sample < self.to_sample
    }
}

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Its number, from 0.
    pub n: u64,
    /// From which sample on it holds.
    pub at_sample: SampleTime,
    /// When it was made, as the wall's clock had it.
    pub wall_ms: UnixMs,
    /// How long the room has existed, in milliseconds, by whichever clock said more.
    pub age_ms: u64,
    /// Whose decision it was.
    pub by: Person,
    /// What was decided.
    pub fact: Fact,
}

impl Entry {
    /// The bytes that are written, hashed and signed: JSON, the fields in this order.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// What stands for it in the log.
    #[must_use]
    pub fn leaf(&self) -> Hash {
        leaf_hash(self.to_json().as_bytes())
    }
}

/// How somebody's word came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// Said it.
    Said,
    /// Was told and did not object.
    Notice,
    /// A guardian said it.
    Guardian,
    /// It lapsed.
    Lapse,
}

/// What can be decided. Nothing in it names anybody: people are pseudonyms, contents are hashes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Fact {
    /// The room opens under these rules; if they have a copy for moderators, it begins. Always the first.
    Opened(Rules),
    /// Goes on after a crash or at another machine: everybody is gone, no recording runs, all gates are shut.
    Restarted,
    /// Is here, with this role and by this lane; a minor agrees through a guardian only.
    Joined {
        /// What it is here.
        role: Role,
        /// The lane it speaks by, if it does.
        speaker: Option<SpeakerId>,
        /// Is somebody else to decide?
        minor: bool,
    },
    /// Is gone.
    Left,
    /// Gives somebody another role.
    Appointed {
        /// Whom.
        who: Person,
        /// Which.
        role: Role,
        /// The lane it speaks by from now on, if it does.
        speaker: Option<SpeakerId>,
    },
    /// Where somebody stands towards a purpose from now on.
    Consent {
        /// Who.
        of: Person,
        /// Towards what.
        purpose: Purpose,
        /// How it stands.
        state: Consent,
        /// How that came about.
        how: How,
        /// For a yes: when it ends.
        until_ms: Option<UnixMs>,
    },
    /// A recording begins; it is the item of this number.
    RecordingStarted,
    /// It keeps nothing from here on.
    RecordingPaused,
    /// It keeps again.
    RecordingResumed,
    /// It ends.
    RecordingStopped,
    /// What is said begins to be written down; it is the item of this number.
    TranscriptStarted,
    /// It is written down no more.
    TranscriptStopped,
    /// The room was reported to its moderators.
    Reported,
    /// A decision of a moderator's about this copy is appealed against.
    Appealed(ItemId),
    /// It is not to be deleted until it is released. That opens it to nobody.
    Held(ItemId),
    /// It may be deleted again.
    Released(ItemId),
    /// A sound bite may be cut; it is the item of this number.
    Clipped {
        /// Out of what.
        parent: ItemId,
        /// Which stretch.
        span: Span,
        /// Whose voices are in it.
        voices: Vec<Person>,
        /// Whose are left out.
        without: Vec<Person>,
    },
    /// It is there: its bytes have this SHA-256.
    Kept(ItemId, Hash),
    /// Somebody took it, or a track of it.
    Taken {
        /// What.
        item: ItemId,
        /// Only one's own voice?
        own: bool,
        /// Whose voices were left out.
        without: Vec<Person>,
    },
    /// It is given to the public.
    Published(ItemId),
    /// A voice is to leave a stretch of everything that is kept by consent.
    Revoked(Span),
    /// It has: this is the number of the entry that demanded it.
    Redacted {
        /// The entry that revoked.
        entry: u64,
        /// What stands for the keys that were destroyed.
        keys: Hash,
    },
    /// Its time is up, or its owner wants it gone: it must be deleted.
    Due(ItemId),
    /// It was deleted.
    Deleted {
        /// What.
        item: ItemId,
        /// What stands for the keys that were destroyed.
        keys: Hash,
        /// The SHA-256 of what is left without them, if something is: sealed bytes, in backups perhaps.
        sealed: Option<Hash>,
    },
    /// Deleting it failed; it is tried again.
    DeletionFailed(ItemId),
    /// The wall's clock went back; ages go on.
    ClockSetBack,
    /// The room is over.
    Ended,
}
