//! What a session has in a stretch, as one hash: whoever has the recording can tell that a clip's surroundings are these and
//! no others.

use super::{error::RecordError, read::Recording};
use sha2::{Digest, Sha256};
use std::ops::Range;

/// The SHA-256 of the packets that begin in `range`: voice by voice in the order of names, each name and packet behind its
/// length (4 bytes, big-endian), a packet's place (8 bytes) before it.
///
/// # Errors
/// A track that cannot be read.
pub fn fingerprint(recording: &Recording, range: Range<u64>) -> Result<[u8; 32], RecordError> {
    let mut hash = Sha256::new();
    for name in recording.manifest().speakers.keys() {
        hash.update((name.len() as u32).to_be_bytes());
        hash.update(name);
        let mut track = recording.track(name)?;
        for packet in track.packets(range.clone()) {
            let packet = packet?;
            if (range.start as i64..range.end as i64).contains(&packet.at) {
                hash.update(packet.at.to_be_bytes());
                hash.update((packet.payload.len() as u32).to_be_bytes());
                hash.update(&packet.payload);
            }
        }
    }
    let digest = hash.finalize();
    Ok(std::array::from_fn(|at| digest[at]))
}
