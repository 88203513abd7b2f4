//! Who may do what: one table.

use serde::{Deserialize, Serialize};

/// What somebody is in a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Runs the room.
    Host,
    /// Helps to.
    CoHost,
    /// Is heard.
    Speaker,
    /// Hears.
    Listener,
    /// The service's own people: they see to safety and have no say in the show.
    Moderator,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Host, Self::CoHost, Self::Speaker, Self::Listener, Self::Moderator];

    /// May somebody of this role do that? What else an action depends on (whose voices, which rules) is asked after this.
    #[must_use]
    pub fn may(self, action: Action) -> bool {
        let column = match self {
            Self::Host => 0,
            Self::CoHost => 1,
            Self::Speaker => 2,
            Self::Listener => 3,
            Self::Moderator => 4,
        };
        TABLE.iter().any(|(listed, may)| *listed == action && may[column])
    }
}

/// What can be done in a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Begin, pause and resume a recording.
    Record,
    /// End a recording.
    Stop,
    /// Have what is said written down.
    Transcribe,
    /// Ask for a sound bite.
    Clip,
    /// Take one's own track.
    TakeOwn,
    /// Take a whole recording.
    TakeAll,
    /// Take the copy for moderators, if the rules let hosts have it.
    TakeCopy,
    /// Read the copy for moderators as a moderator.
    Review,
    /// Give to the public.
    Publish,
    /// Delete a recording or a clip before its time.
    Delete,
    /// Ask speakers for consent.
    Ask,
    /// Say yes or no for oneself, now or later: answer, withdraw, revoke.
    Decide,
    /// Say yes or no for a minor in one's care.
    DecideForWard,
    /// Report the room to its moderators.
    Report,
    /// Appeal against what a moderator decided.
    Appeal,
    /// Keep something from being deleted, and let it go again.
    Hold,
    /// Give somebody another role.
    Appoint,
    /// End the room.
    End,
}

impl Action {
    /// All of them.
    pub const ALL: [Self; TABLE.len()] = {
        let mut all = [Self::Record; TABLE.len()];
        let mut at = 0;
        while at < all.len() {
            all[at] = TABLE[at].0;
            at += 1;
        }
        all
    };

    /// Is it done in the room itself, by whoever is there? Everything else may be asked for afterwards too.
    pub(super) fn is_live(self) -> bool {
        matches!(self, Self::Record | Self::Stop | Self::Transcribe | Self::Ask | Self::Appoint)
    }
}

/// Columns: host, co-host, speaker, listener, moderator.
const TABLE: [(Action, [bool; 5]); 18] = {
    const Y: bool = true;
    const N: bool = false;
    use Action::*;
    [
        //             host co-h spkr list mod
        (Record, [Y, Y, N, N, N]),
        (Stop, [Y, Y, N, N, N]),
        (Transcribe, [Y, Y, N, N, N]),
        (Clip, [Y, Y, Y, Y, N]),
        (TakeOwn, [Y, Y, Y, N, N]),
        (TakeAll, [Y, N, N, N, N]),
        (TakeCopy, [Y, N, N, N, N]),
        (Review, [N, N, N, N, Y]),
        (Publish, [Y, N, N, N, N]),
        (Delete, [Y, N, N, N, N]),
        (Ask, [Y, Y, N, N, N]),
        (Decide, [Y, Y, Y, Y, Y]),
        (DecideForWard, [Y, Y, Y, Y, N]),
        (Report, [Y, Y, Y, Y, Y]),
        (Appeal, [Y, Y, Y, Y, N]),
        (Hold, [N, N, N, N, Y]),
        (Appoint, [Y, N, N, N, N]),
        (End, [Y, N, N, N, Y]),
    ]
};
