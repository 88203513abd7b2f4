//! What stands in a track, held against what should.

use super::{
    life::{Life, number},
    oracle::{Fate, Time},
};
use crate::record::Manifest;
use ogg::PacketReader;
use std::{fs, io::Cursor, ops::AddAssign, path::Path};

/// What was checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Stays of voices.
    pub schedules: u64,
    /// Decisions: joins, grants, withdrawals, mutes, leaves.
    pub acts: u64,
    /// Spans of consent, equal to the sample.
    pub spans: u64,
    /// Packets that arrived.
    pub packets: u64,
    /// Packets in the tracks.
    pub kept: u64,
    /// Samples of kept packets, each asked whether it may be kept.
    pub kept_samples: u64,
    /// How many of those may not.
    pub leaked_samples: u64,
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.schedules += other.schedules;
        self.acts += other.acts;
        self.spans += other.spans;
        self.packets += other.packets;
        self.kept += other.kept;
        self.kept_samples += other.kept_samples;
        self.leaked_samples += other.leaked_samples;
    }
}

/// Judges one track; the error is one line.
pub(super) fn judge(
    life: &Life,
    pauses: &[(u64, super::life::Act)],
    dir: &Path,
    name: &str,
) -> Result<Tally, String> {
    let time = Time::of(life, pauses);
    let fates = time.fates(life);
    let kept = read(&dir.join(format!("tracks/{name}.opus")))?;
    let expected = fates.iter().filter(|(_, fate)| *fate != Fate::LeftOut);
    let mut stands = kept.iter();
    for (sent, fate) in expected.clone() {
        let padded = *fate == Fate::Kept && number(&sent.payload).is_some_and(|(_, padded)| padded);
        let found = stands.next();
        if found != Some(&(sent.number, padded)) {
            let near = life.acts.iter().chain(pauses).filter(|(at, _)| at.abs_diff(sent.place) < 48_000);
            let near: Vec<_> = near.collect();
            return Err(format!("expected {fate:?} {sent:?}, found number {found:?}; {near:?}"));
        }
    }
    if let Some((number, _)) = stands.next() {
        return Err(format!("expected no more packets, found number {number}"));
    }
    let spans = consent(dir, name)?;
    if spans != time.agreed() {
        return Err(format!("expected consent {:?}, found {spans:?}", time.agreed()));
    }
    let places = expected.map(|(sent, _)| (sent.place, sent.place + sent.samples));
    Ok(Tally {
        schedules: life.acts.iter().filter(|(_, act)| *act == super::life::Act::Join).count() as u64,
        acts: life.acts.len() as u64,
        spans: spans.len() as u64,
        packets: fates.len() as u64,
        kept: kept.len() as u64,
        kept_samples: places.clone().map(|(from, to)| to - from).sum(),
        leaked_samples: places.map(|(from, to)| time.shut_samples(from, to)).sum(),
    })
}

/// The voice's packets in a track: their numbers, and whether they have padding.
fn read(path: &Path) -> Result<Vec<(u64, bool)>, String> {
    let bytes = fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut reader = PacketReader::new(Cursor::new(bytes));
    let mut packets = Vec::new();
    while let Some(packet) = reader.read_packet().map_err(|error| format!("{}: {error}", path.display()))? {
        packets.push(packet.data);
    }
    Ok(packets.iter().skip(2).filter_map(|packet| number(packet)).collect())
}

fn consent(dir: &Path, name: &str) -> Result<Vec<(u64, u64)>, String> {
    let manifest = Manifest::read(dir).map_err(|error| error.to_string())?;
    let track = manifest.speakers.get(name).ok_or("expected a track")?;
    Ok(track.consent.iter().map(|span| (span.from, span.to)).collect())
}
