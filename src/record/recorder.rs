//! The recorder: finds the track that a call is about, writes the manifest when something changed.

use super::{
    error::RecordError,
    gate::{Gates, Spans},
    manifest::{Event, Manifest, SCHEMA, TrackEntry, file_name},
    session::{Session, TrackSummary},
    tape::Tape,
    track::{Counts, Track},
};
use crate::{
    consent::Recordable,
    speaker::{SpeakerId, VoicePacket},
    time::{RATE_HZ, SampleTime, Samples},
};
use std::{
    borrow::Cow,
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

/// The manifest is written at least this often in room time.
const MANIFEST_EVERY: Samples = Samples::from_ms(5_000);

/// How a session is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecorderConfig {
    /// How long a track waits for stragglers before it writes a gap.
    pub repair: Samples,
    /// Wall time of room sample 0, if it is to stand in the manifest.
    pub epoch_unix_ms: Option<u64>,
}

impl Default for RecorderConfig {
    /// Two seconds of repair, no wall time.
    fn default() -> Self {
        Self { repair: Samples::from_ms(2_000), epoch_unix_ms: None }
    }
}

/// Writes `tracks/NAME.opus` and `session.json`. A plain machine too: time is an argument, files are its output; the same
/// calls make the same bytes.
///
/// # Real-time
/// Never: every call may allocate, `join`, `advance` and `finish` wait for the disk.
#[derive(Debug)]
pub struct Recorder {
    dir: PathBuf,
    config: RecorderConfig,
    tracks: BTreeMap<String, Track>,
    seats: BTreeMap<SpeakerId, Seat>,
    paused: Spans,
    events: Vec<Event>,
    now: SampleTime,
    /// When the manifest is to be written next.
    manifest_due: SampleTime,
    unclaimed: u64,
}

/// Whose packets come in by a lane: which track's, and which of the speaker's stays.
#[derive(Clone, Debug)]
struct Seat {
    name: String,
    stay: u32,
}

impl Recorder {
    /// Begins a session in `dir`, which is made if need be; a recording that is there is replaced.
    ///
    /// # Errors
    /// The folder or the manifest cannot be written.
    pub fn create(dir: &Path, config: RecorderConfig) -> Result<Self, RecordError> {
        let tracks = dir.join("tracks");
        fs::create_dir_all(&tracks).map_err(|source| RecordError::new(&tracks, "create", source))?;
        let mut recorder = Self {
            dir: dir.to_owned(),
            config,
            tracks: BTreeMap::new(),
            seats: BTreeMap::new(),
            paused: Spans::default(),
            events: Vec::new(),
            now: SampleTime::ZERO,
            manifest_due: SampleTime::ZERO,
            unclaimed: 0,
        };
        recorder.note("record", None, SampleTime::ZERO);
        recorder.write_manifest()?;
        Ok(recorder)
    }

    /// A speaker joins, unheard until its gate is [opened](Self::open); a name that was here before goes on in its
    /// track, on a new clock.
    ///
    /// # Errors
    /// A name with other characters than `a-z`, `0-9`, `_` and `-`, or a file that cannot be written.
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
        check_name(name).map_err(|source| RecordError::new(Path::new(name), "join as", source))?;
        let path = self.dir.join(file_name(name));
        let tape = Tape::create(&path, name).map_err(|source| RecordError::new(&path, "create", source))?;
        Ok(Track::new(tape, Gates::new(self.paused.clone()), self.config.repair))
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
        let (speaker, from) = (consent.speaker(), consent.from());
        if let Some(track) = self.present(speaker) {
            track.gates.open(from.samples());
            self.note("grant", Some(speaker), from);
        }
    }

    /// Closes a voice's gate: the first sample that may not be kept. Packets wait for the repair window before they are
    /// written; what was written before this call stays.
    pub fn close(&mut self, speaker: SpeakerId, at: SampleTime) {
        if let Some(track) = self.track(speaker) {
            track.gates.close(at.samples());
            self.note("withdraw", Some(speaker), at);
        }
    }

    /// A voice falls silent.
    pub fn mute(&mut self, speaker: SpeakerId, at: SampleTime) {
        if let Some(track) = self.present(speaker) {
            track.gates.mute(at.samples());
            self.note("mute", Some(speaker), at);
        }
    }

    /// A voice is heard again.
    pub fn unmute(&mut self, speaker: SpeakerId, at: SampleTime) {
        if let Some(track) = self.present(speaker) {
            track.gates.unmute(at.samples());
            self.note("unmute", Some(speaker), at);
        }
    }

    /// A voice becomes louder or softer on the mixes: for whoever renders them once more. Its track stays as it came.
    pub fn gain(&mut self, speaker: SpeakerId, to: f32, at: SampleTime, over: Samples) {
        self.automate(speaker, "gain", at, to, Some(over.count()));
    }

    /// A voice moves between left and right on the mixes; as [`Self::gain`].
    pub fn pan(&mut self, speaker: SpeakerId, to: f32, at: SampleTime) {
        self.automate(speaker, "pan", at, to, None);
    }

    /// Faders move often: such news waits for the next manifest.
    fn automate(
        &mut self,
        speaker: SpeakerId,
        verb: &'static str,
        at: SampleTime,
        to: f32,
        over_samples: Option<u64>,
    ) {
        if self.present(speaker).is_some() {
            let event = self.event(verb, Some(speaker), at);
            self.events.push(Event { to: Some(to), over_samples, ..event });
        }
    }

    /// Nothing is kept from `at` on.
    pub fn pause(&mut self, at: SampleTime) {
        self.paused.begin(at.samples());
        self.tracks.values_mut().for_each(|track| track.gates.pause(at.samples()));
        self.note("pause", None, at);
    }

    /// Keeping goes on, as behind a gate that [opens](Self::open).
    pub fn resume(&mut self, at: SampleTime) {
        self.paused.end(at.samples());
        self.tracks.values_mut().for_each(|track| track.gates.resume(at.samples()));
        self.note("resume", None, at);
    }

    /// Takes a packet that the engine kept. It is recorded, gated or refused once room time has passed it by the repair
    /// window and 100 ms.
    pub fn packet(&mut self, packet: VoicePacket<'_>) {
        let seat = self.seats.get(&packet.speaker);
        match seat.and_then(|seat| self.tracks.get_mut(&seat.name).zip(Some(seat.stay))) {
            Some((track, stay)) => track.packet(stay, packet),
            None => self.unclaimed += 1,
        }
    }

    /// Room time has come to `now`: writes what is settled.
    ///
    /// # Errors
    /// A track or the manifest cannot be written. The recorder is of no use after that.
    pub fn advance(&mut self, now: SampleTime) -> Result<(), RecordError> {
        self.now = self.now.max(now);
        for (name, track) in &mut self.tracks {
            track.advance(self.now).map_err(|source| write_failed(&self.dir, name, source))?;
        }
        if self.now >= self.manifest_due { self.write_manifest() } else { Ok(()) }
    }

    /// Ends every track at `at` and writes the manifest with the files' lengths and hashes. All tracks last exactly
    /// [`Session::samples`]: `at`, unless room time that is written already lies beyond.
    ///
    /// # Errors
    /// A track or the manifest cannot be written.
    pub fn finish(mut self, at: SampleTime) -> Result<Session, RecordError> {
        let settled = self.tracks.values().map(Track::settled).max().unwrap_or(0);
        let end = at.samples().max(settled);
        self.note("stop", None, SampleTime::from_samples(end));
        for (name, track) in &mut self.tracks {
            track.finish(end).map_err(|source| write_failed(&self.dir, name, source))?;
        }
        self.seal(end)?;
        let tracks = self.tracks.iter().map(|(name, track)| (name.clone(), summary(track, end))).collect();
        Ok(Session { samples: end, tracks, unclaimed: self.unclaimed })
    }

    fn track(&mut self, speaker: SpeakerId) -> Option<&mut Track> {
        let seat = self.seats.get(&speaker)?;
        self.tracks.get_mut(&seat.name).filter(|track| track.stay() == seat.stay)
    }

    /// The track of somebody who is in the room.
    fn present(&mut self, speaker: SpeakerId) -> Option<&mut Track> {
        self.track(speaker).filter(|track| track.gates.is_present())
    }

    fn note(&mut self, verb: &'static str, speaker: Option<SpeakerId>, at: SampleTime) {
        let event = self.event(verb, speaker, at);
        self.events.push(event);
        self.manifest_due = SampleTime::ZERO;
    }

    fn event(&self, verb: &'static str, speaker: Option<SpeakerId>, at: SampleTime) -> Event {
        let speaker = speaker.and_then(|id| self.seats.get(&id)).map(|seat| seat.name.clone());
        let verb = Cow::Borrowed(verb);
        Event { at_sample: at.samples(), verb, speaker, to: None, over_samples: None }
    }

    /// The session so far, or up to its end.
    fn manifest(&self, end: Option<u64>) -> Manifest {
        Manifest {
            schema: SCHEMA,
            finished: end.is_some(),
            sample_rate_hz: RATE_HZ,
            epoch_unix_ms: self.config.epoch_unix_ms,
            samples: end.unwrap_or_else(|| self.now.samples()),
            paused: self.paused.clone(),
            speakers: self
                .tracks
                .iter()
                .map(|(name, track)| (name.clone(), TrackEntry::new(name, track, end)))
                .collect(),
            events: self.events.clone(),
        }
    }

    fn write_manifest(&mut self) -> Result<(), RecordError> {
        self.manifest_due = self.now + MANIFEST_EVERY;
        self.manifest(None).write(&self.dir)
    }

    fn seal(&self, end: u64) -> Result<(), RecordError> {
        let mut manifest = self.manifest(Some(end));
        for (name, voice) in &mut manifest.speakers {
            let path = self.dir.join(file_name(name));
            voice.seal(&path).map_err(|source| RecordError::new(&path, "read back", source))?;
        }
        manifest.write(&self.dir)
    }
}

fn write_failed(dir: &Path, name: &str, source: io::Error) -> RecordError {
    RecordError::new(&dir.join(file_name(name)), "write", source)
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
    let Counts { received, recorded, gated, refused } = track.counts();
    debug_assert_eq!(received, recorded + gated + refused, "every packet ends in one counter");
    TrackSummary { recorded, gated, refused, gaps: track.gaps(end) }
}
