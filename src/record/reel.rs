//! A track's growing file: whole pages in, which are written as they are or sealed.

use super::{disk::Disk, growing::Growing, seal::Seal, sealer::Sealer};
use std::io;

/// One file.
#[derive(Debug)]
pub(super) struct Reel {
    file: Growing,
    sealer: Option<Sealer>,
}

impl Reel {
    pub(super) fn new(file: String, sealer: Option<Sealer>) -> Self {
        Self { file: Growing::new(file), sealer }
    }

    pub(super) fn name(&self) -> &str {
        self.file.name()
    }

    /// What waits in memory, in bytes.
    pub(super) fn held(&self) -> usize {
        self.file.held()
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
        self.file.sync(disk)
    }

    /// Length and SHA-256 of all there is, in hexadecimal.
    pub(super) fn seal(&self) -> Seal {
        self.file.seal()
    }
}
