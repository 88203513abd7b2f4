//! Pages of an Ogg file (RFC 3533 §6): found from any byte on, whole or not at all. What is between pages, and a page
//! that a crash cut off or whose checksum is wrong, is passed over.

use crate::record::page::{self, HEADER_BYTES, LAST};
use std::io::{self, Read, Seek, SeekFrom};

/// No page is longer: 255 segments of 255 bytes.
const LONGEST: usize = HEADER_BYTES + 255 + 255 * 255;
/// What is read first; most pages of a voice fit.
pub(super) const FIRST_LOOK: usize = 1 << 14;

/// One page.
#[derive(Clone, Debug)]
pub(super) struct Page {
    /// Where it begins in the file.
    pub(super) offset: u64,
    pub(super) bytes: u64,
    /// Where its last whole packet ends, in samples; none if no packet ends on it.
    pub(super) granule: Option<u64>,
    pub(super) sequence: u32,
    /// Its first piece belongs to a packet that began before.
    pub(super) continued: bool,
    /// Is it the stream's last?
    pub(super) last: bool,
    pieces: Vec<(Vec<u8>, bool)>,
}

impl Page {
    /// The page at the front of `bytes`, if there is a whole and sound one.
    fn parse(bytes: &[u8], offset: u64) -> Option<Self> {
        let (page, length) = page::Page::parse(bytes)?;
        Some(Self {
            offset,
            bytes: length as u64,
            granule: (page.granule != u64::MAX).then_some(page.granule),
            sequence: page.number,
            continued: page.is_continued(),
            last: page.flags & LAST != 0,
            pieces: page.pieces().map(|(piece, ends)| (piece.to_vec(), ends)).collect(),
        })
    }

    pub(super) fn end(&self) -> u64 {
        self.offset + self.bytes
    }

    /// Its pieces of packets in order, each with whether its packet ends with it.
    pub(super) fn pieces(&self) -> impl Iterator<Item = (&[u8], bool)> {
        self.pieces.iter().map(|(piece, ends)| (&piece[..], *ends))
    }
}

/// A file of pages.
#[derive(Debug)]
pub(super) struct Pages<R> {
    file: R,
    length: u64,
    look: Vec<u8>,
}

impl<R: Read + Seek> Pages<R> {
    pub(super) fn new(mut file: R) -> io::Result<Self> {
        let length = file.seek(SeekFrom::End(0))?;
        Ok(Self { file, length, look: Vec::new() })
    }

    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// The first page that begins at byte `from` or behind it, and before `to`.
    pub(super) fn next(&mut self, mut from: u64, to: u64) -> io::Result<Option<Page>> {
        let mut length = FIRST_LOOK;
        while from < to.min(self.length) {
            self.look_at(from, length)?;
            let begins = |at: &usize| from + (*at as u64) < to;
            let mut places = places(&self.look).take_while(begins).peekable();
            let none_begins =
                places.peek().is_none() && from + self.look.len() as u64 >= to.saturating_add(3);
            if let Some(page) = places.filter_map(|at| Page::parse(&self.look[at..], from + at as u64)).next()
            {
                return Ok(Some(page));
            }
            if self.look.len() < length || none_begins {
                return Ok(None);
            }
            if length < 2 * LONGEST {
                length *= 4;
            } else {
                // Whatever begins in the first half would have been whole.
                from += LONGEST as u64;
            }
        }
        Ok(None)
    }

    fn look_at(&mut self, from: u64, length: usize) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(from))?;
        self.look.clear();
        self.file.by_ref().take(length as u64).read_to_end(&mut self.look).map(|_| ())
    }
}

/// Where pages may begin.
fn places(bytes: &[u8]) -> impl Iterator<Item = usize> + '_ {
    bytes.windows(4).enumerate().filter(|(_, word)| *word == b"OggS").map(|(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ogg::{PacketWriteEndInfo, PacketWriter};
    use std::io::Cursor;

    fn file() -> Vec<u8> {
        let mut writer = PacketWriter::new(Vec::new());
        for (number, length) in [1_usize, 254, 255, 70_000, 0, 3].into_iter().enumerate() {
            let end =
                if number == 3 { PacketWriteEndInfo::EndPage } else { PacketWriteEndInfo::NormalPacket };
            writer.write_packet(vec![number as u8; length], 7, end, number as u64).unwrap();
        }
        writer.write_packet(vec![9; 9], 7, PacketWriteEndInfo::EndStream, 6).unwrap();
        writer.into_inner()
    }

    fn packets(pages: &mut Pages<Cursor<Vec<u8>>>) -> Vec<Vec<u8>> {
        let (mut packets, mut open, mut at) = (Vec::new(), Vec::new(), 0);
        while let Some(page) = pages.next(at, u64::MAX).unwrap() {
            for (piece, ends) in page.pieces() {
                open.extend_from_slice(piece);
                if ends {
                    packets.push(std::mem::take(&mut open));
                }
            }
            at = page.end();
        }
        packets
    }

    #[test]
    fn what_another_writer_wrote_is_read() {
        let lengths: Vec<_> =
            packets(&mut Pages::new(Cursor::new(file())).unwrap()).iter().map(Vec::len).collect();
        assert_eq!(lengths, [1, 254, 255, 70_000, 0, 3, 9]);
    }

    #[test]
    fn pages_are_found_from_any_byte_and_none_that_is_damaged() {
        let whole = file();
        let starts: Vec<_> = places(&whole).collect();
        let mut pages = Pages::new(Cursor::new(whole.clone())).unwrap();
        for from in (0..whole.len()).step_by(61) {
            let next = pages.next(from as u64, u64::MAX).unwrap().map(|page| page.offset as usize);
            assert_eq!(next, starts.iter().copied().find(|start| *start >= from));
        }
        let mut hurt = whole;
        hurt[starts[1] + 40] ^= 1;
        let next = Pages::new(Cursor::new(hurt)).unwrap().next(1, u64::MAX).unwrap();
        assert_eq!(next.map(|page| page.offset as usize), Some(starts[2]));
    }
}
