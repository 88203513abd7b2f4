//! A track's growing file: whole pages in, which are written as they are or sealed.

use super::{
    disk::{Disk, is_gone},
    growing::Growing,
    latest::Piece,
    seal::Seal,
    sealer::Sealer,
};
use std::io;

/// One file.
#[derive(Debug)]
pub(super) struct Reel {
    file: Growing,
    /// The file before, as long as the disk has not got all of it.
    ended: Option<Growing>,
    sealer: Option<Sealer>,
}

impl Reel {
    pub(super) fn new(file: String, sealer: Option<Sealer>) -> Self {
        Self { file: Growing::new(file), ended: None, sealer }
    }

    pub(super) fn name(&self) -> &str {
        self.file.name()
    }

    /// What waits in memory until the disk takes it, in bytes.
    pub(super) fn held(&self) -> usize {
        self.files().map(Growing::held).sum()
    }

    /// What is kept in memory until the files themselves are safe, in bytes.
    pub(super) fn kept(&self) -> usize {
        self.files().map(Growing::kept).sum()
    }

    /// The file before, if it is not done with, and this one.
    fn files(&self) -> impl Iterator<Item = &Growing> {
        self.ended.iter().chain([&self.file])
    }

    fn files_mut(&mut self) -> impl Iterator<Item = &mut Growing> {
        self.ended.iter_mut().chain([&mut self.file])
    }

    /// What is to be told among what came last, once its keys are safe.
    pub(super) fn news(&self) -> impl Iterator<Item = Piece<'_>> {
        self.files().filter_map(Growing::news)
    }

    /// All that is new was told.
    pub(super) fn was_told(&mut self) {
        self.files_mut().for_each(Growing::was_told);
    }

    /// Nobody knows what became of what was written and not made safe.
    pub(super) fn doubt(&mut self) {
        self.files_mut().for_each(Growing::doubt);
    }

    /// Waits until the disk has the keys for sure with which what is new is sealed.
    pub(super) fn sync_keys(&mut self) -> io::Result<()> {
        self.sealer.as_mut().map_or(Ok(()), Sealer::sync)
    }

    /// Hands over what is new; keys before what they seal.
    pub(super) fn write(&mut self, disk: &mut dyn Disk) -> io::Result<()> {
        self.sync_keys()?;
        self.hand_over_ended(|ended| ended.write(disk))?;
        self.file.write(disk)
    }

    /// How long the file is, in bytes.
    pub(super) fn bytes(&self) -> u64 {
        self.file.bytes()
    }

    /// What comes is another stream in another file, behind this one; its keys come behind those that there are.
    pub(super) fn turn(&mut self, file: String) {
        self.ended = Some(std::mem::replace(&mut self.file, Growing::new(file)));
        self.sealer.iter_mut().for_each(Sealer::begin_anew);
    }

    /// Is something left of the file before?
    pub(super) fn is_turning(&self) -> bool {
        self.ended.is_some()
    }

    pub(super) fn push(&mut self, pages: &[u8]) {
        match &mut self.sealer {
            Some(sealer) => self.file.push(&sealer.seal(pages)),
            None => self.file.push(pages),
        }
    }

    /// What comes is another stream, which takes the place of this one at once.
    pub(super) fn begin_anew(&mut self) {
        self.file.begin_anew();
        self.sealer.iter_mut().for_each(Sealer::begin_anew);
    }

    pub(super) fn is_sealed(&self) -> bool {
        self.sealer.is_some()
    }

    /// What comes is sealed with another key.
    pub(super) fn end_segment(&mut self) {
        self.sealer.iter_mut().for_each(Sealer::end_segment);
    }

    /// Hands over what is new and waits until the disk has it for sure; keys before what they seal.
    pub(super) fn sync(&mut self, disk: &mut dyn Disk) -> io::Result<()> {
        self.sync_keys()?;
        self.hand_over_ended(|ended| ended.sync(disk))?;
        self.ended = None;
        self.file.sync(disk)
    }

    /// One that is gone has nothing to be joined to: then its rest goes too, and what is left of it is for a recovery to tell.
    fn hand_over_ended(&mut self, hand_over: impl FnOnce(&mut Growing) -> io::Result<()>) -> io::Result<()> {
        let Some(Err(error)) = self.ended.as_mut().map(hand_over) else { return Ok(()) };
        if is_gone(&error) {
            self.ended = None;
            return Err(io::Error::other("a part's file is gone"));
        }
        Err(error)
    }

    /// Length and SHA-256 of all there is, in hexadecimal.
    pub(super) fn seal(&self) -> Seal {
        self.file.seal()
    }
}
