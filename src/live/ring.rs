//! Datagrams through a ring of bytes: each frame is its length (two bytes) and its parts. Memory follows what is really
//! sent, not the longest datagram times the number of slots.

use rtrb::{Consumer, Producer};

/// The longest frame that passes: an Ethernet datagram with room to spare.
pub(super) const MAX_FRAME: usize = 2048;

const LENGTH: usize = size_of::<u16>();

/// Appends one frame if, with it in, `spare` bytes stay free; says whether it did.
pub(super) fn push<const N: usize>(ring: &mut Producer<u8>, parts: [&[u8]; N], spare: usize) -> bool {
    let len = parts.iter().map(|part| part.len()).sum::<usize>();
    let Some(prefix) = u16::try_from(len).ok().filter(|_| len <= MAX_FRAME) else { return false };
    if ring.slots() < LENGTH + len + spare {
        return false;
    }
    std::iter::once(&prefix.to_le_bytes()[..]).chain(parts).all(|part| ring.push_entire_slice(part).is_ok())
}

/// The first `N` bytes of the next frame, if a frame that long is waiting. It stays in the ring.
pub(super) fn peek<const N: usize>(ring: &mut Consumer<u8>) -> Option<[u8; N]> {
    let len = next_len(ring).filter(|len| *len >= N)?;
    let chunk = ring.read_chunk(LENGTH + len).ok()?;
    let (head, tail) = chunk.as_slices();
    let mut bytes = [0; N];
    for (to, from) in bytes.iter_mut().zip(head.iter().chain(tail).skip(LENGTH)) {
        *to = *from;
    }
    Some(bytes)
}

/// Takes the next frame out, into the front of `into`.
pub(super) fn pop<'a>(ring: &mut Consumer<u8>, into: &'a mut [u8; MAX_FRAME]) -> Option<&'a [u8]> {
    let len = next_len(ring)?;
    if ring.slots() < LENGTH + len {
        return None;
    }
    ring.pop_entire_slice(&mut [0; LENGTH]).ok()?;
    let frame = into.get_mut(..len)?;
    ring.pop_entire_slice(frame).ok()?;
    Some(frame)
}

/// The next frame's length. Its bytes may not all be there yet: parts are appended one by one.
fn next_len(ring: &mut Consumer<u8>) -> Option<usize> {
    let chunk = ring.read_chunk(LENGTH).ok()?;
    let (head, tail) = chunk.as_slices();
    let mut bytes = head.iter().chain(tail).copied();
    Some(usize::from(u16::from_le_bytes([bytes.next()?, bytes.next()?])))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rtrb::RingBuffer;
    use std::collections::VecDeque;

    #[test]
    fn a_full_ring_takes_no_part_of_a_frame() {
        let (mut tx, mut rx) = RingBuffer::new(10);
        assert!(push(&mut tx, [b"abc", b"de"], 0));
        assert!(!push(&mut tx, [b"f", b"gh"], 0));
        let mut frame = [0; MAX_FRAME];
        assert_eq!(pop(&mut rx, &mut frame), Some(&b"abcde"[..]));
        assert_eq!(pop(&mut rx, &mut frame), None);
        assert!(!push(&mut tx, [b"f"], 8) && push(&mut tx, [b"f"], 7));
    }

    #[test]
    fn a_frame_that_is_half_there_is_not_there() {
        let (mut tx, mut rx) = RingBuffer::new(10);
        tx.push_entire_slice(&[3, 0, b'a', b'b']).unwrap();
        assert_eq!((peek::<1>(&mut rx), pop(&mut rx, &mut [0; MAX_FRAME])), (None, None));
        tx.push(b'c').unwrap();
        assert_eq!(peek(&mut rx), Some(*b"ab"));
        assert_eq!(pop(&mut rx, &mut [0; MAX_FRAME]), Some(&b"abc"[..]));
    }

    #[test]
    fn frames_too_long_are_refused() {
        let (mut tx, _rx) = RingBuffer::new(1 << 17);
        assert!(!push(&mut tx, [&[0; MAX_FRAME][..], &[0]], 0));
        assert!(!push(&mut tx, [&[0; 70_000][..]], 0));
        assert!(push(&mut tx, [&[0; MAX_FRAME][..]], 0));
    }

    proptest! {
        #[test]
        fn frames_come_out_as_they_went_in(sizes in prop::collection::vec((0_usize..40, any::<bool>()), 1..200)) {
            let (mut tx, mut rx) = RingBuffer::new(97);
            let (mut expected, mut buffer) = (VecDeque::new(), [0; MAX_FRAME]);
            for (number, (size, read)) in sizes.into_iter().enumerate() {
                let frame = vec![number as u8; size];
                if push(&mut tx, [&frame], 0) {
                    expected.push_back(frame);
                }
                if read {
                    prop_assert_eq!(pop(&mut rx, &mut buffer).map(<[u8]>::to_vec), expected.pop_front());
                }
            }
        }
    }
}
