//! Checking a log from outside: its bytes, the signed heads, and what was handed out of it come in; one line says what is
//! wrong, if something is.

use super::{
    clip_manifest::ClipManifest,
    entry::{Entry, Fact, ItemId, Span},
    hex::Hex,
    journal::{Damaged, Journal},
    merkle::Tree,
    receipt::ConsentRecord,
    signed::{Signed, Untrue},
    witness::{Excerpt, Head},
};
use std::fmt;

/// A log that was checked against its signed head.
#[derive(Clone, Debug)]
pub struct Audit {
    entries: Vec<Entry>,
    tree: Tree,
    head: Head,
    key: Hex<32>,
}

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// A line of the log.
    Line(Damaged),
    /// The log's end is no whole line.
    Torn {
        /// How many bytes.
        bytes: usize,
    },
    /// The log does not begin with a room that opens.
    NoOpening,
    /// Another number of entries than was signed.
    Size {
        /// Signed.
        signed: u64,
        /// There.
        there: u64,
    },
    /// As many entries as were signed, but not these.
    Root,
    /// A statement is not to be believed.
    Untrue(Untrue),
    /// An older head is not the beginning of this log.
    NotTheBeginning,
    /// What was handed out is not in this log, or says something else than its entry.
    NotInTheLog {
        /// Which entry it claims to be.
        entry: u64,
    },
    /// What was deleted is said to exist still.
    Undeleted {
        /// The entry that says that it was deleted.
        entry: u64,
    },
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(damaged) => damaged.fmt(f),
            Self::Torn { bytes } => write!(f, "the last {bytes} bytes are no whole entry"),
            Self::NoOpening => write!(f, "line 1: expected that a room opens"),
            Self::Size { signed, there } => {
                write!(f, "expected the {signed} entries signed for, found {there}")
            }
            Self::Root => write!(f, "these are not the entries signed for: their root is another"),
            Self::Untrue(untrue) => untrue.fmt(f),
            Self::NotTheBeginning => write!(f, "the older head is not the beginning of this log"),
            Self::NotInTheLog { entry } => write!(f, "not what entry {entry} of this log says"),
            Self::Undeleted { entry } => {
                write!(f, "entry {entry} says that it was deleted, but it is there again")
            }
        }
    }
}

impl std::error::Error for Flaw {}

impl Audit {
    /// Checks a log's bytes against its signed head; with `key`, that the head is this signer's.
    ///
    /// # Errors
    /// The first flaw: any changed bit, any entry left out, added or moved.
    pub fn of(log: &[u8], head: &[u8], key: Option<Hex<32>>) -> Result<Self, Flaw> {
        let Signed { body: head, key, .. } = Signed::<Head>::read(head, key).map_err(Flaw::Untrue)?;
        let Journal { entries, torn_bytes } = Journal::read(log).map_err(Flaw::Line)?;
        if torn_bytes > 0 {
            return Err(Flaw::Torn { bytes: torn_bytes });
        }
        let mut tree = Tree::default();
        entries.iter().for_each(|(_, leaf)| tree.push(*leaf));
        if tree.len() != head.size {
            return Err(Flaw::Size { signed: head.size, there: tree.len() });
        }
        if tree.root() != head.root {
            return Err(Flaw::Root);
        }
        let entries: Vec<_> = entries.into_iter().map(|(entry, _)| entry).collect();
        match entries.first() {
            Some(Entry { fact: Fact::Opened(_), .. }) => Ok(Self { entries, tree, head, key }),
            _ => Err(Flaw::NoOpening),
        }
    }

    /// What was signed.
    #[must_use]
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// All entries.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Checks that an older signed head is the beginning of this log.
    ///
    /// # Errors
    /// It is not, or not by the same signer.
    pub fn goes_on_from(&self, head: &[u8]) -> Result<Head, Flaw> {
        let old = Signed::<Head>::read(head, Some(self.key)).map_err(Flaw::Untrue)?.body;
        if self.tree.root_of(old.size) == Some(old.root) { Ok(old) } else { Err(Flaw::NotTheBeginning) }
    }

    /// Checks a signed consent record: that it says what its entry in this log says.
    ///
    /// # Errors
    /// It does not, or is not by the same signer.
    pub fn receipt(&self, json: &[u8]) -> Result<ConsentRecord, Flaw> {
        let record = Signed::<ConsentRecord>::read(json, Some(self.key)).map_err(Flaw::Untrue)?.body;
        let flaw = Flaw::NotInTheLog { entry: record.log.index };
        let entry = self.entry(record.log.index).ok_or(flaw)?;
        let root = self.tree.root_of(record.log.size).ok_or(flaw)?;
        if record.is_of(entry, root) { Ok(record) } else { Err(flaw) }
    }

    /// Checks a signed excerpt: that its entry is in this log.
    ///
    /// # Errors
    /// It is not, or not by the same signer.
    pub fn excerpt(&self, json: &[u8]) -> Result<Excerpt, Flaw> {
        let excerpt = Signed::<Excerpt>::read(json, Some(self.key)).map_err(Flaw::Untrue)?.body;
        self.contains(&excerpt).map(|()| excerpt)
    }

    fn contains(&self, excerpt: &Excerpt) -> Result<(), Flaw> {
        let flaw = Flaw::NotInTheLog { entry: excerpt.entry.n };
        let root = self.tree.root_of(excerpt.inclusion.size).ok_or(flaw)?;
        let same = self.entry(excerpt.entry.n) == Some(&excerpt.entry);
        if same && root == excerpt.root && excerpt.holds() { Ok(()) } else { Err(flaw) }
    }

    /// Checks a clip's signed papers: that this room granted it. Says out of which recording and which stretch it is.
    ///
    /// # Errors
    /// It did not, or they are not by the same signer.
    pub fn clip(&self, json: &[u8]) -> Result<(ItemId, Span), Flaw> {
        let papers = Signed::<ClipManifest>::read(json, Some(self.key)).map_err(Flaw::Untrue)?.body;
        let flaw = Flaw::NotInTheLog { entry: papers.grant.entry.n };
        self.contains(&papers.grant)?;
        if self.tree.leaf(0) == Some(papers.room) { papers.place().ok_or(flaw) } else { Err(flaw) }
    }

    /// Checks that readable bytes with this SHA-256 are not those of something that was deleted.
    ///
    /// # Errors
    /// They are.
    pub fn is_not_deleted(&self, sha256: Hex<32>) -> Result<(), Flaw> {
        let kept = self.entries.iter().filter_map(|entry| match entry.fact {
            Fact::Kept(item, hash) if hash == sha256 => Some(item),
            _ => None,
        });
        let kept: Vec<_> = kept.collect();
        let deleted = self.entries.iter().find(|entry| match entry.fact {
            Fact::Deleted { item, .. } => kept.contains(&item),
            _ => false,
        });
        deleted.map_or(Ok(()), |entry| Err(Flaw::Undeleted { entry: entry.n }))
    }

    fn entry(&self, n: u64) -> Option<&Entry> {
        self.entries.get(usize::try_from(n).ok()?)
    }
}
