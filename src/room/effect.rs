//! What a decision brings about, for the server to carry out in this order; and when it may be let out.

use super::{
    entry::{ItemId, Span},
    person::Person,
    view::News,
};
use crate::{
    consent::{ModerationBasis, Recordable, Transcribable},
    speaker::SpeakerId,
    time::SampleTime,
};
use std::collections::VecDeque;

/// Something to do.
#[derive(Debug, PartialEq, Eq)]
pub enum Effect {
    /// Begin a recording.
    StartRecording(ItemId, SampleTime),
    /// Keep nothing in it from here on.
    PauseRecording(SampleTime),
    /// Keep again.
    ResumeRecording(SampleTime),
    /// End it.
    StopRecording(ItemId, SampleTime),
    /// Open a voice's gate in the recording.
    Open(Recordable),
    /// Shut it: this is the first sample that may not be kept. It may lie ahead.
    Close(SpeakerId, SampleTime),
    /// Begin to write down what is said.
    StartTranscript(ItemId, SampleTime),
    /// End it.
    StopTranscript(ItemId, SampleTime),
    /// Open a voice's gate in the transcript.
    OpenTranscript(Transcribable),
    /// Shut it: this is the first sample that may not be written down. It may lie ahead.
    CloseTranscript(SpeakerId, SampleTime),
    /// Begin the copy for moderators.
    StartCopy(ItemId, SampleTime),
    /// End it.
    StopCopy(ItemId, SampleTime),
    /// Open a voice's gate in the copy.
    OpenCopy(ModerationBasis),
    /// Shut it.
    CloseCopy(SpeakerId, SampleTime),
    /// Cut this sound bite and say when it is [kept](super::Room::kept).
    Cut {
        /// What it is called.
        item: ItemId,
        /// Out of what.
        parent: ItemId,
        /// Which stretch.
        span: Span,
        /// Whose tracks.
        voices: Vec<Person>,
    },
    /// Give it to somebody.
    HandOver {
        /// What.
        item: ItemId,
        /// To whom.
        to: Person,
        /// Nothing but these stretches of these voices; all there is if this is none.
        only: Option<Vec<(Person, Vec<Span>)>>,
    },
    /// Give it to the public.
    Publish(ItemId),
    /// Take a voice out of a stretch of everything that is kept by consent, and say when it is
    /// [done](super::Room::redacted). A copy for moderators stands on another ground and is left as it is.
    Redact {
        /// The entry that demands it.
        entry: u64,
        /// Whose voice.
        who: Person,
        /// Where.
        span: Span,
    },
    /// Destroy the keys and the files, and say whether that [succeeded](super::Room::deleted).
    Delete(ItemId),
    /// Show it to everybody.
    Tell(News),
}

/// What an effect opens or shuts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Door {
    Recording,
    Transcript,
    Copy,
    Voice(SpeakerId),
    WrittenVoice(SpeakerId),
    CopiedVoice(SpeakerId),
}

impl Door {
    /// Is what is done to one seen at the other?
    fn touches(self, other: Self) -> bool {
        use Door::{CopiedVoice, Copy, Recording, Transcript, Voice, WrittenVoice};
        self == other
            || matches!((self, other), (Recording, Voice(_)) | (Voice(_), Recording))
            || matches!((self, other), (Transcript, WrittenVoice(_)) | (WrittenVoice(_), Transcript))
            || matches!((self, other), (Copy, CopiedVoice(_)) | (CopiedVoice(_), Copy))
    }
}

impl Effect {
    fn door(&self) -> Option<Door> {
        match self {
            Self::StartRecording(..) | Self::StopRecording(..) => Some(Door::Recording),
            Self::PauseRecording(_) | Self::ResumeRecording(_) => Some(Door::Recording),
            Self::Open(proof) => Some(Door::Voice(proof.speaker())),
            Self::Close(speaker, _) => Some(Door::Voice(*speaker)),
            Self::StartTranscript(..) | Self::StopTranscript(..) => Some(Door::Transcript),
            Self::OpenTranscript(proof) => Some(Door::WrittenVoice(proof.speaker())),
            Self::CloseTranscript(speaker, _) => Some(Door::WrittenVoice(*speaker)),
            Self::StartCopy(..) | Self::StopCopy(..) => Some(Door::Copy),
            Self::OpenCopy(proof) => Some(Door::CopiedVoice(proof.speaker())),
            Self::CloseCopy(speaker, _) => Some(Door::CopiedVoice(*speaker)),
            _ => None,
        }
    }
}

/// Effects on their way out. What opens waits until its entry is safely written, so that no crash leaves a gate open without
/// a decision; what shuts does not wait, unless what it shuts is still waiting to be opened.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    ready: VecDeque<Effect>,
    /// How many entries have to be written first.
    waiting: VecDeque<(u64, Effect)>,
}

impl Outbox {
    /// Lets it out once `entries` are written.
    pub(super) fn when_written(&mut self, entries: u64, effect: Effect) {
        self.waiting.push_back((entries, effect));
    }

    /// Shuts a door at once, and tells of it after that.
    pub(super) fn shut(&mut self, entries: u64, effect: Effect, news: Option<News>) {
        let door = effect.door();
        let touched = |(_, other): &(u64, Effect)| {
            door.zip(other.door()).is_some_and(|(door, other)| door.touches(other))
        };
        let waits = self.waiting.iter().any(touched);
        for effect in [Some(effect), news.map(Effect::Tell)].into_iter().flatten() {
            if waits { self.waiting.push_back((entries, effect)) } else { self.ready.push_back(effect) }
        }
    }

    /// The next one, if so many entries are written.
    pub(super) fn next(&mut self, written: u64) -> Option<Effect> {
        if let Some(effect) = self.ready.pop_front() {
            return Some(effect);
        }
        let may_go = self.waiting.front().is_some_and(|(entries, _)| *entries <= written);
        if may_go { self.waiting.pop_front().map(|(_, effect)| effect) } else { None }
    }
}
