//! What comes up to the caller by itself.

use super::{
    ladder::Rung,
    room::{Leftover, RoomId},
    stats::{RoomStats, SpeakerStats},
    take::TakeId,
};
use crate::{
    engine::{Command, Event, Retired},
    record::{Alert, RecordError},
    time::SampleTime,
};

/// What comes up by itself.
#[derive(Debug)]
pub enum Notice {
    /// Something happened in a room.
    Event(RoomId, Event),
    /// The figures that [`super::Control::measure`] asked for.
    Measured(RoomId, Box<RoomStats>),
    /// A dismissed speaker's last figures.
    Left(RoomId, Box<SpeakerStats>),
    /// The engine did not carry this out.
    Refused(RoomId, Command),
    /// A closed room's last figures.
    Closed(RoomId, Box<RoomStats>),
    /// A worker sheds more than before, or less: all its rooms do without what the rung says.
    Shed {
        /// Which worker.
        worker: usize,
        /// Where it stands now.
        rung: Rung,
    },
    /// A voice has no track in a recording; the others have theirs.
    RecordingFailed(RoomId, RecordError),
    /// The disk takes nothing of a recording any more. It goes on by itself: see [`crate::record::Recorder::advance`].
    RecordingTrouble(TakeId, RecordError),
    /// The disk takes everything again, which it did not since that sample.
    RecordingResumed(TakeId, SampleTime),
    /// A recording has something to say at once: a limit that bites, counters that do not add up, its disk that does not answer;
    /// then all recordings wait for that one, and rooms do not.
    RecordingAlert(TakeId, Alert),
}

impl Notice {
    /// What the caller should know of something that came back.
    pub(super) fn of(room: RoomId, leftover: Leftover) -> Option<Self> {
        match leftover {
            Leftover::Lane(Retired::Refused(command), _)
            | Leftover::Bus(Retired::Refused(command), _)
            | Leftover::Refused(command) => Some(Self::Refused(room, command)),
            Leftover::Lane(_, inlet) => Some(Self::Left(room, Box::new(inlet.stats(inlet.last)))),
            Leftover::Measured(stats) => Some(Self::Measured(room, stats)),
            Leftover::Bus(..) => None,
            Leftover::Tape(tape) => {
                drop(tape);
                None
            }
            Leftover::Blank(stats) => {
                drop(stats);
                None
            }
        }
    }
}
