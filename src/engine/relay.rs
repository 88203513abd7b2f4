//! Is there but one voice on a bus? Then its own packets are sent, in order and stamped anew, instead of what decoding and
//! encoding would make of them: one generation of coding less, no encode, and where nobody wants its sound no decode either.
//!
//! A voice counts while it speaks by its packets' own word and for half a second after; what a microphone picks up of a room in
//! between is no voice. Relayed packets leave when the mix of their sound would, so that a change is heard neither as a jump nor
//! as a gap: the packet of the mix that begins the encoder's look-ahead after a voice's packet holds the same sound. What was lost
//! is a gap in what is sent, too: whoever hears it conceals it, with the copies that the next packet carries.

use super::{
    Bus, Lane,
    bus::Chain,
    forward::{Relay, Way},
};
use crate::{
    codec::{Codec, EncoderConfig},
    jitter::Slot,
    packet::opus,
    speaker::{SpeakerId, SpeakerSet},
    time::SampleTime,
};

/// A packet of more than so many times the bus's bit rate is not relayed.
const GENEROUS: u64 = 2;

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
        match next {
            Some(next) if next.begins == begins => {}
            Some(next) if next.after_pause || relay.has_begun() => self.jump(next.begins),
            None if relay.has_begun() && lane.is_in_a_gap() => return Way::Rest,
            _ => return Way::Encode,
        }
        let Some((play, relay)) = next.zip(self.relay.filter(Relay::is_led_in)) else { return Way::Encode };
        let payload = lane.jitter.payload(&play.slot);
        let fits = fits(&coding, &play.slot, payload) && self.chain.limiter.is_idle();
        if fits { Way::Forward(relay.forward(play, payload)) } else { Way::Encode }
    }

    /// Its packets begin elsewhere from now on.
    fn jump(&mut self, begins: SampleTime) {
        if let Some(relay) = self.relay.as_mut().filter(|relay| !relay.has_begun()) {
            relay.begins_anew();
        }
        if let Some(coder) = &mut self.chain.coder {
            coder.jump(begins);
        }
    }
}

impl Chain {
    fn packet_begins(&self, at: SampleTime) -> Option<SampleTime> {
        self.coder.as_ref().map(|coder| coder.begins_at(at))
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
