//! A track's file as it was left: its whole pages, and where some are missing. In come bytes, whatever they are; out comes
//! a stream that ends where the room does, with silence where pages are gone.

use crate::record::page::{FIRST, LAST, Page};
use crate::record::{fill, tape::LOOKAHEAD, toc::duration_samples};

/// Silent packets in a page: at most 255.
const PACKETS: usize = 250;

/// What there is of a track.
#[derive(Debug)]
pub(super) struct Stream<'a> {
    serial: u32,
    head: Page<'a>,
    tags: Page<'a>,
    pub(super) pre_skip: u64,
    sound: Vec<Sound<'a>>,
    longest: u64,
    /// Whole pages that have no place, or bytes between pages: something was damaged, not only cut off.
    pub(super) is_damaged: bool,
}

/// A page of sound and where it belongs, in samples of the stream.
#[derive(Clone, Copy, Debug)]
struct Sound<'a> {
    page: Page<'a>,
    from: u64,
    to: u64,
}

/// A stretch of the stream that is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hole {
    pub(super) from: u64,
    pub(super) to: u64,
}

impl<'a> Stream<'a> {
    /// Reads a file; none if it does not begin as an Ogg Opus stream does.
    ///
    /// No page that would end beyond `longest` counts.
    pub(super) fn read(bytes: &'a [u8], longest: u64) -> Option<Self> {
        let (head, after_head) = Page::read(bytes)?;
        let pre_skip = pre_skip(head.packets().next()?)?;
        let (tags, after_tags) = Page::read(bytes.get(after_head..)?)?;
        tags.packets().next()?.starts_with(b"OpusTags").then_some(())?;
        let is_sound = head.flags & FIRST != 0 && tags.serial == head.serial;
        let mut stream = Self {
            serial: head.serial,
            head,
            tags,
            pre_skip,
            sound: Vec::new(),
            longest: longest.saturating_add(pre_skip),
            is_damaged: false,
        };
        is_sound.then(|| stream.take(bytes.get(after_head + after_tags..).unwrap_or_default()))?;
        Some(stream)
    }

    /// All whole pages in `bytes`, wherever they begin.
    fn take(&mut self, mut bytes: &'a [u8]) {
        let mut between = false;
        while !bytes.is_empty() {
            match Page::read(bytes) {
                Some((page, length)) => {
                    self.is_damaged |= std::mem::take(&mut between) || !self.place(page);
                    bytes = bytes.get(length..).unwrap_or_default();
                }
                None => {
                    between = true;
                    let next = bytes.windows(4).skip(1).position(|window| window == b"OggS");
                    bytes = next.and_then(|next| bytes.get(next + 1..)).unwrap_or_default();
                }
            }
        }
    }

    /// Puts a page behind all others; whether it may stand there.
    fn place(&mut self, page: Page<'a>) -> bool {
        let Some(samples) = page.samples().filter(|_| page.serial == self.serial) else { return false };
        let reached = self.samples();
        // The last page of a stream may say less than it holds.
        let to = if page.flags & LAST == 0 { page.granule } else { page.granule.max(reached + samples) };
        let fits = to.checked_sub(samples).filter(|from| *from >= reached && to <= self.longest);
        self.sound.extend(fits.map(|from| Sound { page, from, to }));
        fits.is_some()
    }

    /// How many bytes its whole pages take.
    pub(super) fn bytes(&self) -> u64 {
        let pages = self.sound.iter().map(|sound| sound.page);
        pages.chain([self.head, self.tags]).map(|page| page.bytes()).sum()
    }

    /// How many samples a decoder makes of it.
    pub(super) fn samples(&self) -> u64 {
        self.sound.last().map_or(0, |last| last.to)
    }

    /// How many samples players play: the end may say that the last are not for them.
    pub(super) fn played(&self) -> u64 {
        let told = self.sound.last().filter(|last| last.page.flags & LAST != 0).map(|last| last.page.granule);
        told.unwrap_or_else(|| self.samples()).saturating_sub(self.pre_skip)
    }

    /// Up to which room sample there are packets. A player plays what they hold a little earlier: the encoder's look-ahead.
    pub(super) fn reached(&self) -> u64 {
        let is_ended = self.sound.last().is_some_and(|last| last.page.flags & LAST != 0);
        if is_ended { self.played() } else { self.room(self.samples()) }
    }

    /// In room samples, from where the file is heard.
    fn room(&self, sample: u64) -> u64 {
        (sample + LOOKAHEAD).saturating_sub(self.pre_skip)
    }

    /// Where the speaker's last packet ends; beyond the file's end, if it reaches over that.
    pub(super) fn said(&self) -> u64 {
        let mut said = 0;
        for Sound { page, from: mut at, .. } in self.sound.iter().copied() {
            for packet in page.packets() {
                at += duration_samples(packet).unwrap_or(0);
                said = if fill::is_fill(packet) { said } else { at };
            }
        }
        self.room(said)
    }

    /// How many packets of the speaker begin where the file is heard; before that there may be some for the decoder alone.
    pub(super) fn recorded(&self) -> u64 {
        let from = self.pre_skip.saturating_sub(LOOKAHEAD);
        let mut recorded = 0;
        for Sound { page, from: mut at, .. } in self.sound.iter().copied() {
            for packet in page.packets() {
                recorded += u64::from(at >= from && !fill::is_fill(packet));
                at += duration_samples(packet).unwrap_or(0);
            }
        }
        recorded
    }

    /// What is missing before its end, on the room clock.
    pub(super) fn holes(&self) -> impl Iterator<Item = Hole> + '_ {
        let ends = std::iter::once(0).chain(self.sound.iter().map(|sound| sound.to));
        let holes = ends.zip(&self.sound).filter(|(from, sound)| *from < sound.from);
        holes.map(|(from, sound)| Hole { from: self.room(from), to: self.room(sound.from) })
    }

    /// The whole file again, up to `room_samples`.
    pub(super) fn finish(&self, room_samples: u64) -> Vec<u8> {
        let end = self.pre_skip + room_samples;
        let mut out = Writer { serial: self.serial, bytes: Vec::new(), number: 0, samples: 0 };
        out.page(self.head, FIRST, 0);
        out.page(self.tags, 0, 0);
        let last = self.sound.last().map_or(0, |last| last.to);
        for Sound { page, from, to } in &self.sound {
            out.silence(*from);
            out.samples = *to;
            let is_end = *to == last && last >= end && page.flags & LAST != 0;
            out.page(*page, if is_end { LAST } else { 0 }, if is_end { end } else { *to });
            if is_end {
                return out.bytes;
            }
        }
        out.end(end);
        out.bytes
    }
}

/// What `OpusHead` says is to be skipped (RFC 7845 §5.1).
fn pre_skip(head: &[u8]) -> Option<u64> {
    let (magic, rest) = head.split_at_checked(8)?;
    let [_version, _channels, low, high, ..] = rest else { return None };
    (magic == b"OpusHead").then_some(u64::from(u16::from_le_bytes([*low, *high])))
}

struct Writer {
    serial: u32,
    bytes: Vec<u8>,
    number: u32,
    samples: u64,
}

impl Writer {
    fn page(&mut self, page: Page<'_>, flags: u8, granule: u64) {
        page.write(flags, granule, self.number, &mut self.bytes);
        self.number = self.number.wrapping_add(1);
    }

    /// Silence up to sample `to`.
    fn silence(&mut self, to: u64) {
        loop {
            let (lacing, body) = self.silent_packets(to);
            if lacing.is_empty() {
                return;
            }
            self.page(Page::of(self.serial, &lacing, &body), 0, self.samples);
        }
    }

    fn silent_packets(&mut self, to: u64) -> (Vec<u8>, Vec<u8>) {
        let (mut lacing, mut body) = (Vec::new(), Vec::new());
        while lacing.len() < PACKETS
            && let Some((packet, samples)) = fill::silence(to.saturating_sub(self.samples))
        {
            self.samples += samples;
            lacing.push(packet.len() as u8);
            body.extend_from_slice(&packet);
        }
        (lacing, body)
    }

    /// Silence up to `end`, and the end.
    fn end(&mut self, end: u64) {
        let whole = end.next_multiple_of(fill::LATTICE);
        // One packet at least is left for the last page.
        self.silence(whole.saturating_sub(fill::LATTICE));
        let (lacing, body) = self.silent_packets(whole.max(self.samples + fill::LATTICE));
        self.page(Page::of(self.serial, &lacing, &body), LAST, end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::ogg::OggOpus;
    use proptest::prelude::*;

    const LONGEST: u64 = 1 << 30;

    /// A stream of so many packets of 20 ms, a page each half second, not ended.
    fn written(packets: u64) -> Vec<u8> {
        let mut stream = OggOpus::new(7, 1, 312);
        (0..packets).for_each(|n| stream.push((vec![0xF8, n as u8, 1, 2].into(), 960)));
        stream.end_page();
        stream.take()
    }

    fn packets(bytes: &[u8]) -> Vec<Vec<u8>> {
        let stream = Stream::read(bytes, LONGEST).unwrap();
        stream.sound.iter().flat_map(|sound| sound.page.packets()).map(<[u8]>::to_vec).collect()
    }

    #[test]
    fn a_file_that_was_cut_off_keeps_its_whole_pages_and_is_ended() {
        let bytes = written(200);
        for cut in (110..=bytes.len()).step_by(7) {
            let stream = Stream::read(&bytes[..cut], LONGEST).unwrap();
            let whole = stream.samples() / 960;
            let finished = stream.finish(200 * 960);
            let again = Stream::read(&finished, LONGEST).unwrap();
            assert_eq!((again.played(), again.is_damaged, again.holes().count()), (200 * 960, false, 0));
            assert_eq!(packets(&finished)[..whole as usize], packets(&bytes)[..whole as usize]);
            assert_eq!(again.finish(200 * 960), finished, "once more changes nothing");
        }
    }

    #[test]
    fn a_page_that_was_damaged_is_silence_and_what_follows_stands_where_it_stood() {
        let bytes = written(200);
        let mut spoilt = bytes.clone();
        spoilt[600] ^= 1;
        let stream = Stream::read(&spoilt, LONGEST).unwrap();
        assert!(stream.is_damaged);
        let holes: Vec<_> = stream.holes().collect();
        assert_eq!(holes.len(), 1);
        let (from, to) = ((holes[0].from / 960) as usize, (holes[0].to / 960) as usize);
        let (before, after) = (packets(&bytes), packets(&stream.finish(200 * 960)));
        assert!(after[..from] == before[..from] && after[to..200] == before[to..]);
        assert!(after[from..to].iter().all(|packet| packet[..] == [0xF8, 0xFF, 0xFE]));
    }

    proptest! {
        #[test]
        fn whatever_is_read_is_finished_once(cut in 0..2_000_usize, flips in prop::collection::vec((90..1_500_usize, 1..255_u8), 0..4), end in 0..400_000_u64) {
            let mut bytes = written(150);
            bytes.truncate(cut + 90);
            for (at, with) in flips {
                bytes.get_mut(at).into_iter().for_each(|byte| *byte ^= with);
            }
            if let Some(stream) = Stream::read(&bytes, 1 << 24) {
                let end = end.max(stream.played());
                let finished = stream.finish(end);
                let again = Stream::read(&finished, 1 << 24).unwrap();
                prop_assert_eq!((again.played(), again.holes().count(), again.is_damaged), (end, 0, false));
                prop_assert_eq!(again.finish(end), finished);
            }
        }
    }
}
