//! Files that go: overwritten as far as the file system lets us, then removed.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Seek, SeekFrom, Write},
    ops::Range,
    path::Path,
};

/// Writes zeros over a file's bytes and removes it; a folder goes with everything in it. What is not there is gone already.
pub(super) fn erase(path: &Path) -> io::Result<()> {
    let erased = match fs::symlink_metadata(path) {
        Ok(it) if it.is_dir() => erase_folder(path),
        Ok(it) if it.is_file() => OpenOptions::new()
            .write(true)
            .open(path)
            .and_then(|mut file| overwrite(&mut file, 0..u64::MAX))
            .and_then(|()| fs::remove_file(path)),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    erased.or_else(|error| if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) })
}

fn erase_folder(path: &Path) -> io::Result<()> {
    for entry in fs::read_dir(path)? {
        erase(&entry?.path())?;
    }
    fs::remove_dir(path)
}

/// Zeros, and on disk. A disk may keep older blocks all the same: whoever needs to be sure seals tracks and destroys keys.
pub(super) fn overwrite(file: &mut File, bytes: Range<u64>) -> io::Result<()> {
    let mut left = bytes.end.min(file.metadata()?.len()).saturating_sub(bytes.start);
    file.seek(SeekFrom::Start(bytes.start))?;
    let zeros = [0; 1 << 16];
    while left > 0 {
        let length = left.min(zeros.len() as u64);
        file.write_all(&zeros[..length as usize])?;
        left -= length;
    }
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_and_folders_go_and_links_are_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        let (inside, outside) = (dir.path().join("inside"), dir.path().join("outside"));
        fs::create_dir_all(inside.join("deep")).unwrap();
        fs::write(inside.join("deep/file"), vec![7; 100_000]).unwrap();
        fs::write(&outside, b"stays").unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink(&outside, inside.join("link")).unwrap();
        erase(&inside).unwrap();
        erase(&inside).unwrap();
        assert!(!inside.exists());
        assert_eq!(fs::read(&outside).unwrap(), b"stays");
    }
}
