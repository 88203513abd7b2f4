//! Commands to a room: who comes and goes, and how loud.

use super::{
    Bus, Engine, Lane,
    command::{Command, Retired},
    event::Event,
    share,
};
use crate::{
    mix::Limiter,
    speaker::{BusId, SpeakerId},
    time::SampleTime,
};

impl Engine {
    pub(super) fn carry_out(&mut self, command: Command) -> Option<Retired> {
        let at = |at: SampleTime| at.max(self.now + Limiter::LOOKAHEAD);
        match command {
            Command::Admit(lane) => self.admit(lane),
            Command::Dismiss(speaker) => self.dismiss(speaker),
            Command::Open(bus) => self.open(bus),
            Command::Close(bus) => self.close(bus),
            Command::Hear { bus, members } => self.on_bus(bus, command, |bus| bus.members = members),
            Command::Mute { speaker, at: when } => {
                let at = at(when);
                self.on_lane(speaker, command, Some(Event::Muted { speaker, at }), |lane| lane.fader.mute(at))
            }
            Command::Unmute { speaker, at: when } => {
                let at = at(when);
                self.on_lane(speaker, command, Some(Event::Unmuted { speaker, at }), |lane| {
                    lane.fader.unmute(at)
                })
            }
            Command::Gain { speaker, to, at: when, over } => {
                let at = at(when);
                let event = Event::Gained { speaker, to, at, over };
                self.on_lane(speaker, command, Some(event), |lane| lane.fader.gain(to, at, over))
            }
            Command::Pan { speaker, to, at: when } => {
                let at = at(when);
                let event = Event::Panned { speaker, to, at };
                self.on_lane(speaker, command, Some(event), |lane| lane.fader.pan(to, at))
            }
            Command::Shed(shed) => {
                self.set_shed(shed);
                None
            }
        }
    }

    fn admit(&mut self, lane: Box<Lane>) -> Option<Retired> {
        let speaker = lane.speaker();
        match self.lanes.get_mut(speaker.index()) {
            Some(place @ None) => *place = Some(lane),
            _ => return Some(Retired::Refused(Command::Admit(lane))),
        }
        self.awake.insert(speaker);
        self.log.event(Event::Joined { speaker, at: self.now + Limiter::LOOKAHEAD });
        None
    }

    fn dismiss(&mut self, speaker: SpeakerId) -> Option<Retired> {
        self.wake(speaker);
        let Some(lane) = self.lanes.get_mut(speaker.index()).and_then(Option::take) else {
            return Some(Retired::Refused(Command::Dismiss(speaker)));
        };
        self.awake.remove(speaker);
        self.log.event(Event::Left { speaker, at: self.now + Limiter::LOOKAHEAD });
        Some(Retired::Lane(lane))
    }

    fn open(&mut self, mut bus: Box<Bus>) -> Option<Retired> {
        bus.heed(self.shed);
        match self.buses.get_mut(bus.id().index()) {
            Some(place @ None) => {
                *place = Some(bus);
                self.regroup = true;
            }
            _ => return Some(Retired::Refused(Command::Open(bus))),
        }
        None
    }

    fn close(&mut self, bus: BusId) -> Option<Retired> {
        let Some(bus) = self.buses.get_mut(bus.index()).and_then(Option::take) else {
            return Some(Retired::Refused(Command::Close(bus)));
        };
        share::bequeath(&mut self.buses, &bus);
        self.regroup = true;
        Some(Retired::Bus(bus))
    }

    fn on_bus(&mut self, bus: BusId, command: Command, change: impl FnOnce(&mut Bus)) -> Option<Retired> {
        match self.buses.get_mut(bus.index()) {
            Some(Some(bus)) => {
                change(bus);
                self.regroup = true;
                None
            }
            _ => Some(Retired::Refused(command)),
        }
    }

    /// `change` answers whether the lane could take it.
    fn on_lane(
        &mut self,
        speaker: SpeakerId,
        command: Command,
        event: Option<Event>,
        change: impl FnOnce(&mut Lane) -> bool,
    ) -> Option<Retired> {
        self.wake(speaker);
        let taken = match self.lanes.get_mut(speaker.index()) {
            Some(Some(lane)) => change(lane),
            _ => false,
        };
        if !taken {
            return Some(Retired::Refused(command));
        }
        event.into_iter().for_each(|event| self.log.event(event));
        None
    }
}
