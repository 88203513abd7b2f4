//! The stages of a tick: lanes are pulled, leaders chosen, their mixes summed, limited and encoded, packets stamped.

use super::{
    Bus, Engine, Event, Lane, Work,
    ears::{Ears, Hearing},
    forward::{Relay, Way},
    share,
};
use crate::{
    mix,
    speaker::{BusId, SpeakerId, SpeakerSet},
    time::{SampleTime, Samples},
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
        self.speaking = SpeakerSet::NOBODY;
        for speaker in self.awake.iter() {
            if let Some(lane) = lane_mut(&mut self.lanes, speaker) {
                lane.attention.note(&lane.jitter, at);
                lane.voice.steady = self.relayed.contains(speaker);
                if lane.attention.presence().speaks(at) && !lane.fader.is_silent() {
                    self.speaking.insert(speaker);
                }
            }
        }
        let places = self.shed.max_mixed(self.max_mixed).map_or(usize::MAX, usize::from);
        self.heard = self.awake;
        if self.awake.len() > places {
            let lanes = self.awake.iter().filter_map(|speaker| self.lanes[speaker.index()].as_deref());
            self.heard = self.selection.choose(places, lanes.map(|lane| (lane.speaker, lane.weight(at))));
            self.probe_one();
        }
        self.speaking = self.speaking.and(&self.heard);
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
    pub(super) fn pull_lanes(&mut self, at: SampleTime, hearing: Hearing) {
        self.before = std::mem::take(&mut self.audible);
        self.work = Work { lanes: self.awake.len() as u32, ..Work::default() };
        self.deep.turn();
        let end = at + self.quantum;
        let awake = self.awake;
        for speaker in awake.iter() {
            let Some(lane) = lane_mut(&mut self.lanes, speaker) else { continue };
            let (before, ears) = (lane.ears, hearing.of(speaker));
            lane.heard = self.heard.contains(speaker);
            if lane.pull(at, ears, &mut self.past, &mut self.deep, &mut self.log) {
                self.audible.insert(speaker);
            }
            if (before, ears) == (Ears::Relay, Ears::Mixes) {
                recall(&mut self.buses, speaker, at, &self.past);
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
            let moment =
                share::Moment { at, quantum: self.quantum, audible: &self.audible, before: &self.before };
            let one_waits = share::assign(&mut self.buses, moment, &mut self.leaders);
            self.regroup = one_waits || self.audible != self.before;
        }
    }

    /// Each leader gets the sum of those it hears.
    pub(super) fn sum_leaders(&mut self) {
        let Self { lanes, buses, audible, voices, leaders, sums, .. } = self;
        let wants = |id: &&BusId| share::bus_at(buses, **id).is_some_and(|bus| !passes(bus, lanes));
        if !leaders.iter().any(|id| wants(&id)) {
            return;
        }
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

    /// Each leader's mix is limited and, when a packet is full, encoded, or a lone voice's own packet takes its place.
    pub(super) fn run_leaders(&mut self, at: SampleTime) {
        let Self { lanes, buses, leaders, speaking, relayed, work, quantum, .. } = self;
        *relayed = SpeakerSet::NOBODY;
        for id in leaders.iter() {
            let Some(Some(bus)) = buses.get_mut(id.index()) else { continue };
            let lone = bus.lone_voice(bus.relay, speaking);
            let lane = lone.and_then(|speaker| lanes.get(speaker.index())?.as_deref());
            let lane = lane.filter(|lane| lane.is_untouched(at));
            bus.follow(lane.map(Lane::speaker));
            lane.into_iter().for_each(|lane| relayed.insert(lane.speaker()));
            let way = lane.map_or(Way::Encode, |lane| bus.way(lane, at));
            work.encodes += bus.run(at, *quantum, way, lanes);
        }
    }

    /// Every bus whose maker has completed a packet sends it in its own stream.
    pub(super) fn stamp_packets(&mut self) {
        for place in 0..self.buses.len() {
            let Some(mut bus) = self.buses[place].take() else { continue };
            let completed = share::maker(&self.buses, &bus).chain.completed();
            let completed = completed.map(|packet| (packet.begins, packet.lost));
            bus.stamp(completed.filter(|_| bus.coding.is_some()));
            self.buses[place] = Some(bus);
        }
    }
}

impl Bus {
    /// Whose packets may be sent in place of its mix is known.
    fn follow(&mut self, speaker: Option<SpeakerId>) {
        let goes_on = self.relay.filter(|relay| Some(relay.speaker) == speaker);
        self.relay = goes_on.or_else(|| speaker.map(Relay::of));
    }

    /// Goes the `way` of the packet that the quantum at `at` belongs to; how often the encoder was at work.
    fn run(&mut self, at: SampleTime, quantum: Samples, way: Way<'_>, lanes: &[Option<Box<Lane>>]) -> u32 {
        if let Some(relay) = self.relay.as_mut().filter(|_| self.chain.completes_a_packet(at, quantum)) {
            relay.went(&way);
        }
        if passes(self, lanes) {
            self.chain.pass(at, quantum, way);
            0
        } else {
            self.chain.run(at, way)
        }
    }
}

/// Does it do without a mix in this tick?
fn passes(bus: &Bus, lanes: &[Option<Box<Lane>>]) -> bool {
    let lane = |speaker: SpeakerId| lanes.get(speaker.index()).and_then(Option::as_deref);
    let relayed = bus.relay.and_then(|relay| lane(relay.speaker));
    bus.spared && relayed.is_some_and(|lane| lane.ears == Ears::Relay)
}

/// Whoever was sent `speaker`'s own packets hears their sound, `past`, after all.
fn recall(buses: &mut [Option<Box<Bus>>], speaker: SpeakerId, at: SampleTime, past: &[f32]) {
    let sent = |bus: &&mut Box<Bus>| bus.relay.is_some_and(|relay| relay.speaker == speaker);
    for bus in buses.iter_mut().flatten().filter(sent).filter(|bus| bus.chain.is_asleep()) {
        bus.chain.recall(at, past);
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
