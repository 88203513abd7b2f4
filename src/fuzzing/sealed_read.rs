//! A sealed track's file and its keys: read or refused, and read from any byte on as from the first.

use super::input::Input;
use crate::record::{TrackReader, Unsealed};
use std::{
    io::{Cursor, Read, Seek, SeekFrom},
    path::Path,
};

/// A byte says how many keys follow; the rest is the file.
///
/// # Panics
/// If what is read contradicts itself.
pub fn sealed_read(data: &[u8]) {
    let mut input = Input(data);
    let Some(keys) = input.byte() else { return };
    let Some((keys, file)) = input.0.split_at_checked(32 * usize::from(keys)) else { return };
    let Ok(mut sealed) = Unsealed::of(Cursor::new(file), keys.to_vec()) else { return };
    let mut stream = Vec::new();
    if sealed.read_to_end(&mut stream).is_ok() {
        check_places(&mut sealed, &stream);
    }
    let Ok(mut track) = TrackReader::new(sealed, Path::new("fuzzed"), Vec::new(), u64::MAX) else { return };
    let read: usize = track.packets(0..u64::MAX).flatten().map(|packet| packet.payload.len()).sum();
    assert!(read <= stream.len() || stream.is_empty(), "no byte is read twice");
}

fn check_places(sealed: &mut Unsealed<Cursor<&[u8]>>, stream: &[u8]) {
    let mut part = [0; 100];
    for at in (0..=stream.len()).step_by(stream.len() / 50 + 1) {
        let found = sealed.seek(SeekFrom::Start(at as u64)).and_then(|_| sealed.read(&mut part));
        let read = found.unwrap_or_default();
        assert!(stream[at..].starts_with(&part[..read]) && (read > 0 || at == stream.len()), "at {at}");
    }
    assert_eq!(sealed.seek(SeekFrom::End(0)).ok(), Some(stream.len() as u64));
}
