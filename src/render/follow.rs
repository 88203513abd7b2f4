//! The mix of a recording that is still running, as Opus: what the tracks hold for good is rendered and encoded as it comes. So it
//! has in it who agreed, from sample to sample, and what came late or was mended; it lies some seconds behind the room.

use super::{RenderError, What, block::BLOCK, opus::OpusFile, render};
use crate::{
    frame::Channels,
    record::{Derived, Recording},
    time::Samples,
};
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

/// What a manifest calls the room's time may lie so far ahead of what is settled and on disk: the repair window, what is held
/// back, and a second until all is safe, twice.
const UNSETTLED: Samples = Samples::from_ms(8_000);

/// A mix that grows with its recording. A whole block of 10 s is rendered at once, so each sample is what a later
/// [`deliver`](super::deliver) renders there, but for what becomes known of clocks afterwards.
///
/// # Real-time
/// Never: it decodes everybody once more, on whatever thread asks.
#[derive(Debug)]
pub struct Follow {
    dir: PathBuf,
    keys: Option<PathBuf>,
    path: PathBuf,
    channels: Channels,
    file: OpusFile,
    /// Up to where it is rendered.
    done: u64,
    /// Whose voices may be in it, as the session's list of what was made of it says.
    noted: BTreeSet<String>,
}

impl Follow {
    /// Begins to follow the session in `dir` into the Ogg Opus file `path`; `keys` is for sealed tracks.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn begin(
        dir: &Path,
        keys: Option<&Path>,
        path: &Path,
        channels: Channels,
        bitrate_bps: u32,
    ) -> Result<Self, RenderError> {
        Ok(Self {
            dir: dir.to_owned(),
            keys: keys.map(Path::to_owned),
            path: path.to_owned(),
            channels,
            file: OpusFile::create(path, channels, bitrate_bps)?,
            done: 0,
            noted: BTreeSet::new(),
        })
    }

    /// Renders what is settled since the last call; up to which room sample that is.
    ///
    /// # Errors
    /// The recording cannot be read, or the file cannot be written.
    pub fn advance(&mut self) -> Result<u64, RenderError> {
        let recording = self.recording()?;
        let known = recording.manifest().samples;
        let settled =
            if recording.manifest().finished { known } else { known.saturating_sub(UNSETTLED.count()) };
        self.render_to(&recording, settled / BLOCK * BLOCK)?;
        Ok(self.done)
    }

    /// The recording is finished: renders the rest, and ends the file as long as the room.
    ///
    /// # Errors
    /// The recording cannot be read or is not finished, or the file cannot be written.
    pub fn finish(mut self) -> Result<(), RenderError> {
        let recording = self.recording()?;
        if !recording.manifest().finished {
            return Err(RenderError::What(format!("{}: expected a finished session", self.dir.display())));
        }
        self.render_to(&recording, recording.manifest().samples)?;
        self.file.finish()
    }

    fn recording(&self) -> Result<Recording, RenderError> {
        let recording = Recording::open(&self.dir)?;
        Ok(match &self.keys {
            Some(keys) => recording.with_keys(keys),
            None => recording,
        })
    }

    fn render_to(&mut self, recording: &Recording, to: u64) -> Result<(), RenderError> {
        if to <= self.done {
            return Ok(());
        }
        self.note(recording)?;
        let what = What { range: Some(self.done..to), channels: Some(self.channels), ..What::default() };
        let file = &mut self.file;
        render(recording, &what, &mut |block| file.write(block.mix))?;
        self.done = to;
        Ok(())
    }

    /// Whoever takes a voice back finds this file listed before the voice is in it.
    fn note(&mut self, recording: &Recording) -> Result<(), RenderError> {
        let speakers = recording.manifest().speakers.keys().cloned();
        let before = self.noted.len();
        self.noted.extend(speakers);
        if self.noted.len() == before {
            return Ok(());
        }
        let made = Derived {
            path: std::path::absolute(&self.path).unwrap_or_else(|_| self.path.clone()),
            kind: "mix".into(),
            from_sample: 0,
            to_sample: u64::MAX,
            speakers: self.noted.iter().cloned().collect(),
            recipients: Vec::new(),
        };
        Ok(made.note(&self.dir)?)
    }
}
