//! A track's growing file: whole pages in, which are written as they are or sealed.

use super::{
    disk::{Disk, is_gone},
    growing::Growing,
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

    /// What waits in memory, in bytes.
    pub(super) fn held(&self) -> usize {
        self.file.held() + self.ended.as_ref().map_or(0, Growing::held)
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
        self.sealer.as_mut().map_or(Ok(()), Sealer::sync)?;
        self.sync_ended(disk)?;
        self.file.sync(disk)
    }

    /// One that is gone has nothing to be joined to: then its rest goes too, and what is left of it is for a recovery to tell.
    fn sync_ended(&mut self, disk: &mut dyn Disk) -> io::Result<()> {
        let Some(ended) = &mut self.ended else { return Ok(()) };
        let done = ended.sync(disk);
        if done.as_ref().map_or_else(is_gone, |()| true) {
            self.ended = None;
        }
        done.map_err(|error| if is_gone(&error) { io::Error::other("a part's file is gone") } else { error })
    }

    /// Length and SHA-256 of all there is, in hexadecimal.
    pub(super) fn seal(&self) -> Seal {
        self.file.seal()
    }
}
