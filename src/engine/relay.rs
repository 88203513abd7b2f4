//! Is there but one voice on a bus? Then its own packets are sent, in order and stamped anew, instead of what decoding and
//! encoding would make of them: one generation of coding less, and no encode.
//!
//! A voice counts while it speaks by its packets' own word and for half a second after; what a microphone picks up of a room in
//! between is no voice. Relayed packets leave when the mix of their sound would, so that a change is heard neither as a jump nor
//! as a gap: the packet of the mix that begins [`ENCODER_LOOKAHEAD`] after a voice's packet holds the same sound.

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

/// The packets of one voice that were played last.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Plays([Option<Play>; 4]);

#[derive(Clone, Copy, Debug)]
struct Play {
    slot: Slot,
    /// Where the packet of a bus begins that holds its sound.
    begins: SampleTime,
    /// Nobody spoke before it, or nothing was there.
    after_pause: bool,
}

impl Plays {
    /// Notes what was played in a tick.
    pub(super) fn note(&mut self, playouts: &[Playout], jitter: &JitterBuffer) {
        for playout in playouts.iter().filter(|playout| playout.source == Source::Primary) {
            let Some(slot) = jitter.slot(playout.sequence) else { continue };
            let begins = playout.at + ENCODER_LOOKAHEAD;
            let goes_on = |before: &Play| {
                before.begins + before.slot.duration == begins
                    && before.slot.speech.is_none_or(|speech| speech.voice)
            };
            let after_pause = !self.0[0].as_ref().is_some_and(goes_on);
            self.0.rotate_right(1);
            self.0[0] = Some(Play { slot, begins, after_pause });
        }
    }

    fn iter(&self) -> impl Iterator<Item = &Play> {
        self.0.iter().flatten()
    }
}

impl Bus {
    /// The one who may be relayed, of those who speak: somebody who speaks alone, or who was relayed and pauses.
    pub(super) fn lone_voice(&self, speaking: &SpeakerSet) -> Option<SpeakerId> {
        self.coding.filter(|coding| coding.relay && coding.codec != Codec::Pcm)?;
        let on_it = self.members.and(speaking);
        match on_it.len() {
            0 => self.relayed.filter(|speaker| self.members.contains(*speaker)),
            1 => on_it.iter().next(),
            _ => None,
        }
    }

    /// The way of the packet that the quantum at `at` belongs to, if only `lane` is heard on it.
    pub(super) fn way<'a>(&mut self, lane: &'a Lane, at: SampleTime) -> Way<'a> {
        let (Some(coding), Some(begins)) = (self.coding, self.chain.packet_begins(at)) else {
            return Way::Encode;
        };
        if let Some(play) = lane.plays.iter().find(|play| play.begins == begins) {
            let payload = lane.jitter.payload(&play.slot);
            let fits = fits(&coding, &play.slot, payload) && self.chain.limiter.is_idle();
            return if fits { Way::Forward(payload) } else { Way::Encode };
        }
        let end = begins + coding.packet;
        let next = lane
            .plays
            .iter()
            .map(|play| (play.begins, play.after_pause))
            .filter(|play| play.0 > begins)
            .min();
        match next {
            Some((begins, true)) if begins < end => self.chain.jump(begins),
            Some((begins, _)) if begins < end => return Way::Encode,
            _ => {}
        }
        if lane.voice.hole.resting { Way::Rest } else { Way::Encode }
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
    /// Is it in the mixes at `at` as it was sent?
    pub(super) fn is_untouched(&self, at: SampleTime) -> bool {
        self.heard && self.sends_opus && self.fader.is_unity(at)
    }
}

/// Can whoever expects what `coding` makes take this packet?
fn fits(coding: &EncoderConfig, slot: &Slot, payload: &[u8]) -> bool {
    let Some(&toc) = payload.first() else { return false };
    let bits = payload.len() as u64 * 8 * u64::from(crate::time::RATE_HZ);
    slot.duration == coding.packet
        && !opus::Toc(toc).is_stereo()
        && bits <= GENEROUS * u64::from(coding.bitrate_bps) * coding.packet.count()
}
