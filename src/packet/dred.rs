//! Does an Opus packet carry deep redundancy (draft-ietf-mlcodec-opus-dred-04)? In comes a payload, undecoded. It lies in
//! the padding, as an extension (draft-ietf-mlcodec-opus-extension-03 §3) with the number that libopus 1.6 gives it.

use super::opus;

/// `DRED_EXTENSION_ID`, `D` and `DRED_EXPERIMENTAL_VERSION` of libopus 1.6.
const ID: u8 = 126;
const VERSION: &[u8] = &[b'D', 12];

/// Does it carry features of the sound before it? Extensions behind a "repeat" (ID 2) are not looked at: no encoder puts
/// one before deep redundancy.
///
/// # Real-time
/// Safe.
#[must_use]
pub fn has_dred(payload: &[u8]) -> bool {
    let mut rest = opus::padded(payload).unwrap_or_default().1;
    while let Some((id, data, more)) = extension(rest) {
        if id == ID && data.len() > VERSION.len() && data.starts_with(VERSION) {
            return true;
        }
        rest = more;
    }
    false
}

/// The first extension, its data, and what follows; `None` at the end or where it makes no sense.
fn extension(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&head, rest) = bytes.split_first()?;
    let (id, long) = (head >> 1, head & 1 == 1);
    let (length, rest) = match (id, long) {
        // Padding that lasts to the end, and the repetition.
        (0, false) | (2, _) => return None,
        (0, true) => (0, rest),
        (1..32, _) => (usize::from(long), rest),
        (_, false) => (rest.len(), rest),
        (_, true) => laced(rest)?,
    };
    let (data, rest) = rest.split_at_checked(length)?;
    Some((id, data, rest))
}

/// A length in bytes that add up, 255 meaning that another follows.
fn laced(mut bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut length = 0;
    loop {
        let (&byte, rest) = bytes.split_first()?;
        (length, bytes) = (length + usize::from(byte), rest);
        if byte < 255 {
            return Some((length, bytes));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A packet of one frame of one byte with this padding.
    fn packet(padding: &[u8]) -> Vec<u8> {
        [&[0xFB, 0x41, padding.len() as u8, 7], padding].concat()
    }

    #[test]
    fn it_is_found_behind_other_extensions_and_padding() {
        let dred = [126 << 1, b'D', 12, 1, 2, 3];
        assert!(has_dred(&packet(&dred)));
        let before: [&[u8]; 5] =
            [&[1], &[1 << 1], &[1 << 1 | 1, 0], &[9 << 1 | 1, 5], &[40 << 1 | 1, 2, 8, 8]];
        for before in before {
            assert!(has_dred(&packet(&[before, &dred].concat())), "behind {before:?}");
        }
        assert!(has_dred(&packet(&[126 << 1 | 1, 3, b'D', 12, 0, 0, 0])), "with a length of its own");
    }

    #[test]
    fn other_versions_numbers_and_broken_lengths_are_none() {
        for padding in [
            &[126 << 1, b'D', 11, 1, 2, 3][..],
            &[126 << 1, b'D', 12],
            &[125 << 1, b'D', 12, 1, 2, 3],
            &[126 << 1 | 1, 9, b'D', 12, 1, 2, 3],
            &[126 << 1 | 1, 255],
            &[40 << 1, 126 << 1, b'D', 12, 1, 2, 3],
            &[0, 126 << 1, b'D', 12, 1, 2, 3],
            &[],
        ] {
            assert!(!has_dred(&packet(padding)), "{padding:?}");
        }
        assert!(!has_dred(&[]) && !has_dred(&[0x78, 126 << 1, b'D', 12, 1]));
    }
}
