//! Effects become calls: recordings of the live room begin and end, gates open and shut.

use super::{Order, Steward, cutting::Cutting};
use crate::{
    consent::{ModerationBasis, Proof, Recordable, Transcribable},
    live::{Control, Finishing, RecordingError, Take},
    record::{Recorder, RecorderConfig},
    room::{Effect, ItemId, Moment},
    speaker::SpeakerId,
    time::{SampleTime, UnixMs},
};

/// What is being kept of the room.
#[derive(Debug, Default)]
pub(super) struct Takes {
    recording: Option<(ItemId, Take<Recordable>)>,
    transcript: Option<(ItemId, Take<Transcribable>)>,
    copy: Option<(ItemId, Take<ModerationBasis>)>,
    /// Ended, and perhaps not on disk yet.
    pub(super) finishing: Vec<(ItemId, Finishing)>,
}

impl Steward {
    /// Is this transcript still under way?
    pub(super) fn is_being_written(&self, item: ItemId) -> bool {
        self.takes.transcript.is_some_and(|(running, _)| running == item)
    }

    /// Does all that may be done now, in order.
    pub(super) fn carry_out(&mut self, control: &mut Control, now: Moment) {
        while let Some(effect) = self.room.poll() {
            self.carry_out_one(control, effect, now);
        }
    }

    fn carry_out_one(&mut self, control: &mut Control, effect: Effect, now: Moment) {
        let Takes { recording, transcript, copy, .. } = &self.takes;
        match effect {
            Effect::StartRecording(item, _) => self.start_recording(control, item, now),
            Effect::PauseRecording(at) => {
                let done = recording.map(|(item, take)| (item, control.pause_recording(take, at)));
                self.see(done);
            }
            Effect::ResumeRecording(at) => {
                let done = recording.map(|(item, take)| (item, control.resume_recording(take, at)));
                self.see(done);
            }
            Effect::StopRecording(..) => {
                let stopped = self.takes.recording.take();
                self.stop(control, stopped);
            }
            Effect::Open(proof) => self.see(open(control, *recording, proof)),
            Effect::Close(speaker, at) => self.see(close(control, *recording, speaker, at)),
            Effect::StartTranscript(item, _) => self.start_transcript(control, item),
            Effect::StopTranscript(..) => {
                let stopped = self.takes.transcript.take();
                let done = stopped.map(|(item, take)| (item, control.stop_recording(take).map(drop)));
                self.see(done);
            }
            Effect::OpenTranscript(proof) => self.see(open(control, *transcript, proof)),
            Effect::CloseTranscript(speaker, at) => self.see(close(control, *transcript, speaker, at)),
            Effect::StartCopy(item, _) => self.start_copy(control, item, now),
            Effect::StopCopy(..) => {
                let stopped = self.takes.copy.take();
                self.stop(control, stopped);
            }
            Effect::OpenCopy(proof) => self.see(open(control, *copy, proof)),
            Effect::CloseCopy(speaker, at) => self.see(close(control, *copy, speaker, at)),
            Effect::Cut { item, parent, span, voices } => {
                self.cuttings.push(Cutting { item, parent, span, voices });
                self.cut_what_can_be(now);
            }
            Effect::HandOver { item, to, only } => self.orders.push_back(Order::HandOver { item, to, only }),
            Effect::Publish(item) => self.orders.push_back(Order::Publish(item)),
            Effect::Redact { entry, who, span } => self.redact(entry, who, span, now),
            Effect::Delete(item) => self.delete(item, now),
            Effect::Tell(news) => self.orders.push_back(Order::Tell(news)),
        }
    }

    fn start_recording(&mut self, control: &mut Control, item: ItemId, now: Moment) {
        let take = self.recorder(item, now).and_then(|it| control.begin_recording(self.live, it));
        self.takes.recording = self.begun(item, take);
    }

    fn start_copy(&mut self, control: &mut Control, item: ItemId, now: Moment) {
        let take = self.recorder(item, now).and_then(|it| control.begin_copy(self.live, it));
        self.takes.copy = self.begun(item, take);
    }

    fn recorder(&self, item: ItemId, now: Moment) -> Result<Recorder, RecordingError> {
        let recorder = Recorder::create(&self.folder_of(item), config(now));
        recorder.and_then(|recorder| self.sealing(item, recorder)).map_err(RecordingError::Record)
    }

    fn start_transcript(&mut self, control: &mut Control, item: ItemId) {
        let begun = control.start_transcript(self.live, RecorderConfig::default());
        let begun = begun.map(|(take, transcript)| {
            self.orders.push_back(Order::WriteDown(item, transcript));
            take
        });
        self.takes.transcript = self.begun(item, begun);
    }

    fn begun<P>(&mut self, item: ItemId, take: Result<Take<P>, RecordingError>) -> Option<(ItemId, Take<P>)> {
        take.map(|take| (item, take)).map_err(|error| self.fail(item, &error)).ok()
    }

    fn stop<P>(&mut self, control: &mut Control, stopped: Option<(ItemId, Take<P>)>) {
        let Some((item, take)) = stopped else { return };
        match control.stop_recording(take) {
            Ok(finishing) => self.takes.finishing.push((item, finishing)),
            Err(error) => self.fail(item, &error),
        }
    }

    /// A gate that could not be turned is told.
    fn see(&mut self, done: Option<(ItemId, Result<(), RecordingError>)>) {
        if let Some((item, Err(error))) = done {
            self.fail(item, &error);
        }
    }

    pub(super) fn fail(&mut self, item: ItemId, why: &dyn std::fmt::Display) {
        self.orders.push_back(Order::Failed(item, why.to_string()));
    }
}

type Turned = Option<(ItemId, Result<(), RecordingError>)>;

fn open<P: Proof>(control: &mut Control, take: Option<(ItemId, Take<P>)>, proof: P) -> Turned {
    take.map(|(item, take)| (item, control.open_gate(take, proof)))
}

fn close<P>(
    control: &mut Control,
    take: Option<(ItemId, Take<P>)>,
    speaker: SpeakerId,
    at: SampleTime,
) -> Turned {
    take.map(|(item, take)| (item, control.close_gate(take, speaker, at)))
}

/// The manifest tells the wall time of room sample 0.
fn config(now: Moment) -> RecorderConfig {
    let UnixMs(wall) = now.wall;
    let epoch = wall.saturating_sub(now.at.samples() / 48);
    RecorderConfig { epoch_unix_ms: Some(epoch), ..RecorderConfig::default() }
}
