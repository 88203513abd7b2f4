//! Is there but one voice on a bus? Then its own packets are sent, in order and stamped anew, instead of what decoding and
//! encoding would make of them: one generation of coding less, no encode, and where nobody wants its sound no decode either.
//!
//! A voice counts while it speaks by its packets' own word and for half a second after; what a microphone picks up of a room in
//! between is no voice. Relayed packets leave when the mix of their sound would, so that a change is heard neither as a jump nor
//! as a gap: the packet of the mix that begins [`ENCODER_LOOKAHEAD`] after a voice's packet holds the same sound. What was lost
//! is a gap in what is sent, too: whoever hears it conceals it, with the copies that the next packet carries.

use super::{
    Bus, Lane,
    bus::Chain,
    coder::Way,
    event::{Playout, Source},
};
use crate::{
    codec::{Codec, EncoderConfig},
    jitter::{JitterBuffer, Slot},
    packet::opus,
    speaker::{SpeakerId, SpeakerSet},
    time::{SampleTime, Samples},
};

/// By how much an encoder's packets lie behind their sound (libopus at 48 kHz).
const ENCODER_LOOKAHEAD: Samples = Samples::new(312);
/// A packet of more than so many times the bus's bit rate is not relayed.
const GENEROUS: u64 = 2;
/// After so many relayed packets a bus does without its mix: the way back costs as much as encoding four.
const SETTLED: u32 = 10;
/// More than this is no loss but another beginning.
const MOST_LOST: u64 = 64;

/// Whose packets a bus sends in place of its mix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Relay {
    pub(super) speaker: SpeakerId,
    /// So many in a row.
    forwarded: u32,
    /// The number of the last of them.
    newest: u64,
}

impl Relay {
    pub(super) fn of(speaker: SpeakerId) -> Self {
        Self { speaker, forwarded: 0, newest: 0 }
    }

    pub(super) fn is_settled(&self) -> bool {
        self.forwarded >= SETTLED
    }

    fn has_begun(&self) -> bool {
        self.forwarded > 0
    }

    /// A packet went this way.
    pub(super) fn went(&mut self, way: &Way<'_>) {
        match way {
            Way::Forward(forward) => {
                self.forwarded = self.forwarded.saturating_add(1);
                self.newest = forward.number;
            }
            Way::Encode => self.forwarded = 0,
            Way::Rest => {}
        }
    }

    fn lost_before(&self, play: &Play) -> u16 {
        let lost = play.number.saturating_sub(self.newest + 1);
        if self.has_begun() && lost <= MOST_LOST { lost as u16 } else { 0 }
    }
}

/// A voice's packet that is sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Forward<'a> {
    pub(super) payload: &'a [u8],
    /// Among those of its sender that were played or lost.
    number: u64,
    /// So many were lost before it.
    pub(super) lost: u16,
}

/// The packets of one voice that were played last.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Plays {
    plays: [Option<Play>; 4],
    /// How many there were, and how many were lost.
    number: u64,
    /// The sequence number of the last that had its turn.
    last: Option<u64>,
}

#[derive(Clone, Copy, Debug)]
struct Play {
    slot: Slot,
    number: u64,
    /// Where the packet of a bus begins that holds its sound.
    begins: SampleTime,
    /// Nobody spoke before it, or nothing was there.
    after_pause: bool,
}

impl Plays {
    /// Notes what had its turn in a tick. What was dropped is no loss.
    pub(super) fn note(&mut self, playouts: &[Playout], jitter: &JitterBuffer) {
        for playout in playouts {
            match playout.source {
                Source::Primary | Source::Red => self.play(playout, jitter),
                Source::Skipped => self.last = Some(playout.sequence),
                Source::Fec | Source::Dred | Source::Unmixed => {}
            }
        }
    }

    fn play(&mut self, playout: &Playout, jitter: &JitterBuffer) {
        self.number += self.last.map_or(1, |last| playout.sequence.saturating_sub(last).max(1));
        self.last = Some(playout.sequence);
        let Some(slot) = jitter.slot(playout.sequence) else { return };
        let begins = playout.at + ENCODER_LOOKAHEAD;
        let goes_on = |before: &Play| {
            before.begins + before.slot.duration == begins
                && before.slot.speech.is_none_or(|speech| speech.voice)
        };
        let after_pause = !self.plays[0].as_ref().is_some_and(goes_on);
        self.plays.rotate_right(1);
        self.plays[0] = Some(Play { slot, number: self.number, begins, after_pause });
    }

    /// The first that begins at `begins` or behind.
    fn next(&self, begins: SampleTime) -> Option<&Play> {
        self.plays.iter().flatten().filter(|play| play.begins >= begins).min_by_key(|play| play.begins)
    }
}

impl Bus {
    /// The one who may be relayed, of those who speak: somebody who speaks alone, or who was relayed and pauses.
    pub(super) fn lone_voice(&self, relay: Option<Relay>, speaking: &SpeakerSet) -> Option<SpeakerId> {
        self.coding.filter(|coding| coding.relay && coding.codec != Codec::Pcm)?;
        let on_it = self.members.and(speaking);
        match on_it.len() {
            0 => relay.map(|relay| relay.speaker).filter(|speaker| self.members.contains(*speaker)),
            1 => on_it.iter().next(),
            _ => None,
        }
    }

    /// The way of the packet that the quantum at `at` belongs to, if only `lane` is heard on it.
    pub(super) fn way<'a>(&mut self, lane: &'a Lane, at: SampleTime) -> Way<'a> {
        let (Some(coding), Some(begins), Some(relay)) =
            (self.coding, self.chain.packet_begins(at), self.relay)
        else {
            return Way::Encode;
        };
        let next = lane.plays.next(begins).filter(|next| next.begins < begins + coding.packet);
        if let Some(play) = next.filter(|next| next.begins == begins || next.after_pause || relay.has_begun())
        {
            self.chain.jump(play.begins);
            let payload = lane.jitter.payload(&play.slot);
            let fits = fits(&coding, &play.slot, payload) && self.chain.limiter.is_idle();
            let forward = Forward { payload, number: play.number, lost: relay.lost_before(play) };
            return if fits { Way::Forward(forward) } else { Way::Encode };
        }
        if next.is_none() && relay.has_begun() && lane.is_in_a_gap() { Way::Rest } else { Way::Encode }
    }
}

impl Chain {
    fn packet_begins(&self, at: SampleTime) -> Option<SampleTime> {
        self.coder.as_ref().map(|coder| coder.begins_at(at))
    }

    fn jump(&mut self, begins: SampleTime) {
        if let Some(coder) = &mut self.coder {
            coder.jump(begins);
        }
    }
}

impl Lane {
    /// Is what comes next from it, if nothing does, a rest with a background that whoever hears its packets makes as well, or no
    /// longer than a loss can be heard?
    pub(super) fn is_in_a_gap(&self) -> bool {
        self.voice.hole.has_background() || !self.voice.passes_silence()
    }

    /// Is it in the mixes at `at` as it was sent?
    pub(super) fn is_untouched(&self, at: SampleTime) -> bool {
        self.heard && self.sends_opus && self.fader.is_unity(at)
    }
}

/// Can whoever expects what `coding` makes take this packet?
pub(super) fn fits(coding: &EncoderConfig, slot: &Slot, payload: &[u8]) -> bool {
    let Some(&toc) = payload.first() else { return false };
    let bits = payload.len() as u64 * 8 * u64::from(crate::time::RATE_HZ);
    slot.duration == coding.packet
        && !opus::Toc(toc).is_stereo()
        && bits <= GENEROUS * u64::from(coding.bitrate_bps) * coding.packet.count()
}
