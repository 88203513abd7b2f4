//! From room samples to a file: packets on their exact sample, silence or concealment between.
//!
//! A file's packets lie end to end, so everything in it stands on a multiple of 2.5 ms. What players skip at the start
//! (RFC 7845 §4.2) is chosen so that the first packet is exact; a later run of the sender's clock (after a restart, a
//! second stay) may be up to 60 samples off.
//!
//! While the disk takes nothing, some pages wait. What does not fit any more is owed: it becomes silence of the same
//! length, so that all that follows stands where it belongs.

use super::{
    disk::Disk,
    fill::{self, Coded, LATTICE},
    ogg::{self, OggOpus},
    read::{Origin, TrackPacket},
    reel::Reel,
    seal::Seal,
    sealer::Sealer,
    toc::Toc,
    waiting::{Run, Waiting},
};
use serde::{Deserialize, Serialize};
use std::{borrow::Cow, io};

/// libopus' encoder look-ahead at 48 kHz: skipped, so that a track lines up with what the sender captured.
pub(crate) const LOOKAHEAD: u64 = 312;

/// What may wait for the disk: at 32 kbit/s a minute of a voice.
const BACKLOG_BYTES: usize = 256 << 10;

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
    serial: u32,
    stream: OggOpus,
    file: Reel,
    /// A gate was shut since the last packet.
    gated: bool,
    /// Silence that is still to be written.
    owed: u64,
    /// From room samples to the file's; known with the first sound.
    padding: Option<u64>,
    /// The first byte of the packet at the file's end, if it is the speaker's.
    end: Option<Toc>,
    places: Vec<Place>,
    placed: Option<(Run, i64)>,
    /// What was laid since it was last asked for, if somebody asks.
    said: Option<Vec<TrackPacket>>,
}

impl Tape {
    /// An empty file, sealed if there is a seal.
    pub(super) fn new(file: String, name: &str, sealer: Option<Sealer>) -> Self {
        let serial = ogg::serial(name);
        let mut tape = Self {
            serial,
            stream: OggOpus::new(serial, 1, LOOKAHEAD),
            file: Reel::new(file, sealer),
            gated: false,
            owed: 0,
            padding: None,
            end: None,
            places: Vec::new(),
            placed: None,
            said: None,
        };
        tape.turn_page();
        tape
    }

    /// Lets whatever packet of the speaker's is laid be [asked for](Self::take_said), too.
    pub(super) fn tells(self) -> Self {
        Self { said: Some(Vec::new()), ..self }
    }

    /// The speaker's packets that were laid since this was last asked.
    pub(super) fn take_said(&mut self) -> Vec<TrackPacket> {
        self.said.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// How many samples players skip.
    pub(super) fn pre_skip(&self) -> u64 {
        LOOKAHEAD + self.padding()
    }

    /// How long the track is by now, in room samples.
    pub(super) fn samples(&self) -> u64 {
        self.reached().saturating_sub(self.padding())
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

    fn reached(&self) -> u64 {
        self.stream.samples() + self.owed
    }

    /// Writes a packet at the end; whether it will be in the file, not only its length.
    fn put(&mut self, packet: Coded) -> bool {
        self.pay();
        let taken = self.owed == 0 && self.file.held() < BACKLOG_BYTES;
        if taken {
            self.stream.push(packet);
            self.turn_page();
        } else {
            self.owed += packet.1;
        }
        taken
    }

    /// Writes what silence is owed, once half of the backlog is gone.
    fn pay(&mut self) {
        while self.file.held() < BACKLOG_BYTES / 2
            && let Some(packet) = fill::silence(self.owed)
        {
            self.owed -= packet.1;
            self.stream.push(packet);
            self.turn_page();
        }
    }

    fn turn_page(&mut self) {
        let pages = self.stream.take();
        if !pages.is_empty() {
            self.file.push(&pages);
        }
    }

    /// Fills the file up to room sample `to`; the first `concealable` samples may be made up by decoders.
    pub(super) fn fill(&mut self, to: u64, concealable: u64) {
        let target = (to + self.padding()) / LATTICE * LATTICE;
        let most = concealable.min(target.saturating_sub(self.reached()));
        if let Some(toc) = self.end.take() {
            for _ in 0..most / toc.frame_samples() {
                self.put(fill::conceal(toc));
            }
        }
        self.silence(target);
    }

    fn silence(&mut self, target: u64) {
        while let Some(packet) = fill::silence(target.saturating_sub(self.reached())) {
            self.put(packet);
        }
    }

    /// Fills the file up to the 2.5 ms nearest to room sample `at`.
    pub(super) fn fill_before(&mut self, at: u64, concealable: u64) {
        self.fill(at + LATTICE / 2, concealable);
    }

    /// Lets the file's packets begin at room sample `at`, if none of the speaker's does yet. So far there is nothing but
    /// silence in it: the file is begun anew with another head.
    pub(super) fn align(&mut self, at: u64, stereo: impl FnOnce() -> bool) {
        if self.padding.is_some() {
            return;
        }
        self.padding = Some(at.next_multiple_of(LATTICE) - at);
        let silent = self.reached();
        self.file.begin_anew();
        self.stream = OggOpus::new(self.serial, if stereo() { 2 } else { 1 }, self.pre_skip());
        self.owed = 0;
        self.turn_page();
        self.silence(silent);
    }

    /// A gate is shut here: what is said before and what is said behind it are not sealed with one key.
    pub(super) fn gate(&mut self) {
        if !std::mem::replace(&mut self.gated, true) {
            self.end_segment();
        }
    }

    fn end_segment(&mut self) {
        if self.file.is_sealed() {
            self.end_page();
            self.file.end_segment();
        }
    }

    /// Writes a packet at the file's end; whether it will be in it.
    pub(super) fn push(&mut self, packet: Waiting, toc: Toc, transit: i64) -> bool {
        if std::mem::take(&mut self.gated) {
            self.end_segment();
        }
        let placed = Some((packet.run, transit));
        if self.placed != placed {
            self.placed = placed;
            self.places.push(Place {
                stay: packet.run.0,
                epoch: packet.run.1,
                room_sample: self.samples(),
                media_sample: packet.media_sample(),
            });
        }
        self.end = Some(toc);
        if let Some(said) = &mut self.said {
            let at =
                self.stream.samples().saturating_add(self.owed) as i64 - self.padding.unwrap_or(0) as i64;
            let (samples, payload) = (packet.samples, packet.payload.clone());
            said.push(TrackPacket { at, samples, origin: Origin::Speaker, payload });
        }
        self.put((Cow::Owned(packet.payload), packet.samples))
    }

    /// Ends the page, so that what is in it can be written.
    pub(super) fn end_page(&mut self) {
        self.pay();
        self.stream.end_page();
        self.turn_page();
    }

    /// Hands over what is new and waits until the disk has it for sure.
    pub(super) fn sync(&mut self, disk: &mut dyn Disk) -> io::Result<()> {
        self.file.sync(disk)
    }

    /// The file is gone: begins it anew with silence of the same length.
    pub(super) fn lose(&mut self) {
        let reached = self.reached();
        self.file.begin_anew();
        self.stream = OggOpus::new(self.serial, 2, self.pre_skip());
        (self.owed, self.end) = (reached, None);
        self.turn_page();
        self.pay();
    }

    /// Fills and closes the file: exactly `room_samples` are played.
    pub(super) fn finish(&mut self, room_samples: u64) {
        let granule = self.pre_skip() + room_samples;
        self.end = None;
        self.silence(granule.next_multiple_of(LATTICE));
        while let Some(packet) = fill::silence(self.owed) {
            self.owed -= packet.1;
            self.stream.push(packet);
        }
        if self.stream.is_between_pages() {
            // A page that ends a stream holds a packet; players trim this one.
            fill::silence(LATTICE).into_iter().for_each(|packet| self.stream.push(packet));
        }
        self.stream.finish(granule);
        self.turn_page();
    }

    /// Length and SHA-256 of the file.
    pub(super) fn seal(&self) -> Seal {
        self.file.seal()
    }

    pub(super) fn file(&self) -> &str {
        self.file.name()
    }
}
