//! One voice's sound in one stretch of the room: its packets decoded, and what was lost taken from later ones.

use super::RenderError;
use crate::{
    codec::{CONCEAL_WHOLE, Codec, Decoder, DeepScratch, MAX_PACKET_SAMPLES},
    frame::Channels,
    record::{Cause, LOOKAHEAD, Origin, TrackPacket, TrackReader},
    time::Samples,
};
use std::ops::Range;

/// What a decoder is fed before what counts: 1 s.
const WARM_UP: u64 = 48_000;

/// No redundancy reaches further back: 1040 ms of DRED (`DRED_MAX_LATENTS`), and some.
const LONGEST_REACH: i64 = 52_800;

/// The samples of `range`, interleaved as the track's; none if the voice says nothing in it.
pub(super) fn decode(track: &mut TrackReader, range: Range<u64>) -> Result<Option<Vec<f32>>, RenderError> {
    let packets = packets_for(track, &range)?;
    if !packets.iter().any(|packet| packet.origin == Origin::Speaker) {
        return Ok(None);
    }
    let first = packets.first().map_or(0, |packet| packet.at);
    let mut decoding = Decoding::new(track.channels(), first)?;
    packets.into_iter().for_each(|packet| decoding.take(packet));
    Ok(decoding.cut(range))
}

/// What is decoded for `range`: a second before it, and whatever may mend a hole at its end.
fn packets_for(track: &mut TrackReader, range: &Range<u64>) -> Result<Vec<TrackPacket>, RenderError> {
    let from = (range.start + LOOKAHEAD).saturating_sub(WARM_UP);
    let end = (range.end + LOOKAHEAD) as i64;
    let mut packets = Vec::new();
    for packet in track.packets(from..u64::MAX) {
        let packet = packet?;
        let in_a_hole = packets.last().is_some_and(is_lost);
        if packet.at >= end && (!in_a_hole || packet.at >= end + LONGEST_REACH) {
            break;
        }
        packets.push(packet);
    }
    Ok(packets)
}

/// Was there something that a later packet may tell? Nothing is ever taken across a shut gate.
fn is_lost(packet: &TrackPacket) -> bool {
    matches!(packet.origin, Origin::Gap(Cause::Loss | Cause::Late))
}

struct Decoding {
    decoder: Decoder,
    scratch: DeepScratch,
    width: usize,
    /// The room sample that `sound` begins with, as the encoder took it in.
    first: i64,
    sound: Vec<f32>,
    block: Vec<f32>,
    /// The fill of a loss that may still be mended.
    hole: Vec<TrackPacket>,
}

impl Decoding {
    fn new(channels: Channels, first: i64) -> Result<Self, RenderError> {
        let width = channels.count();
        Ok(Self {
            decoder: Decoder::new(Codec::Opus, channels)?,
            scratch: DeepScratch::new()?,
            width,
            first,
            sound: Vec::new(),
            block: vec![0.0; MAX_PACKET_SAMPLES * width],
            hole: Vec::new(),
        })
    }

    fn take(&mut self, packet: TrackPacket) {
        if self.hole.is_empty() {
            self.stand_at(packet.at);
        }
        if is_lost(&packet) {
            return self.hole.push(packet);
        }
        let hole = std::mem::take(&mut self.hole);
        let lost = hole.iter().map(|fill| fill.samples).sum();
        let known = if packet.origin == Origin::Speaker { self.known_before(&packet, lost) } else { 0 };
        self.fill(&hole, lost - known);
        self.recover(&packet, known);
        self.play(&packet);
    }

    /// Where a silent part of a track follows on another there may be less or more silence than there is time.
    fn stand_at(&mut self, at: i64) {
        let samples = at.saturating_sub(self.first).max(0) as usize;
        self.sound.resize(samples * self.width, 0.0);
    }

    /// How much of the `lost` samples before `next` it tells.
    fn known_before(&mut self, next: &TrackPacket, lost: u64) -> u64 {
        let reach = self.decoder.deep_reach(&next.payload, &mut self.scratch).back.count();
        let whole = CONCEAL_WHOLE as u64;
        let deep = reach.min(lost) / whole * whole;
        let spare =
            if self.decoder.has_fec(&next.payload) && next.samples <= lost { next.samples } else { 0 };
        deep.max(spare)
    }

    /// The first `samples` of a hole as any player fills it.
    fn fill(&mut self, hole: &[TrackPacket], samples: u64) {
        let end = self.sound.len() + samples as usize * self.width;
        for packet in hole {
            if self.sound.len() < end {
                self.play(packet);
            }
        }
        self.sound.truncate(end);
    }

    /// The `known` samples before `next`: the last packet of them from its spare copy, others from its deep redundancy.
    fn recover(&mut self, next: &TrackPacket, known: u64) {
        let spare = if self.decoder.has_fec(&next.payload) { next.samples } else { 0 };
        let mut back = known;
        while back > 0 {
            let from_spare = back == spare;
            let step = if from_spare { back } else { (back.saturating_sub(spare)).clamp(1, 960) };
            let out = &mut self.block[..step as usize * self.width];
            let recovered = match from_spare {
                true => self.decoder.recover(&next.payload, out),
                false => self.decoder.recover_deep(&next.payload, Samples::new(back), out, &mut self.scratch),
            };
            if recovered.is_err() {
                self.decoder.conceal(out);
            }
            self.sound.extend_from_slice(&self.block[..step as usize * self.width]);
            back -= step;
        }
    }

    /// A packet as any player plays it; silence of its length if it cannot be decoded.
    fn play(&mut self, packet: &TrackPacket) {
        let length = packet.samples as usize * self.width;
        if self.decoder.decode(&packet.payload, &mut self.block).is_err() {
            self.block.fill(0.0);
        }
        self.sound.extend_from_slice(&self.block[..length.min(self.block.len())]);
    }

    /// The part that is heard in `range`: a decoder gives a packet out its look-ahead later, players skip that.
    fn cut(&self, range: Range<u64>) -> Option<Vec<f32>> {
        let mut cut = vec![0.0; (range.end - range.start) as usize * self.width];
        let before = range.start as i64 + LOOKAHEAD as i64 - self.first;
        let (skipped, late) = (before.max(0) as usize * self.width, (-before).max(0) as usize * self.width);
        let from = self.sound.get(skipped..).unwrap_or_default();
        let to = cut.get_mut(late..).unwrap_or_default();
        to.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
        cut.iter().any(|sample| *sample != 0.0).then_some(cut)
    }
}
