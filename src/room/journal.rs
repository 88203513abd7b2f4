//! Entries as lines of a file that only grows: `HASH JSON\n`, where HASH is the first 16 digits of the entry's hash in the
//! log. A line that was being written when the machine stopped is told from one that was changed.

use super::{
    entry::Entry,
    merkle::{Hash, leaf_hash},
};
use std::fmt;

/// Digits of the hash before each line.
const DIGITS: usize = 16;

/// The longest line that is read.
const MAX_LINE_BYTES: usize = 1 << 20;

/// The line of an entry, and what stands for it in the log.
pub(super) fn line(entry: &Entry) -> (String, Hash) {
    let json = entry.to_json();
    let leaf = leaf_hash(json.as_bytes());
    let mut line = leaf.to_string();
    line.truncate(DIGITS);
    line.extend([" ", &json, "\n"]);
    (line, leaf)
}

/// What a journal holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Journal {
    /// Its entries, with their hashes.
    pub entries: Vec<(Entry, Hash)>,
    /// How many bytes at its end are no whole entry: what was being written when the machine stopped. They are to be cut
    /// off before more is appended.
    pub torn_bytes: usize,
}

/// A journal that nobody's machine left behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Damaged {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub fault: Fault,
}

/// What can be wrong with a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// No line of a journal at all.
    NoEntry,
    /// Another hash than its bytes have.
    Changed,
    /// An entry of another number: something is missing, doubled or in another order.
    Number {
        /// Which.
        n: u64,
    },
    /// The first entry is not that a room opens.
    NotOpened,
}

impl fmt::Display for Damaged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, fault } = self;
        match fault {
            Fault::NoEntry => write!(f, "line {line}: expected a hash and an entry in JSON"),
            Fault::Changed => write!(f, "line {line}: its bytes were changed: they have another hash"),
            Fault::Number { n } => write!(f, "line {line}: expected entry {}, found entry {n}", line - 1),
            Fault::NotOpened => write!(f, "line {line}: expected that a room opens"),
        }
    }
}

impl std::error::Error for Damaged {}

impl Journal {
    /// Reads a journal's bytes.
    ///
    /// # Errors
    /// A line that was changed, is missing or stands where it does not belong. What is broken at the very end, with no
    /// whole entry behind it, was being written, and is only counted.
    pub fn read(bytes: &[u8]) -> Result<Self, Damaged> {
        let mut journal = Self::default();
        let mut rest = bytes;
        while let Some(length) = rest.iter().position(|byte| *byte == b'\n') {
            let (line, behind) = (&rest[..length], &rest[length + 1..]);
            match read_line(line, journal.entries.len()) {
                Ok(entry) => journal.entries.push(entry),
                Err(fault) if holds_an_entry(behind) || fault_is_no_tear(fault) => {
                    return Err(Damaged { line: journal.entries.len() + 1, fault });
                }
                Err(_) => break,
            }
            rest = behind;
        }
        journal.torn_bytes = rest.len();
        Ok(journal)
    }
}

/// A whole entry in the wrong place was not being written there.
fn fault_is_no_tear(fault: Fault) -> bool {
    matches!(fault, Fault::Number { .. } | Fault::NotOpened)
}

fn read_line(line: &[u8], place: usize) -> Result<(Entry, Hash), Fault> {
    let (entry, leaf) = whole(line)?;
    if entry.n != place as u64 {
        return Err(Fault::Number { n: entry.n });
    }
    Ok((entry, leaf))
}

/// A line whose bytes are what its hash says.
fn whole(line: &[u8]) -> Result<(Entry, Hash), Fault> {
    if line.len() > MAX_LINE_BYTES {
        return Err(Fault::NoEntry);
    }
    let (digits, json) = line.split_at_checked(DIGITS).ok_or(Fault::NoEntry)?;
    let json = json.strip_prefix(b" ").ok_or(Fault::NoEntry)?;
    let leaf = leaf_hash(json);
    if leaf.to_string().as_bytes()[..DIGITS] != *digits {
        return Err(Fault::Changed);
    }
    let entry = serde_json::from_slice::<Entry>(json).map_err(|_| Fault::NoEntry)?;
    // One way to write it: what is replayed is what was hashed.
    if entry.to_json().as_bytes() == json { Ok((entry, leaf)) } else { Err(Fault::NoEntry) }
}

fn holds_an_entry(bytes: &[u8]) -> bool {
    bytes.split(|byte| *byte == b'\n').any(|line| whole(line).is_ok())
}
