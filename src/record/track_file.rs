//! A track's file as it is read: plain, or sealed and opened with its keys.

use super::unsealed::Unsealed;
use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
};

/// The bytes of an Ogg Opus stream.
#[derive(Debug)]
pub struct TrackFile(pub(super) Kind);

#[derive(Debug)]
pub(super) enum Kind {
    Plain(File),
    Sealed(Box<Unsealed<File>>),
}

impl Read for TrackFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.0 {
            Kind::Plain(file) => file.read(buffer),
            Kind::Sealed(file) => file.read(buffer),
        }
    }
}

impl Seek for TrackFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        match &mut self.0 {
            Kind::Plain(file) => file.seek(to),
            Kind::Sealed(file) => file.seek(to),
        }
    }
}
