//! Redundant audio data (RED, RFC 2198): in comes the payload of a RED packet, out come the payload it was sent for and
//! copies of older ones, none of them copied. And back, for senders in tests and simulations.

use super::Reject;
use crate::time::Samples;

/// The furthest back that 14 bits can say.
const FURTHEST: Samples = Samples::new((1 << 14) - 1);
/// The longest older payload that 10 bits can say.
const LONGEST_BYTES: usize = (1 << 10) - 1;
/// The first bit of a block's header: another one follows.
const MORE: u8 = 0x80;

/// One payload of a RED packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RedBlock<'a> {
    /// What it is, 0…127.
    pub payload_type: u8,
    /// How far before the packet's timestamp its first sample lies, in ticks of the RTP clock; zero for the newest.
    pub back: Samples,
    /// The codec's bytes; never empty.
    pub payload: &'a [u8],
}

/// A RED packet's payload, taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Red<'a> {
    /// What the packet was sent for: at its timestamp.
    pub newest: RedBlock<'a>,
    older: RedBlocks<'a>,
}

/// The older payloads of a RED packet, in the order they were sent: the oldest first, as a rule.
///
/// # Real-time
/// Safe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RedBlocks<'a> {
    /// Their headers, four bytes each.
    headers: &'a [u8],
    /// Their payloads, at least as many bytes as the headers say.
    data: &'a [u8],
}

impl<'a> Red<'a> {
    /// Takes the payload of a RED packet apart.
    ///
    /// # Errors
    /// [`Reject::Truncated`] where its headers or what they promise do not fit in, [`Reject::Empty`] when nothing is left
    /// for the newest payload.
    ///
    /// # Real-time
    /// Safe.
    pub fn parse(payload: &'a [u8]) -> Result<Self, Reject> {
        let count = payload.iter().step_by(4).position(|head| head & MORE == 0).ok_or(Reject::Truncated)?;
        let (headers, rest) = payload.split_at_checked(4 * count).ok_or(Reject::Truncated)?;
        let (&payload_type, data) = rest.split_first().ok_or(Reject::Truncated)?;
        let older_bytes: usize = headers.chunks_exact(4).map(length).sum();
        let (data, newest) = data.split_at_checked(older_bytes).ok_or(Reject::Truncated)?;
        if newest.is_empty() {
            return Err(Reject::Empty);
        }
        let newest = RedBlock { payload_type, back: Samples::ZERO, payload: newest };
        Ok(Self { newest, older: RedBlocks { headers, data } })
    }

    /// The copies of older payloads; empty ones, which some senders put in where they have none, are left out.
    #[must_use]
    pub fn older(&self) -> RedBlocks<'a> {
        self.older
    }
}

/// The last ten bits of a header.
fn length(header: &[u8]) -> usize {
    match *header {
        [_, _, high, low] => usize::from(high & 3) << 8 | usize::from(low),
        _ => 0,
    }
}

impl<'a> Iterator for RedBlocks<'a> {
    type Item = RedBlock<'a>;

    fn next(&mut self) -> Option<RedBlock<'a>> {
        while let Some((header, headers)) = self.headers.split_at_checked(4) {
            let [kind, high, low, _] = *header else { return None };
            let (payload, data) = self.data.split_at_checked(length(header))?;
            *self = Self { headers, data };
            if !payload.is_empty() {
                let back = Samples::new(u64::from(high) << 6 | u64::from(low >> 2));
                return Some(RedBlock { payload_type: kind & !MORE, back, payload });
            }
        }
        None
    }
}

/// Writes a RED payload to the front of `out`: `older` in this order, then `newest`, whose `back` does not count. How many
/// bytes it took; `None` when it does not fit, into `out` or into the bits of a header.
///
/// # Real-time
/// Safe.
pub fn write_red(older: &[RedBlock<'_>], newest: RedBlock<'_>, out: &mut [u8]) -> Option<usize> {
    let bytes: usize = older.iter().map(|block| 4 + block.payload.len()).sum();
    let (mut headers, mut data) =
        out.get_mut(..bytes + 1 + newest.payload.len())?.split_at_mut(4 * older.len());
    let (last, rest) = data.split_first_mut()?;
    *last = newest.payload_type & !MORE;
    data = rest;
    for block in older {
        let (header, rest) = headers.split_at_mut_checked(4)?;
        header.copy_from_slice(&header_of(block)?);
        headers = rest;
    }
    for block in older.iter().chain([&newest]) {
        let (place, rest) = data.split_at_mut_checked(block.payload.len())?;
        place.copy_from_slice(block.payload);
        data = rest;
    }
    Some(bytes + 1 + newest.payload.len())
}

fn header_of(block: &RedBlock<'_>) -> Option<[u8; 4]> {
    if block.back > FURTHEST || block.payload.len() > LONGEST_BYTES {
        return None;
    }
    let numbers = (block.back.count() as u32) << 10 | block.payload.len() as u32;
    Some((u32::from(block.payload_type | MORE) << 24 | numbers).to_be_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn block(payload_type: u8, back: u64, payload: &[u8]) -> RedBlock<'_> {
        RedBlock { payload_type, back: Samples::new(back), payload }
    }

    #[test]
    fn the_example_of_the_rfc_is_read() {
        // Two headers as in §5: one older block of 3 bytes, 960 ticks back, then the newest.
        let bytes = [0x80 | 7, 0b0000_1111, 0, 3, 5, 1, 2, 3, 4, 5];
        let red = Red::parse(&bytes).unwrap();
        assert_eq!(red.newest, block(5, 0, &[4, 5]));
        assert_eq!(red.older().collect::<Vec<_>>(), [block(7, 960, &[1, 2, 3])]);
    }

    #[test]
    fn a_packet_may_hold_the_newest_alone() {
        let red = Red::parse(&[111, 9]).unwrap();
        assert_eq!((red.newest, red.older().count()), (block(111, 0, &[9]), 0));
    }

    #[test]
    fn every_malformed_packet_is_turned_away() {
        for (bytes, reason) in [
            (&[][..], Reject::Truncated),
            (&[0x80], Reject::Truncated),
            (&[0x80, 0, 0, 0], Reject::Truncated),
            (&[0x80, 0, 0, 0, 0x80, 0, 0], Reject::Truncated),
            (&[0x80, 0, 0, 2, 0, 1], Reject::Truncated),
            (&[0x80, 0, 0, 2, 0, 1, 2], Reject::Empty),
            (&[0], Reject::Empty),
        ] {
            assert_eq!(Red::parse(bytes).err(), Some(reason), "{bytes:?}");
        }
    }

    #[test]
    fn empty_older_blocks_are_left_out() {
        let bytes = [0x80 | 1, 0, 4, 0, 0x80 | 2, 0, 8, 1, 3, 7, 8];
        let red = Red::parse(&bytes).unwrap();
        assert_eq!(red.older().collect::<Vec<_>>(), [block(2, 2, &[7])]);
    }

    #[test]
    fn what_no_header_can_say_is_not_written() {
        let (long, mut out) = ([0; 1024], [0; 4000]);
        let newest = block(5, 0, &[1]);
        assert_eq!(write_red(&[block(5, 1 << 14, &[1])], newest, &mut out), None);
        assert_eq!(write_red(&[block(5, 960, &long)], newest, &mut out), None);
        assert_eq!(write_red(&[block(5, (1 << 14) - 1, &long[1..])], newest, &mut out), Some(1029));
        assert_eq!(write_red(&[], newest, &mut [0]), None);
    }

    /// RFC 2198 §3 read with plain indices.
    fn naive(bytes: &[u8]) -> Option<Vec<(u8, u64, Vec<u8>)>> {
        let (mut at, mut heads) = (0, Vec::new());
        while *bytes.get(at)? & 0x80 != 0 {
            let word = u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().unwrap());
            heads.push(((word >> 24) as u8 & 127, u64::from(word >> 10 & 0x3FFF), (word & 0x3FF) as usize));
            at += 4;
        }
        let last = bytes[at];
        at += 1;
        let mut blocks = Vec::new();
        for (kind, back, length) in heads {
            blocks.push((kind, back, bytes.get(at..at + length)?.to_vec()));
            at += length;
        }
        let newest = bytes.get(at..).filter(|rest| !rest.is_empty())?;
        blocks.retain(|(_, _, bytes)| !bytes.is_empty());
        blocks.push((last, 0, newest.to_vec()));
        Some(blocks)
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_as_the_rfc_says(
            heads in proptest::collection::vec((0x80u8.., 0u8..4, any::<u8>(), 0u8..9), 0..4),
            rest in proptest::collection::vec(any::<u8>(), 0..40),
        ) {
            let mut bytes: Vec<u8> = heads.iter().flat_map(|&(a, b, c, d)| [a, b, c & !3, d]).collect();
            bytes.extend(rest);
            let ours = Red::parse(&bytes).ok().map(|red| {
                let blocks = red.older().chain([red.newest]);
                blocks.map(|b| (b.payload_type, b.back.count(), b.payload.to_vec())).collect::<Vec<_>>()
            });
            prop_assert_eq!(ours, naive(&bytes));
        }

        #[test]
        fn what_is_written_is_read_back(
            older in proptest::collection::vec((0u8..128, 0u64..1 << 14, proptest::collection::vec(any::<u8>(), 1..60)), 0..5),
            newest in (0u8..128, proptest::collection::vec(any::<u8>(), 1..60)),
        ) {
            let older: Vec<_> = older.iter().map(|(kind, back, bytes)| block(*kind, *back, bytes)).collect();
            let newest = block(newest.0, 0, &newest.1);
            let mut out = [0; 600];
            let length = write_red(&older, newest, &mut out).unwrap();
            let red = Red::parse(&out[..length]).unwrap();
            prop_assert_eq!(red.newest, newest);
            prop_assert_eq!(red.older().collect::<Vec<_>>(), older);
        }
    }
}
