//! What is said, for whoever writes it down: the packets that a recorder without a disk kept, decoded where they are read.
//! Only voices that agreed to that are told ([`Transcribable`](crate::consent::Transcribable)), each by itself, behind the
//! gates of a recording. A reader that does not keep up loses what is new, counted.

use crate::{
    codec::{Codec, Decoder, MAX_PACKET_SAMPLES},
    frame::Channels,
    record::TrackPacket,
    time::{SampleTime, Samples},
};
use crossbeam::channel::{self, Receiver, Sender};
use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

/// So many packets may wait for the reader: 80 s of a voice, 1.3 MB at most.
const WAITING: usize = 4_096;

/// What a decoder gives out late: its encoder's look-ahead.
const LOOKAHEAD: Samples = Samples::new(312);

/// The writing end, on the recorder's thread.
#[derive(Debug)]
pub(super) struct Pen {
    packets: Sender<(String, TrackPacket)>,
    lost: Arc<AtomicU64>,
}

impl Pen {
    pub(super) fn write(&self, speaker: &str, packet: TrackPacket) {
        if self.packets.try_send((speaker.to_owned(), packet)).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// The reading end: what is said, voice by voice.
pub struct Transcript {
    packets: Receiver<(String, TrackPacket)>,
    lost: Arc<AtomicU64>,
    voices: BTreeMap<String, Voice>,
    pcm: Vec<f32>,
}

/// One voice's decoder.
struct Voice {
    decoder: Decoder,
    /// Where its last packet ended.
    end: i64,
}

/// A stretch of one voice.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Heard<'a> {
    /// Whose.
    pub speaker: &'a str,
    /// The room sample of the first of `pcm`.
    pub at: SampleTime,
    /// One channel at 48 kHz.
    pub pcm: &'a [f32],
}

impl Transcript {
    /// The next stretch of a voice, if there is one; those of one voice come in order. What was not kept is left out: the
    /// next stretch begins later.
    ///
    /// # Real-time
    /// Never: it decodes and allocates.
    pub fn read(&mut self) -> Option<Heard<'_>> {
        loop {
            let (speaker, packet) = self.packets.try_recv().ok()?;
            if let Some(samples) = self.decode(&speaker, &packet) {
                let (at, late) = (packet.at.max(0).unsigned_abs(), LOOKAHEAD.count());
                // Nothing was said before the room was there.
                let (_, pcm) = self.pcm[..samples].split_at(late.saturating_sub(at) as usize);
                let (speaker, _) = self.voices.get_key_value(&speaker)?;
                return Some(Heard { speaker, at: SampleTime::from_samples(at.saturating_sub(late)), pcm });
            }
        }
    }

    /// How many packets found no place, as they were not read in time.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// Has it ended? What is left can still be read.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        Arc::strong_count(&self.lost) == 1
    }

    /// Decodes a packet into `pcm`. Behind a gap by a decoder that has heard nothing, so that nothing sounds across it.
    fn decode(&mut self, speaker: &str, packet: &TrackPacket) -> Option<usize> {
        let goes_on = self.voices.get(speaker).is_some_and(|voice| voice.end == packet.at);
        if !goes_on {
            let decoder = Decoder::new(Codec::Opus, Channels::Mono).ok()?;
            self.voices.insert(speaker.to_owned(), Voice { decoder, end: 0 });
        }
        let voice = self.voices.get_mut(speaker)?;
        voice.end = packet.end();
        voice.decoder.decode(&packet.payload, &mut self.pcm).ok()
    }
}

impl fmt::Debug for Transcript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let voices = self.voices.keys();
        f.debug_struct("Transcript").field("voices", &voices).field("lost", &self.lost()).finish()
    }
}

/// Both ends.
pub(super) fn transcript() -> (Pen, Transcript) {
    let (tx, rx) = channel::bounded(WAITING);
    let lost = Arc::new(AtomicU64::new(0));
    let pen = Pen { packets: tx, lost: lost.clone() };
    (pen, Transcript { packets: rx, lost, voices: BTreeMap::new(), pcm: vec![0.0; MAX_PACKET_SAMPLES] })
}
