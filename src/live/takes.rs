//! Recording, as the control side tells it: begin, gates, pause, end. What is kept is the recorder's business.

use super::{
    control::Control,
    error::{FinishError, RecordingError},
    hall::Hall,
    recorder::Message,
    room::{RoomId, Task},
    take::{Take, TakeId},
    tape::{self, MAX_TAPES},
    transcript::{self, Pen, Transcript},
};
use crate::{
    consent::{ModerationBasis, Opening, Proof, Transcribable},
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
        self.begin(room, recorder, None)
    }

    /// Begins a copy for moderators into `dir`: a recording whose gates open on another ground, and not by consent.
    ///
    /// # Errors
    /// See [`RecordingError`].
    pub fn start_copy(
        &mut self,
        room: RoomId,
        dir: &Path,
        config: RecorderConfig,
    ) -> Result<Take<ModerationBasis>, RecordingError> {
        let recorder = Recorder::create(dir, config).map_err(RecordingError::Record)?;
        self.begin(room, recorder, None)
    }

    /// Begins to tell what is said by those who agree to its being written down: their own packets, decoded where they are
    /// read. Nothing touches the disk. Gates are a recording's, and so is the patience: `config.repair` is how long a
    /// missing packet is waited for, and what is said is heard 250 ms later at the earliest.
    ///
    /// # Errors
    /// See [`RecordingError`].
    pub fn start_transcript(
        &mut self,
        room: RoomId,
        config: RecorderConfig,
    ) -> Result<(Take<Transcribable>, Transcript), RecordingError> {
        let (pen, transcript) = transcript::transcript();
        let take = self.begin(room, Recorder::scribe(config), Some(pen))?;
        Ok((take, transcript))
    }

    fn begin<P>(
        &mut self,
        room: RoomId,
        recorder: Recorder,
        pen: Option<Pen>,
    ) -> Result<Take<P>, RecordingError> {
        self.sweep();
        let hall = self.halls.get(&room).ok_or(RecordingError::NoRoom)?;
        if hall.open.len() == MAX_TAPES {
            return Err(RecordingError::TooMany);
        }
        if self.halls.values().map(|hall| hall.open.len()).sum::<usize>() >= self.config.max_recordings {
            return Err(RecordingError::Full);
        }
        let take = TakeId { room, number: hall.takes };
        let (tape, reel) = tape::tape(take.number, self.config.tape_bytes);
        let recorder = recorder.within(&self.allowance);
        self.tell(Message::Begin(take, Box::new(recorder), reel, pen));
        self.task(room, Task::Record(Box::new(tape)))?;
        if let Some(hall) = self.halls.get_mut(&room) {
            hall.open.push(take);
            hall.takes += 1;
        }
        Ok(Take::new(take))
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
        self.tell(Message::Record(take.id(), dir.to_owned(), from));
        Ok(())
    }

    /// Lets a voice into a recording, a copy or a transcript, by the proof that it may.
    ///
    /// # Errors
    /// See [`RecordingError`].
    pub fn open_gate<P: Proof>(&mut self, take: Take<P>, proof: P) -> Result<(), RecordingError> {
        let hall = self.recorded(take)?;
        let opening = Opening::by(&proof);
        let admission = *hall.admitted.get(&opening.speaker()).ok_or(RecordingError::NoSpeaker)?;
        self.tell(Message::Open(take.id(), admission, opening));
        Ok(())
    }

    /// Shuts a voice out of a recording; `at` is the first sample that may not be kept.
    ///
    /// # Errors
    /// See [`RecordingError`].
    pub fn close_gate<P>(
        &mut self,
        take: Take<P>,
        speaker: SpeakerId,
        at: SampleTime,
    ) -> Result<(), RecordingError> {
        self.recorded(take)?;
        self.tell(Message::Close(take.id(), speaker, at));
        Ok(())
    }

    /// Keeps nothing from `at` on.
    ///
    /// # Errors
    /// See [`RecordingError`].
    pub fn pause_recording<P>(&mut self, take: Take<P>, at: SampleTime) -> Result<(), RecordingError> {
        self.recorded(take)?;
        self.tell(Message::Pause(take.id(), at));
        Ok(())
    }

    /// Keeps again from `at` on.
    ///
    /// # Errors
    /// See [`RecordingError`].
    pub fn resume_recording<P>(&mut self, take: Take<P>, at: SampleTime) -> Result<(), RecordingError> {
        self.recorded(take)?;
        self.tell(Message::Resume(take.id(), at));
        Ok(())
    }

    /// Ends a recording. The disk may take its time: the result is waited for apart.
    ///
    /// # Errors
    /// See [`RecordingError`].
    pub fn stop_recording<P>(&mut self, take: Take<P>) -> Result<Finishing, RecordingError> {
        self.recorded(take)?;
        let (result, finishing) = channel::bounded(1);
        self.tell(Message::Await(take.id(), result));
        self.task(take.room(), Task::StopRecording(take.id().number))?;
        if let Some(hall) = self.halls.get_mut(&take.room()) {
            hall.open.retain(|open| *open != take.id());
        }
        Ok(Finishing(finishing))
    }

    fn recorded<P>(&self, take: Take<P>) -> Result<&Hall, RecordingError> {
        let hall = self.halls.get(&take.room()).ok_or(RecordingError::NoRoom)?;
        if hall.open.contains(&take.id()) { Ok(hall) } else { Err(RecordingError::NotRecording) }
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
