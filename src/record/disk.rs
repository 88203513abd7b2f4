//! Where a recording's files live, behind a seam so narrow that a test can stand in for a disk that fails. Files only
//! grow, or are replaced whole.

use super::erase::overwrite;
use std::{
    collections::BTreeMap,
    fmt,
    fs::{self, File, OpenOptions},
    io::{self, Seek, SeekFrom, Write},
    ops::Range,
    path::{Path, PathBuf},
};

/// A file that is open.
#[derive(Debug)]
struct Opened {
    file: File,
    /// Where it ends.
    end: u64,
}

/// A session's folder. Files go by their path inside it, as the manifest names them.
///
/// Whoever calls repeats what failed: every call may come again with the same arguments, and then succeed.
pub trait Disk: fmt::Debug + Send {
    /// Makes `bytes` the end of `file`, from byte `at` on; what lies there goes. At byte 0 the file is made.
    ///
    /// # Errors
    /// `NotFound` or `UnexpectedEof` if the file has not got `at` bytes any more; whatever else the disk says.
    fn append(&mut self, file: &str, at: u64, bytes: &[u8]) -> io::Result<()>;

    /// Waits until a power failure could not take back what was appended to `file`.
    ///
    /// # Errors
    /// What the disk says; what was appended since the last success is then in doubt.
    fn sync(&mut self, file: &str) -> io::Result<()>;

    /// Gives `file` another content: at any moment, after a power failure too, it has all of the old or all of the new.
    ///
    /// # Errors
    /// What the disk says; the old content is then still there.
    fn replace(&mut self, file: &str, bytes: &[u8]) -> io::Result<()>;

    /// Takes `file` away, if it is there.
    ///
    /// # Errors
    /// What the disk says.
    fn remove(&mut self, file: &str) -> io::Result<()>;

    /// Gives `from` the name `to`, whose old content goes: at any moment, after a power failure too, `to` is one of both.
    ///
    /// # Errors
    /// There is no such file; whatever else the disk says.
    fn rename(&mut self, from: &str, to: &str) -> io::Result<()>;

    /// Writes zeros over these bytes of `file`, where they lie, and waits until they are on disk. What is beyond its end, and
    /// a file that is not there, is gone already.
    ///
    /// # Errors
    /// What the disk says; the bytes may then be zeros in part.
    fn shred(&mut self, file: &str, bytes: Range<u64>) -> io::Result<()>;

    /// How many bytes are free on it; none if that is not known.
    fn free_bytes(&mut self) -> Option<u64> {
        None
    }
}

/// Is what was safe not there any more?
pub(super) fn is_gone(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::UnexpectedEof)
}

/// Real files in a real folder.
#[derive(Debug)]
pub struct Folder {
    dir: PathBuf,
    durable: bool,
    open: BTreeMap<String, Opened>,
}

impl Folder {
    /// Files inside `dir`, which is made if need be. Unless `durable`, nothing waits for the disk: a dying process loses
    /// nothing by that, a power failure what the system has not written yet.
    ///
    /// # Errors
    /// The folder cannot be made.
    pub fn create(dir: &Path, durable: bool) -> io::Result<Self> {
        fs::create_dir_all(dir.join("tracks"))?;
        Self::open(dir, durable)
    }

    /// The same, of a folder that need hold no session.
    ///
    /// # Errors
    /// The folder cannot be made.
    pub fn open(dir: &Path, durable: bool) -> io::Result<Self> {
        fs::create_dir_all(dir)?;
        Ok(Self { dir: dir.to_owned(), durable, open: BTreeMap::new() })
    }

    /// Makes the folder inside this one that `file` lies in, if there is none yet.
    fn make_room(&self, file: &str) -> io::Result<()> {
        let path = self.path(file)?;
        match path.parent().filter(|folder| !folder.is_dir()) {
            Some(folder) => fs::create_dir_all(folder).and_then(|()| self.sync_folder(&self.dir)),
            None => Ok(()),
        }
    }

    /// A name is safe once its folder is.
    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        if self.durable { File::open(folder)?.sync_all() } else { Ok(()) }
    }

    /// Where `file` lies. A folder that has gone is not made again: its disk may come back.
    fn path(&self, file: &str) -> io::Result<PathBuf> {
        if self.dir.is_dir() {
            return Ok(self.dir.join(file));
        }
        Err(io::Error::other("the session's folder is gone"))
    }

    fn opened(&mut self, file: &str, at: u64) -> io::Result<&mut Opened> {
        if !self.open.contains_key(file) {
            if at == 0 {
                self.make_room(file)?;
            }
            let path = self.path(file)?;
            let opened = OpenOptions::new().write(true).create(at == 0).truncate(false).open(path)?;
            let mut opened = Opened { end: opened.metadata()?.len(), file: opened };
            opened.file.seek(SeekFrom::End(0))?;
            self.open.insert(file.to_owned(), opened);
        }
        self.open.get_mut(file).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn write(&mut self, file: &str, at: u64, bytes: &[u8]) -> io::Result<()> {
        if let Some(opened) = self.open.get(file) {
            self.expect_linked(opened, file)?;
        }
        self.opened(file, at)?.write(at, bytes)
    }

    fn sync_linked(&self, file: &str) -> io::Result<()> {
        match self.open.get(file) {
            Some(opened) => self.expect_linked(opened, file).and_then(|()| opened.file.sync_data()),
            None => OpenOptions::new().write(true).open(self.path(file)?)?.sync_data(),
        }
    }

    /// A file that was removed still takes bytes, for nobody.
    fn expect_linked(&self, opened: &Opened, file: &str) -> io::Result<()> {
        if opened.is_linked()? { Ok(()) } else { self.path(file)?.metadata().map(drop) }
    }

    fn write_beside(&self, new: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut file = File::create(new)?;
        file.write_all(bytes)?;
        if self.durable {
            file.sync_all()?;
        }
        self.rename_safely(new, path)
    }

    fn rename_safely(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)?;
        self.sync_folder(to.parent().unwrap_or(&self.dir))
    }
}

impl Opened {
    /// Is it sure that it still goes by a name?
    #[cfg(unix)]
    fn is_linked(&self) -> io::Result<bool> {
        Ok(std::os::unix::fs::MetadataExt::nlink(&self.file.metadata()?) > 0)
    }

    /// Is it sure that it still goes by a name? Only the name tells.
    #[cfg(not(unix))]
    fn is_linked(&self) -> io::Result<bool> {
        Ok(false)
    }

    fn write(&mut self, at: u64, bytes: &[u8]) -> io::Result<()> {
        if self.end < at {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the file has lost its end"));
        }
        if self.end > at {
            self.file.set_len(at)?;
            self.file.seek(SeekFrom::Start(at))?;
        }
        self.file.write_all(bytes)?;
        self.end = at + bytes.len() as u64;
        Ok(())
    }
}

/// After an error a file is opened anew.
impl Disk for Folder {
    fn append(&mut self, file: &str, at: u64, bytes: &[u8]) -> io::Result<()> {
        self.write(file, at, bytes).inspect_err(|_| drop(self.open.remove(file)))
    }

    fn sync(&mut self, file: &str) -> io::Result<()> {
        if !self.durable {
            return Ok(());
        }
        self.sync_linked(file).inspect_err(|_| drop(self.open.remove(file)))
    }

    fn replace(&mut self, file: &str, bytes: &[u8]) -> io::Result<()> {
        self.make_room(file)?;
        let (path, new) = (self.path(file)?, self.path(&format!("{file}.new"))?);
        self.open.remove(file);
        self.write_beside(&new, &path, bytes)
    }

    fn remove(&mut self, file: &str) -> io::Result<()> {
        self.open.remove(file);
        match fs::remove_file(self.path(file)?) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            done => done,
        }
    }

    fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        [from, to].iter().for_each(|file| drop(self.open.remove(*file)));
        self.rename_safely(&self.path(from)?, &self.path(to)?)
    }

    fn shred(&mut self, file: &str, bytes: Range<u64>) -> io::Result<()> {
        self.open.remove(file);
        match OpenOptions::new().write(true).open(self.path(file)?) {
            Ok(mut opened) => overwrite(&mut opened, bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// For everybody, not for the system's own: as `statvfs` says.
    #[cfg(unix)]
    fn free_bytes(&mut self) -> Option<u64> {
        let all = rustix::fs::statvfs(&self.dir).ok()?;
        Some(all.f_bavail.saturating_mul(all.f_frsize))
    }
}
