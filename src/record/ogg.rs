//! One Ogg Opus stream (RFC 7845) that can be played at any moment while it grows: packets in, whole pages out. A packet
//! never reaches into another page, so that a file cut anywhere loses no more than the page that was cut.

use super::fill::Coded;
use ogg::{PacketWriteEndInfo, PacketWriter};
use std::fmt;

/// A page holds a second, if it is not ended before.
const PAGE_SAMPLES: u64 = 48_000;

/// What fits in a page: each 255 bytes of a packet and its rest take one (RFC 3533 §6).
const PAGE_SEGMENTS: usize = 255;

/// An Ogg Opus stream in the making.
pub(crate) struct OggOpus {
    pages: PacketWriter<'static, Vec<u8>>,
    serial: u32,
    /// Kept back: a page's last packet has to say that it is the last.
    last: Option<Coded>,
    samples: u64,
    page_from: u64,
    segments: usize,
}

impl OggOpus {
    /// A stream of its two header pages.
    pub(crate) fn new(serial: u32, channels: u8, pre_skip: u64) -> Self {
        let pages = PacketWriter::new(Vec::new());
        let mut stream = Self { pages, serial, last: None, samples: 0, page_from: 0, segments: 0 };
        stream.write((head(channels, pre_skip).into(), 0), PacketWriteEndInfo::EndPage, 0);
        stream.write((tags().into(), 0), PacketWriteEndInfo::EndPage, 0);
        stream
    }

    /// How many samples a decoder makes of all packets so far, those to be skipped at the start among them.
    pub(super) fn samples(&self) -> u64 {
        self.samples
    }

    /// Is all of it in whole pages?
    pub(super) fn is_between_pages(&self) -> bool {
        self.last.is_none()
    }

    pub(crate) fn push(&mut self, packet: Coded) {
        let (granule, next) = (self.samples, segments(&packet));
        self.samples += packet.1;
        let Some(last) = self.last.replace(packet) else { return };
        let full = self.segments + segments(&last) + next > PAGE_SEGMENTS;
        if full || granule - self.page_from >= PAGE_SAMPLES {
            self.write(last, PacketWriteEndInfo::EndPage, granule);
            (self.page_from, self.segments) = (granule, 0);
        } else {
            self.segments += segments(&last);
            self.write(last, PacketWriteEndInfo::NormalPacket, granule);
        }
    }

    /// Ends the page, if there is anything in it.
    pub(super) fn end_page(&mut self) {
        if let Some(last) = self.last.take() {
            self.write(last, PacketWriteEndInfo::EndPage, self.samples);
            (self.page_from, self.segments) = (self.samples, 0);
        }
    }

    /// Ends the stream at `granule`; what the last packet holds beyond is trimmed by players (RFC 7845 §4.4).
    pub(crate) fn finish(&mut self, granule: u64) {
        if let Some(last) = self.last.take() {
            self.write(last, PacketWriteEndInfo::EndStream, granule);
        }
    }

    /// The whole pages since the last question.
    pub(crate) fn take(&mut self) -> Vec<u8> {
        std::mem::take(self.pages.inner_mut())
    }

    fn write(&mut self, packet: Coded, end: PacketWriteEndInfo, granule: u64) {
        // A `Vec` takes everything.
        let _ = self.pages.write_packet(packet.0, self.serial, end, granule);
    }
}

fn segments((bytes, _): &Coded) -> usize {
    bytes.len() / 255 + 1
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
