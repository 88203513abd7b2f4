//! The stages of a tick: lanes are pulled, leaders chosen, their mixes summed, limited and encoded, packets stamped.

use super::{Engine, Event, Lane, Work, share};
use crate::{
    mix,
    speaker::{BusId, SpeakerId, SpeakerSet},
    time::SampleTime,
};

/// Who of the audible is left out of a mix.
enum Missing {
    Nobody,
    /// Only the so-manieth of them.
    One(usize),
    Several,
}

impl Engine {
    /// Every lane makes its frame; who is heard is noted.
    pub(super) fn pull_lanes(&mut self, at: SampleTime) {
        self.before = std::mem::take(&mut self.audible);
        self.work = Work::default();
        self.deep.turn();
        for lane in self.lanes.iter_mut().flatten() {
            if lane.pull(at, &mut self.deep, &mut self.log) {
                self.audible.insert(lane.speaker);
            }
            self.work.lanes += 1;
            self.work.decodes += lane.take_decodes();
            if std::mem::take(&mut lane.restarted) {
                self.log.event(Event::Restarted { speaker: lane.speaker, epoch: lane.epoch });
            }
        }
    }

    /// Buses that hear the same get one leader.
    pub(super) fn assign_leaders(&mut self, at: SampleTime) {
        let moment = share::Moment { at, audible: &self.audible, before: &self.before };
        share::assign(&mut self.buses, moment, &mut self.leaders);
    }

    /// Each leader gets the sum of those it hears.
    pub(super) fn sum_leaders(&mut self) {
        let Self { lanes, buses, audible, leaders, sums, .. } = self;
        let heard_by =
            |id: &BusId| share::bus_at(buses, *id).map_or(*audible, |bus| bus.members.and(audible));
        if leaders.iter().any(|id| matches!(missing(&heard_by(id), audible), Missing::One(_))) {
            sums.load(frames_of(lanes, audible));
        } else {
            sums.sum(frames_of(lanes, audible));
        }
        for id in leaders.iter() {
            let Some(Some(bus)) = buses.get_mut(id.index()) else { continue };
            let heard = bus.members.and(audible);
            match missing(&heard, audible) {
                Missing::Nobody => bus.chain.mix.copy_from_slice(sums.total()),
                Missing::One(place) => sums.without(place, &mut bus.chain.mix),
                Missing::Several => {
                    bus.chain.mix.fill(0.0);
                    frames_of(lanes, &heard).for_each(|frame| mix::add(&mut bus.chain.mix, frame));
                }
            }
        }
    }

    /// Each leader's mix is limited and, when a packet is full, encoded.
    pub(super) fn run_leaders(&mut self, at: SampleTime) {
        for id in &self.leaders {
            let Some(Some(bus)) = self.buses.get_mut(id.index()) else { continue };
            self.work.encodes += u32::from(bus.chain.run(at));
        }
    }

    /// Every bus whose maker has completed a packet sends it in its own stream.
    pub(super) fn stamp_packets(&mut self) {
        for place in 0..self.buses.len() {
            let Some(mut bus) = self.buses[place].take() else { continue };
            let complete =
                bus.coding.is_some() && !share::maker(&self.buses, &bus).chain.payload().is_empty();
            bus.stamp(complete.then_some(self.now));
            self.buses[place] = Some(bus);
        }
    }
}

/// The frames of those in `set`, lowest place first.
fn frames_of<'a>(
    lanes: &'a [Option<Box<Lane>>],
    set: &'a SpeakerSet,
) -> impl DoubleEndedIterator<Item = &'a [f32]> + Clone {
    lanes.iter().flatten().filter(|lane| set.contains(lane.speaker)).map(|lane| lane.frame())
}

fn missing(heard: &SpeakerSet, audible: &SpeakerSet) -> Missing {
    match audible.len() - heard.len() {
        0 => Missing::Nobody,
        1 => {
            Missing::One(audible.iter().position(|speaker: SpeakerId| !heard.contains(speaker)).unwrap_or(0))
        }
        _ => Missing::Several,
    }
}
