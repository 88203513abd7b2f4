//! Who is in the room: speakers come, leave, and are seen off when all of theirs has been heard. Scenario events come in;
//! commands to the engine, and the recorder's joins and leaves, go out at the same samples.

use super::{error::SimError, run::Run, scenario::ScenarioEvent};
use crate::{
    engine::{Command, Lane, LaneConfig},
    mix::Db,
    speaker::SpeakerId,
    time::{SampleTime, Samples},
};

impl Run<'_> {
    /// Mutes or unmutes; one who is not in the room, or about to go, is silent as it is until it comes back.
    pub(super) fn silence(
        &mut self,
        event: ScenarioEvent,
        speaker: SpeakerId,
        silenced: bool,
    ) -> Result<(), SimError> {
        let voice = &mut self.voices[speaker.index()];
        voice.silenced = silenced;
        if voice.joined.is_none() || voice.leaving.is_some() {
            return Ok(());
        }
        self.apply(event, muting(speaker, silenced, event.at))
    }

    pub(super) fn join(&mut self, event: ScenarioEvent, speaker: SpeakerId) -> Result<(), SimError> {
        let voice = &self.voices[speaker.index()];
        match (voice.joined, voice.leaving) {
            (None, _) => self.admit(event, speaker),
            (Some(_), Some(_)) => self.rejoin(event, speaker),
            (Some(_), None) => Ok(()),
        }
    }

    /// Whoever is back before its lane has gone keeps it, and is heard again.
    fn rejoin(&mut self, event: ScenarioEvent, speaker: SpeakerId) -> Result<(), SimError> {
        self.receive(self.engine.now());
        let voice = &mut self.voices[speaker.index()];
        voice.rejoin(event.at);
        let silenced = voice.silenced;
        self.begin_track(event, speaker)?;
        self.apply(event, muting(speaker, silenced, event.at))
    }

    fn begin_track(&mut self, event: ScenarioEvent, speaker: SpeakerId) -> Result<(), SimError> {
        let voice = &self.voices[speaker.index()];
        self.recorder.join(speaker, voice.name(), event.at)?;
        if voice.consent {
            self.agree(speaker, event.at);
        }
        Ok(())
    }

    fn admit(&mut self, event: ScenarioEvent, speaker: SpeakerId) -> Result<(), SimError> {
        self.voices[speaker.index()].join(event.at, self.engine.now());
        self.begin_track(event, speaker)?;
        let voice = &self.voices[speaker.index()];
        let (gain_db, pan, silenced, at) = (voice.gain_db, voice.pan, voice.silenced, event.at);
        let lane = Lane::new(LaneConfig { speaker, deep_redundancy: voice.dred, ..self.lane }, &self.room)?;
        self.apply(event, Command::Admit(Box::new(lane)))?;
        if gain_db != 0.0 {
            let gain = Command::Gain { speaker, to: Db(gain_db).to_linear(), at, over: Samples::ZERO };
            self.apply(event, gain)?;
        }
        if pan != 0.0 {
            self.apply(event, Command::Pan { speaker, to: pan, at })?;
        }
        if silenced { self.apply(event, muting(speaker, true, at)) } else { Ok(()) }
    }

    /// Silent from exactly this sample, and gone with the next tick.
    pub(super) fn leave(&mut self, event: ScenarioEvent, speaker: SpeakerId) -> Result<(), SimError> {
        let voice = &mut self.voices[speaker.index()];
        if voice.joined.is_none() || voice.leaving.is_some() {
            return Ok(());
        }
        voice.leaving = Some(event.at);
        self.recorder.leave(speaker, event.at);
        self.apply(event, Command::Mute { speaker, at: event.at })
    }

    /// Dismisses those whose time has come: they left, or their trace has ended and all of it has been heard.
    pub(super) fn see_off(&mut self, now: SampleTime) {
        for place in 0..self.voices.len() {
            let voice = &mut self.voices[place];
            let speaker = voice.id;
            let Some(lane) = self.engine.stats(speaker).filter(|_| voice.joined.is_some()) else { continue };
            if voice.leaving.is_none() && voice.is_over(now, &lane) {
                // What it sent and nobody received is its too.
                voice.leaving = Some(now.max(voice.sender.end()).min(self.end));
                // Who leaves before its last sound is written loses it, who leaves later has a pause there.
                self.recorder.leave(speaker, self.recorder.sound_end(speaker).unwrap_or(now));
                self.dismiss(speaker);
                continue;
            }
            if self.voices[place].leaving.is_some_and(|leaving| now >= leaving) {
                self.dismiss(speaker);
            }
        }
    }

    fn dismiss(&mut self, speaker: SpeakerId) {
        self.count_out(speaker, self.engine.now());
        drop(self.engine.apply(Command::Dismiss(speaker)));
    }

    /// Takes a lane's counters before it goes.
    pub(super) fn count_out(&mut self, speaker: SpeakerId, now: SampleTime) {
        let lane = self.engine.stats(speaker).unwrap_or_default();
        let voice = &mut self.voices[speaker.index()];
        voice.left(voice.leaving.unwrap_or(now), &lane);
    }
}

fn muting(speaker: SpeakerId, silenced: bool, at: SampleTime) -> Command {
    if silenced { Command::Mute { speaker, at } } else { Command::Unmute { speaker, at } }
}
