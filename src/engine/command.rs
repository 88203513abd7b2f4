//! What can be told to a running engine, and what comes back up to be freed.

use super::{Bus, Lane, Shed};
use crate::{
    speaker::{BusId, SpeakerId, SpeakerSet},
    time::{SampleTime, Samples},
};

/// A change to the room. Boxes are built on the control side and go down; what they replace comes back as [`Retired`].
///
/// `at` is a sample of the room clock: that sample of every mix is the first to be changed. A moment that is already
/// mixed means the first that is not.
#[derive(Debug)]
pub enum Command {
    /// A speaker joins.
    Admit(Box<Lane>),
    /// A speaker leaves; its lane comes back.
    Dismiss(SpeakerId),
    /// An output opens.
    Open(Box<Bus>),
    /// An output closes; its bus comes back.
    Close(BusId),
    /// An output gets other members.
    Hear {
        /// The output.
        bus: BusId,
        /// Whom one hears on it from now on.
        members: SpeakerSet,
    },
    /// A voice falls silent on every mix, live and in its recording.
    Mute {
        /// Whose.
        speaker: SpeakerId,
        /// The first sample without it.
        at: SampleTime,
    },
    /// A voice is heard again.
    Unmute {
        /// Whose.
        speaker: SpeakerId,
        /// The first sample with it.
        at: SampleTime,
    },
    /// A voice becomes louder or softer.
    Gain {
        /// Whose.
        speaker: SpeakerId,
        /// The linear factor to reach; see [`crate::mix::Db`].
        to: f32,
        /// The first sample that is changed.
        at: SampleTime,
        /// The length of the ramp; nothing means a step.
        over: Samples,
    },
    /// A voice moves between left and right (stereo rooms; elsewhere without effect).
    Pan {
        /// Whose.
        speaker: SpeakerId,
        /// −1 left … 1 right.
        to: f32,
        /// The first sample that is changed.
        at: SampleTime,
    },
    /// So much is done without from the next tick on, as the machine cannot keep up; or no longer.
    Shed(Shed),
}

/// What a command leaves behind. Dropping it frees memory: do that on the control side.
#[must_use = "what comes back up is freed on the control side"]
#[derive(Debug)]
pub enum Retired {
    /// A speaker's lane.
    Lane(Box<Lane>),
    /// An output.
    Bus(Box<Bus>),
    /// A command that could not be carried out: its place is taken, empty or outside the room, or too many changes of
    /// one voice are waiting for their sample.
    Refused(Command),
}
