//! Bytes of a known length, written as lower-case hexadecimal digits and in no other way: what is read is what would be
//! written, so that a changed letter is a changed byte.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// `N` bytes: a hash, a key, a signature.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Hex<const N: usize>(pub [u8; N]);

/// Text that is not the digits expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotHex {
    digits: usize,
}

impl fmt::Display for NotHex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {} digits 0-9, a-f", self.digits)
    }
}

impl std::error::Error for NotHex {}

impl<const N: usize> fmt::Display for Hex<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl<const N: usize> fmt::Debug for Hex<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<const N: usize> FromStr for Hex<N> {
    type Err = NotHex;

    fn from_str(text: &str) -> Result<Self, NotHex> {
        let fault = NotHex { digits: 2 * N };
        let text = text.as_bytes();
        if text.len() != 2 * N {
            return Err(fault);
        }
        let mut bytes = [0; N];
        for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
            *byte = digit(pair[0]).zip(digit(pair[1])).map(|(high, low)| high << 4 | low).ok_or(fault)?;
        }
        Ok(Self(bytes))
    }
}

impl<const N: usize> TryFrom<String> for Hex<N> {
    type Error = NotHex;

    fn try_from(text: String) -> Result<Self, NotHex> {
        text.parse()
    }
}

impl<const N: usize> From<Hex<N>> for String {
    fn from(hex: Hex<N>) -> Self {
        hex.to_string()
    }
}

fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_what_was_written() {
        let bytes = Hex([0, 9, 10, 0xa7, 255]);
        assert_eq!(bytes.to_string(), "00090aa7ff");
        assert_eq!("00090aa7ff".parse(), Ok(bytes));
    }

    #[test]
    fn there_is_one_way_to_write_it() {
        for text in ["00090AA7ff", "00090aa7f", "00090aa7ff0", " 0090aa7ff", "+0090aa7ff"] {
            assert!(text.parse::<Hex<5>>().is_err(), "{text}");
        }
    }
}
