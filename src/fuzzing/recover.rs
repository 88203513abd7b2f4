//! What a recorder that died has left: a journal and a track, cut or changed anywhere, become a session that can be read.

use super::input::Input;
use crate::record::{Manifest, TrackReader, recover_bytes};
use std::{io::Cursor, path::Path};

/// The journal's length in two bytes, the journal, the track.
///
/// # Panics
/// If what is recovered is no whole session, or if recovering once more changes it.
pub fn recover(data: &[u8]) {
    let mut input = Input(data);
    let (Some(low), Some(high)) = (input.byte(), input.byte()) else { return };
    let (journal, file) = input.0.split_at(usize::from(u16::from_le_bytes([low, high])).min(input.0.len()));
    for (name, manifest, finished) in recover_bytes(journal, file) {
        let manifest = Manifest::parse(&manifest.json()).expect("a manifest");
        assert!(manifest.finished, "it is finished");
        let gaps = manifest.speakers[&name].gaps.clone();
        assert!(gaps.iter().all(|gap| gap.to_sample <= manifest.samples), "no gap goes beyond the room");
        let track = TrackReader::new(Cursor::new(&finished), Path::new("fuzzed"), gaps, manifest.samples);
        let mut track = track.expect("a track");
        let packets: Vec<_> = track.packets(0..u64::MAX).flatten().collect();
        assert!(packets.windows(2).all(|pair| pair[0].end() == pair[1].at), "end to end");
        let again = recover_bytes(journal, &finished).into_iter().find(|(other, ..)| *other == name);
        assert!(again.is_some_and(|(_, _, again)| again == finished), "once more changes nothing");
    }
}
