//! From room samples to a file: packets on their exact sample, silence or concealment between.
//!
//! A file's packets lie end to end, so everything in it stands on a multiple of 2.5 ms. What players skip at the start
//! (RFC 7845 §4.2) is chosen so that the first packet is exact; a later run of the sender's clock (after a restart, a
//! second stay) may be up to 60 samples off.

use super::{
    fill::{self, LATTICE},
    ogg::{self, OggOpus},
    toc::Toc,
    waiting::{Run, Waiting},
};
use serde::{Deserialize, Serialize};
use std::{borrow::Cow, io, path::Path};

/// libopus' encoder look-ahead at 48 kHz: skipped, so that a track lines up with what the sender captured.
const LOOKAHEAD: u64 = 312;

/// Where a run of the sender's clock stands in the track; in the manifest, so that a reader can find it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Which of the speaker's stays in the room, from 1.
    #[serde(default)]
    pub stay: u32,
    /// Which run of the sender's clock in it: each restart counts one.
    pub epoch: u32,
    /// Where its first packet that stands by this reckoning begins in the track.
    pub room_sample: u64,
    /// That packet's media time, counted from where the stay's first packet was put.
    pub media_sample: i64,
}

/// One file and where its end stands.
#[derive(Debug)]
pub(super) struct Tape {
    file: OggOpus,
    /// From room samples to the file's; known with the first sound.
    padding: Option<u64>,
    /// The first byte of the packet at the file's end, if it is the speaker's.
    end: Option<Toc>,
    places: Vec<Place>,
    placed: Option<(Run, i64)>,
}

impl Tape {
    /// An empty file.
    pub(super) fn create(path: &Path, name: &str) -> io::Result<Self> {
        let file = OggOpus::create(path, ogg::serial(name), LOOKAHEAD)?;
        Ok(Self { file, padding: None, end: None, places: Vec::new(), placed: None })
    }

    /// How many samples players skip.
    pub(super) fn pre_skip(&self) -> u64 {
        LOOKAHEAD + self.padding()
    }

    /// How long the track is by now, in room samples.
    pub(super) fn samples(&self) -> u64 {
        self.file.samples().saturating_sub(self.padding())
    }

    pub(super) fn places(&self) -> &[Place] {
        &self.places
    }

    /// Is the end of the file a packet of the speaker's, not yet followed by any fill?
    pub(super) fn ends_in_sound(&self) -> bool {
        self.end.is_some()
    }

    fn padding(&self) -> u64 {
        self.padding.unwrap_or(0)
    }

    /// Fills the file up to room sample `to`; the first `concealable` samples may be made up by decoders.
    pub(super) fn fill(&mut self, to: u64, concealable: u64) -> io::Result<()> {
        let target = (to + self.padding()) / LATTICE * LATTICE;
        let most = concealable.min(target.saturating_sub(self.file.samples()));
        if let Some(toc) = self.end.take() {
            for _ in 0..most / toc.frame_samples() {
                self.file.push(fill::conceal(toc))?;
            }
        }
        self.silence(target)
    }

    fn silence(&mut self, target: u64) -> io::Result<()> {
        while let Some(packet) = fill::silence(target.saturating_sub(self.file.samples())) {
            self.file.push(packet)?;
        }
        Ok(())
    }

    /// Fills the file up to the 2.5 ms nearest to room sample `at`.
    pub(super) fn fill_before(&mut self, at: u64, concealable: u64) -> io::Result<()> {
        self.fill(at + LATTICE / 2, concealable)
    }

    /// Lets the file's packets begin at room sample `at`, if none of the speaker's does yet.
    pub(super) fn align(&mut self, at: u64, stereo: impl FnOnce() -> bool) -> io::Result<()> {
        if self.padding.is_some() {
            return Ok(());
        }
        self.padding = Some(at.next_multiple_of(LATTICE) - at);
        self.file.rewrite_head(if stereo() { 2 } else { 1 }, self.pre_skip())
    }

    /// Writes a packet at the file's end.
    pub(super) fn push(&mut self, packet: Waiting, toc: Toc, transit: i64) -> io::Result<()> {
        let placed = Some((packet.run, transit));
        if self.placed != placed {
            self.placed = placed;
            self.places.push(Place {
                stay: packet.run.0,
                epoch: packet.run.1,
                room_sample: self.file.samples() - self.padding(),
                media_sample: packet.media_sample(),
            });
        }
        self.end = Some(toc);
        self.file.push((Cow::Owned(packet.payload), packet.samples))
    }

    /// Fills and closes the file: exactly `room_samples` are played.
    pub(super) fn finish(&mut self, room_samples: u64) -> io::Result<()> {
        let granule = self.pre_skip() + room_samples;
        self.end = None;
        self.silence(granule.next_multiple_of(LATTICE))?;
        self.file.finish(granule)
    }
}
