//! A recording's disk as its thread asks it: somebody else sees how long each answer takes.

use super::pulse::Pulse;
use crate::record::Disk;
use std::{io, ops::Range, sync::Arc};

/// A disk that is looked at from outside.
#[derive(Debug)]
pub(super) struct Attended {
    pub(super) disk: Box<dyn Disk>,
    pub(super) pulse: Arc<Pulse>,
}

impl Attended {
    fn ask<T>(&mut self, question: impl FnOnce(&mut dyn Disk) -> T) -> T {
        let Self { disk, pulse } = self;
        pulse.ask(|| question(disk.as_mut()))
    }
}

impl Disk for Attended {
    fn append(&mut self, file: &str, at: u64, bytes: &[u8]) -> io::Result<()> {
        self.ask(|disk| disk.append(file, at, bytes))
    }

    fn sync(&mut self, file: &str) -> io::Result<()> {
        self.ask(|disk| disk.sync(file))
    }

    fn replace(&mut self, file: &str, bytes: &[u8]) -> io::Result<()> {
        self.ask(|disk| disk.replace(file, bytes))
    }

    fn remove(&mut self, file: &str) -> io::Result<()> {
        self.ask(|disk| disk.remove(file))
    }

    fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        self.ask(|disk| disk.rename(from, to))
    }

    fn shred(&mut self, file: &str, bytes: Range<u64>) -> io::Result<()> {
        self.ask(|disk| disk.shred(file, bytes))
    }

    fn free_bytes(&mut self) -> Option<u64> {
        self.ask(|disk| disk.free_bytes())
    }
}
