//! A recorder that waits in memory, until somebody wants what was said a moment ago.

use super::{
    config::RecorderConfig,
    disk::{Disk, Folder},
    error::RecordError,
    recorder::Recorder,
};
use crate::time::{SampleTime, Samples};
use std::path::Path;

impl Recorder {
    /// A recorder that remembers the last `pre_roll` of a room in memory and writes nothing, until it [begins](Self::begin).
    #[must_use]
    pub fn arm(config: RecorderConfig, pre_roll: Samples) -> Self {
        let mut recorder = Self::new(config);
        recorder.pre_roll = pre_roll;
        recorder
    }

    /// An armed recorder begins to record into `dir`, from a moment on that may be past: as far back as it remembers, and
    /// of each voice no more than what it had agreed to then. From which sample on it records.
    ///
    /// # Errors
    /// The folder or the manifest cannot be written; it remains armed.
    pub fn begin(&mut self, dir: &Path, from: SampleTime) -> Result<SampleTime, RecordError> {
        let folder = Folder::create(dir, self.config.sync.is_some());
        let folder = folder.map_err(|source| RecordError::new(dir, "create", source))?;
        self.begin_on(Box::new(folder), dir, from)
    }

    /// As [`Self::begin`], on a disk of the caller's.
    ///
    /// # Errors
    /// As [`Self::begin`].
    pub fn begin_on(
        &mut self,
        disk: Box<dyn Disk>,
        dir: &Path,
        from: SampleTime,
    ) -> Result<SampleTime, RecordError> {
        let from = from.max(self.now.before(self.pre_roll));
        if self.store.is_none() {
            self.open_store(disk, dir, from)?;
            self.keep_nothing_before(from);
        }
        Ok(from)
    }
}
