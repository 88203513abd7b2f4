//! Tracks as a player plays them, and stems as they are rendered: where are the clicks?

use crate::{click, room::Recorded};
use std::{collections::BTreeMap, error::Error, fs, io::Cursor, ops::Range, path::Path};
use tertulia::{
    codec::{Codec, Decoder},
    frame::Channels,
    record::Recording,
    render::{What, render},
};

/// Of one voice's track or stem.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Found {
    pub(crate) clicks: usize,
    /// The worst, in samples: positive ones come too late.
    pub(crate) worst: f64,
    /// When that was said.
    pub(crate) worst_at: f64,
    /// When the last was said that cannot be heard.
    pub(crate) missed_at: Option<f64>,
    /// How much longer than the room it is.
    pub(crate) too_long: i64,
}

/// Clicks are looked for near where they belong first, then within a second and a half.
const NEAR: u64 = 1_440;
const FAR: u64 = 72_000;

impl Found {
    /// Looks for the click that was said at `said`, in what `sound` gives of a stretch.
    fn look_for<S: AsRef<[f32]>>(
        &mut self,
        said: f64,
        sound: impl Fn(Range<u64>) -> Result<S, Box<dyn Error>>,
    ) -> Result<(), Box<dyn Error>> {
        for reach in [NEAR, FAR] {
            let stretch = (said as u64).saturating_sub(reach)..said as u64 + reach;
            let first = stretch.start as f64;
            if let Some(at) = click::find(sound(stretch)?.as_ref()) {
                self.clicks += 1;
                let off = first + at as f64 - said;
                if off.abs() > self.worst.abs() {
                    (self.worst, self.worst_at) = (off, said);
                }
                return Ok(());
            }
        }
        self.missed_at = Some(said);
        Ok(())
    }
}

/// Plays each track from its bytes, as any player would.
pub(crate) fn to_tracks(
    dir: &Path,
    recorded: &Recorded,
) -> Result<BTreeMap<&'static str, Found>, Box<dyn Error>> {
    let mut all = BTreeMap::new();
    for (name, voice) in &recorded.voices {
        let track = Track::read(&fs::read(dir.join(format!("tracks/{name}.opus")))?)?;
        let mut found = Found { too_long: track.length - recorded.samples as i64, ..Found::default() };
        for said in &voice.clicks {
            found.look_for(*said, |stretch| track.play(stretch))?;
        }
        all.insert(*name, found);
    }
    Ok(all)
}

/// A file's packets, and where each begins in what is decoded.
struct Track {
    skip: u64,
    length: i64,
    packets: Vec<(u64, Vec<u8>)>,
}

impl Track {
    fn read(bytes: &[u8]) -> Result<Self, Box<dyn Error>> {
        let mut reader = ogg::PacketReader::new(Cursor::new(bytes));
        let head = reader.read_packet_expected()?.data;
        let skip = u64::from(u16::from_le_bytes([head[10], head[11]]));
        reader.read_packet_expected()?;
        let (mut at, mut granule, mut packets) = (0, 0, Vec::new());
        while let Some(packet) = reader.read_packet()? {
            granule = packet.absgp_page();
            let samples = opus::packet::get_nb_samples(&packet.data, 48_000)? as u64;
            packets.push((at, packet.data));
            at += samples;
        }
        Ok(Self { skip, length: granule as i64 - skip as i64, packets })
    }

    /// These samples as a player plays them that has played a fifth of a second before.
    fn play(&self, range: Range<u64>) -> Result<Vec<f32>, Box<dyn Error>> {
        let (from, to) = (range.start + self.skip, range.end + self.skip);
        let first = self.packets.partition_point(|(at, _)| *at + 9_600 <= from);
        let packets = self.packets[first..].iter().take_while(|(at, _)| *at < to);
        let mut decoder = Decoder::new(Codec::Opus, Channels::Mono)?;
        let (mut sound, mut block) = (Vec::new(), vec![0.0; 5_760]);
        for (_, packet) in packets {
            let samples = decoder.decode(packet, &mut block)?;
            sound.extend_from_slice(&block[..samples]);
        }
        let begins = self.packets.get(first).map_or(from, |(at, _)| *at);
        Ok(sound.split_off(((from.saturating_sub(begins)) as usize).min(sound.len())))
    }
}

/// Renders all stems, and listens to each block with the one before it.
pub(crate) fn to_stems(
    dir: &Path,
    recorded: &Recorded,
) -> Result<BTreeMap<&'static str, Found>, Box<dyn Error>> {
    let recording = Recording::open(dir)?;
    let mut ears: BTreeMap<&'static str, Ear> =
        recorded.voices.keys().map(|name| (*name, Ear::default())).collect();
    let mut length = 0;
    render(&recording, &What { channels: Some(Channels::Mono), ..What::default() }, &mut |block| {
        length += block.samples();
        for (name, ear) in &mut ears {
            ear.hear(block.stem(name), block.samples() as usize);
            ear.listen(&recorded.voices[name].clicks, length.saturating_sub(FAR));
        }
        Ok(())
    })?;
    let too_long = length as i64 - recorded.samples as i64;
    let listened = ears.into_iter().map(|(name, mut ear)| {
        ear.listen(&recorded.voices[name].clicks, u64::MAX);
        (name, Found { too_long, ..ear.found })
    });
    Ok(listened.collect())
}

#[derive(Debug, Default)]
struct Ear {
    sound: Vec<f32>,
    from: u64,
    /// So many clicks have been looked for.
    looked_for: usize,
    found: Found,
}

impl Ear {
    fn hear(&mut self, stem: Option<&[f32]>, samples: usize) {
        match stem {
            Some(stem) => self.sound.extend_from_slice(stem),
            None => self.sound.resize(self.sound.len() + samples, 0.0),
        }
    }

    /// Looks for what was said before `until`, and forgets what is not needed any more.
    fn listen(&mut self, clicks: &[f64], until: u64) {
        while let Some(said) = clicks.get(self.looked_for).filter(|said| (**said as u64) < until) {
            let sound = |stretch: Range<u64>| {
                let place = |at: u64| (at.saturating_sub(self.from) as usize).min(self.sound.len());
                Ok(&self.sound[place(stretch.start)..place(stretch.end)])
            };
            // What is heard of a slice cannot fail.
            let _ = self.found.look_for(*said, sound);
            self.looked_for += 1;
        }
        let needed = until.saturating_sub(2 * FAR).max(self.from);
        let old = ((needed - self.from) as usize).min(self.sound.len());
        self.sound.drain(..old);
        self.from += old as u64;
    }
}
