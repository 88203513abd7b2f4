//! Sound bites: a stretch of a session becomes a small session of its own, which whoever reads sessions reads. Its tracks
//! hold the packets of the stretch as they are, and up to 80 ms before it for a decoder to settle on, which players skip.
//! It costs what the stretch holds: nothing is decoded, and a track is found into by halving.
//!
//! Nothing is in a clip's track that was said more than 80 ms before the stretch or behind it, but for the rest of its last
//! packet: copies of earlier sound go as they go behind a gate. A voice that agreed to being cut for a part only is
//! silent elsewhere, in the 80 ms too.

use super::{
    clock_map::ClockPoint,
    counts::Counts,
    derived::Derived,
    error::RecordError,
    event::Event,
    fill,
    gap::{Cause, Gap},
    manifest::{Manifest, TrackEntry, file_name},
    memory::{self, EncoderMemory},
    ogg,
    ogg_file::OggOpusFile,
    read::{Recording, TrackPacket},
    seal,
    tape::LOOKAHEAD,
    toc::Toc,
};
use crate::packet::opus;
use serde::{Deserialize, Serialize};
use std::{
    borrow::Cow,
    collections::BTreeMap,
    fs, io,
    ops::Range,
    path::{Path, PathBuf},
};

/// What a decoder hears before it is to be heard (RFC 7845 §4.6): 80 ms.
const PRE_ROLL: u64 = 3_840;

/// The longest packet (RFC 6716 §2.1.4).
const LONGEST: u64 = 5_760;

/// A voice of a clip, and where it may be cut: the stretch of the parent's time, around the clip, for which it agreed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cuttable {
    /// The speaker's name.
    pub speaker: String,
    /// From where to where.
    pub span: Range<u64>,
}

/// `clip.json`: where in which session a clip lies, so that it can be held against what was said around it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClipOrigin {
    /// The parent's folder, as it was given.
    pub parent: PathBuf,
    /// The clip's sample 0 in the parent.
    pub from_sample: u64,
    /// The parent's first sample behind the clip.
    pub to_sample: u64,
    /// Each voice, and the hash of the parent's track that it was cut from.
    pub voices: BTreeMap<String, Option<String>>,
    /// Who was in the parent but is left out here.
    pub without: Vec<String>,
}

/// Cuts `range` out of a session into the folder `into`: a finished session of exactly that length with these voices,
/// `clip.json` beside it. The parent's list of what was made of it names the clip.
///
/// # Errors
/// No such range or voice, or files that cannot be written.
pub fn cut(
    parent: &Recording,
    range: Range<u64>,
    voices: &[Cuttable],
    into: &Path,
) -> Result<Manifest, RecordError> {
    if range.start >= range.end || range.end > parent.manifest().samples {
        let why = "expected a range within the session, not empty";
        let source = io::Error::new(io::ErrorKind::InvalidInput, why);
        return Err(RecordError::new(parent.dir(), "cut", source));
    }
    let tracks = into.join("tracks");
    fs::create_dir_all(&tracks).map_err(|source| RecordError::new(&tracks, "create", source))?;
    let mut manifest = head(parent.manifest(), &range, voices);
    for voice in voices {
        let entry = cut_voice(parent, &range, voice, into)?;
        manifest.speakers.insert(voice.speaker.clone(), entry);
    }
    manifest.write(into)?;
    let origin = origin(parent, &range, voices);
    origin.write(into)?;
    Derived {
        path: std::path::absolute(into).unwrap_or_else(|_| into.to_owned()),
        kind: "clip".into(),
        from_sample: range.start,
        to_sample: range.end,
        speakers: origin.voices.into_keys().collect(),
        recipients: Vec::new(),
    }
    .note(parent.dir())?;
    Ok(manifest)
}

/// The clip's manifest, before its tracks.
fn head(parent: &Manifest, range: &Range<u64>, voices: &[Cuttable]) -> Manifest {
    let is_cut = |name: &String| voices.iter().any(|voice| voice.speaker == *name);
    // Faders stand where they were moved to before; mutes of a voice are silence in its track.
    let moves = parent.events.iter().filter(|event| event.at_sample < range.end);
    let moves = moves.filter(|event| matches!(&*event.verb, "gain" | "pan"));
    let events = moves
        .filter(|event| event.speaker.as_ref().is_some_and(is_cut))
        .map(|event| Event { at_sample: event.at_sample.saturating_sub(range.start), ..event.clone() });
    Manifest {
        finished: true,
        epoch_unix_ms: parent.epoch_unix_ms.map(|epoch| epoch + range.start / 48),
        from_sample: 0,
        samples: range.end - range.start,
        paused: parent.paused.within(range),
        parts: Vec::new(),
        speakers: BTreeMap::new(),
        events: events.collect(),
        ..parent.clone()
    }
}

fn cut_voice(
    parent: &Recording,
    range: &Range<u64>,
    voice: &Cuttable,
    into: &Path,
) -> Result<TrackEntry, RecordError> {
    let mut track = parent.track(&voice.speaker)?;
    let mut scissors = Scissors::new(range, &voice.span);
    let mut kept = Vec::new();
    for packet in track.packets(scissors.open.start.saturating_sub(LONGEST)..scissors.open.end) {
        kept.extend(scissors.pass(packet?));
    }
    let (file, channels) = (file_name(&voice.speaker), track.channels().count() as u8);
    let path = into.join(&file);
    let failed = |source| RecordError::new(&path, "write", source);
    let strip = Strip::new(&kept, range);
    strip.write(&path, &voice.speaker, channels, &kept).map_err(failed)?;
    let mut entry = strip.entry(&parent.manifest().speakers[&voice.speaker], file, range, &kept);
    entry.seal(seal::of_file(&path).map_err(failed)?);
    Ok(entry)
}

/// Decides which packets are in the clip.
struct Scissors {
    /// Where its packets may begin: in the clip and 80 ms before, but nowhere without consent.
    open: Range<u64>,
    /// Where they have to end.
    agreed_to: u64,
    memory: EncoderMemory,
    /// Does the memory say where the clip may begin?
    refused: bool,
    /// Where the speaker's last packet ended, in the clip or before.
    before: Option<i64>,
    /// Is the first packet found? What its encoder remembers may be from outside.
    begun: bool,
    taken_in: u64,
    /// Is the last packet in the clip, so that a decoder may make up what is lost behind it?
    sounding: bool,
}

impl Scissors {
    fn new(clip: &Range<u64>, agreed: &Range<u64>) -> Self {
        let from = clip.start.saturating_sub(PRE_ROLL);
        let open = from.max(agreed.start)..clip.end.min(agreed.end);
        let mut memory = EncoderMemory::default();
        let refused = agreed.start + memory::FORGETS > from && agreed.start > 0;
        if refused {
            memory.shut(Cause::Gate);
        }
        let agreed_to = agreed.end;
        Self { open, agreed_to, memory, refused, before: None, begun: false, taken_in: 0, sounding: false }
    }

    /// The packet, if it is in the clip. Silence is put in anew.
    fn pass(&mut self, mut packet: TrackPacket) -> Option<TrackPacket> {
        let (at, end) = (packet.at, packet.end());
        let begins = at >= self.open.start as i64 && at < self.open.end as i64;
        let inside = begins && end <= self.agreed_to.min(i64::MAX as u64) as i64;
        if fill::is_fill(&packet.payload) {
            self.sounding &= inside && packet.payload.len() == 1;
            return self.sounding.then_some(packet);
        }
        let unbroken = self.before.replace(end) == Some(at);
        self.sounding = inside && (self.begun || self.begin(at, &packet.payload, unbroken));
        if self.sounding {
            if self.taken_in < memory::FORGETS {
                memory::strip(&mut packet.payload);
            }
            self.taken_in += packet.samples;
            self.sounding = self.memory.hear((0, 0), packet.samples, &mut packet.payload).is_none();
        }
        self.sounding.then_some(packet)
    }

    /// May the clip begin with this packet? Its in-band copy is of the frame before, and behind a hole nobody knows where
    /// that was.
    fn begin(&mut self, at: i64, payload: &[u8], unbroken: bool) -> bool {
        let frame = Toc::of(payload).map_or(0, Toc::frame_samples) as i64;
        self.begun =
            self.refused || !opus::has_lbrr(payload) || unbroken && at - frame >= self.open.start as i64;
        self.begun
    }
}

/// Where packets stand in the clip's file.
struct Strip {
    /// The room sample of the file's first.
    origin: i64,
    from: u64,
    samples: u64,
}

impl Strip {
    fn new(kept: &[TrackPacket], range: &Range<u64>) -> Self {
        let from = range.start as i64;
        let first = kept.first().map_or(from, |packet| packet.at);
        // Back in steps of 2.5 ms, since everything in a file stands on a multiple of that.
        let steps = (first - from).max(0).unsigned_abs().div_ceil(fill::LATTICE);
        let origin = first - (steps * fill::LATTICE) as i64;
        Self { origin, from: range.start, samples: range.end - range.start }
    }

    fn pre_skip(&self) -> u64 {
        LOOKAHEAD + (self.from as i64 - self.origin).max(0).unsigned_abs()
    }

    fn write(&self, path: &Path, speaker: &str, channels: u8, kept: &[TrackPacket]) -> io::Result<()> {
        let mut file = OggOpusFile::create(path, ogg::serial(speaker), channels, self.pre_skip())?;
        for packet in kept {
            let hole = (packet.at - self.origin).max(0).unsigned_abs().saturating_sub(file.samples());
            fill::silences(hole).try_for_each(|coded| file.push(coded))?;
            file.push((Cow::Owned(packet.payload.clone()), packet.samples))?;
        }
        let end = self.pre_skip() + self.samples;
        let missing = end.saturating_sub(file.samples()).next_multiple_of(fill::LATTICE);
        fill::silences(missing).try_for_each(|coded| file.push(coded))?;
        file.finish(end)
    }

    fn entry(
        &self,
        parent: &TrackEntry,
        file: String,
        range: &Range<u64>,
        kept: &[TrackPacket],
    ) -> TrackEntry {
        let recorded = kept.iter().filter(|packet| !fill::is_fill(&packet.payload)).count() as u64;
        TrackEntry {
            file,
            pre_skip: self.pre_skip(),
            joined: parent.joined.within(range),
            consent: parent.consent.within(range),
            muted: parent.muted.within(range),
            placed: Vec::new(),
            clock: clock(&parent.clock, range),
            packets: Counts { received: recorded, recorded, ..Counts::default() },
            gaps: gaps(&parent.gaps, range, kept),
            file_bytes: None,
            sha256: None,
            parts: Vec::new(),
        }
    }
}

/// The parent's gaps, and where a voice is left out that the parent has.
fn gaps(parent: &[Gap], range: &Range<u64>, kept: &[TrackPacket]) -> Vec<Gap> {
    let inside = |from: u64, to: u64, cause: Cause| {
        let (from, to) = (from.max(range.start), to.min(range.end));
        (from < to).then(|| Gap { from_sample: from - range.start, to_sample: to - range.start, cause })
    };
    let told: Vec<Gap> =
        parent.iter().filter_map(|gap| inside(gap.from_sample, gap.to_sample, gap.cause)).collect();
    let starts = kept.iter().map(|packet| packet.at.max(0) as u64).chain([range.end]);
    let ends = [range.start].into_iter().chain(kept.iter().map(|packet| packet.end().max(0) as u64));
    let left_out = ends.zip(starts).filter_map(|(from, to)| inside(from, to, Cause::Gate));
    left_out.fold(told, |gaps, gap| gap.beside(&gaps))
}

/// The map of the clip's track: the parent's, the piece that is under way at its start begun there.
fn clock(parent: &[ClockPoint], range: &Range<u64>) -> Vec<ClockPoint> {
    let begun = parent.partition_point(|point| point.track_sample <= range.start).saturating_sub(1);
    let points = parent[begun.min(parent.len())..].iter().take_while(|point| point.track_sample < range.end);
    points
        .map(|point| {
            let skipped = range.start.saturating_sub(point.track_sample);
            let room = skipped as f64 * (1.0 + point.ppm / 1e6);
            ClockPoint {
                track_sample: point.track_sample.saturating_sub(range.start),
                media_sample: point.media_sample + skipped as i64,
                room_sample: point.room_sample + room.round() as i64 - range.start as i64,
                ppm: point.ppm,
            }
        })
        .collect()
}

fn origin(parent: &Recording, range: &Range<u64>, voices: &[Cuttable]) -> ClipOrigin {
    let speakers = &parent.manifest().speakers;
    let is_cut = |name: &&String| voices.iter().any(|voice| voice.speaker == **name);
    let hash = |name: &String| (name.clone(), speakers[name].sha256.clone());
    ClipOrigin {
        parent: parent.dir().to_owned(),
        from_sample: range.start,
        to_sample: range.end,
        voices: speakers.keys().filter(is_cut).map(hash).collect(),
        without: speakers.keys().filter(|name| !is_cut(name)).cloned().collect(),
    }
}

impl ClipOrigin {
    fn write(&self, into: &Path) -> Result<(), RecordError> {
        let path = into.join("clip.json");
        let written = serde_json::to_vec_pretty(self).map_err(io::Error::from);
        written
            .and_then(|json| fs::write(&path, json))
            .map_err(|source| RecordError::new(&path, "write", source))
    }
}
