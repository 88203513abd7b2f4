//! One Ogg Opus stream (RFC 7845) that can be played at any moment while it grows: packets in, whole pages out. A packet
//! never reaches into another page, so that a file cut anywhere loses no more than the page that was cut.

use super::{
    fill::Coded,
    page::{FIRST, LAST, Page},
};
use std::fmt;

/// A page holds a second, if it is not ended before.
const PAGE_SAMPLES: u64 = 48_000;

/// What fits in a page: each 255 bytes of a packet and its rest take one (RFC 3533 §6).
const PAGE_SEGMENTS: usize = 255;

/// An Ogg Opus stream in the making.
pub(crate) struct OggOpus {
    serial: u32,
    /// Whole pages that nobody has taken yet.
    pages: Vec<u8>,
    /// How many there are, with those that were taken.
    number: u32,
    /// The page in the making: its packets' lengths, as they stand in it, and their bytes.
    lacing: Vec<u8>,
    body: Vec<u8>,
    samples: u64,
    page_from: u64,
}

impl OggOpus {
    /// A stream of its two header pages.
    pub(crate) fn new(serial: u32, channels: u8, pre_skip: u64) -> Self {
        let mut stream = Self {
            serial,
            pages: Vec::new(),
            number: 0,
            lacing: Vec::new(),
            body: Vec::new(),
            samples: 0,
            page_from: 0,
        };
        stream.hold(&head(channels, pre_skip));
        stream.write(FIRST, 0);
        stream.hold(&tags());
        stream.write(0, 0);
        stream
    }

    /// How many samples a decoder makes of all packets so far, those to be skipped at the start among them.
    pub(super) fn samples(&self) -> u64 {
        self.samples
    }

    /// Is all of it in whole pages?
    pub(super) fn is_between_pages(&self) -> bool {
        self.lacing.is_empty()
    }

    pub(crate) fn push(&mut self, packet: Coded) {
        let is_full = self.lacing.len() + segments(&packet) > PAGE_SEGMENTS;
        if is_full || self.samples - self.page_from >= PAGE_SAMPLES {
            self.end_page();
        }
        self.hold(&packet.0);
        self.samples += packet.1;
    }

    /// Ends the page, if there is anything in it.
    pub(super) fn end_page(&mut self) {
        if !self.lacing.is_empty() {
            self.write(0, self.samples);
            self.page_from = self.samples;
        }
    }

    /// Ends the stream at `granule`; what the last packet holds beyond is trimmed by players (RFC 7845 §4.4).
    pub(crate) fn finish(&mut self, granule: u64) {
        if !self.lacing.is_empty() {
            self.write(LAST, granule);
        }
    }

    /// The whole pages since the last question.
    pub(crate) fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.pages)
    }

    /// Puts a packet into the page in the making.
    fn hold(&mut self, packet: &[u8]) {
        self.lacing.extend(std::iter::repeat_n(255, packet.len() / 255).chain([(packet.len() % 255) as u8]));
        self.body.extend_from_slice(packet);
    }

    fn write(&mut self, flags: u8, granule: u64) {
        Page::of(self.serial, &self.lacing, &self.body).write(flags, granule, self.number, &mut self.pages);
        self.number += 1;
        self.lacing.clear();
        self.body.clear();
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
