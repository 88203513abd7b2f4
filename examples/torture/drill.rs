//! A session that is known to the sample: three voices whose packets carry their own number, so that whoever reads a track
//! knows where each belongs.

use std::{collections::BTreeMap, error::Error, fs, ops::Range, path::Path};
use tertulia::{
    codec::{Codec, Decoder},
    consent::Recordable,
    frame::Channels,
    record::{Gap, Manifest, RecordError, Recorder},
    sim::Rng,
    speaker::{SpeakerId, VoicePacket},
    time::{MediaTime, SampleTime, Samples},
};

/// 20 ms.
pub(crate) const FRAME: u64 = 960;

/// Who speaks: always, with pauses, over a network that loses.
pub(crate) const VOICES: [&str; 3] = ["steady", "pausing", "losing"];

/// The third joins later, on an odd sample.
const STARTS: [u64; 3] = [0, 0, 48_017];

/// A session in the making.
#[derive(Debug)]
pub(crate) struct Drill {
    pub(crate) recorder: Recorder,
    rng: Rng,
    /// Each voice's next packet, and the next number of its packets on the wire.
    next: [(u64, u64); 3],
    /// Late ones on their way: when they come, whose, which, by which number on the wire.
    under_way: Vec<(u64, usize, u64, u64)>,
    pub(crate) now: u64,
}

impl Drill {
    pub(crate) fn new(mut recorder: Recorder, seed: u64) -> Result<Self, RecordError> {
        for (id, name) in (0..).zip(VOICES).take(2) {
            join(&mut recorder, id, name, 0)?;
        }
        Ok(Self { recorder, rng: Rng::new(seed), next: [(0, 0); 3], under_way: Vec::new(), now: 0 })
    }

    /// The next 20 ms.
    pub(crate) fn step(&mut self) -> Result<(), RecordError> {
        self.speak()?;
        self.recorder.advance(SampleTime::from_samples(self.now))
    }

    /// The next 20 ms, in which nobody has time to write anything.
    pub(crate) fn speak(&mut self) -> Result<(), RecordError> {
        if self.now < STARTS[2] && self.now + FRAME >= STARTS[2] {
            join(&mut self.recorder, 2, VOICES[2], STARTS[2])?;
        }
        self.now += FRAME;
        for (voice, start) in STARTS.into_iter().enumerate() {
            while start + self.next[voice].0 * FRAME <= self.now {
                self.send(voice);
            }
        }
        let (come, under_way) = self.under_way.iter().partition(|late| late.0 <= self.now);
        self.under_way = under_way;
        let come: Vec<(u64, usize, u64, u64)> = come;
        come.into_iter().for_each(|(at, voice, number, wire)| self.arrive(voice, number, wire, at));
        Ok(())
    }

    fn send(&mut self, voice: usize) {
        let (number, wire) = self.next[voice];
        // A pause of half a second in each three: timestamps jump, numbers do not.
        let pauses = voice == 1 && number % 150 >= 125;
        self.next[voice] = (number + 1, wire + u64::from(!pauses));
        let at = STARTS[voice] + number * FRAME;
        let draw = self.rng.unit();
        if pauses || voice == 2 && draw < 0.05 {
            return;
        }
        if voice == 2 && draw < 0.15 {
            let late = self.rng.between(2_000.0, 60_000.0) as u64;
            self.under_way.push((at + late, voice, number, wire));
            return;
        }
        self.arrive(voice, number, wire, at);
    }

    fn arrive(&mut self, voice: usize, number: u64, wire: u64, at: u64) {
        self.recorder.packet(VoicePacket {
            speaker: SpeakerId(voice as u16),
            epoch: 0,
            sequence: wire,
            media: MediaTime::ORIGIN + Samples::new(number * FRAME),
            arrived: SampleTime::from_samples(at),
            duration: Samples::new(FRAME),
            marker: false,
            payload: &payload(number),
        });
    }
}

fn join(recorder: &mut Recorder, id: u16, name: &str, at: u64) -> Result<(), RecordError> {
    let at = SampleTime::from_samples(at);
    recorder.join(SpeakerId(id), name, at)?;
    recorder.open(Recordable::dangerously_without_consent(SpeakerId(id), at));
    Ok(())
}

/// 20 ms of digital silence whose padding tells its number, and some more bytes, as a voice has.
fn payload(number: u64) -> Vec<u8> {
    let mut payload = vec![0xFB, 0x41, 72, 0xFF, 0xFE];
    payload.extend(number.to_le_bytes());
    payload.extend([0; 64]);
    payload
}

fn number(packet: &[u8]) -> Option<u64> {
    let [0xFB, 0x41, 72, 0xFF, 0xFE, rest @ ..] = packet else { return None };
    Some(u64::from_le_bytes(*rest.first_chunk()?))
}

/// What a finished folder holds, checked against what was said.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    /// By voice: up to where there is anything of it.
    pub(crate) last: BTreeMap<String, u64>,
    pub(crate) packets: u64,
    /// The most files of a track.
    pub(crate) parts: usize,
}

/// Reads a finished folder. Every packet stands on its sample, everything else is told, all tracks are equally long, and
/// the crate's own decoder plays them.
pub(crate) fn check(dir: &Path) -> Result<Findings, Box<dyn Error>> {
    let manifest = Manifest::read(dir)?;
    let mut findings = Findings::default();
    if !manifest.finished {
        return Err("the manifest says that it is not finished".into());
    }
    for (name, track) in &manifest.speakers {
        let voice = VOICES.iter().position(|voice| voice == name).ok_or("a voice that nobody knows")?;
        let mut files: Vec<(&str, u64)> = track.parts.iter().map(|it| (&*it.file, it.from_sample)).collect();
        if files.is_empty() {
            files.push((&track.file, 0));
        }
        let ends = files.iter().skip(1).map(|(_, next)| *next).chain([manifest.samples]);
        let mut spoken = Vec::new();
        for ((file, from), to) in files.iter().zip(ends) {
            let part = read(&fs::read(dir.join(file))?, STARTS[voice], *from..to);
            spoken.extend(part.map_err(|why| format!("{file}: {why}"))?);
        }
        findings.parts = findings.parts.max(files.len());
        let sound: Vec<(u64, u64)> = spoken.iter().map(|at| (*at, at + FRAME)).collect();
        is_told(&sound, &track.gaps, manifest.samples).map_err(|why| format!("{name}: {why}"))?;
        findings.packets += spoken.len() as u64;
        findings.last.insert(name.clone(), spoken.last().map_or(0, |last| last + FRAME));
    }
    Ok(findings)
}

/// Where the numbered packets of a file stand that goes over this part of the room's time.
fn read(bytes: &[u8], start: u64, part: Range<u64>) -> Result<Vec<u64>, Box<dyn Error>> {
    let mut reader = ogg::PacketReader::new(std::io::Cursor::new(bytes));
    let head = reader.read_packet_expected()?.data;
    let skip = u64::from(u16::from_le_bytes([head[10], head[11]]));
    reader.read_packet_expected()?;
    let mut decoder = Decoder::new(Codec::Opus, Channels::Mono)?;
    let mut block = vec![0.0; 5_760];
    let (mut at, mut spoken, mut ended, mut granule) = (312, Vec::new(), false, 0);
    while let Some(packet) = reader.read_packet()? {
        if let Some(number) = number(&packet.data) {
            let (stands, belongs) = (at + part.start, start + number * FRAME + skip);
            if stands != belongs {
                return Err(format!("packet {number} stands at {stands}, and belongs to {belongs}").into());
            }
            // What lies before is there for a decoder alone.
            spoken.extend((at >= skip).then(|| stands - skip));
        }
        at += decoder.decode(&packet.data, &mut block)? as u64;
        (ended, granule) = (packet.last_in_stream(), packet.absgp_page());
    }
    let end = skip + part.end - part.start;
    if !ended || granule != end {
        return Err(format!("it lasts up to {granule}, and its part of the room to {end}").into());
    }
    Ok(spoken)
}

/// Does every sample lie in a packet or in a gap, and none in both?
fn is_told(sound: &[(u64, u64)], gaps: &[Gap], room: u64) -> Result<(), String> {
    let gaps = gaps.iter().map(|gap| (gap.from_sample, gap.to_sample));
    let mut all: Vec<_> = sound.iter().copied().chain(gaps).collect();
    all.sort_unstable();
    let mut told = 0;
    for (from, to) in all {
        if from != told {
            return Err(format!("sample {told} is told {} times", if from > told { 0 } else { 2 }));
        }
        told = to;
    }
    if told < room { Err(format!("nothing is told from {told} on")) } else { Ok(()) }
}
