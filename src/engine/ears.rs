//! Whose packets are decoded, and whose pass as they are: nothing is decoded that no mix wants.
//!
//! A bus that sends a lone voice's own packets wants nothing of it but those, and nothing of the background behind it. It is spared
//! once it has sent them for a while, as the way back costs a moment's work.

use super::{Bus, Engine, Lane, forward::Relay, relay::fits, share};
use crate::{
    codec::EncoderConfig,
    speaker::{SpeakerId, SpeakerSet},
    time::SampleTime,
};

/// Who hears a lane.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Ears {
    /// Mixes: it is decoded.
    #[default]
    Mixes,
    /// Those who are sent its own packets.
    Relay,
    /// Nobody.
    Nobody,
}

/// Whose lanes have which ears in a tick; nobody hears the others.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hearing {
    mixed: SpeakerSet,
    relayed: SpeakerSet,
}

/// So many of those who do not speak are decoded again in one tick, once a relay ends: each has packets to be warmed up with.
const BACKGROUNDS_A_TICK: usize = 2;

impl Hearing {
    pub(super) const NOTHING: Self = Self { mixed: SpeakerSet::NOBODY, relayed: SpeakerSet::NOBODY };

    pub(super) fn of(&self, speaker: SpeakerId) -> Ears {
        match (self.mixed.contains(speaker), self.relayed.contains(speaker)) {
            (true, _) => Ears::Mixes,
            (false, true) => Ears::Relay,
            (false, false) => Ears::Nobody,
        }
    }
}

impl Engine {
    /// Of those with a place in the mixes at `at`, who is decoded and who is relayed as it is.
    pub(super) fn choose_ears(&mut self, at: SampleTime) -> Hearing {
        let Some(spared) = self.spared_buses(at) else {
            return Hearing { mixed: self.heard, relayed: SpeakerSet::NOBODY };
        };
        let mut mixed = SpeakerSet::NOBODY;
        for bus in self.buses.iter_mut().flatten().filter(|bus| !bus.spared) {
            mixed = mixed.or(&bus.members);
        }
        let mixed = self.one_after_the_other(mixed.and(&self.heard));
        Hearing { mixed, relayed: spared }
    }

    /// Notes which buses need no mix at `at`; whose packets those send. Nobody's as a rule, and then there is nothing to note.
    fn spared_buses(&mut self, at: SampleTime) -> Option<SpeakerSet> {
        let settled = |bus: &Bus| bus.relay.is_some_and(|relay| relay.is_settled());
        let any = self.buses.iter().flatten().any(|bus| settled(bus));
        let mut spared = SpeakerSet::NOBODY;
        for place in 0..self.buses.len() {
            let Some(mut bus) = self.buses[place].take() else { continue };
            let relay = share::maker(&self.buses, &bus).relay.filter(|_| any);
            let lone = relay.filter(|relay| self.spares(&bus, *relay, at));
            bus.spared = lone.is_some();
            lone.into_iter().for_each(|relay| spared.insert(relay.speaker));
            self.buses[place] = Some(bus);
        }
        any.then_some(spared)
    }

    /// Are the packets of the one who is relayed all that is wanted of those on this bus?
    fn spares(&self, bus: &Bus, relay: Relay, at: SampleTime) -> bool {
        let lane = |speaker: SpeakerId| self.lanes.get(speaker.index()).and_then(Option::as_deref);
        let (Some(coding), Some(lone)) = (bus.coding, lane(relay.speaker)) else { return false };
        let tells = |other: SpeakerId| lane(other).is_some_and(|lane| !lane.attention.is_untold());
        relay.is_settled()
            && bus.lone_voice(Some(relay), &self.speaking) == Some(relay.speaker)
            && lone.is_untouched(at)
            && lone.goes_on_fitting(&coding)
            && bus.members.and(&self.heard).iter().all(|other| other == relay.speaker || tells(other))
    }

    /// `mixed`, but for some of those who were not decoded and do not speak: their turn comes in the ticks to come.
    fn one_after_the_other(&self, mixed: SpeakerSet) -> SpeakerSet {
        let waits = |speaker: &SpeakerId| {
            let lane = self.lanes.get(speaker.index()).and_then(Option::as_deref);
            lane.is_some_and(|lane| lane.ears == Ears::Nobody && lane.heard)
                && !self.speaking.contains(*speaker)
        };
        let mut now = mixed;
        mixed.iter().filter(waits).skip(BACKGROUNDS_A_TICK).for_each(|speaker| now.remove(speaker));
        now
    }
}

impl Lane {
    /// Can what comes next from it be sent as it is: a packet of the right kind, or a gap that is no longer than it can be heard?
    fn goes_on_fitting(&self, coding: &EncoderConfig) -> bool {
        let fits = |slot| fits(coding, &slot, self.jitter.payload(&slot));
        self.is_in_a_gap() && self.jitter.upcoming().is_none_or(fits)
    }
}
