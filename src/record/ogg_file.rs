//! An Ogg Opus file that is written once and at a go: mixes, renders, clips, tracks made anew. Tracks
//! that grow go another way, see `growing.rs`.

use super::{fill::Coded, ogg::OggOpus};
use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::Path,
};

/// A file in the making.
#[derive(Debug)]
pub(crate) struct OggOpusFile {
    file: BufWriter<File>,
    stream: OggOpus,
}

impl OggOpusFile {
    /// Begins a file with its two headers.
    pub(crate) fn create(path: &Path, serial: u32, channels: u8, pre_skip: u64) -> io::Result<Self> {
        let stream = OggOpus::new(serial, channels, pre_skip);
        Ok(Self { file: BufWriter::new(File::create(path)?), stream })
    }

    /// How many samples a decoder makes of all packets so far.
    pub(super) fn samples(&self) -> u64 {
        self.stream.samples()
    }

    /// Adds a packet.
    pub(crate) fn push(&mut self, packet: Coded) -> io::Result<()> {
        self.stream.push(packet);
        self.file.write_all(&self.stream.take())
    }

    /// Ends the stream at `granule`.
    pub(crate) fn finish(&mut self, granule: u64) -> io::Result<()> {
        self.stream.finish(granule);
        self.file.write_all(&self.stream.take())?;
        self.file.flush()?;
        self.file.get_ref().sync_all()
    }
}
