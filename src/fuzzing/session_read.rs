//! A recording's files: a manifest is read or refused, of a track every packet is found where it is, from any sample on.

use super::input::Input;
use crate::record::{Manifest, TrackReader};
use std::{io::Cursor, path::Path};

/// A byte says what the others are: a manifest, or a track and from where it is read.
///
/// # Panics
/// If what is read contradicts itself.
pub fn session_read(data: &[u8]) {
    let mut input = Input(data);
    match input.byte() {
        Some(0) => check_manifest(input.0),
        Some(second) => check_track(input.0, u64::from(second) * 48_000),
        None => {}
    }
}

fn check_manifest(json: &[u8]) {
    let Ok(manifest) = Manifest::parse(json) else { return };
    for track in manifest.speakers.values() {
        assert!(track.gaps.windows(2).all(|pair| pair[0].to_sample <= pair[1].from_sample));
        assert!(track.joined.iter().all(|span| span.from < span.to && track.joined.contains(span.from)));
    }
}

fn check_track(file: &[u8], from: u64) {
    let Ok(mut track) = TrackReader::new(Cursor::new(file), Path::new("fuzzed"), Vec::new(), u64::MAX) else {
        return;
    };
    let whole: usize = track.packets(0..u64::MAX).flatten().map(|packet| packet.payload.len()).sum();
    assert!(whole <= file.len(), "no byte is read twice");
    for packet in track.packets(from..from + 48_000).flatten() {
        assert!(packet.end() > from as i64 && packet.at < from as i64 + 48_000);
    }
}
