//! Ogg Opus (RFC 7845) as a list of packets: read as a sender's microphone, written as a bus's encoder made them.

use super::error::Invalid;
use crate::{frame::Channels, packet, record::OggOpusFile, time::Samples};
use ogg::{OggReadError, PacketReader};
use std::{
    fs::File,
    io::{self, BufReader},
    path::Path,
};

/// The sound of one packet: traces count media time in these.
pub(super) const PACKET: Samples = Samples::from_ms(20);

/// A file's packets, 20 ms each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpusFile {
    /// What the header says.
    pub channels: Channels,
    /// Samples that a player leaves out at the beginning.
    pub pre_skip: u16,
    /// At least one, none empty.
    pub packets: Vec<Box<[u8]>>,
}

impl OpusFile {
    /// Reads a file.
    ///
    /// # Errors
    /// No Ogg, no Opus, more than two channels, truncated, empty, or a packet that is not 20 ms of Opus.
    pub fn read(path: &Path) -> Result<Self, Invalid> {
        let invalid = |expected: String| Invalid::new(path, None, expected);
        if path.is_dir() {
            return Err(invalid(String::from("expected an Ogg Opus file, found a directory")));
        }
        let file = File::open(path).map_err(|error| Invalid::unreadable(path, &error))?;
        let mut reader = PacketReader::new(BufReader::new(file));
        let (channels, pre_skip, serial) = head(&mut reader).map_err(&invalid)?;
        let packets = voice(&mut reader, serial).map_err(&invalid)?;
        Ok(Self { channels, pre_skip, packets })
    }
}

type Reader = PacketReader<BufReader<File>>;

fn head(reader: &mut Reader) -> Result<(Channels, u16, u32), String> {
    let not_opus = || String::from("expected Ogg Opus, found no OpusHead");
    let packet = next(reader)?.ok_or_else(not_opus)?;
    let [b'O', b'p', b'u', b's', b'H', b'e', b'a', b'd', version, count, skip_low, skip_high, rest @ ..] =
        &packet.data[..]
    else {
        return Err(not_opus());
    };
    // RFC 7845 §5.1: the upper half of the version is incompatible when it grows; six bytes of rate and gain follow.
    let (Some(family), true) = (rest.get(6), *version < 16) else {
        return Err(format!("expected an OpusHead of version 1, found version {version}"));
    };
    let channels = match (family, count) {
        (0, 1) => Channels::Mono,
        (0, 2) => Channels::Stereo,
        _ => {
            return Err(format!(
                "expected channel mapping 0 with 1 or 2 channels, found mapping {family} with {count}"
            ));
        }
    };
    Ok((channels, u16::from_le_bytes([*skip_low, *skip_high]), packet.stream_serial()))
}

fn voice(reader: &mut Reader, serial: u32) -> Result<Vec<Box<[u8]>>, String> {
    let mut packets: Vec<Box<[u8]>> = Vec::new();
    let mut tags = true;
    loop {
        let packet = next(reader)?.ok_or("expected the stream's end, found a truncated file")?;
        if packet.stream_serial() != serial {
            continue;
        }
        let last = packet.last_in_stream();
        if !std::mem::take(&mut tags) {
            check_duration(&packet.data, packets.len())?;
            packets.push(packet.data.into_boxed_slice());
        }
        if last {
            break;
        }
    }
    if packets.is_empty() { Err(String::from("expected at least one packet of sound")) } else { Ok(packets) }
}

fn next(reader: &mut Reader) -> Result<Option<ogg::Packet>, String> {
    reader.read_packet().map_err(|error| match error {
        OggReadError::ReadError(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            String::from("expected the stream's end, found a truncated file")
        }
        error => format!("expected Ogg Opus, found {error}"),
    })
}

fn check_duration(packet: &[u8], number: usize) -> Result<(), String> {
    match packet::opus::duration(packet) {
        Some(PACKET) => Ok(()),
        Some(other) => Err(format!("packet {number}: expected 20 ms of sound, found {} ms", other.as_ms())),
        None => Err(format!("packet {number}: expected an Opus packet")),
    }
}

/// Writes packets as an Ogg Opus file.
#[derive(Debug)]
pub struct OpusFileWriter {
    ogg: OggOpusFile,
    pre_skip: u64,
    samples: u64,
}

/// One stream a file: any number will do, and a fixed one keeps files equal (RFC 3533 §6).
const SERIAL: u32 = 0x7465_7274;

impl OpusFileWriter {
    /// Begins a file with its two headers.
    ///
    /// # Errors
    /// What the file system refuses.
    pub fn create(path: &Path, channels: Channels, pre_skip: u16) -> io::Result<Self> {
        let pre_skip = u64::from(pre_skip);
        let ogg = OggOpusFile::create(path, SERIAL, channels.count() as u8, pre_skip)?;
        Ok(Self { ogg, pre_skip, samples: 0 })
    }

    /// Adds a packet.
    ///
    /// # Errors
    /// What the file system refuses.
    pub fn packet(&mut self, payload: &[u8], duration: Samples) -> io::Result<()> {
        self.samples += duration.count();
        self.ogg.push((payload.to_vec().into(), duration.count()))
    }

    /// Ends the file `samples` after its first audible one, or with its last packet if that comes before.
    ///
    /// # Errors
    /// What the file system refuses.
    pub fn finish(mut self, samples: Samples) -> io::Result<()> {
        self.ogg.finish(self.samples.min(samples.count() + self.pre_skip))
    }
}

#[cfg(test)]
mod tests {
    use super::super::Talker;
    use super::*;

    fn written(packets: usize) -> (tempfile::TempDir, std::path::PathBuf, Vec<Box<[u8]>>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.opus");
        let voice: Vec<_> = Talker::new(1).packets().take(packets).collect();
        let mut writer = OpusFileWriter::create(&path, Channels::Mono, 312).unwrap();
        for packet in &voice {
            writer.packet(packet, PACKET).unwrap();
        }
        writer.finish(Samples::new(960 * packets as u64)).unwrap();
        (folder, path, voice)
    }

    #[test]
    fn packets_survive_the_file() {
        let (_folder, path, voice) = written(120);
        let file = OpusFile::read(&path).unwrap();
        assert_eq!((file.channels, file.pre_skip, file.packets), (Channels::Mono, 312, voice));
    }

    #[test]
    fn a_file_cut_anywhere_is_an_error_of_one_line() {
        let (_folder, path, _) = written(60);
        let bytes = std::fs::read(&path).unwrap();
        for length in (0..bytes.len()).step_by(97) {
            std::fs::write(&path, &bytes[..length]).unwrap();
            let error = OpusFile::read(&path).unwrap_err().to_string();
            assert!(error.contains("a.opus: expected") && !error.contains('\n'), "{length}: {error}");
        }
    }
}
