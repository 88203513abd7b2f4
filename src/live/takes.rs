//! Recording, as the control side tells it: begin, gates, pause, end. What is kept is the recorder's business.

use super::{
    control::Control,
    error::{FinishError, RecordingError},
    hall::Hall,
    recorder::{Message, Take},
    room::{RoomId, Task},
    tape,
};
use crate::{
    consent::Recordable,
    record::{RecordError, Recorder, RecorderConfig, Session},
    speaker::SpeakerId,
    time::SampleTime,
};
use crossbeam::channel::{self, Receiver, RecvTimeoutError};
use std::{path::Path, time::Duration};

impl Control {
    /// Begins to record a room into `dir`. Every gate is closed until [`Self::open_gate`].
    ///
    /// # Errors
    /// See [`RecordingError`].
    pub fn start_recording(
        &mut self,
        room: RoomId,
        dir: &Path,
        config: RecorderConfig,
    ) -> Result<(), RecordingError> {
        self.sweep();
        let hall = self.halls.get(&room).ok_or(RecordingError::NoRoom)?;
        if hall.take.is_some() {
            return Err(RecordingError::Already);
        }
        let take = Take { room, number: hall.takes };
        let recorder = Recorder::create(dir, config).map_err(RecordingError::Record)?;
        let (tape, reel) = tape::tape(self.config.tape_bytes);
        self.tell(Message::Begin(take, Box::new(recorder), reel));
        self.task(room, Task::Record(Box::new(tape)))?;
        if let Some(hall) = self.halls.get_mut(&room) {
            hall.take = Some(take);
            hall.takes += 1;
        }
        Ok(())
    }

    /// Lets a voice into the recording, by the proof that it may.
    ///
    /// # Errors
    /// See [`RecordingError`].
    pub fn open_gate(&mut self, room: RoomId, consent: Recordable) -> Result<(), RecordingError> {
        let (hall, take) = self.recorded(room)?;
        let admission = *hall.admitted.get(&consent.speaker()).ok_or(RecordingError::NoSpeaker)?;
        self.tell(Message::Open(take, admission, consent));
        Ok(())
    }

    /// Shuts a voice out of the recording; `at` is the first sample that may not be kept.
    ///
    /// # Errors
    /// See [`RecordingError`].
    pub fn close_gate(
        &mut self,
        room: RoomId,
        speaker: SpeakerId,
        at: SampleTime,
    ) -> Result<(), RecordingError> {
        let (_, take) = self.recorded(room)?;
        self.tell(Message::Close(take, speaker, at));
        Ok(())
    }

    /// Keeps nothing from `at` on.
    ///
    /// # Errors
    /// See [`RecordingError`].
    pub fn pause_recording(&mut self, room: RoomId, at: SampleTime) -> Result<(), RecordingError> {
        let (_, take) = self.recorded(room)?;
        self.tell(Message::Pause(take, at));
        Ok(())
    }

    /// Keeps again from `at` on.
    ///
    /// # Errors
    /// See [`RecordingError`].
    pub fn resume_recording(&mut self, room: RoomId, at: SampleTime) -> Result<(), RecordingError> {
        let (_, take) = self.recorded(room)?;
        self.tell(Message::Resume(take, at));
        Ok(())
    }

    /// Ends a room's recording. The disk may take its time: the result is waited for apart.
    ///
    /// # Errors
    /// See [`RecordingError`].
    pub fn stop_recording(&mut self, room: RoomId) -> Result<Finishing, RecordingError> {
        let (_, take) = self.recorded(room)?;
        let (result, finishing) = channel::bounded(1);
        self.tell(Message::Await(take, result));
        self.task(room, Task::StopRecording)?;
        if let Some(hall) = self.halls.get_mut(&room) {
            hall.take = None;
        }
        Ok(Finishing(finishing))
    }

    fn recorded(&self, room: RoomId) -> Result<(&Hall, Take), RecordingError> {
        let hall = self.halls.get(&room).ok_or(RecordingError::NoRoom)?;
        Ok((hall, hall.take.ok_or(RecordingError::NotRecording)?))
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
