//! A file that only grows: bytes come in and wait until the disk has them for sure. A disk that fails is asked again, from
//! the last byte that it is sure to have; nothing is read back. What [`Latest`](super::latest::Latest) holds is safe before the
//! file itself is.

use super::{
    disk::Disk,
    latest::Piece,
    seal::{self, Seal},
};
use sha2::{Digest, Sha256};
use std::io;

/// One file.
pub(super) struct Growing {
    name: String,
    /// What the disk has for sure, in bytes.
    safe: u64,
    /// What comes behind.
    tail: Vec<u8>,
    /// How much of that was written.
    written: usize,
    /// How much of it is safe by what came last.
    told: usize,
    /// The tail is the whole file, and another is there.
    whole: bool,
    hash: Sha256,
}

impl Growing {
    pub(super) fn new(name: String) -> Self {
        Self { name, safe: 0, tail: Vec::new(), written: 0, told: 0, whole: false, hash: Sha256::new() }
    }

    /// One of which the disk has so many bytes. What it is known by is not told.
    pub(super) fn behind(name: String, safe: u64) -> Self {
        Self { safe, ..Self::new(name) }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.tail.extend_from_slice(bytes);
        self.hash.update(bytes);
    }

    /// Forgets all there is: what comes is another file of this name, which takes the place of this one at once.
    pub(super) fn begin_anew(&mut self) {
        *self = Self { whole: true, ..Self::new(std::mem::take(&mut self.name)) };
    }

    /// All there is, in bytes.
    pub(super) fn bytes(&self) -> u64 {
        self.safe + self.tail.len() as u64
    }

    /// What waits in memory until the disk takes it, in bytes.
    pub(super) fn held(&self) -> usize {
        self.tail.len() - self.written.min(self.told)
    }

    /// What is kept in memory until the file itself is safe, in bytes.
    pub(super) fn kept(&self) -> usize {
        self.tail.len()
    }

    /// Is it to take the place of another, and not told so?
    pub(super) fn is_another(&self) -> bool {
        self.whole && self.told == 0
    }

    /// What is to be told of it among what came last.
    pub(super) fn news(&self) -> Option<Piece<'_>> {
        let bytes = self.tail.get(self.told..).unwrap_or_default();
        let is_another = self.is_another();
        let at = (!is_another).then_some(self.safe + self.told as u64);
        (is_another || !bytes.is_empty()).then_some(Piece { file: &self.name, at, bytes })
    }

    /// All that is new was told.
    pub(super) fn was_told(&mut self) {
        self.told = self.tail.len();
    }

    /// Nobody knows what became of what was written and not made safe.
    pub(super) fn doubt(&mut self) {
        self.written = 0;
    }

    /// Hands over what is new.
    pub(super) fn write(&mut self, disk: &mut dyn Disk) -> io::Result<()> {
        if self.whole {
            disk.replace(&self.name, &self.tail)?;
            (self.whole, self.written) = (false, self.tail.len());
            self.settle();
        }
        if let Some(new @ [_, ..]) = self.tail.get(self.written..) {
            let at = self.safe + self.written as u64;
            if let Err(error) = disk.append(&self.name, at, new) {
                self.written = 0;
                return Err(error);
            }
            self.written = self.tail.len();
        }
        Ok(())
    }

    /// Hands over what is new and waits until the disk has it for sure.
    pub(super) fn sync(&mut self, disk: &mut dyn Disk) -> io::Result<()> {
        self.write(disk)?;
        if self.tail.is_empty() {
            return Ok(());
        }
        if let Err(error) = disk.sync(&self.name) {
            self.written = 0;
            return Err(error);
        }
        self.settle();
        Ok(())
    }

    fn settle(&mut self) {
        self.safe += self.tail.len() as u64;
        self.tail.clear();
        (self.written, self.told) = (0, 0);
    }

    /// Length and SHA-256 of all there is, in hexadecimal.
    pub(super) fn seal(&self) -> Seal {
        seal::of(self.bytes(), self.hash.clone())
    }
}

impl std::fmt::Debug for Growing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { name, safe, written, .. } = self;
        f.debug_struct("Growing").field("name", name).field("safe", safe).field("written", written).finish()
    }
}
