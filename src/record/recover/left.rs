//! A track's file as it was left, plain or sealed: its stream's pages go out, the finished stream comes back in.

use super::super::{
    error::RecordError,
    keys::{Keys, Seals},
    manifest::file_name,
    pending::{expect, read},
    sealed,
    sealer::Sealer,
    unsealed::{Index, Record, Unsealed},
};
use std::{io::Cursor, path::Path, sync::Arc};

/// One track's file.
#[derive(Debug)]
pub(super) struct Left {
    pub(super) file: String,
    pub(super) bytes: Vec<u8>,
    opened: Option<Opened>,
}

/// A sealed file's pages.
#[derive(Debug)]
struct Opened {
    keys: Keys,
    index: Option<Arc<Index>>,
    stream: Vec<u8>,
    /// Which records could be opened, and how long their pages are.
    whole: Vec<(Record, usize)>,
}

impl Left {
    /// Reads the file of speaker `name` in a part's folder.
    pub(super) fn read(
        dir: &Path,
        folder: &str,
        name: &str,
        seals: Option<&Seals>,
    ) -> Result<Option<Self>, RecordError> {
        let file = format!("{folder}{}", sealed::file_name(name));
        let Some(bytes) = read(dir, &file)? else {
            let plain = Self::none(folder, name);
            return Ok(read(dir, &plain.file)?.map(|bytes| Self { bytes, ..plain }));
        };
        let keys = Keys::read(expect(seals, &dir.join(&file))?.dir(), name)?;
        let opened = Opened::of(&bytes, keys);
        let opened = opened.map_err(|source| RecordError::new(&dir.join(&file), "recover", source))?;
        Ok(Some(Self { file, bytes, opened: Some(opened) }))
    }

    /// There is none.
    pub(super) fn none(folder: &str, name: &str) -> Self {
        Self { file: format!("{folder}{}", file_name(name)), bytes: Vec::new(), opened: None }
    }

    /// The stream's pages, as far as they are whole; a byte of nothing for each that was damaged between.
    pub(super) fn stream(&self) -> &[u8] {
        self.opened.as_ref().map_or(&self.bytes, |opened| &opened.stream)
    }

    /// How many bytes of the file are in whole pages, of which a plain stream has so many.
    pub(super) fn kept(&self, plain: u64) -> u64 {
        let Some(Opened { index: Some(index), whole, .. }) = &self.opened else { return plain };
        let records = whole.iter().map(|(record, _)| record.bytes().end - record.bytes().start);
        index.header.bytes().len() as u64 + records.sum::<u64>()
    }

    /// The file that holds the finished stream: what is the same in it stays sealed as it is. Keys of what is new are on
    /// disk.
    pub(super) fn finish(
        &self,
        name: &str,
        stream: Vec<u8>,
        seals: Option<&Seals>,
    ) -> Result<Vec<u8>, RecordError> {
        let (Some(opened), Some(seals)) = (&self.opened, seals) else { return Ok(stream) };
        let mut sealer = Sealer::behind(&opened.keys, name, seals);
        let mut file = Vec::new();
        let same = opened.same(&stream);
        if let Some((index, records, _)) = &same {
            file.extend_from_slice(index.header.bytes());
            records
                .iter()
                .for_each(|it| file.extend(&self.bytes[it.bytes().start as usize..it.bytes().end as usize]));
            sealer.go_on(&index.header, records.last().map_or(0, |record| record.head.to()));
        }
        file.extend(sealer.seal(&stream[same.map_or(0, |(.., length)| length)..]));
        sealer.sync().map_err(|source| RecordError::new(seals.dir(), "write keys into", source))?;
        Ok(file)
    }
}

impl Opened {
    /// What cannot be opened is dropped at the end and damaged elsewhere; an error if it is all there is.
    fn of(bytes: &[u8], keys: Keys) -> std::io::Result<Self> {
        let nothing = Self { keys, index: None, stream: Vec::new(), whole: Vec::new() };
        // A file that does not even begin was cut off at once.
        let Ok(index) = Index::read(Cursor::new(bytes), &nothing.keys).map(Arc::new) else {
            return Ok(nothing);
        };
        let mut track = Unsealed::new(Cursor::new(bytes), nothing.keys.clone(), index.clone());
        let (mut stream, mut whole, mut failed) = (index.header.opus().to_vec(), Vec::new(), None);
        for (number, record) in index.records.iter().enumerate() {
            match track.page(number) {
                Ok(page) => {
                    stream.extend(failed.take().map(|_| 0));
                    stream.extend(&page);
                    whole.push((*record, page.len()));
                }
                Err(error) => failed = Some(error),
            }
        }
        match failed {
            // Other keys, and not a power failure.
            Some(error) if whole.is_empty() && index.records.len() > 2 => Err(error),
            _ => Ok(Self { index: Some(index), stream, whole, ..nothing }),
        }
    }

    /// The records at the front whose pages the stream begins with too, and how far that goes.
    fn same(&self, stream: &[u8]) -> Option<(Arc<Index>, Vec<Record>, usize)> {
        let index = self.index.clone()?;
        let mut length = index.header.opus().len();
        if stream.get(..length) != Some(index.header.opus()) {
            return None;
        }
        let mut records = Vec::new();
        for ((record, bytes), first) in self.whole.iter().zip(&index.records) {
            let page = length..length + bytes;
            if record.offset != first.offset || stream.get(page.clone()) != self.stream.get(page) {
                break;
            }
            records.push(*record);
            length += bytes;
        }
        Some((index, records, length))
    }
}
