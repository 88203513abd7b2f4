//! An ordinary `.opus` file out of a sealed track, for who may have it: once more in the open, and listed as such.

use super::{
    derived::Derived,
    error::RecordError,
    fill, ogg,
    ogg_file::OggOpusFile,
    read::{Recording, TrackReader},
};
use std::{borrow::Cow, io, path::Path};

/// Writes a speaker's track of a finished session, sealed or not, or of a part of one, into the file `into`: packet for packet
/// what a plain track would be. The session's list of what was made of it names the file first, so that it
/// goes when the voice is taken back.
///
/// # Errors
/// A session that is not finished, a track that cannot be read, or files that cannot be written.
pub fn unseal(recording: &Recording, speaker: &str, into: &Path) -> Result<(), RecordError> {
    let failed = |source| RecordError::new(into, "write", source);
    if !recording.manifest().finished {
        let why = "expected a finished session";
        return Err(RecordError::new(
            recording.dir(),
            "unseal",
            io::Error::new(io::ErrorKind::InvalidInput, why),
        ));
    }
    let mut track = recording.track(speaker)?;
    let (from, to) = (recording.manifest().from_sample, recording.manifest().samples);
    Derived {
        path: std::path::absolute(into).map_err(failed)?,
        kind: "track".into(),
        from_sample: from,
        to_sample: to,
        speakers: vec![speaker.to_owned()],
        recipients: Vec::new(),
    }
    .note(recording.dir())?;
    copy(&mut track, speaker, to.saturating_sub(from), into)
}

fn copy(track: &mut TrackReader, speaker: &str, length: u64, into: &Path) -> Result<(), RecordError> {
    let failed = |source| RecordError::new(into, "write", source);
    let (pre_skip, channels) = (track.pre_skip(), track.channels().count() as u8);
    let mut file = OggOpusFile::create(into, ogg::serial(speaker), channels, pre_skip).map_err(failed)?;
    let mut at = None;
    for packet in track.packets(0..u64::MAX) {
        let packet = packet?;
        let missing = packet.at - at.unwrap_or(packet.at);
        at = Some(packet.end());
        fill::silences(missing.max(0) as u64).try_for_each(|coded| file.push(coded)).map_err(failed)?;
        file.push((Cow::Owned(packet.payload), packet.samples)).map_err(failed)?;
    }
    file.finish(pre_skip + length).map_err(failed)
}
