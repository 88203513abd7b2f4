//! Quanta of one mix gathered into packets: encoded, or a lone voice's own packet sent in place of its sound.
//!
//! Packets lie on a lattice of their own on the room clock. It is moved only while nobody speaks, to where the packets of the
//! one who will be relayed lie.

use super::{
    config::{BuildError, RoomConfig},
    forward::{Forward, Way},
};
use crate::{
    codec::{Encoder, EncoderConfig, MAX_PAYLOAD_BYTES},
    time::{SampleTime, Samples},
};

/// So many packets are encoded unsent before an encoder takes over from relayed ones; after that its receiver's decoder, which
/// heard another encoder's packets, hears no seam.
const WARM_UP: usize = 3;
/// So many packets of silence are encoded; from then on the last of them is sent again and again: 200 ms, and as long as
/// deep redundancy tells of what was before.
const SILENT_PACKETS: u32 = 10;

/// A packet that is ready to be sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Completed<'a> {
    pub(super) begins: SampleTime,
    /// So many were lost before it.
    pub(super) lost: u16,
    pub(super) payload: &'a [u8],
}

#[derive(Debug)]
pub(super) struct Coder {
    encoder: Encoder,
    packet: Samples,
    lattice: Samples,
    silent_packets: u32,
    /// Where the packet that is being gathered begins.
    begins: Option<SampleTime>,
    /// The sound of the packets before it, as far as an encoder needs that, and what is gathered.
    sound: Box<[f32]>,
    /// Samples of one packet, all channels counted.
    samples: usize,
    /// What is gathered is to be shorter than other packets.
    short: Option<Samples>,
    /// So many packets in a row were encoded, as long as others.
    encoded: u32,
    /// It passes packets on without hearing their sound.
    asleep: bool,
    /// Was something else sent than what the encoder made?
    relayed: bool,
    /// Packets of silence in a row.
    silent: u32,
    payload: Box<[u8]>,
    /// How long the last packet is that was made here.
    made: usize,
    /// The packet completed in this tick: where it begins, how many were lost before it, and how long it is.
    completed: Option<(SampleTime, u16, usize)>,
}

impl Coder {
    pub(super) fn new(coding: &EncoderConfig, room: &RoomConfig) -> Result<Self, BuildError> {
        let (packet, quantum) = (coding.packet, room.quantum.samples());
        if !packet.count().is_multiple_of(quantum.count()) {
            return Err(BuildError::Packet { packet, quantum });
        }
        let remembered = coding.deep_redundancy.count() / packet.count().max(1);
        let samples = packet.len() * room.channels.count();
        Ok(Self {
            encoder: Encoder::new(coding, room.channels)?,
            packet,
            lattice: Samples::new(coding.lattice.count() % packet.count().max(1)),
            silent_packets: SILENT_PACKETS + remembered as u32,
            begins: None,
            sound: vec![0.0; if coding.relay { (WARM_UP + 1) * samples } else { samples }].into_boxed_slice(),
            samples,
            short: None,
            encoded: 0,
            asleep: false,
            relayed: false,
            silent: 0,
            payload: vec![0; MAX_PAYLOAD_BYTES].into_boxed_slice(),
            made: 0,
            completed: None,
        })
    }

    /// Takes the quantum at `at`, and goes the `way` of the packet that it completes, if it does; how often the encoder was at
    /// work.
    pub(super) fn gather(&mut self, at: SampleTime, mix: &[f32], way: Way<'_>) -> u32 {
        (self.completed, self.asleep) = (None, false);
        let (begins, width) = (self.begins_at(at), self.width());
        let samples = self.length().len() * width;
        if self.begins != Some(begins) {
            self.gathered().fill(0.0);
        }
        let early = (begins.since(at).len() * width).min(mix.len());
        self.begins = Some(begins);
        let from = at.since(begins).len() * width;
        let until = (from + mix.len() - early).min(samples);
        let (before, mix) = mix.split_at(early);
        self.hear_before(before);
        let (mix, next) = mix.split_at(until - from);
        self.gathered()[from..until].copy_from_slice(mix);
        if until < samples {
            return 0;
        }
        let encodes = self.complete(begins, way);
        self.sound.copy_within(samples.., 0);
        self.gathered()[..next.len()].copy_from_slice(next);
        encodes
    }

    /// Lets the `quantum` at `at` pass without its sound.
    pub(super) fn pass(&mut self, at: SampleTime, quantum: Samples, way: Way<'_>) {
        (self.completed, self.short) = (None, None);
        if !std::mem::replace(&mut self.asleep, true) {
            self.sound.fill(0.0);
        }
        let begins = self.begins_at(at);
        self.begins = Some(begins);
        if at + quantum >= begins + self.packet {
            self.complete(begins, if matches!(way, Way::Encode) { Way::Rest } else { way });
        }
    }

    /// Does it pass packets on without hearing their sound?
    pub(super) fn is_asleep(&self) -> bool {
        self.asleep
    }

    /// The sound just before `at` is heard after all, a part at a time; to be ended by [`Coder::wake`].
    pub(super) fn remember(&mut self, mix: &[f32]) {
        let mix = &mix[mix.len().saturating_sub(self.sound.len())..];
        self.sound.copy_within(mix.len().., 0);
        let end = self.sound.len() - mix.len();
        self.sound[end..].copy_from_slice(mix);
    }

    /// What was remembered ends at `at`.
    pub(super) fn wake(&mut self, at: SampleTime) {
        let gathered = (at.since(self.begins_at(at)).len() * self.width()).min(self.samples);
        self.sound.copy_within(self.samples - gathered.., 0);
        self.asleep = false;
    }

    /// Where the packet begins that the quantum at `at` belongs to, or the next one that waits for its first sample.
    pub(super) fn begins_at(&self, at: SampleTime) -> SampleTime {
        let begins = self.begins.unwrap_or(SampleTime::ZERO + self.lattice);
        let passed = Samples::new(at.since(begins).count() % self.packet.count());
        at.before(passed).max(begins)
    }

    /// From the quantum at `at` on, the next packet begins at `begins`. What would lie between is not sent, but it is heard: the encoder
    /// is warmed up with it, as what it looks ahead to belongs to that packet.
    pub(super) fn jump(&mut self, at: SampleTime, begins: SampleTime) {
        let gathered = (at.since(self.begins_at(at)).len() * self.width()).min(self.samples);
        self.sound.copy_within(gathered.., 0);
        (self.begins, self.short) = (Some(begins), None);
        self.relayed = true;
    }

    /// The packet that has just begun becomes so long.
    pub(super) fn shorten(&mut self, to: Samples) {
        self.short = Some(to);
    }

    pub(super) fn is_halved(&self) -> bool {
        self.short.is_some()
    }

    /// How long its packets are.
    pub(super) fn packet(&self) -> Samples {
        self.packet
    }

    /// How many packets in a row were encoded.
    pub(super) fn encoded(&self) -> u32 {
        self.encoded
    }

    /// Is it encoded, and not silent?
    pub(super) fn is_at_work(&self) -> bool {
        !(self.asleep || self.relayed || self.is_silent())
    }

    /// How long the packet is that is being gathered.
    fn length(&self) -> Samples {
        self.short.unwrap_or(self.packet)
    }

    /// What comes before the next packet belongs to the past.
    fn hear_before(&mut self, mix: &[f32]) {
        let end = self.sound.len() - self.samples;
        let mix = &mix[mix.len().saturating_sub(end)..];
        self.sound.copy_within(mix.len()..end, 0);
        self.sound[end - mix.len()..end].copy_from_slice(mix);
    }

    fn complete(&mut self, begins: SampleTime, way: Way<'_>) -> u32 {
        let (bytes, lost, encodes) = match way {
            Way::Forward(Forward { payload, lost, .. }) => {
                let bytes = payload.len().min(self.payload.len());
                self.payload[..bytes].copy_from_slice(&payload[..bytes]);
                self.silent = 0;
                (bytes, lost, 0)
            }
            Way::Rest => (0, 0, 0),
            Way::Encode => {
                let (bytes, encodes) = self.encode();
                (bytes, 0, encodes)
            }
        };
        self.relayed = !matches!(way, Way::Encode);
        self.begins = Some(begins + self.length());
        self.encoded =
            if self.is_at_work() && self.short.is_none() { self.encoded.saturating_add(1) } else { 0 };
        self.short = None;
        self.completed = (bytes > 0).then_some((begins, lost, bytes));
        encodes
    }

    /// How long the packet is, and how often the encoder was at work for it.
    fn encode(&mut self) -> (usize, u32) {
        let length = self.length().len() * self.width();
        let (past, gathered) = self.sound.split_at(self.sound.len() - self.samples);
        let gathered = &gathered[..length];
        let silent = gathered.iter().all(|sample| *sample == 0.0);
        self.silent = if silent { self.silent.saturating_add(1) } else { 0 };
        if self.silent > self.silent_packets && !self.relayed {
            return (self.made, 0);
        }
        let mut encodes = 1;
        if self.relayed {
            for frame in past.chunks_exact(self.samples) {
                encodes += u32::from(self.encoder.encode(frame, &mut self.payload).is_ok());
            }
        }
        self.made = self.encoder.encode(gathered, &mut self.payload).unwrap_or(0);
        (self.made, encodes)
    }

    /// Goes on where `other` stands. Both were set up alike.
    pub(super) fn copy_from(&mut self, other: &Self) {
        self.encoder.copy_from(&other.encoder);
        self.sound.copy_from_slice(&other.sound);
        self.payload[..other.made].copy_from_slice(&other.payload[..other.made]);
        (self.begins, self.relayed, self.silent, self.made) =
            (other.begins, other.relayed, other.silent, other.made);
        (self.asleep, self.short, self.encoded) = (other.asleep, other.short, 0);
    }

    /// What is gathered is lost, and nothing is sent.
    pub(super) fn hush(&mut self) {
        self.gathered().fill(0.0);
        (self.completed, self.short) = (None, None);
    }

    pub(super) fn set_complexity(&mut self, complexity: u8) {
        self.encoder.set_complexity(complexity);
    }

    /// Will the quantum at `at` complete a packet?
    pub(super) fn is_completed_by(&self, at: SampleTime, quantum: Samples) -> bool {
        at + quantum >= self.begins_at(at) + self.length()
    }

    /// Is nothing on it for now?
    pub(super) fn is_silent(&self) -> bool {
        self.silent > 0
    }

    /// The packet completed in this tick.
    pub(super) fn completed(&self) -> Option<Completed<'_>> {
        self.completed.map(|(begins, lost, bytes)| Completed {
            begins,
            lost,
            payload: &self.payload[..bytes],
        })
    }

    fn gathered(&mut self) -> &mut [f32] {
        let from = self.sound.len() - self.samples;
        &mut self.sound[from..]
    }

    fn width(&self) -> usize {
        self.samples / self.packet.len()
    }
}
