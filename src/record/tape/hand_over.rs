//! A tape's way to the disk: what is new is told among what came last, then written, and the files themselves are made safe now and
//! then.

use super::{
    super::{disk::Disk, latest::Piece},
    Tape,
};
use std::io;

impl Tape {
    /// Waits until the keys with which what is new is sealed are on their disk.
    pub(in crate::record) fn sync_keys(&mut self) -> io::Result<()> {
        self.file.sync_keys()
    }

    /// What is to be told among what came last; its keys are safe.
    pub(in crate::record) fn news(&self) -> impl Iterator<Item = Piece<'_>> {
        self.file.news()
    }

    /// All that is new was told: hands it over.
    pub(in crate::record) fn write(&mut self, disk: &mut dyn Disk) -> io::Result<()> {
        self.file.was_told();
        let written = self.file.write(disk);
        self.weight.weigh(self.file.held());
        written
    }

    /// Hands over what is new and waits until the disk has it for sure.
    pub(in crate::record) fn sync(&mut self, disk: &mut dyn Disk) -> io::Result<()> {
        let synced = self.file.sync(disk);
        self.weight.weigh(self.file.held());
        synced
    }

    /// Nobody knows what became of what was written and not made safe: it waits once more.
    pub(in crate::record) fn doubt(&mut self) {
        self.file.doubt();
        self.weight.weigh(self.file.held());
    }

    /// What is kept in memory until the files themselves are safe, in bytes.
    pub(in crate::record) fn kept(&self) -> usize {
        self.file.kept()
    }

    /// Is something left of the file before?
    pub(in crate::record) fn is_turning(&self) -> bool {
        self.file.is_turning()
    }
}
