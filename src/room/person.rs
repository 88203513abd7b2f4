//! Who somebody is in ledger and log: a pseudonym. Names stay with the caller.

use super::hex::{Hex, NotHex};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::{fmt, str::FromStr};

/// A person's pseudonym in one room, 128 bits. A lane ([`SpeakerId`](crate::speaker::SpeakerId)) is a place and may
/// change hands; consent is a person's.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Person(Hex<16>);

impl Person {
    /// The room itself: whoever acts when a time has come.
    pub const ROOM: Self = Self(Hex([0; 16]));

    /// The pseudonym of `name` under a secret of the room's: half of a SHA-256. Once the secret is destroyed nobody can tell
    /// any more whose the pseudonyms were; with an empty secret anybody can who tries names.
    #[must_use]
    pub fn of(secret: &[u8], name: &str) -> Self {
        let hash = Sha256::new()
            .chain_update((secret.len() as u64).to_be_bytes())
            .chain_update(secret)
            .chain_update(name)
            .finalize();
        Self(Hex(std::array::from_fn(|at| hash[at])))
    }
}

impl fmt::Display for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Person {
    type Err = NotHex;

    fn from_str(text: &str) -> Result<Self, NotHex> {
        text.parse().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pseudonym_tells_nothing_without_the_secret() {
        let mara = Person::of(b"tonight", "mara");
        assert_eq!(mara, Person::of(b"tonight", "mara"));
        assert_ne!(mara, Person::of(b"tomorrow", "mara"));
        assert_ne!(Person::of(b"ab", "c"), Person::of(b"a", "bc"), "the secret's length counts");
        assert_eq!(mara.to_string().parse(), Ok(mara));
    }
}
