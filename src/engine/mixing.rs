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
    /// Of those with anything in their lanes, who is heard in the tick at `at`.
    pub(super) fn choose_heard(&mut self, at: SampleTime) {
        for speaker in self.awake.iter() {
            if let Some(lane) = lane_mut(&mut self.lanes, speaker) {
                lane.attention.note(&lane.jitter, at);
            }
        }
        let places = self.shed.max_mixed(self.max_mixed).map_or(usize::MAX, usize::from);
        self.heard = self.awake;
        if self.awake.len() > places {
            let lanes = self.awake.iter().filter_map(|speaker| self.lanes[speaker.index()].as_deref());
            self.heard = self.selection.choose(places, lanes.map(|lane| (lane.speaker, lane.weight(at))));
            self.probe_one();
        }
    }

    /// Where packets do not tell who speaks, those who are not heard are listened to, one a tick in turn.
    fn probe_one(&mut self) {
        let untold = |speaker: &SpeakerId| {
            let lane = self.lanes[speaker.index()].as_deref();
            !self.heard.contains(*speaker) && lane.is_some_and(|lane| lane.attention.is_untold())
        };
        let next = self.awake.iter().filter(untold).find(|speaker| *speaker > self.probed);
        let Some(speaker) = next.or_else(|| self.awake.iter().find(untold)) else { return };
        self.probed = speaker;
        if let Some(lane) = lane_mut(&mut self.lanes, speaker).filter(|lane| !lane.heard) {
            lane.probe();
        }
    }

    /// Every lane that is awake makes its frame or lets it pass; who is audible is noted.
    pub(super) fn pull_lanes(&mut self, at: SampleTime) {
        self.before = std::mem::take(&mut self.audible);
        self.work = Work { lanes: self.awake.len() as u32, ..Work::default() };
        self.deep.turn();
        let end = at + self.quantum;
        let awake = self.awake;
        for speaker in awake.iter() {
            let Some(lane) = lane_mut(&mut self.lanes, speaker) else { continue };
            if lane.pull(at, self.heard.contains(speaker), &mut self.deep, &mut self.log) {
                self.audible.insert(speaker);
            }
            self.work.decodes += lane.take_decodes();
            if std::mem::take(&mut lane.restarted) {
                self.log.event(Event::Restarted { speaker, epoch: lane.epoch });
            }
            if lane.falls_asleep(end) {
                self.awake.remove(speaker);
            }
        }
        self.voices.clear();
        self.voices.extend(self.audible.iter());
    }

    /// Buses that hear the same get one leader. Nothing changes while the same are heard, unless one waits to join.
    pub(super) fn assign_leaders(&mut self, at: SampleTime) {
        if self.regroup || self.audible != self.before {
            let moment = share::Moment { at, audible: &self.audible, before: &self.before };
            let one_waits = share::assign(&mut self.buses, moment, &mut self.leaders);
            self.regroup = one_waits || self.audible != self.before;
        }
    }

    /// Each leader gets the sum of those it hears.
    pub(super) fn sum_leaders(&mut self) {
        let Self { lanes, buses, audible, voices, leaders, sums, .. } = self;
        let heard_by =
            |id: &BusId| share::bus_at(buses, *id).map_or(*audible, |bus| bus.members.and(audible));
        if leaders.iter().any(|id| matches!(missing(&heard_by(id), audible), Missing::One(_))) {
            sums.load(frames_of(lanes, voices));
        } else {
            sums.sum(frames_of(lanes, voices));
        }
        for id in leaders.iter() {
            let Some(Some(bus)) = buses.get_mut(id.index()) else { continue };
            let heard = bus.members.and(audible);
            match missing(&heard, audible) {
                Missing::Nobody => bus.chain.mix.copy_from_slice(sums.total()),
                Missing::One(place) => sums.without(place, &mut bus.chain.mix),
                Missing::Several => {
                    bus.chain.mix.fill(0.0);
                    let of_it = voices.iter().filter(|speaker| heard.contains(**speaker));
                    let frames = of_it.filter_map(|speaker| frame_of(lanes, *speaker));
                    frames.for_each(|frame| mix::add(&mut bus.chain.mix, frame));
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

fn lane_mut(lanes: &mut [Option<Box<Lane>>], speaker: SpeakerId) -> Option<&mut Lane> {
    lanes.get_mut(speaker.index()).and_then(Option::as_deref_mut)
}

fn frame_of(lanes: &[Option<Box<Lane>>], speaker: SpeakerId) -> Option<&[f32]> {
    lanes.get(speaker.index()).and_then(Option::as_deref).map(Lane::frame)
}

/// The frames of `voices`, in their order.
fn frames_of<'a>(
    lanes: &'a [Option<Box<Lane>>],
    voices: &'a [SpeakerId],
) -> impl DoubleEndedIterator<Item = &'a [f32]> + Clone {
    voices.iter().filter_map(|speaker| frame_of(lanes, *speaker))
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
