//! Why a request is not granted.

use super::{
    person::Person,
    role::{Action, Role},
};
use crate::{consent::Purpose, time::Samples};
use std::fmt;

/// Why a request is not granted. Nothing has changed then.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// Is not in the room, or never was.
    NotHere(Person),
    /// May not do that in this role.
    NotAllowed(Role, Action),
    /// The lane is somebody else's.
    LaneTaken(Person),
    /// A guardian has to say yes.
    GuardianNeeded,
    /// A guardian is somebody else, and no minor.
    NoGuardian,
    /// The rules of this room have no recording, no copy or no clips.
    AgainstTheRules,
    /// A recording is running, or has been paused already.
    Recording,
    /// No recording is running, or none is paused.
    NotRecording,
    /// There is no such item.
    NoItem,
    /// Its time is up, or it is deleted.
    Gone,
    /// These have not agreed to that for the whole of it.
    Missing(Vec<(Person, Purpose)>),
    /// Longer than the rules allow, or nothing at all.
    Length {
        /// The longest.
        longest: Samples,
    },
    /// A stretch that lies outside the recording, or in the future.
    Outside,
    /// Has said yes already.
    Answered,
    /// Its time is not up.
    NotDue,
    /// The room is over.
    Ended,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotHere(who) => write!(f, "{who} is not in this room"),
            Self::NotAllowed(role, action) => write!(f, "a {role:?} may not do that: {action:?}"),
            Self::LaneTaken(by) => write!(f, "the lane is {by}'s"),
            Self::GuardianNeeded => write!(f, "expected a guardian's yes for a minor"),
            Self::NoGuardian => write!(f, "expected a guardian of age who decides for a minor"),
            Self::AgainstTheRules => write!(f, "the rules of this room do not have that"),
            Self::Recording => write!(f, "it is being recorded, or paused already"),
            Self::NotRecording => write!(f, "no recording is running, or none is paused"),
            Self::NoItem => write!(f, "there is no such item"),
            Self::Gone => write!(f, "its time is up"),
            Self::Missing(whose) => {
                write!(f, "expected consent for the whole of it from")?;
                whose.iter().try_for_each(|(who, purpose)| write!(f, " {who} ({purpose:?})"))
            }
            Self::Length { longest } => {
                write!(f, "expected a stretch of at most {} ms", longest.as_ms())
            }
            Self::Outside => write!(f, "expected a stretch of the recording that is over"),
            Self::Answered => write!(f, "has said yes already"),
            Self::NotDue => write!(f, "its time is not up"),
            Self::Ended => write!(f, "the room is over"),
        }
    }
}

impl std::error::Error for Refusal {}
