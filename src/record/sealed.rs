//! A sealed track's file, `tracks/NAME.sealed`: an Ogg Opus stream whose pages are sealed one by one, so that it grows and is
//! cut off as a plain one is, and stretches of it go with their keys.
//!
//! ```text
//! file   = header record*
//! header = "tertulia sealed 1\n"  session:16  length:u16 name  length:u16 (OpusHead and OpusTags, as pages)
//! record = bytes:u32 segment:u32 place:u32 number:u32 flags:u32 from:u64 granule:u64  (page sealed, tag):bytes
//! ```
//!
//! Numbers are little-endian. A record is one page, sealed with ChaCha20-Poly1305 (RFC 8439) by the key of its segment, a run of
//! records of 10 s at most. `place` counts a segment's records and is the nonce: a key seals each place once. Header and head
//! are in the open, and authenticated with each page: when a page begins and ends is known without a key, so that silence can
//! stand for it, and no record passes for another's.

use super::{
    fill,
    keys::{KEY, Key},
    page::{LAST, Page},
};
use chacha20poly1305::{
    ChaCha20Poly1305, KeyInit, Nonce,
    aead::{Aead, Payload},
};

const MAGIC: &[u8] = b"tertulia sealed 1\n";
const SESSION: usize = 16;

/// A record's head, in bytes.
pub(super) const HEAD: usize = 36;

const TAG: usize = 16;

/// No page is longer (RFC 3533 §6), and its tag.
const LONGEST: u32 = 27 + 255 + 255 * 255 + TAG as u32;

/// Ours last a second and a packet, those of a recovery's silence 5 s: silence of so long fits in one.
const LASTS: u64 = 241_000;

/// No header is longer: two texts.
pub(super) const LONGEST_HEADER: usize = MAGIC.len() + SESSION + 2 * (2 + u16::MAX as usize);

/// A sealed track's file, from the session's folder.
pub(super) fn file_name(name: &str) -> String {
    format!("tracks/{name}.sealed")
}

/// Does a manifest's file name say that it is sealed?
pub(super) fn is_sealed(file: &str) -> bool {
    file.ends_with(".sealed")
}

/// What a file begins with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header {
    bytes: Vec<u8>,
    opus_at: usize,
}

impl Header {
    pub(super) fn new(session: [u8; SESSION], name: &str, opus: &[u8]) -> Self {
        let mut bytes = [MAGIC, &session].concat();
        let mut opus_at = 0;
        for text in [name.as_bytes(), opus] {
            bytes.extend((text.len() as u16).to_le_bytes());
            opus_at = bytes.len();
            bytes.extend_from_slice(text);
        }
        Self { bytes, opus_at }
    }

    /// The one that `bytes` begin with.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes.strip_prefix(MAGIC)?.get(SESSION..)?;
        let mut opus = &[][..];
        for _ in 0..2 {
            let (length, behind) = rest.split_first_chunk::<2>()?;
            (opus, rest) = behind.split_at_checked(u16::from_le_bytes(*length).into())?;
        }
        let length = bytes.len() - rest.len();
        Some(Self { bytes: bytes[..length].to_vec(), opus_at: length - opus.len() })
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The stream's own two headers, as pages.
    pub(super) fn opus(&self) -> &[u8] {
        &self.bytes[self.opus_at..]
    }
}

/// What is known of a sealed page without its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    /// What follows, in bytes.
    pub(super) bytes: u32,
    pub(super) segment: u32,
    /// In its segment, from 0.
    pub(super) place: u32,
    /// The page's, its flags, where it begins in the stream's samples and what it says of its end.
    pub(super) number: u32,
    pub(super) flags: u32,
    pub(super) from: u64,
    pub(super) granule: u64,
}

impl Head {
    pub(super) fn write(&self) -> [u8; HEAD] {
        let Self { bytes, segment, place, number, flags, from, granule } = *self;
        let mut head = [0; HEAD];
        let words = [bytes, segment, place, number, flags].into_iter().flat_map(u32::to_le_bytes);
        let longs = [from, granule].into_iter().flat_map(u64::to_le_bytes);
        head.iter_mut().zip(words.chain(longs)).for_each(|(to, byte)| *to = byte);
        head
    }

    /// None if it cannot be one.
    pub(super) fn read(head: &[u8; HEAD]) -> Option<Self> {
        let word = |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        let long = |at: usize| u64::from(word(at)) | u64::from(word(at + 4)) << 32;
        let [bytes, segment, place, number, flags] = [0, 4, 8, 12, 16].map(word);
        let head = Self { bytes, segment, place, number, flags, from: long(20), granule: long(28) };
        let lasts = head.granule.checked_sub(head.from).is_some_and(|samples| samples < LASTS);
        ((TAG as u32..=LONGEST).contains(&bytes) && lasts).then_some(head)
    }

    /// Where the page behind begins.
    pub(super) fn to(&self) -> u64 {
        self.from + self.granule.saturating_sub(self.from).next_multiple_of(fill::LATTICE)
    }

    pub(super) fn is_last(&self) -> bool {
        self.flags & u32::from(LAST) != 0
    }

    /// May it stand right behind `before`?
    pub(super) fn follows(&self, before: Option<&Self>) -> bool {
        let Some(before) = before else { return (self.place, self.from) == (0, 0) };
        let next = if self.segment == before.segment { before.place.wrapping_add(1) } else { 0 };
        self.place == next && self.from == before.to() && !before.is_last()
    }

    /// How long the page itself is, in bytes.
    pub(super) fn page_bytes(&self) -> u64 {
        u64::from(self.bytes) - TAG as u64
    }

    /// The page that stands for this one once its key is destroyed: as long, and silent.
    pub(super) fn silence(&self, serial: u32) -> Vec<u8> {
        let (mut lacing, mut body) = (Vec::new(), Vec::new());
        // A page that ends a stream may end it where the one before did, and holds a packet all the same.
        for (packet, _) in fill::silences((self.to() - self.from).max(fill::LATTICE)) {
            lacing.push(packet.len() as u8);
            body.extend_from_slice(&packet);
        }
        let mut page = Vec::new();
        Page::of(serial, &lacing, &body).write(self.flags as u8, self.granule, self.number, &mut page);
        page
    }
}

fn nonce(head: &Head) -> Nonce {
    let mut nonce = [0; 12];
    nonce[..4].copy_from_slice(&head.place.to_le_bytes());
    nonce.into()
}

/// A whole record: `head` says everything but how long it is.
pub(super) fn seal(header: &Header, mut head: Head, key: &Key, page: &[u8]) -> Vec<u8> {
    head.bytes = (page.len() + TAG) as u32;
    let aad = [header.bytes(), &head.write()].concat();
    let sealed = ChaCha20Poly1305::new(key_of(key)).encrypt(&nonce(&head), Payload { msg: page, aad: &aad });
    // It fails for messages of 256 GiB alone.
    [&head.write()[..], &sealed.unwrap_or_default()].concat()
}

/// The page in a record; none with another key, or if a bit of it was changed.
pub(super) fn open(header: &Header, head: &Head, key: &Key, sealed: &[u8]) -> Option<Vec<u8>> {
    // A fuzzer does not guess tags.
    if cfg!(fuzzing) {
        return sealed.len().checked_sub(TAG).map(|length| sealed[..length].to_vec());
    }
    let aad = [header.bytes(), &head.write()].concat();
    ChaCha20Poly1305::new(key_of(key)).decrypt(&nonce(head), Payload { msg: sealed, aad: &aad }).ok()
}

fn key_of(key: &[u8; KEY]) -> &chacha20poly1305::Key {
    key.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use zeroize::Zeroizing;

    const OF_A_PAGE: Head =
        Head { bytes: 0, segment: 3, place: 2, number: 9, flags: 0, from: 48_000, granule: 96_000 };

    fn sealed(page: &[u8]) -> (Header, Head, Key, Vec<u8>) {
        let (header, key) = (Header::new([5; 16], "mara", b"head and tags"), Zeroizing::new([7; KEY]));
        let record = seal(&header, OF_A_PAGE, &key, page);
        let head = Head::read(record.first_chunk().unwrap()).unwrap();
        (header, head, key, record[HEAD..].to_vec())
    }

    #[test]
    fn a_page_is_opened_by_its_key_in_its_place_and_nowhere_else() {
        let (header, head, key, bytes) = sealed(b"a page");
        assert_eq!((head.page_bytes(), head.to()), (6, 96_000));
        assert_eq!(open(&header, &head, &key, &bytes).as_deref(), Some(&b"a page"[..]));
        assert_eq!(open(&header, &head, &Zeroizing::new([8; KEY]), &bytes), None);
        for elsewhere in [
            Head { segment: 4, ..head },
            Head { place: 3, ..head },
            Head { number: 8, ..head },
            Head { flags: 4, ..head },
            Head { from: 0, ..head },
            Head { granule: 95_999, ..head },
        ] {
            assert_eq!(open(&header, &elsewhere, &key, &bytes), None, "{elsewhere:?}");
        }
        for other in [
            Header::new([6; 16], "mara", b"head and tags"),
            Header::new([5; 16], "puck", b"head and tags"),
            Header::new([5; 16], "mara", b"head and tag"),
        ] {
            assert_eq!(open(&other, &head, &key, &bytes), None);
        }
        for flipped in 0..8 * bytes.len() {
            let mut hurt = bytes.clone();
            hurt[flipped / 8] ^= 1 << (flipped % 8);
            assert_eq!(open(&header, &head, &key, &hurt), None, "bit {flipped}");
        }
    }

    #[test]
    fn headers_and_heads_are_read_as_they_were_written() {
        let (header, head, ..) = sealed(b"a page");
        let bytes = [header.bytes(), b"and what follows"].concat();
        assert_eq!(Header::read(&bytes).as_ref(), Some(&header));
        assert_eq!(header.opus(), b"head and tags");
        (0..header.bytes().len()).for_each(|cut| assert_eq!(Header::read(&bytes[..cut]), None, "{cut}"));
        assert_eq!(Head::read(&head.write()), Some(head));
        let none =
            [Head { bytes: 15, ..head }, Head { from: 96_001, ..head }, Head { granule: 1 << 40, ..head }];
        none.iter().for_each(|head| assert_eq!(Head::read(&head.write()), None));
    }

    #[test]
    fn silence_stands_where_the_page_stood() {
        let (_, head, ..) = sealed(b"a page");
        let page = head.silence(7);
        let (read, length) = Page::read(&page).unwrap();
        assert_eq!((length, read.samples(), read.granule), (page.len(), Some(48_000), 96_000));
        let end = Head { granule: 95_999, flags: u32::from(LAST), ..head };
        assert_eq!(end.to(), 96_000);
    }
}
