//! What came last is in one log ([`Latest`](super::super::latest::Latest)), and perhaps nowhere else: a recovery begins with putting it
//! into the files where it belongs. Once more changes nothing.

use super::super::{
    disk::{Disk, Folder, is_gone},
    error::RecordError,
    latest::{self, FILE, Piece},
    pending::read,
};
use std::{
    collections::BTreeSet,
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    path::{Component, Path},
};

/// Puts what the log in `dir` holds into its files and, once all of that is safe, takes the log away.
pub(super) fn put_back(dir: &Path) -> Result<(), RecordError> {
    let Some(log) = read(dir, FILE)? else { return Ok(()) };
    let failed = |file: &str, source| RecordError::new(&dir.join(file), "put back", source);
    let mut disk = Folder::open(dir, true).map_err(|source| failed(FILE, source))?;
    let (mut torn, mut touched) = (BTreeSet::new(), BTreeSet::new());
    for piece in latest::pieces(&log).into_iter().filter(|piece| is_inside(piece.file)) {
        if piece.at.is_none() {
            torn.remove(piece.file);
        }
        if !torn.contains(piece.file) {
            match put(&mut disk, dir, &piece).map_err(|source| failed(piece.file, source))? {
                true => touched.insert(piece.file),
                // What lies before it is gone: there is nothing to join it to.
                false => torn.insert(piece.file),
            };
        }
    }
    touched.into_iter().try_for_each(|file| disk.sync(file).map_err(|source| failed(file, source)))?;
    latest::remove(&mut disk).map_err(|source| failed(FILE, source))
}

/// Whether the file now holds the piece.
fn put(disk: &mut Folder, dir: &Path, piece: &Piece<'_>) -> io::Result<bool> {
    let at = piece.at.unwrap_or(0);
    if holds(&dir.join(piece.file), at, piece.bytes)? {
        return Ok(true);
    }
    let done = match piece.at {
        None => disk.replace(piece.file, piece.bytes),
        Some(at) => disk.append(piece.file, at, piece.bytes),
    };
    match done {
        Err(error) if is_gone(&error) => Ok(false),
        done => done.map(|()| true),
    }
}

fn holds(path: &Path, at: u64, bytes: &[u8]) -> io::Result<bool> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    let mut there = Vec::new();
    file.seek(SeekFrom::Start(at))?;
    file.take(bytes.len() as u64).read_to_end(&mut there)?;
    Ok(there == bytes)
}

/// Is it a file in the session's folder, whoever wrote the log?
fn is_inside(file: &str) -> bool {
    !file.is_empty() && Path::new(file).components().all(|part| matches!(part, Component::Normal(_)))
}
