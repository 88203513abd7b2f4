//! `latest.log`: what came last, of all files of a recording, in one. To make one file safe takes the disk a moment, however little is
//! new in it; so each second it is this one, and the others now and then. A recovery puts into them what it holds.
//!
//! ```text
//! file  = begun:u32 batch*                 (how often it was begun anew)
//! batch = length:u32 sum:16 piece*         (pieces: so many bytes)
//! piece = at:u64 name:u16 length:u32 ...   (the name, the bytes; at: all ones if they are another file of that name)
//! ```
//!
//! Numbers are little-endian. A sum is the beginning of a SHA-256 over the sum before and the pieces, the first one's over `begun`:
//! what was cut off, and what an older log has left behind, is no batch.

use super::disk::Disk;
use sha2::{Digest, Sha256};
use std::io;

/// Its name in the session's folder.
pub(super) const FILE: &str = "latest.log";

const SUM: usize = 16;
const ANOTHER: u64 = u64::MAX;

/// Bytes that belong into a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Piece<'a> {
    /// From the session's folder.
    pub(super) file: &'a str,
    /// From here on; none if they are a new file, which takes the place of whatever there is.
    pub(super) at: Option<u64>,
    pub(super) bytes: &'a [u8],
}

/// What came since all files were made safe.
#[derive(Debug, Default)]
pub(super) struct Latest {
    /// How often it was begun anew.
    begun: u32,
    /// Its length.
    bytes: u64,
    sum: [u8; SUM],
    /// What was told last; kept for its room.
    batch: Vec<u8>,
}

impl Latest {
    /// An empty one.
    pub(super) fn new() -> Self {
        let mut latest = Self::default();
        latest.begin_anew();
        latest
    }

    /// All files are safe: what comes takes the place of what there is.
    pub(super) fn begin_anew(&mut self) {
        self.begun += 1;
        (self.bytes, self.sum) = (0, first_sum(self.begun));
    }

    /// Writes down what is new and waits until the disk has it for sure. What it did not take is to be told again.
    pub(super) fn tell<'a>(
        &mut self,
        disk: &mut dyn Disk,
        news: impl Iterator<Item = Piece<'a>>,
    ) -> io::Result<()> {
        let Self { begun, bytes, sum, batch } = self;
        batch.clear();
        if *bytes == 0 {
            batch.extend(begun.to_le_bytes());
        }
        let head = batch.len();
        batch.extend([0; 4 + SUM]);
        news.for_each(|piece| piece.write(batch));
        let pieces = &batch[head + 4 + SUM..];
        if pieces.is_empty() {
            return Ok(());
        }
        let (length, behind) = ((pieces.len() as u32).to_le_bytes(), sum_behind(sum, pieces));
        let told = length.into_iter().chain(behind);
        batch[head..].iter_mut().zip(told).for_each(|(to, byte)| *to = byte);
        disk.append(FILE, *bytes, batch)?;
        disk.sync(FILE)?;
        (*bytes, *sum) = (*bytes + batch.len() as u64, behind);
        Ok(())
    }
}

impl<'a> Piece<'a> {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend(self.at.unwrap_or(ANOTHER).to_le_bytes());
        out.extend((self.file.len() as u16).to_le_bytes());
        out.extend((self.bytes.len() as u32).to_le_bytes());
        out.extend_from_slice(self.file.as_bytes());
        out.extend_from_slice(self.bytes);
    }

    /// The one that `pieces` begin with, and what is behind it.
    fn read(pieces: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let (at, rest) = pieces.split_first_chunk()?;
        let (name, rest) = rest.split_first_chunk()?;
        let (bytes, rest) = rest.split_first_chunk()?;
        let (name, rest) = rest.split_at_checked(u16::from_le_bytes(*name).into())?;
        let (bytes, rest) = rest.split_at_checked(u32::from_le_bytes(*bytes) as usize)?;
        let at = Some(u64::from_le_bytes(*at)).filter(|at| *at != ANOTHER);
        Some((Self { file: str::from_utf8(name).ok()?, at, bytes }, rest))
    }
}

/// Takes the log away; it holds voices.
pub(super) fn remove(disk: &mut dyn Disk) -> io::Result<()> {
    disk.shred(FILE, 0..u64::MAX)?;
    disk.remove(FILE)
}

/// What a log holds, in order, as far as it is whole.
pub(super) fn pieces(log: &[u8]) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let Some((begun, mut rest)) = log.split_first_chunk() else { return pieces };
    let mut sum = first_sum(u32::from_le_bytes(*begun));
    while let Some((mut batch, told, behind)) = batch(rest)
        && told == sum_behind(&sum, batch)
    {
        (sum, rest) = (told, behind);
        while let Some((piece, behind)) = Piece::read(batch) {
            pieces.push(piece);
            batch = behind;
        }
    }
    pieces
}

/// The pieces of the batch that `log` begins with, their sum as it says, and what is behind.
fn batch(log: &[u8]) -> Option<(&[u8], [u8; SUM], &[u8])> {
    let (bytes, rest) = log.split_first_chunk()?;
    let (sum, rest) = rest.split_first_chunk()?;
    let (pieces, rest) = rest.split_at_checked(u32::from_le_bytes(*bytes) as usize)?;
    Some((pieces, *sum, rest))
}

fn first_sum(begun: u32) -> [u8; SUM] {
    sum_behind(&[0; SUM], &begun.to_le_bytes())
}

fn sum_behind(before: &[u8; SUM], bytes: &[u8]) -> [u8; SUM] {
    let sum = Sha256::new().chain_update(before).chain_update(bytes).finalize();
    std::array::from_fn(|byte| sum[byte])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Folder;

    const ALL: [Piece<'static>; 4] = [
        Piece { file: "tracks/mara.opus", at: None, bytes: b"OggS and so on" },
        Piece { file: "journal.jsonl", at: Some(70), bytes: b"a line" },
        Piece { file: "tracks/mara.opus", at: Some(14), bytes: b"more" },
        Piece { file: "tracks/puck.opus", at: Some(1 << 40), bytes: b"" },
    ];

    fn log(dir: &std::path::Path, batches: &[&[Piece<'_>]], latest: &mut Latest) -> Vec<u8> {
        let mut disk = Folder::open(dir, false).unwrap();
        for batch in batches {
            latest.tell(&mut disk, batch.iter().copied()).unwrap();
        }
        std::fs::read(dir.join(FILE)).unwrap()
    }

    #[test]
    fn what_was_told_is_found_batch_by_batch_wherever_it_was_cut() {
        let dir = tempfile::tempdir().unwrap();
        let bytes = log(dir.path(), &[&ALL[..1], &[], &ALL[1..3], &ALL[3..]], &mut Latest::new());
        assert_eq!(pieces(&bytes), ALL);
        for cut in 0..bytes.len() {
            let found = pieces(&bytes[..cut]);
            assert!([0, 1, 3].contains(&found.len()) && ALL.starts_with(&found), "{cut}");
        }
        for at in 0..bytes.len() {
            let mut hurt = bytes.clone();
            hurt[at] ^= 1;
            assert!([0, 1, 3].contains(&pieces(&hurt).len()), "{at}");
        }
    }

    #[test]
    fn what_an_older_log_has_left_behind_is_not_read() {
        let (dir, mut latest) = (tempfile::tempdir().unwrap(), Latest::new());
        let older = log(dir.path(), &[&ALL[..1], &ALL[..1]], &mut latest);
        latest.begin_anew();
        let newer = log(dir.path(), &[&ALL[..1]], &mut latest);
        assert_eq!(pieces(&newer), ALL[..1]);
        let both = [&newer, &older[newer.len()..]].concat();
        assert_eq!((both.len(), pieces(&both).len()), (older.len(), 1));
    }
}
