//! WAV as broadcasters have it: 48 kHz, 32-bit float or 24-bit, with a `bext` chunk that tells where the file begins (EBU
//! Tech 3285), and beyond 4 GiB as RF64 (EBU Tech 3306).

use crate::{frame::Channels, time::RATE_HZ};
use std::{
    fs::File,
    io::{self, BufWriter, Seek, SeekFrom, Write},
    path::Path,
};

/// How a sample is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Depth {
    Float,
    Bits24,
}

/// What the file says of itself.
#[derive(Clone, Debug, Default)]
pub(super) struct Bext {
    pub(super) description: String,
    /// `yyyy-mm-dd`, or nothing.
    pub(super) date: String,
    /// `hh:mm:ss`, or nothing.
    pub(super) time: String,
    /// The first sample, counted from midnight; from the room's opening where no day is known.
    pub(super) time_reference: u64,
}

/// A file in the making.
#[derive(Debug)]
pub(super) struct Wav {
    file: BufWriter<File>,
    depth: Depth,
    width: usize,
    /// Where its samples begin.
    from: u64,
    bytes: u64,
}

/// RIFF, its length, WAVE, and a `JUNK` chunk where `ds64` is to stand in a long file.
const DS64: u64 = 12;

impl Wav {
    pub(super) fn create(path: &Path, depth: Depth, channels: Channels, bext: &Bext) -> io::Result<Self> {
        let mut file = BufWriter::with_capacity(1 << 18, File::create(path)?);
        file.write_all(b"RIFF\0\0\0\0WAVE")?;
        chunk(&mut file, b"JUNK", &[0; 28])?;
        chunk(&mut file, b"bext", &bext.bytes())?;
        chunk(&mut file, b"fmt ", &format(depth, channels))?;
        chunk(&mut file, b"fact", &[0; 4])?;
        file.write_all(b"data\0\0\0\0")?;
        let from = file.stream_position()?;
        Ok(Self { file, depth, width: channels.count(), from, bytes: 0 })
    }

    pub(super) fn write(&mut self, samples: &[f32]) -> io::Result<()> {
        for sample in samples {
            match self.depth {
                Depth::Float => self.file.write_all(&sample.to_le_bytes())?,
                Depth::Bits24 => self.file.write_all(&to_24_bits(*sample).to_le_bytes()[..3])?,
            }
        }
        self.bytes += samples.len() as u64 * self.depth.bytes();
        Ok(())
    }

    /// Pads to an even length and fills in the lengths.
    pub(super) fn finish(mut self) -> io::Result<()> {
        let padding = self.bytes % 2;
        self.file.write_all(&[0][..padding as usize])?;
        let riff = self.from + self.bytes + padding - 8;
        let frames = self.bytes / self.depth.bytes() / self.width as u64;
        let short = |length: u64| u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes();
        if riff > u64::from(u32::MAX) {
            self.patch(0, b"RF64")?;
            let lengths = [riff, self.bytes, frames].map(u64::to_le_bytes).concat();
            self.patch(DS64, &[b"ds64\x1c\0\0\0", &lengths[..], &[0; 4]].concat())?;
        }
        self.patch(4, &short(if riff > u64::from(u32::MAX) { u64::MAX } else { riff }))?;
        self.patch(self.from - 12, &short(frames))?;
        self.patch(self.from - 4, &short(self.bytes))?;
        self.file.flush()
    }

    fn patch(&mut self, at: u64, bytes: &[u8]) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(at))?;
        self.file.write_all(bytes)
    }
}

impl Depth {
    const fn bytes(self) -> u64 {
        match self {
            Self::Float => 4,
            Self::Bits24 => 3,
        }
    }
}

/// Rounded to the nearest step, full scale at the most.
pub(super) fn to_24_bits(sample: f32) -> i32 {
    (f64::from(sample) * 8_388_608.0).round().clamp(-8_388_608.0, 8_388_607.0) as i32
}

fn chunk(file: &mut impl Write, name: &[u8; 4], bytes: &[u8]) -> io::Result<()> {
    file.write_all(name)?;
    file.write_all(&(bytes.len() as u32).to_le_bytes())?;
    file.write_all(bytes)
}

/// `WAVEFORMATEX` without an extension.
fn format(depth: Depth, channels: Channels) -> Vec<u8> {
    let (tag, bytes, width) =
        (if depth == Depth::Float { 3_u16 } else { 1 }, depth.bytes(), channels.count() as u64);
    let mut format = Vec::new();
    format.extend(tag.to_le_bytes());
    format.extend((width as u16).to_le_bytes());
    format.extend(RATE_HZ.to_le_bytes());
    format.extend((RATE_HZ * (width * bytes) as u32).to_le_bytes());
    format.extend(((width * bytes) as u16).to_le_bytes());
    format.extend((8 * bytes as u16).to_le_bytes());
    format.extend([0; 2]);
    format
}

impl Bext {
    /// Version 1: no loudness is told.
    fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(602);
        let fields =
            [(&*self.description, 256), ("tertulia", 32), ("", 32), (&*self.date, 10), (&*self.time, 8)];
        for (text, length) in fields {
            let text = &text.as_bytes()[..text.len().min(length)];
            bytes.extend_from_slice(text);
            bytes.resize(bytes.len() + length - text.len(), 0);
        }
        bytes.extend(self.time_reference.to_le_bytes());
        bytes.extend(1_u16.to_le_bytes());
        bytes.resize(602, 0);
        bytes
    }
}
