//! What people see: news for the server's screens, and the picture that they add up to.

use super::{entry::ItemId, ledger::Consent, person::Person};
use crate::{consent::Purpose, time::SampleTime};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Something to tell everybody in the room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum News {
    /// A recording has begun.
    RecordingStarted(SampleTime),
    /// It keeps nothing from here on.
    RecordingPaused(SampleTime),
    /// It keeps again.
    RecordingResumed(SampleTime),
    /// It is over.
    RecordingStopped(SampleTime),
    /// A voice is in the recording from here on.
    VoiceIn(Person, SampleTime),
    /// It is not any more.
    VoiceOut(Person, SampleTime),
    /// A voice is written down from here on.
    TranscriptIn(Person, SampleTime),
    /// It is not any more.
    TranscriptOut(Person, SampleTime),
    /// A voice is in the copy for moderators from here on.
    CopyIn(Person, SampleTime),
    /// It is not any more.
    CopyOut(Person, SampleTime),
    /// Where somebody stands: asked, yes, no, no more.
    Consent(Person, Purpose, Consent),
    /// A sound bite was granted.
    Clipped(ItemId),
    /// Something was given to the public.
    Published(ItemId),
}

/// Is there a recording?
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Lamp {
    /// None.
    #[default]
    Off,
    /// One that keeps.
    On,
    /// One that keeps nothing just now.
    Paused,
}

/// What the news add up to. Whoever comes late gets it whole, and then the news.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct View {
    /// Is there a recording?
    pub recording: Lamp,
    /// Whose voices are in it.
    pub recorded: BTreeSet<Person>,
    /// Whose voices are written down.
    pub transcribed: BTreeSet<Person>,
    /// Whose voices are in the copy for moderators.
    pub copied: BTreeSet<Person>,
    /// Where everybody stands.
    #[serde(serialize_with = "as_list")]
    pub standing: BTreeMap<(Person, Purpose), Consent>,
}

impl View {
    /// Is the dot red: may some gate be open? It turns so before the first gate opens, and back after the last has shut. A
    /// recording that nobody is in keeps nothing, and is not red.
    #[must_use]
    pub fn is_red(&self) -> bool {
        let is_recorded = self.recording == Lamp::On && !self.recorded.is_empty();
        is_recorded || !self.transcribed.is_empty() || !self.copied.is_empty()
    }

    /// What is different after this.
    pub fn learn(&mut self, news: News) {
        match news {
            News::RecordingStarted(_) | News::RecordingResumed(_) => self.recording = Lamp::On,
            News::RecordingPaused(_) => self.recording = Lamp::Paused,
            News::RecordingStopped(_) => self.recording = Lamp::Off,
            News::VoiceIn(who, _) => drop(self.recorded.insert(who)),
            News::VoiceOut(who, _) => drop(self.recorded.remove(&who)),
            News::TranscriptIn(who, _) => drop(self.transcribed.insert(who)),
            News::TranscriptOut(who, _) => drop(self.transcribed.remove(&who)),
            News::CopyIn(who, _) => drop(self.copied.insert(who)),
            News::CopyOut(who, _) => drop(self.copied.remove(&who)),
            News::Consent(who, purpose, consent) => drop(self.standing.insert((who, purpose), consent)),
            News::Clipped(_) | News::Published(_) => {}
        }
    }
}

/// A key of two parts is no key in JSON.
fn as_list<S: serde::Serializer>(
    standing: &BTreeMap<(Person, Purpose), Consent>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(standing.iter().map(|((who, purpose), consent)| (who, purpose, consent)))
}
