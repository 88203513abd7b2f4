//! The packets of an Ogg Opus file (RFC 7845), each with its place in the file's own samples, from any sample on.

use super::{
    super::toc,
    page::{FIRST_LOOK, Page, Pages},
};
use std::{
    collections::VecDeque,
    io::{self, Read, Seek},
};

/// No Opus packet is longer (RFC 6716 §3.4: 48 frames of 1275 bytes, and what tells their lengths); padding may be.
const LONGEST: usize = 1 << 17;

/// A packet as it stands in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FilePacket {
    /// Its first sample, counted from the first packet's.
    pub(super) at: u64,
    pub(super) samples: u64,
    pub(super) payload: Vec<u8>,
}

/// What the file says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) channels: u8,
    pub(super) pre_skip: u16,
}

/// Reads one packet after the other.
#[derive(Debug)]
pub(super) struct Packets<R> {
    pages: Pages<R>,
    pub(super) head: Head,
    /// The first byte behind the headers.
    sound: u64,
    /// Where the next page is looked for.
    next: u64,
    /// The number of the last page, and where its last packet ended.
    before: Option<(u32, u64)>,
    /// The beginning of a packet that goes on with the next page.
    open: Option<Vec<u8>>,
    ready: VecDeque<FilePacket>,
}

impl<R: Read + Seek> Packets<R> {
    /// Opens a file: it begins with an identification header (§5.1), and a comment header (§5.2) follows.
    pub(super) fn open(file: R) -> io::Result<Self> {
        let mut pages = Pages::new(file)?;
        let first =
            pages.next(0, 1)?.ok_or_else(|| invalid("expected Ogg Opus, found no page at its start"))?;
        let head = first.pieces().next().and_then(|(piece, _)| head(piece));
        let head = head.ok_or_else(|| invalid("expected an OpusHead of version 1 with 1 or 2 channels"))?;
        let sound = end_of_tags(&mut pages, first.end())?;
        Ok(Self { pages, head, sound, next: sound, before: None, open: None, ready: VecDeque::new() })
    }

    /// Goes to a page before which no packet lies that reaches beyond `sample`.
    pub(super) fn seek(&mut self, sample: u64) -> io::Result<()> {
        let found = self.bisect(sample)?;
        (self.open, self.before) = (None, None);
        self.ready.clear();
        self.next = found.unwrap_or(self.sound);
        Ok(())
    }

    /// The last page that ends at `sample` or before: by halves, and the rest page by page.
    fn bisect(&mut self, sample: u64) -> io::Result<Option<u64>> {
        let (mut from, mut to, mut found) = (self.sound, self.pages.length(), None);
        while from < to {
            let near = to - from <= FIRST_LOOK as u64;
            let middle = if near { from } else { from + (to - from) / 2 };
            let page = self.ending(middle, to)?.filter(|(_, granule)| *granule <= sample);
            match page {
                Some((page, _)) => {
                    found = Some(page.offset);
                    from = page.end();
                }
                None => to = middle,
            }
        }
        Ok(found)
    }

    /// The first page from byte `from` on, before `to`, on which a packet ends.
    fn ending(&mut self, mut from: u64, to: u64) -> io::Result<Option<(Page, u64)>> {
        while let Some(page) = self.pages.next(from, to)? {
            if let Some(granule) = page.granule.filter(|_| !page.last) {
                return Ok(Some((page, granule)));
            }
            from = page.end();
        }
        Ok(None)
    }

    /// The next packet.
    pub(super) fn next(&mut self) -> io::Result<Option<FilePacket>> {
        while self.ready.is_empty() {
            let Some(page) = self.pages.next(self.next, u64::MAX)? else { return Ok(None) };
            self.next = page.end();
            self.take(&page);
        }
        Ok(self.ready.pop_front())
    }

    /// Takes a page apart. Its packets lie end to end behind those of the page before; if that is not known, before the
    /// page's own end.
    fn take(&mut self, page: &Page) {
        let before = self.before.filter(|(number, _)| number.wrapping_add(1) == page.sequence);
        let is_first = page.offset == self.sound;
        if before.is_none() || !page.continued {
            self.open = None;
        }
        let whole = self.whole(page);
        let length: u64 = whole.iter().map(|(_, samples)| samples).sum();
        let from = match before {
            Some((_, end)) => end,
            // The last page is cut short; every other ends where it says.
            None if is_first && page.last => 0,
            None => page.granule.unwrap_or(0).saturating_sub(length),
        };
        let mut at = from;
        for (payload, samples) in whole {
            self.ready.push_back(FilePacket { at, samples, payload });
            at = at.saturating_add(samples);
        }
        let known = before.is_some() || is_first || page.granule.is_some();
        self.before = known.then_some((page.sequence, at));
    }

    /// The packets that end on a page, and their lengths. What is no Opus lasts no time and is left out.
    fn whole(&mut self, page: &Page) -> Vec<(Vec<u8>, u64)> {
        let mut whole = Vec::new();
        for (place, (piece, ends)) in page.pieces().enumerate() {
            let headless = place == 0 && page.continued && self.open.is_none();
            let mut payload = self.open.take().unwrap_or_default();
            payload.extend_from_slice(piece);
            if !ends {
                self.open = (!headless && payload.len() < LONGEST).then_some(payload);
            } else if let Some(samples) = toc::duration_samples(&payload).filter(|_| !headless) {
                whole.push((payload, samples));
            }
        }
        whole
    }
}

/// The first byte behind the comment header.
fn end_of_tags<R: Read + Seek>(pages: &mut Pages<R>, mut from: u64) -> io::Result<u64> {
    while let Some(page) = pages.next(from, u64::MAX)? {
        from = page.end();
        if page.pieces().any(|(_, ends)| ends) {
            break;
        }
    }
    Ok(from)
}

fn head(packet: &[u8]) -> Option<Head> {
    match *packet {
        [
            b'O',
            b'p',
            b'u',
            b's',
            b'H',
            b'e',
            b'a',
            b'd',
            0..16,
            channels @ 1..=2,
            low,
            high,
            _,
            _,
            _,
            _,
            _,
            _,
            0,
            ..,
        ] => Some(Head { channels, pre_skip: u16::from_le_bytes([low, high]) }),
        _ => None,
    }
}

pub(super) fn invalid(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}
