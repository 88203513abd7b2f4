//! One page of an Ogg stream (RFC 3533 §6), read and written by itself: whoever reads a file from anywhere, or finishes one that
//! was cut off, must know of each page whether it is whole, and may give it another number.

use super::toc::duration_samples;

const CAPTURE: &[u8; 4] = b"OggS";
/// The fixed part of a page.
pub(super) const HEADER_BYTES: usize = 27;
/// It begins with the rest of a packet.
const CONTINUED: u8 = 1;
/// It begins a stream.
pub(super) const FIRST: u8 = 2;
/// It ends a stream.
pub(super) const LAST: u8 = 4;

/// A whole page.
#[derive(Clone, Copy, Debug)]
pub(super) struct Page<'a> {
    pub(super) flags: u8,
    pub(super) granule: u64,
    pub(super) serial: u32,
    pub(super) number: u32,
    lacing: &'a [u8],
    body: &'a [u8],
}

impl<'a> Page<'a> {
    /// The page that `bytes` begin with, and how long it is; none if a packet reaches into or out of it, too.
    pub(super) fn read(bytes: &'a [u8]) -> Option<(Self, usize)> {
        Self::parse(bytes).filter(|(page, _)| page.is_whole())
    }

    /// The page that `bytes` begin with, and how long it is; none if its sum is wrong.
    pub(super) fn parse(bytes: &'a [u8]) -> Option<(Self, usize)> {
        let (header, rest) = bytes.split_first_chunk::<HEADER_BYTES>()?;
        let [_, _, _, _, 0, flags, tail @ ..] = header else { return None };
        let (granule, tail) = tail.split_first_chunk::<8>()?;
        let (serial, tail) = tail.split_first_chunk::<4>()?;
        let (number, told) = tail.split_first_chunk::<4>()?;
        let (lacing, rest) = rest.split_at_checked(usize::from(*tail.last()?))?;
        let body = rest.get(..lacing.iter().map(|length| usize::from(*length)).sum())?;
        let page = Self {
            flags: *flags,
            granule: u64::from_le_bytes(*granule),
            serial: u32::from_le_bytes(*serial),
            number: u32::from_le_bytes(*number),
            lacing,
            body,
        };
        let length = HEADER_BYTES + lacing.len() + body.len();
        let sum = sum_of(&page.header(*flags, page.granule, page.number), lacing, body);
        // A fuzzer does not guess checksums.
        let fine = header.starts_with(CAPTURE) && (cfg!(fuzzing) || told.starts_with(&sum.to_le_bytes()));
        fine.then_some((page, length))
    }

    /// Does its first piece belong to a packet that began before?
    pub(super) fn is_continued(self) -> bool {
        self.flags & CONTINUED != 0
    }

    /// Are all its packets whole?
    fn is_whole(self) -> bool {
        !self.is_continued() && self.lacing.last().is_some_and(|length| *length < 255)
    }

    /// Its pieces of packets in order, each with whether its packet ends with it.
    pub(super) fn pieces(self) -> impl Iterator<Item = (&'a [u8], bool)> {
        let last = self.lacing.last().is_some_and(|length| *length < 255);
        let pieces = self.lacing.split_inclusive(|length| *length < 255).count();
        (1..).zip(self.packets()).map(move |(number, piece)| (piece, number < pieces || last))
    }

    /// How long it is.
    pub(super) fn bytes(self) -> u64 {
        (HEADER_BYTES + self.lacing.len() + self.body.len()) as u64
    }

    /// Its packets, if they are whole.
    pub(super) fn packets(self) -> impl Iterator<Item = &'a [u8]> {
        let mut rest = self.body;
        self.lacing.split_inclusive(|length| *length < 255).map(move |lengths| {
            let length = lengths.iter().map(|length| usize::from(*length)).sum();
            let (packet, behind) = rest.split_at_checked(length).unwrap_or_default();
            rest = behind;
            packet
        })
    }

    /// How much sound it holds; none if one of its packets is no Opus.
    pub(super) fn samples(self) -> Option<u64> {
        self.packets().map(duration_samples).sum()
    }

    /// Writes it once more, as another page of the stream.
    pub(super) fn write(self, flags: u8, granule: u64, number: u32, out: &mut Vec<u8>) {
        let mut header = self.header(flags, granule, number);
        let sum = sum_of(&header, self.lacing, self.body);
        header[22..26].copy_from_slice(&sum.to_le_bytes());
        out.extend(header);
        out.extend(self.lacing);
        out.extend(self.body);
    }

    fn header(&self, flags: u8, granule: u64, number: u32) -> [u8; HEADER_BYTES] {
        let mut header = [0; HEADER_BYTES];
        header[..4].copy_from_slice(CAPTURE);
        header[5] = flags;
        header[6..14].copy_from_slice(&granule.to_le_bytes());
        header[14..18].copy_from_slice(&self.serial.to_le_bytes());
        header[18..22].copy_from_slice(&number.to_le_bytes());
        header[26] = self.lacing.len() as u8;
        header
    }

    /// A page of short packets: `lacing` are their lengths, `body` their bytes.
    pub(super) fn of(serial: u32, lacing: &'a [u8], body: &'a [u8]) -> Self {
        Self { flags: 0, granule: 0, serial, number: 0, lacing, body }
    }
}

/// The checksum of a page whose own place for it is zero (RFC 3533 §6: polynomial 0x04c11db7, not reflected).
fn sum_of(header: &[u8; HEADER_BYTES], lacing: &[u8], body: &[u8]) -> u32 {
    let bytes = header.iter().chain(lacing).chain(body);
    bytes.fold(0, |sum, byte| sum << 8 ^ SUMS[usize::from((sum >> 24) as u8 ^ byte)])
}

const SUMS: [u32; 256] = {
    let mut sums = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let (mut sum, mut bit) = ((byte as u32) << 24, 0);
        while bit < 8 {
            sum = if sum >> 31 == 1 { sum << 1 ^ 0x04C1_1DB7 } else { sum << 1 };
            bit += 1;
        }
        sums[byte] = sum;
        byte += 1;
    }
    sums
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::ogg::OggOpus;

    #[test]
    fn pages_are_read_as_they_were_written_and_written_as_they_were_read() {
        let mut stream = OggOpus::new(7, 1, 312);
        for length in [3_usize, 300, 1_275, 255, 254, 510] {
            let mut packet = vec![0xF8; length];
            packet[1] = 0;
            stream.push((packet.into(), 960));
        }
        stream.finish(5_000);
        let bytes = stream.take();
        let (mut at, mut again, mut samples) = (0, Vec::new(), Vec::new());
        for number in 0.. {
            let Some((page, length)) = Page::read(&bytes[at..]) else { break };
            page.write(page.flags, page.granule, number, &mut again);
            samples.push((page.samples(), page.flags, page.granule));
            at += length;
        }
        assert_eq!(again, bytes);
        assert_eq!(samples[2], (Some(6 * 960), LAST, 5_000));
        for flipped in 0..bytes.len().min(200) {
            let mut spoilt = bytes.clone();
            spoilt[flipped] ^= 1;
            assert!(Page::read(&spoilt).is_none() || flipped >= 47);
        }
    }
}
