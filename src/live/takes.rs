//! Recording, as the control side tells it: begin, gates, pause, end. What is kept is the recorder's business.

use super::{
    control::Control,
    error::{FinishError, RecordingError},
    hall::Hall,
    recorder::Message,
    room::{RoomId, Task},
    take::Take,
    tape::{self, MAX_TAPES},
};
use crate::{
    consent::Recordable,
    record::{RecordError, Recorder, RecorderConfig, Session},
    speaker::SpeakerId,
    time::{SampleTime, Samples},
};
use crossbeam::channel::{self, Receiver, RecvTimeoutError};
use std::{path::Path, time::Duration};

impl Control {
    /// Begins to record a room into `dir`, beside other recordings of it perhaps. Every gate is closed until
    /// [`Self::open_gate`].
    ///
    /// # Errors
    /// See [`RecordingError`].
    pub fn start_recording(
        &mut self,
        room: RoomId,
        dir: &Path,
        config: RecorderConfig,
    ) -> Result<Take, RecordingError> {
        let recorder = Recorder::create(dir, config).map_err(RecordingError::Record)?;
        self.begin_recording(room, recorder)
    }

    /// As [`Self::start_recording`], with a recorder of the caller's: on a [disk](crate::record::Disk) of its own, or one
    /// that was armed before.
    ///
    /// # Errors
    /// See [`RecordingError`].
    pub fn begin_recording(&mut self, room: RoomId, recorder: Recorder) -> Result<Take, RecordingError> {
        self.sweep();
        let hall = self.halls.get(&room).ok_or(RecordingError::NoRoom)?;
        if hall.open.len() == MAX_TAPES {
            return Err(RecordingError::TooMany);
        }
        let take = Take { room, number: hall.takes };
        let (tape, reel) = tape::tape(take.number, self.config.tape_bytes);
        self.tell(Message::Begin(take, Box::new(recorder), reel));
        self.task(room, Task::Record(Box::new(tape)))?;
        if let Some(hall) = self.halls.get_mut(&room) {
            hall.open.push(take);
            hall.takes += 1;
        }
        Ok(take)
    }

    /// Remembers the last `pre_roll` of a room in memory, so that a recording may begin in the past. Nothing touches the
    /// disk until [`Self::record_from`].
    ///
    /// # Errors
    /// See [`RecordingError`].
    pub fn arm_recording(
        &mut self,
        room: RoomId,
        config: RecorderConfig,
        pre_roll: Samples,
    ) -> Result<Take, RecordingError> {
        self.begin_recording(room, Recorder::arm(config, pre_roll))
    }

    /// Lets an armed recording begin, from a sample on that may be past: see [`Recorder::begin`]. A folder that cannot be
    /// written is told by [`Notice::RecordingFailed`](super::Notice::RecordingFailed).
    ///
    /// # Errors
    /// See [`RecordingError`].
    pub fn record_from(&mut self, take: Take, dir: &Path, from: SampleTime) -> Result<(), RecordingError> {
        self.recorded(take)?;
        self.tell(Message::Record(take, dir.to_owned(), from));
        Ok(())
    }

    /// Lets a voice into a recording, by the proof that it may.
    ///
    /// # Errors
    /// See [`RecordingError`].
    pub fn open_gate(&mut self, take: Take, consent: Recordable) -> Result<(), RecordingError> {
        let hall = self.recorded(take)?;
        let admission = *hall.admitted.get(&consent.speaker()).ok_or(RecordingError::NoSpeaker)?;
        self.tell(Message::Open(take, admission, consent));
        Ok(())
    }

    /// Shuts a voice out of a recording; `at` is the first sample that may not be kept.
    ///
    /// # Errors
    /// See [`RecordingError`].
    pub fn close_gate(
        &mut self,
        take: Take,
        speaker: SpeakerId,
        at: SampleTime,
    ) -> Result<(), RecordingError> {
        self.recorded(take)?;
        self.tell(Message::Close(take, speaker, at));
        Ok(())
    }

    /// Keeps nothing from `at` on.
    ///
    /// # Errors
    /// See [`RecordingError`].
    pub fn pause_recording(&mut self, take: Take, at: SampleTime) -> Result<(), RecordingError> {
        self.recorded(take)?;
        self.tell(Message::Pause(take, at));
        Ok(())
    }

    /// Keeps again from `at` on.
    ///
    /// # Errors
    /// See [`RecordingError`].
    pub fn resume_recording(&mut self, take: Take, at: SampleTime) -> Result<(), RecordingError> {
        self.recorded(take)?;
        self.tell(Message::Resume(take, at));
        Ok(())
    }

    /// Ends a recording. The disk may take its time: the result is waited for apart.
    ///
    /// # Errors
    /// See [`RecordingError`].
    pub fn stop_recording(&mut self, take: Take) -> Result<Finishing, RecordingError> {
        self.recorded(take)?;
        let (result, finishing) = channel::bounded(1);
        self.tell(Message::Await(take, result));
        self.task(take.room, Task::StopRecording(take.number))?;
        if let Some(hall) = self.halls.get_mut(&take.room) {
            hall.open.retain(|open| *open != take);
        }
        Ok(Finishing(finishing))
    }

    fn recorded(&self, take: Take) -> Result<&Hall, RecordingError> {
        let hall = self.halls.get(&take.room).ok_or(RecordingError::NoRoom)?;
        if hall.open.contains(&take) { Ok(hall) } else { Err(RecordingError::NotRecording) }
    }
}

/// A recording that is being ended.
#[derive(Debug)]
pub struct Finishing(Receiver<Result<Session, RecordError>>);

impl Finishing {
    /// Waits for the disk, at most this long.
    ///
    /// # Errors
    /// See [`FinishError`].
    pub fn wait(&self, at_most: Duration) -> Result<Session, FinishError> {
        match self.0.recv_timeout(at_most) {
            Ok(result) => result.map_err(FinishError::Record),
            Err(RecvTimeoutError::Timeout) => Err(FinishError::Timeout),
            Err(RecvTimeoutError::Disconnected) => Err(FinishError::Failed),
        }
    }
}
