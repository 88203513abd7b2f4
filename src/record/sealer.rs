//! Seals a track's pages as they are made: pages in, records out, and the keys that these need, which have to be on their disk
//! first.
//!
//! A segment ends after 10 s at the latest, and where it is told to: at gates, so that what was said with one consent is not
//! sealed with what was said with another.

use super::{
    disk::is_gone,
    growing::Growing,
    keys::{self, KEY, Key, KeyChain, Keys, Seals},
    page::{FIRST, Page},
    sealed::{self, Head, Header},
};
use std::{fmt, io};

/// What goes with one key at most: 10 s.
const SEGMENT: u64 = 480_000;

/// One track's seal.
pub(super) struct Sealer {
    name: String,
    seals: Seals,
    chain: KeyChain,
    keys: Growing,
    /// How many keys there are.
    count: u32,
    header: Option<Header>,
    segment: Option<Segment>,
    /// Where the next page begins.
    reached: u64,
}

struct Segment {
    key: Key,
    number: u32,
    from: u64,
    place: u32,
}

impl Sealer {
    /// For a new track: keys that lie there are replaced.
    pub(super) fn new(name: &str, seals: &Seals) -> Self {
        let mut keys = Growing::new(keys::file_name(name));
        keys.begin_anew();
        Self::with(name, seals, keys, 0)
    }

    /// For one that there is: new keys come behind those that it has.
    pub(super) fn behind(known: &Keys, name: &str, seals: &Seals) -> Self {
        let file = Growing::behind(keys::file_name(name), u64::from(known.count()) * KEY as u64);
        Self::with(name, seals, file, known.count())
    }

    fn with(name: &str, seals: &Seals, keys: Growing, count: u32) -> Self {
        let (chain, seals) = (seals.chain(name), seals.clone());
        Self { name: name.to_owned(), seals, chain, keys, count, header: None, segment: None, reached: 0 }
    }

    /// What comes is another stream.
    pub(super) fn begin_anew(&mut self) {
        (self.header, self.segment, self.reached) = (None, None, 0);
    }

    /// What comes belongs to a stream that there is already, behind that sample of it.
    pub(super) fn go_on(&mut self, header: &Header, reached: u64) {
        (self.header, self.segment, self.reached) = (Some(header.clone()), None, reached);
    }

    /// What comes has a key of its own.
    pub(super) fn end_segment(&mut self) {
        self.segment = None;
    }

    /// Seals whole pages; a stream's own two headers come first and stay open.
    pub(super) fn seal(&mut self, mut pages: &[u8]) -> Vec<u8> {
        let mut sealed = Vec::new();
        while let Some((page, length)) = Page::read(pages) {
            let (bytes, rest) = pages.split_at(length);
            if page.flags & FIRST != 0 {
                let tags = Page::read(rest).map_or(0, |(_, length)| length);
                let opus = &pages[..length + tags];
                pages = &pages[length + tags..];
                let header = Header::new(self.seals.session(), &self.name, opus);
                sealed.extend_from_slice(header.bytes());
                self.header = Some(header);
                continue;
            }
            pages = rest;
            sealed.extend(self.record(page, bytes));
        }
        sealed
    }

    fn record(&mut self, page: Page<'_>, bytes: &[u8]) -> Vec<u8> {
        let from = self.reached;
        let head = Head {
            bytes: 0,
            segment: 0,
            place: 0,
            number: page.number,
            flags: page.flags.into(),
            from,
            granule: page.granule,
        };
        self.reached = head.to();
        self.seal_as(head, bytes)
    }

    /// Seals a page that says itself where it stands.
    pub(super) fn seal_as(&mut self, head: Head, page: &[u8]) -> Vec<u8> {
        if self.segment.as_ref().is_some_and(|segment| head.to() - segment.from > SEGMENT) {
            self.segment = None;
        }
        let Some(header) = self.header.clone() else { return Vec::new() };
        let segment = self.segment(head.from);
        let head = Head { segment: segment.number, place: segment.place, ..head };
        segment.place += 1;
        sealed::seal(&header, head, &segment.key, page)
    }

    fn segment(&mut self, from: u64) -> &mut Segment {
        let Self { segment, chain, keys, count, .. } = self;
        segment.get_or_insert_with(|| {
            let key = chain.draw(*count);
            keys.push(&key[..]);
            *count += 1;
            Segment { key, number: *count - 1, from, place: 0 }
        })
    }

    /// Waits until all keys so far are on disk.
    pub(super) fn sync(&mut self) -> io::Result<()> {
        let Self { seals, keys, count, .. } = self;
        let synced = seals.with_disk(|disk| keys.sync(disk));
        if synced.as_ref().is_err_and(is_gone) {
            // Whoever took them has destroyed them: what they sealed is lost, their numbers are not used again.
            keys.begin_anew();
            keys.push(&vec![0; *count as usize * KEY]);
        }
        synced
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, count, reached, .. } = self;
        f.debug_struct("Sealer").field("name", name).field("count", count).field("reached", reached).finish()
    }
}
