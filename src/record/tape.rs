//! From room samples to a file: packets on their exact sample, silence or concealment between.
//!
//! A file's packets lie end to end, so everything in it stands on a multiple of 2.5 ms. What players skip at the start
//! (RFC 7845 §4.2) is chosen so that the first packet is exact; a later run of the sender's clock (after a restart, a
//! second stay) may be up to 60 samples off.
//!
//! A long recording's track goes on in another file now and then, on the same multiples of 2.5 ms.
//!
//! While the disk takes nothing, some pages wait. What does not fit any more is owed: it becomes silence of the same
//! length, so that all that follows stands where it belongs.

mod hand_over;

use super::{
    allowance::Purse,
    fill::{self, Coded, LATTICE},
    lead::Lead,
    limits::{Limit, Limits},
    ogg::{self, OggOpus},
    parts::TrackPart,
    place::Place,
    read::{Origin, TrackPacket},
    reel::Reel,
    seal::Seal,
    sealer::Sealer,
    toc::Toc,
    waiting::{Run, Waiting},
    weight::Weight,
};
use std::{borrow::Cow, collections::VecDeque};

/// libopus' encoder look-ahead at 48 kHz: skipped, so that a track lines up with what the sender captured.
pub(crate) const LOOKAHEAD: u64 = 312;

/// What may wait for the disk: at 32 kbit/s a minute of a voice.
const BACKLOG_BYTES: usize = 256 << 10;

/// One file and where its end stands.
#[derive(Debug)]
pub(super) struct Tape {
    serial: u32,
    channels: u8,
    stream: OggOpus,
    file: Reel,
    /// A gate was shut since the last packet.
    gated: bool,
    /// The room sample it is heard from.
    from: u64,
    /// The room sample of the file's first; known with the first sound.
    first: Option<i64>,
    /// What it holds of what may be held.
    weight: Weight,
    /// The limit because of which silence is owed.
    refusing: Limit,
    /// Silence that is still to be written.
    owed: u64,
    /// Packets in the file, copies aside.
    recorded: u64,
    /// What another file would begin with.
    lead: Lead,
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
            channels: 1,
            stream: OggOpus::new(serial, 1, LOOKAHEAD),
            file: Reel::new(file, sealer),
            gated: false,
            from: 0,
            first: None,
            weight: Weight::of(Purse::new(Limits::NONE, None)),
            refusing: Limit::Voice,
            owed: 0,
            recorded: 0,
            lead: Lead::default(),
            end: None,
            places: Vec::new(),
            placed: None,
            said: None,
        };
        tape.turn_page();
        tape
    }

    /// One that holds no more than `purse` allows.
    pub(super) fn paid_from(mut self, purse: &Purse) -> Self {
        self.weight = Weight::of(purse.clone());
        self.weight.weigh(self.file.held());
        self
    }

    /// One that is heard from room sample `from` on.
    pub(super) fn heard_from(self, from: u64) -> Self {
        Self { from, ..self }
    }

    /// One behind which others may follow.
    pub(super) fn turns(self) -> Self {
        Self { lead: Lead::kept(), ..self }
    }

    /// The room sample it is heard from.
    pub(super) fn from(&self) -> u64 {
        self.from
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
        LOOKAHEAD.saturating_add_signed(self.from as i64 - self.first())
    }

    /// Up to which room sample the track goes by now.
    pub(super) fn samples(&self) -> u64 {
        self.first().saturating_add_unsigned(self.reached()).max(self.from as i64).unsigned_abs()
    }

    pub(super) fn places(&self) -> &[Place] {
        &self.places
    }

    /// Is the end of the file a packet of the speaker's, not yet followed by any fill?
    pub(super) fn ends_in_sound(&self) -> bool {
        self.end.is_some()
    }

    fn first(&self) -> i64 {
        self.first.unwrap_or(self.from as i64)
    }

    /// Where a room sample stands in the file.
    fn place(&self, at: u64) -> u64 {
        (at as i64).saturating_sub(self.first()).max(0).unsigned_abs()
    }

    fn reached(&self) -> u64 {
        self.stream.samples() + self.owed
    }

    /// Writes a packet at the end; whether it will be in the file, not only its length.
    fn put(&mut self, packet: Coded) -> bool {
        self.pay();
        let taken = self.owed == 0 && self.has_room();
        if taken {
            self.lead.remember(&packet);
            self.stream.push(packet);
            self.turn_page();
        } else {
            self.lead.forget();
            self.owed += packet.1;
        }
        taken
    }

    /// Writes what silence is owed, once half of the backlog is gone.
    fn pay(&mut self) {
        while self.file.held() < BACKLOG_BYTES / 2
            && self.weight.purse.reached().is_none()
            && let Some(packet) = fill::silence(self.owed)
        {
            self.owed -= packet.1;
            self.stream.push(packet);
            self.turn_page();
        }
    }

    /// May it hold more? If not, the limit that says so is remembered.
    fn has_room(&mut self) -> bool {
        let is_full = self.file.held() >= BACKLOG_BYTES;
        let reached = is_full.then_some(Limit::Voice).or_else(|| self.weight.purse.reached());
        self.refusing = reached.unwrap_or(self.refusing);
        reached.is_none()
    }

    /// Is silence owed, in the place of what could not be held?
    pub(super) fn owes(&self) -> bool {
        self.owed > 0
    }

    fn turn_page(&mut self) {
        let pages = self.stream.take();
        if !pages.is_empty() {
            self.file.push(&pages);
            self.weight.weigh(self.file.held());
        }
    }

    /// Fills the file up to room sample `to`; the first `concealable` samples may be made up by decoders.
    pub(super) fn fill(&mut self, to: u64, concealable: u64) {
        let target = self.place(to) / LATTICE * LATTICE;
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
            self.lead.forget();
        }
    }

    /// Fills the file up to the 2.5 ms nearest to room sample `at`.
    pub(super) fn fill_before(&mut self, at: u64, concealable: u64) {
        self.fill(at + LATTICE / 2, concealable);
    }

    /// Lets the file's packets begin at room sample `at`, if none of the speaker's does yet. So far there is nothing but
    /// silence in it: the file is begun anew with another head.
    pub(super) fn align(&mut self, at: u64, stereo: impl FnOnce() -> bool) {
        if self.first.is_some() {
            return;
        }
        let before = at.saturating_sub(self.from);
        self.first = Some(self.from as i64 - (before.next_multiple_of(LATTICE) - before) as i64);
        let silent = self.reached();
        self.file.begin_anew();
        self.channels = if stereo() { 2 } else { 1 };
        self.stream = OggOpus::new(self.serial, self.channels, self.pre_skip());
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
            let at = self.first.unwrap_or(self.from as i64);
            let at = at.saturating_add_unsigned(self.stream.samples().saturating_add(self.owed));
            let (samples, payload) = (packet.samples, packet.payload.clone());
            said.push(TrackPacket { at, samples, origin: Origin::Speaker, payload });
        }
        let taken = self.put((Cow::Owned(packet.payload), packet.samples));
        if !packet.is_copy {
            self.recorded += u64::from(taken);
            self.weight.purse.refuse_unless(taken, self.refusing);
        }
        taken
    }

    /// Does what is said from room sample `next` on stand behind a file's end at `at`? It may stand up to half a step before.
    pub(super) fn stands_behind(&self, at: u64, next: u64) -> bool {
        let nearest = (self.place(next) + LATTICE / 2) / LATTICE * LATTICE;
        next >= at && (self.first.is_none() || nearest >= self.place(at).next_multiple_of(LATTICE))
    }

    /// Ends the file at room sample `at`, but for a packet that reaches beyond, and goes on in another; what the manifest says of the
    /// one that has ended.
    pub(super) fn turn(&mut self, at: u64, file: String) -> TrackPart {
        let end = self.place(at).next_multiple_of(LATTICE);
        self.silence(end);
        let lead = self.lead.take();
        let end = self.first().saturating_add_unsigned(self.reached());
        let first = end.saturating_sub_unsigned(lead.iter().map(|packet| packet.1).sum());
        let was_begun = self.first.is_some();
        self.finish(at);
        let part = self.part().sealed(self.file.seal());
        self.file.turn(file);
        (self.from, self.first, self.recorded) = (at, was_begun.then_some(first), 0);
        self.begin(lead);
        part
    }

    /// Begins the file with what a decoder needs to go on.
    fn begin(&mut self, lead: VecDeque<Coded>) {
        self.end = lead.back().and_then(|(bytes, _)| Toc::of(bytes));
        self.stream = OggOpus::new(self.serial, self.channels, self.pre_skip());
        self.turn_page();
        for packet in lead {
            self.put(packet);
        }
    }

    /// What the manifest says of the file.
    pub(super) fn part(&self) -> TrackPart {
        TrackPart {
            file: self.file.name().to_owned(),
            from_sample: self.from,
            pre_skip: self.pre_skip(),
            recorded: self.recorded,
            file_bytes: None,
            sha256: None,
        }
    }

    /// Ends the page, so that what is in it can be written.
    pub(super) fn end_page(&mut self) {
        self.pay();
        self.stream.end_page();
        self.turn_page();
    }

    /// The file is gone: begins it anew with silence of the same length. From which room sample on, and how many packets were in it.
    pub(super) fn lose(&mut self) -> (u64, u64) {
        let reached = self.reached();
        self.lead.forget();
        self.file.begin_anew();
        self.stream = OggOpus::new(self.serial, 2, self.pre_skip());
        (self.owed, self.end) = (reached, None);
        self.turn_page();
        self.pay();
        (self.from, std::mem::take(&mut self.recorded))
    }

    /// Fills and closes the file: it is played up to exactly room sample `at`.
    pub(super) fn finish(&mut self, at: u64) {
        let granule = self.pre_skip() + at.saturating_sub(self.from);
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

    /// How long the file is, in bytes.
    pub(super) fn bytes(&self) -> u64 {
        self.file.bytes()
    }

    pub(super) fn file(&self) -> &str {
        self.file.name()
    }
}
