//! What a log shows to those who do not have it: heads that stand for all of it, and proofs that something is in it or that
//! one head goes on from another.

use super::{
    entry::Entry,
    merkle::{self, Hash, Tree},
    room::Room,
    signed::Statement,
};
use crate::time::UnixMs;
use serde::{Deserialize, Serialize};

/// Stands for a log of a certain size (RFC 9162 §4.10). Signed, its signer cannot deny any entry of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// How many entries.
    pub size: u64,
    /// The root of the tree over them.
    pub root: Hash,
    /// When it was signed.
    pub wall_ms: UnixMs,
}

impl Statement for Head {
    const KIND: &'static str = "tertulia log head 1";
}

/// Shows that an entry is in a log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inclusion {
    /// The entry's hash.
    pub leaf: Hash,
    /// Its number.
    pub index: u64,
    /// Of how many.
    pub size: u64,
    /// From the leaf to the root.
    pub path: Vec<Hash>,
}

impl Inclusion {
    /// Is it so, if this is the log's root?
    #[must_use]
    pub fn holds(&self, root: Hash) -> bool {
        merkle::includes(self.leaf, self.index, self.size, &self.path, root)
    }
}

/// Shows that a log is the beginning of a later one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Continuation {
    /// The hashes that both roots can be computed from.
    pub path: Vec<Hash>,
}

impl Continuation {
    /// Is it so?
    #[must_use]
    pub fn holds(&self, old: &Head, new: &Head) -> bool {
        merkle::extends(old.size, old.root, new.size, new.root, &self.path)
    }
}

/// One entry, out of its log: what it says, that it is in it, and under which head. Signed, it is a deletion's proof, a
/// recording's, an access's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Excerpt {
    /// What it says.
    pub entry: Entry,
    /// That it is in the log.
    pub inclusion: Inclusion,
    /// The log's root.
    pub root: Hash,
}

impl Statement for Excerpt {
    const KIND: &'static str = "tertulia log excerpt 1";
}

impl Excerpt {
    /// Does it hang together: is this the entry that is in the log of this root?
    #[must_use]
    pub fn holds(&self) -> bool {
        let same = self.entry.leaf() == self.inclusion.leaf && self.entry.n == self.inclusion.index;
        same && self.inclusion.holds(self.root)
    }
}

impl Tree {
    /// Shows that the leaf at `index` is among all there are.
    #[must_use]
    pub fn inclusion_of(&self, index: u64) -> Option<Inclusion> {
        let (leaf, size) = (self.leaf(index)?, self.len());
        Some(Inclusion { leaf, index, size, path: self.inclusion(index, size)? })
    }
}

impl Room {
    /// What stands for the log as it is, to be signed.
    #[must_use]
    pub fn head(&self, wall_ms: UnixMs) -> Head {
        Head { size: self.log().len(), root: self.log().root(), wall_ms }
    }

    /// One entry with what shows that it is in the log, to be signed.
    #[must_use]
    pub fn excerpt(&self, n: u64) -> Option<Excerpt> {
        let entry = self.entries().get(usize::try_from(n).ok()?)?.clone();
        Some(Excerpt { entry, inclusion: self.log().inclusion_of(n)?, root: self.log().root() })
    }

    /// Shows that the log was once of `old` entries and has only grown.
    #[must_use]
    pub fn continuation(&self, old: u64) -> Option<Continuation> {
        Some(Continuation { path: self.log().consistency(old, self.log().len())? })
    }
}
