//! A sealed track read with its keys: what leaves is the plain Ogg Opus stream, byte for byte, from any byte on. Where a key was
//! destroyed there is silence of the same length; where one is missing or does not fit, an error that names the segment.

use super::{
    keys::{Keys, Known},
    page::Page,
    sealed::{self, HEAD, Head, Header, LONGEST_HEADER},
};
use std::{
    io::{self, Read, Seek, SeekFrom},
    ops::Range,
    sync::Arc,
};

/// A sealed file, open.
#[derive(Debug)]
pub(crate) struct Unsealed<R> {
    file: R,
    keys: Keys,
    pub(super) index: Arc<Index>,
    /// Where the plain stream is read.
    position: u64,
    /// The last page that was opened.
    open: Option<(usize, Vec<u8>)>,
}

/// Where what lies in a sealed file.
#[derive(Debug)]
pub(super) struct Index {
    pub(super) header: Header,
    pub(super) records: Vec<Record>,
    /// Where its whole records end, in bytes; what is behind was cut off.
    pub(super) whole: u64,
    /// The file's length, and the plain stream's.
    end: u64,
    length: u64,
}

/// Where a record's page lies.
#[derive(Clone, Copy, Debug)]
pub(super) struct Record {
    pub(super) head: Head,
    /// Its first byte in the file.
    pub(super) offset: u64,
    /// Its page's first byte in the plain stream, and how many there are.
    plain: u64,
    length: u64,
}

impl Record {
    /// Its bytes in the file.
    pub(super) fn bytes(&self) -> Range<u64> {
        self.offset..self.offset + HEAD as u64 + u64::from(self.head.bytes)
    }
}

impl Index {
    /// Finds all whole records; nothing is opened yet. It reads 36 bytes of each second.
    pub(super) fn read(mut file: impl Read + Seek, keys: &Keys) -> io::Result<Self> {
        let end = file.seek(SeekFrom::End(0))?;
        file.seek(SeekFrom::Start(0))?;
        let mut first = Vec::new();
        file.by_ref().take(LONGEST_HEADER as u64).read_to_end(&mut first)?;
        let header =
            Header::read(&first).ok_or_else(|| invalid("expected a sealed track's header".into()))?;
        let (whole, length) = (header.bytes().len() as u64, header.opus().len() as u64);
        let mut index = Self { header, records: Vec::new(), whole, end, length };
        while index.take_record(&mut file, keys)? {}
        Ok(index)
    }

    /// Takes the next record, if there is a whole one in its place.
    fn take_record(&mut self, mut file: impl Read + Seek, keys: &Keys) -> io::Result<bool> {
        let mut bytes = [0; HEAD];
        if self.whole + HEAD as u64 > self.end {
            return Ok(false);
        }
        file.seek(SeekFrom::Start(self.whole))?;
        file.read_exact(&mut bytes)?;
        let before = self.records.last().map(|record| record.head);
        let head = Head::read(&bytes).filter(|head| head.follows(before.as_ref()));
        let Some(head) = head else { return Ok(false) };
        let is_silent = matches!(keys.of_segment(head.segment), Known::Destroyed);
        let length = if is_silent { self.silence(&head).len() as u64 } else { head.page_bytes() };
        let record = Record { head, offset: self.whole, plain: self.length, length };
        let is_whole = record.bytes().end <= self.end;
        if is_whole {
            (self.whole, self.length) = (record.bytes().end, self.length + length);
            self.records.push(record);
        }
        Ok(is_whole)
    }

    /// An error unless it is whole up to the stream's end.
    pub(super) fn check_end(&self) -> io::Result<()> {
        let Self { records, whole, end, .. } = self;
        let last = records.last().map(|record| record.head);
        if last.is_some_and(|head| head.is_last()) && whole == end {
            return Ok(());
        }
        let segment = last.map_or(0, |head| head.segment);
        let why = format!("expected the stream's end behind segment {segment}, at byte {whole} of {end}");
        Err(invalid(why))
    }

    fn silence(&self, head: &Head) -> Vec<u8> {
        let serial = Page::read(self.header.opus()).map_or(0, |(page, _)| page.serial);
        head.silence(serial)
    }
}

#[cfg(any(fuzzing, feature = "sim"))]
impl<R: Read + Seek> Unsealed<R> {
    /// Opens a file with the bytes of a file of keys.
    pub(crate) fn of(mut file: R, keys: Vec<u8>) -> io::Result<Self> {
        let keys = Keys::of(keys);
        let index = Index::read(&mut file, &keys)?;
        Ok(Self::new(file, keys, Arc::new(index)))
    }
}

impl<R: Read + Seek> Unsealed<R> {
    pub(super) fn new(file: R, keys: Keys, index: Arc<Index>) -> Self {
        Self { file, keys, index, position: 0, open: None }
    }

    /// The raw bytes of a record.
    pub(super) fn raw(&mut self, number: usize) -> io::Result<Vec<u8>> {
        let bytes = self.index.records[number].bytes();
        let mut raw = vec![0; (bytes.end - bytes.start) as usize];
        self.file.seek(SeekFrom::Start(bytes.start))?;
        self.file.read_exact(&mut raw)?;
        Ok(raw)
    }

    /// A record's page, or the silence that stands for it.
    pub(super) fn page(&mut self, number: usize) -> io::Result<Vec<u8>> {
        let head = self.index.records[number].head;
        let failed = |why: &str| {
            let [from, to] = [head.from, head.to()].map(|at| at as f64 / 48_000.0);
            invalid(format!("segment {} ({from:.3} to {to:.3} s): {why}", head.segment))
        };
        match self.keys.of_segment(head.segment) {
            Known::Destroyed => Ok(self.index.silence(&head)),
            Known::Missing => Err(failed("expected a key, there is none")),
            Known::Live(key) => {
                let raw = self.raw(number)?;
                let page = sealed::open(&self.index.header, &head, &key, &raw[HEAD..]);
                page.ok_or_else(|| failed("expected its own key and unchanged bytes"))
            }
        }
    }

    /// Where silence stands because keys were destroyed, in the stream's samples.
    pub(super) fn destroyed(&self) -> impl Iterator<Item = Range<u64>> + '_ {
        let is_gone =
            |record: &&Record| matches!(self.keys.of_segment(record.head.segment), Known::Destroyed);
        self.index.records.iter().filter(is_gone).map(|record| record.head.from..record.head.to())
    }

    /// The stream's bytes from the position on, as far as its header or one page goes.
    fn part(&mut self) -> io::Result<&[u8]> {
        let at = self.position;
        let index = &self.index;
        let opus = index.header.opus().len() as u64;
        if at < opus {
            return Ok(&self.index.header.opus()[at as usize..]);
        }
        let number = index.records.partition_point(|record| record.plain + record.length <= at);
        let Some(record) = index.records.get(number).copied() else { return Ok(&[]) };
        if self.open.as_ref().is_none_or(|(open, _)| *open != number) {
            self.open = Some((number, self.page(number)?));
        }
        let page = self.open.as_ref().map_or(&[][..], |(_, page)| page);
        Ok(page.get((at - record.plain) as usize..).unwrap_or_default())
    }
}

impl<R: Read + Seek> Read for Unsealed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let part = self.part()?;
        let length = part.len().min(buffer.len());
        buffer[..length].copy_from_slice(&part[..length]);
        self.position += length as u64;
        Ok(length)
    }
}

impl<R> Seek for Unsealed<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let to = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.index.length.checked_add_signed(by),
            SeekFrom::Current(by) => self.position.checked_add_signed(by),
        };
        self.position = to.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}

fn invalid(why: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}
