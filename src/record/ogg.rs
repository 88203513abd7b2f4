//! One Ogg Opus file (RFC 7845) that can be played at any moment while it grows: packets in, pages of a second out.

use super::fill::Coded;
use ogg::{PacketWriteEndInfo, PacketWriter};
use std::{
    fmt,
    fs::File,
    io::{self, BufWriter, Seek, SeekFrom, Write},
    path::Path,
};

/// A page is written once it holds a second: no more than that is lost when the process dies.
const PAGE_SAMPLES: u64 = 48_000;

/// An Ogg Opus file in the making.
pub(super) struct OggOpus {
    pages: PacketWriter<'static, BufWriter<File>>,
    serial: u32,
    /// Kept back: the stream's last packet has to say that it is the last.
    last: Option<Coded>,
    samples: u64,
    page_from: u64,
}

impl OggOpus {
    /// A file with its two header pages and no sound.
    pub(super) fn create(path: &Path, serial: u32, pre_skip: u64) -> io::Result<Self> {
        let mut pages = PacketWriter::new(BufWriter::new(File::create(path)?));
        pages.write_packet(head(1, pre_skip), serial, PacketWriteEndInfo::EndPage, 0)?;
        pages.write_packet(tags(), serial, PacketWriteEndInfo::EndPage, 0)?;
        pages.inner_mut().flush()?;
        Ok(Self { pages, serial, last: None, samples: 0, page_from: 0 })
    }

    /// Writes the first page anew. It has the same length always, so that this can wait for the first sound.
    pub(super) fn rewrite_head(&mut self, channels: u8, pre_skip: u64) -> io::Result<()> {
        let mut page = PacketWriter::new(Vec::new());
        page.write_packet(head(channels, pre_skip), self.serial, PacketWriteEndInfo::EndPage, 0)?;
        let file = self.pages.inner_mut();
        file.seek(SeekFrom::Start(0))?;
        file.write_all(&page.into_inner())?;
        file.seek(SeekFrom::End(0)).map(|_| ())
    }

    /// How many samples a decoder makes of all packets so far, those to be skipped at the start among them.
    pub(super) fn samples(&self) -> u64 {
        self.samples
    }

    pub(super) fn push(&mut self, packet: Coded) -> io::Result<()> {
        let granule = self.samples;
        self.samples += packet.1;
        let Some((bytes, _)) = self.last.replace(packet) else { return Ok(()) };
        if granule - self.page_from < PAGE_SAMPLES {
            return self.pages.write_packet(bytes, self.serial, PacketWriteEndInfo::NormalPacket, granule);
        }
        self.page_from = granule;
        self.pages.write_packet(bytes, self.serial, PacketWriteEndInfo::EndPage, granule)?;
        self.pages.inner_mut().flush()
    }

    /// Ends the stream at `granule`; what the last packet holds beyond is trimmed by players (RFC 7845 §4.4).
    pub(super) fn finish(&mut self, granule: u64) -> io::Result<()> {
        if let Some((bytes, _)) = self.last.take() {
            self.pages.write_packet(bytes, self.serial, PacketWriteEndInfo::EndStream, granule)?;
        }
        self.pages.inner_mut().flush()?;
        self.pages.inner().get_ref().sync_all()
    }
}

impl fmt::Debug for OggOpus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OggOpus").field("serial", &self.serial).field("samples", &self.samples).finish()
    }
}

/// The identification header (RFC 7845 §5.1): version 1, 48 kHz input, no gain, mapping family 0.
fn head(channels: u8, pre_skip: u64) -> Vec<u8> {
    let mut head = b"OpusHead\x01".to_vec();
    head.push(channels);
    head.extend((pre_skip as u16).to_le_bytes());
    head.extend(48_000_u32.to_le_bytes());
    head.extend([0; 3]);
    head
}

/// The comment header (RFC 7845 §5.2): a vendor, no comments.
fn tags() -> Vec<u8> {
    let vendor = concat!("tertulia ", env!("CARGO_PKG_VERSION"));
    let mut tags = b"OpusTags".to_vec();
    tags.extend((vendor.len() as u32).to_le_bytes());
    tags.extend(vendor.as_bytes());
    tags.extend(0_u32.to_le_bytes());
    tags
}

/// A stream's number: FNV-1a of the speaker's name, so that the same session is the same bytes.
pub(super) fn serial(name: &str) -> u32 {
    name.bytes().fold(0x811C_9DC5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}
