//! The disk of a recorder that writes nothing.

use super::disk::Disk;
use std::{io, ops::Range};

/// A disk that takes all and keeps nothing.
#[derive(Debug)]
pub(super) struct Nowhere;

impl Disk for Nowhere {
    fn append(&mut self, _: &str, _: u64, _: &[u8]) -> io::Result<()> {
        Ok(())
    }

    fn sync(&mut self, _: &str) -> io::Result<()> {
        Ok(())
    }

    fn replace(&mut self, _: &str, _: &[u8]) -> io::Result<()> {
        Ok(())
    }

    fn remove(&mut self, _: &str) -> io::Result<()> {
        Ok(())
    }

    fn rename(&mut self, _: &str, _: &str) -> io::Result<()> {
        Ok(())
    }

    fn shred(&mut self, _: &str, _: Range<u64>) -> io::Result<()> {
        Ok(())
    }
}
