//! What is to be rendered.

use super::{Move, RenderError};
use crate::{frame::Channels, record::Recording};
use std::{collections::BTreeSet, ops::Range};

/// What is to be rendered. By default the whole session, everybody, as it happened, with a core for each thread.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct What {
    /// Whom one hears; everybody if it is not told.
    pub voices: Option<BTreeSet<String>>,
    /// Which part of the room's time; all of it if it is not told.
    pub range: Option<Range<u64>>,
    /// One channel or two; as many as are needed if it is not told.
    pub channels: Option<Channels>,
    /// What the faders do.
    pub automation: Automation,
    /// How many threads decode; one for each core if it is not told. It changes nothing else.
    pub threads: Option<usize>,
}

/// What the faders do.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Automation {
    /// What they did in the room: mutes, gains and pans at their samples.
    #[default]
    AsItHappened,
    /// Nothing: every voice at unity in the middle.
    Flat,
    /// This, in any order.
    Own(Vec<Move>),
}

/// [`What`], with all questions answered.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    /// In the order they are summed.
    pub(super) voices: Vec<String>,
    pub(super) range: Range<u64>,
    pub(super) channels: Channels,
    pub(super) threads: usize,
}

impl What {
    pub(super) fn plan(&self, recording: &Recording, moves: &[Move]) -> Result<Plan, RenderError> {
        let manifest = recording.manifest();
        let everybody = manifest.speakers.keys();
        if let Some(stranger) =
            self.voices.iter().flatten().find(|name| !manifest.speakers.contains_key(*name))
        {
            let names: Vec<&str> = everybody.map(String::as_str).collect();
            return Err(RenderError::What(format!("expected one of {}, found {stranger}", names.join(", "))));
        }
        let chosen = |name: &&String| self.voices.as_ref().is_none_or(|voices| voices.contains(*name));
        let voices: Vec<String> = everybody.filter(chosen).cloned().collect();
        let end = manifest.samples;
        let range = self.range.clone().unwrap_or(0..end);
        if range.start >= range.end || range.end > end {
            let Range { start, end: to } = range;
            return Err(RenderError::What(format!("expected a range within 0..{end}, found {start}..{to}")));
        }
        let channels = match self.channels {
            Some(channels) => channels,
            None => channels_for(recording, &voices, moves)?,
        };
        Ok(Plan { voices, range, channels, threads: self.threads() })
    }

    /// How many threads there are to be.
    pub(super) fn threads(&self) -> usize {
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        self.threads.unwrap_or_else(cores).max(1)
    }
}

/// Two channels if a voice has two, or stands elsewhere than in the middle.
fn channels_for(recording: &Recording, voices: &[String], moves: &[Move]) -> Result<Channels, RenderError> {
    if moves.iter().any(|it| it.is_to_a_side() && voices.contains(&it.speaker)) {
        return Ok(Channels::Stereo);
    }
    for name in voices {
        if recording.track(name)?.channels() == Channels::Stereo {
            return Ok(Channels::Stereo);
        }
    }
    Ok(Channels::Mono)
}
