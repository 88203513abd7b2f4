//! The recorder: finds the track that a call is about, writes the manifest when something changed.

use super::{
    allowance::Purse,
    config::{LOST_AT_MOST, RecorderConfig},
    counts::Counts,
    disk::{Disk, Folder},
    error::RecordError,
    event::Event,
    gate::{Gates, Spans},
    journal::Line,
    keys::Seals,
    manifest::{Manifest, SCHEMA, TrackEntry, file_name},
    parts::{self, Parts},
    sealed,
    sealer::Sealer,
    session::{Session, TrackSummary},
    store::Store,
    tape::Tape,
    track::Track,
    watch::Watch,
};
use crate::{
    consent::{Opening, Recordable},
    speaker::{SpeakerId, VoicePacket},
    time::{RATE_HZ, SampleTime, Samples},
};
use std::{borrow::Cow, collections::BTreeMap, io, path::Path};

/// Writes `tracks/NAME.opus` and `session.json`. A plain machine too: time is an argument, files are its output; the same
/// calls make the same bytes.
///
/// # Real-time
/// Never: every call may allocate, `join`, `advance` and `finish` wait for the disk.
#[derive(Debug)]
pub struct Recorder {
    pub(super) config: RecorderConfig,
    /// None while it is armed.
    pub(super) store: Option<Store>,
    /// How much an armed one remembers.
    pub(super) pre_roll: Samples,
    /// None if tracks are plain.
    seals: Option<Seals>,
    pub(super) tracks: BTreeMap<String, Track>,
    pub(super) seats: BTreeMap<SpeakerId, Seat>,
    pub(super) paused: Spans,
    pub(super) parts: Parts,
    pub(super) purse: Purse,
    pub(super) watch: Watch,
    pub(super) events: Vec<Event>,
    pub(super) now: SampleTime,
    unclaimed: u64,
    /// Does somebody listen to what is kept?
    pub(super) is_heard: bool,
}

/// Whose packets come in by a lane: which track's, and which of the speaker's stays.
#[derive(Clone, Debug)]
pub(super) struct Seat {
    pub(super) name: String,
    pub(super) stay: u32,
}

impl Recorder {
    /// Begins a session in `dir`, which is made if need be; a recording that is there is replaced.
    ///
    /// # Errors
    /// The folder or the manifest cannot be written.
    pub fn create(dir: &Path, config: RecorderConfig) -> Result<Self, RecordError> {
        let folder = Folder::create(dir, config.sync.is_some());
        let folder = folder.map_err(|source| RecordError::new(dir, "create", source))?;
        Self::create_on(Box::new(folder), dir, config)
    }

    /// As [`Self::create`], on a disk of the caller's; `dir` is what errors call its folder.
    ///
    /// # Errors
    /// The manifest cannot be written.
    pub fn create_on(disk: Box<dyn Disk>, dir: &Path, config: RecorderConfig) -> Result<Self, RecordError> {
        let mut recorder = Self::new(config);
        recorder.open_store(disk, dir, SampleTime::ZERO)?;
        Ok(recorder)
    }

    pub(super) fn new(config: RecorderConfig) -> Self {
        Self {
            config,
            store: None,
            pre_roll: Samples::ZERO,
            seals: None,
            tracks: BTreeMap::new(),
            seats: BTreeMap::new(),
            paused: Spans::default(),
            parts: Parts::new(config.rotation),
            purse: Purse::new(config.limits, None),
            watch: Watch::default(),
            events: Vec::new(),
            now: SampleTime::ZERO,
            unclaimed: 0,
            is_heard: false,
        }
    }

    /// Tracks of speakers that join from here on are sealed: `tracks/NAME.sealed` is for whoever has the keys, which lie where
    /// `seals` says and are on disk before what they seal. Who wants all tracks sealed says so before anybody joins.
    pub fn seal(&mut self, seals: Seals) {
        self.seals = Some(seals);
    }

    pub(super) fn open_store(
        &mut self,
        disk: Box<dyn Disk>,
        dir: &Path,
        at: SampleTime,
    ) -> Result<(), RecordError> {
        let (lost, durable) = (self.config.sync.unwrap_or(LOST_AT_MOST), self.config.sync.is_some());
        self.store.insert(Store::new(dir, disk, lost, durable)).begin().inspect_err(|_| self.store = None)?;
        self.parts.begin(at.samples());
        self.tell_again();
        self.note("record", None, at);
        self.hand_over().inspect_err(|_| self.store = None)
    }

    /// A speaker joins, unheard until its gate is [opened](Self::open); a name that was here before goes on in its
    /// track, on a new clock.
    ///
    /// # Errors
    /// A name with other characters than `a-z`, `0-9`, `_` and `-`, or more tracks than [`RecorderConfig::limits`] allow. A file that cannot
    /// be written is told by [`Self::advance`].
    pub fn join(&mut self, speaker: SpeakerId, name: &str, at: SampleTime) -> Result<(), RecordError> {
        self.leave_before(speaker, name, at);
        if !self.tracks.contains_key(name) {
            let track = self.new_track(name)?;
            self.tracks.insert(name.to_owned(), track);
        }
        if let Some(track) = self.tracks.get_mut(name) {
            let stay = track.join(at.samples());
            self.seats.insert(speaker, Seat { name: name.to_owned(), stay });
        }
        self.note("join", Some(speaker), at);
        self.tell(true);
        if let Some(store) = &mut self.store {
            store.begin_tracks(&mut self.tracks, self.now);
        }
        Ok(())
    }

    /// A lane is one voice's, a voice is in one lane: whoever was there leaves first.
    fn leave_before(&mut self, speaker: SpeakerId, name: &str, at: SampleTime) {
        let elsewhere = self.seats.iter().find(|(_, seat)| seat.name == name).map(|(id, _)| *id);
        for id in [Some(speaker), elsewhere].into_iter().flatten() {
            if self.present(id).is_some() {
                self.leave(id, at);
            }
        }
    }

    fn new_track(&self, name: &str) -> Result<Track, RecordError> {
        let refused = |source| RecordError::new(Path::new(name), "join as", source);
        check_name(name).map_err(refused)?;
        self.config.limits.allow_track(self.tracks.len()).map_err(refused)?;
        let gates = Gates::new(self.paused.clone());
        let sealer = self.seals.as_ref().map(|seals| Sealer::new(name, seals));
        let own = if sealer.is_some() { sealed::file_name(name) } else { file_name(name) };
        let before = self.parts.before().filter(|_| self.parts.turning);
        let (folder, from) =
            before.clone().map_or_else(|| (self.parts.folder(), self.parts.last()), |it| (it.0, it.1));
        let tape = Tape::new(format!("{folder}{own}"), name, sealer).heard_from(from);
        let tape = tape.paid_from(&self.purse);
        let tape = if self.parts.rotates() { tape.turns() } else { tape };
        let tape = if self.is_heard { tape.tells() } else { tape };
        let mut track = Track::new(tape, gates, self.config.repair);
        if let Some((_, _, at)) = before {
            track.cut_at(at, format!("{}{own}", self.parts.folder()));
        }
        Ok(track)
    }

    /// A speaker leaves: its gate shuts, its consent has to be proved anew if it comes back.
    pub fn leave(&mut self, speaker: SpeakerId, at: SampleTime) {
        if let Some(track) = self.present(speaker) {
            track.gates.leave(at.samples());
            self.note("leave", Some(speaker), at);
        }
    }

    /// Opens a voice's gate. What its encoder may still tell of the time before is left out with the first 60 ms of its
    /// packets (more of long frames, short ones and CELT) and with the deep redundancy of the first 1.1 s, unless it agreed
    /// as it first came in. The same goes for every gate that opens again: after a mute, a pause, an absence. The proof of
    /// somebody who is not in the room is spent without effect.
    pub fn open(&mut self, consent: Recordable) {
        self.unlock(&Opening::by(&consent));
    }

    /// As [`Self::open`], by a proof that fits what this recorder is for: whoever made it for that sees to it.
    pub(crate) fn unlock(&mut self, opening: &Opening) {
        let (speaker, from) = (opening.speaker(), opening.from());
        if let Some(track) = self.present(speaker) {
            track.gates.open(from.samples());
            self.note("grant", Some(speaker), from);
        }
    }

    /// Closes a voice's gate: the first sample that may not be kept. Packets are held back for a quarter of a second before
    /// they are written; what was written before this call stays.
    pub fn close(&mut self, speaker: SpeakerId, at: SampleTime) {
        if let Some(track) = self.track(speaker) {
            track.gates.close(at.samples());
            self.note("withdraw", Some(speaker), at);
        }
    }

    /// Takes a packet that the engine kept. It is recorded, gated or refused once room time has passed it by a quarter of a
    /// second, or by the repair window and 100 ms where one before it is missing.
    pub fn packet(&mut self, packet: VoicePacket<'_>) {
        let seat = self.seats.get(&packet.speaker);
        match seat.and_then(|seat| self.tracks.get_mut(&seat.name).zip(Some(seat.stay))) {
            Some((track, stay)) => track.packet(stay, packet),
            None => self.unclaimed += 1,
        }
    }

    /// Between these moments packets came that could not be taken, because the disk is too slow: what is missing there is
    /// told as [`Cause::Storage`](super::Cause::Storage).
    pub fn missed(&mut self, from: SampleTime, to: SampleTime) {
        self.tracks.values_mut().for_each(|track| track.missed(from.samples(), to.samples()));
    }

    /// Takes a copy of an older packet, which came along with a newer one: it is recorded if that one never comes.
    pub fn copy(&mut self, copy: VoicePacket<'_>) {
        if let Some(seat) = self.seats.get(&copy.speaker)
            && let Some(track) = self.tracks.get_mut(&seat.name)
        {
            track.copy(seat.stay, copy);
        }
    }

    /// Room time has come to `now`: writes what may be written.
    ///
    /// # Errors
    /// The disk takes nothing, and did before. The recorder goes on: what there is waits in memory, some hundred KiB a
    /// voice; what comes then is told as [`Cause::Storage`](super::Cause::Storage), and as silence keeps its length. The
    /// disk is asked again every second; [`Self::trouble`] tells how it stands.
    pub fn advance(&mut self, now: SampleTime) -> Result<(), RecordError> {
        self.now = self.now.max(now);
        let (now, past) = (self.now, self.now.before(self.pre_roll));
        self.look_how_far();
        self.turn_if_due();
        match &self.store {
            Some(_) => self.tracks.values_mut().for_each(|track| track.advance(now)),
            None => self.tracks.values_mut().for_each(|track| track.forget(past, now)),
        }
        self.end_part();
        let handed_over = self.hand_over();
        self.look_at_limits();
        handed_over
    }

    /// Since when the disk takes nothing; none while all is well.
    #[must_use]
    pub fn trouble(&self) -> Option<SampleTime> {
        self.store.as_ref().and_then(Store::trouble)
    }

    fn hand_over(&mut self) -> Result<(), RecordError> {
        let Some(due) = self.store.as_ref().and_then(|store| store.due(self.now)) else { return Ok(()) };
        if due.sync {
            self.tracks.values_mut().for_each(|track| track.tape.end_page());
        }
        self.tell(due.sync);
        let manifest = due.manifest.then(|| self.manifest(None).json());
        let (store, tracks) = (self.store.as_mut(), &mut self.tracks);
        let handed_over = store.map_or(Ok(()), |store| store.hand_over(tracks, manifest, self.now, due.sync));
        if due.sync {
            self.count_what_lies();
        }
        handed_over
    }

    /// Writes into the journal what is new.
    fn tell(&mut self, all: bool) {
        if self.store.as_ref().is_some_and(|store| store.journal.is_broken()) {
            self.tell_again();
        }
        let Some(Store { journal, .. }) = &mut self.store else { return };
        for (name, track) in &mut self.tracks {
            track.news(name, all).into_iter().for_each(|news| journal.push(&Line::Track(news)));
        }
        if all {
            journal.push(&Line::Now(self.now.samples()));
        }
    }

    pub(super) fn tell_again(&mut self) {
        let Some(Store { journal, .. }) = &mut self.store else { return };
        journal.begin_anew();
        journal.push(&Line::Session { epoch_unix_ms: self.config.epoch_unix_ms });
        self.events.iter().for_each(|event| journal.push(&Line::Event(event.clone())));
        self.parts.further().iter().for_each(|from| journal.push(&Line::Part(*from)));
        self.tracks.values_mut().for_each(Track::tell_again);
    }

    /// Ends every track at `at` and writes the manifest with the files' lengths and hashes. All tracks last exactly
    /// [`Session::samples`]: `at`, unless room time that is written already lies beyond.
    ///
    /// # Errors
    /// A track or the manifest cannot be written. What is on the disk can be played and
    /// [recovered](super::recover()).
    pub fn finish(mut self, at: SampleTime) -> Result<Session, RecordError> {
        let reached = self.tracks.values().map(Track::reached).max().unwrap_or(0);
        let end = at.samples().max(reached).max(self.parts.last());
        self.note("stop", None, SampleTime::from_samples(end));
        self.tracks.values_mut().for_each(|track| track.finish(end));
        self.end_part_now();
        let unbalanced = self.balance(end);
        let mut manifest = self.manifest(Some(end));
        for (name, voice) in &mut manifest.speakers {
            self.tracks.get(name).into_iter().for_each(|track| voice.seal(track.tape.seal()));
        }
        self.write_part(&manifest, &self.parts.folder(), self.parts.last(), end);
        if let Some(store) = &mut self.store {
            store.finish(&mut self.tracks, &manifest.json())?;
        }
        let tracks = self.tracks.iter().map(|(name, track)| (name.clone(), summary(track, end))).collect();
        let limited = self.purse.all_refused();
        Ok(Session { samples: end, tracks, unclaimed: self.unclaimed, unbalanced, limited })
    }

    fn track(&mut self, speaker: SpeakerId) -> Option<&mut Track> {
        let seat = self.seats.get(&speaker)?;
        self.tracks.get_mut(&seat.name).filter(|track| track.stay() == seat.stay)
    }

    /// The track of somebody who is in the room.
    pub(super) fn present(&mut self, speaker: SpeakerId) -> Option<&mut Track> {
        self.track(speaker).filter(|track| track.gates.is_present())
    }

    pub(super) fn note(&mut self, verb: &'static str, speaker: Option<SpeakerId>, at: SampleTime) {
        let event = self.event(verb, speaker, at);
        self.keep(event);
        self.store.iter_mut().for_each(Store::hurry);
    }

    pub(super) fn keep(&mut self, event: Event) {
        if let Some(Store { journal, .. }) = &mut self.store {
            journal.push(&Line::Event(event.clone()));
        }
        self.events.push(event);
    }

    pub(super) fn event(&self, verb: &'static str, speaker: Option<SpeakerId>, at: SampleTime) -> Event {
        let speaker = speaker.and_then(|id| self.seats.get(&id)).map(|seat| seat.name.clone());
        let verb = Cow::Borrowed(verb);
        Event { at_sample: at.samples(), verb, speaker, to: None, over_samples: None }
    }

    /// The session so far, or up to its end.
    pub(super) fn manifest(&self, end: Option<u64>) -> Manifest {
        Manifest {
            schema: SCHEMA,
            finished: end.is_some(),
            recovered: false,
            sample_rate_hz: RATE_HZ,
            epoch_unix_ms: self.config.epoch_unix_ms,
            from_sample: 0,
            samples: end.unwrap_or_else(|| self.now.samples()),
            paused: self.paused.clone(),
            speakers: self
                .tracks
                .iter()
                .map(|(name, track)| (name.clone(), TrackEntry::new(track, end)))
                .collect(),
            events: self.events.clone(),
            parts: parts::listed(self.parts.further()),
        }
    }
}

/// A name is a file's name too.
fn check_name(name: &str) -> io::Result<()> {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-".contains(&byte);
    if !name.is_empty() && name.bytes().all(allowed) {
        return Ok(());
    }
    Err(io::Error::new(io::ErrorKind::InvalidInput, "a name is made of a-z, 0-9, _ and -"))
}

fn summary(track: &Track, end: u64) -> TrackSummary {
    let Counts { recorded, gated, refused, repaired, .. } = track.counts();
    TrackSummary { recorded, gated, refused, repaired, gaps: track.gaps(end) }
}
