//! What a yes leads to: into the recording, or into the transcript. Each way has its purpose, its gate and its news.

use super::{effect::Effect, ledger::Ledger, person::Person, view::News};
use crate::{consent::Purpose, speaker::SpeakerId, time::SampleTime};

/// A way out of the room that stands on consent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Way {
    Recording,
    Transcript,
}

impl Way {
    pub(super) const ALL: [Self; 2] = [Self::Recording, Self::Transcript];

    /// What has to be agreed to.
    pub(super) fn purpose(self) -> Purpose {
        match self {
            Self::Recording => Purpose::Record,
            Self::Transcript => Purpose::Transcribe,
        }
    }

    /// Opens the gate of the lane that `who` speaks by, if `who` agrees at `at`.
    pub(super) fn open(
        self,
        ledger: &Ledger,
        who: Person,
        speaker: SpeakerId,
        at: SampleTime,
    ) -> Option<Effect> {
        match self {
            Self::Recording => ledger.proof(who, speaker, at).map(Effect::Open),
            Self::Transcript => ledger.transcription(who, speaker, at).map(Effect::OpenTranscript),
        }
    }

    /// Shuts it.
    pub(super) fn close(self, speaker: SpeakerId, at: SampleTime) -> Effect {
        match self {
            Self::Recording => Effect::Close(speaker, at),
            Self::Transcript => Effect::CloseTranscript(speaker, at),
        }
    }

    pub(super) fn told_in(self, who: Person, at: SampleTime) -> News {
        match self {
            Self::Recording => News::VoiceIn(who, at),
            Self::Transcript => News::TranscriptIn(who, at),
        }
    }

    pub(super) fn told_out(self, who: Person, at: SampleTime) -> News {
        match self {
            Self::Recording => News::VoiceOut(who, at),
            Self::Transcript => News::TranscriptOut(who, at),
        }
    }
}
