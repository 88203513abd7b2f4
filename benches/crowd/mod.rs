//! People for a stage: rooms of speakers who take turns to talk and are always mixed, over a network that may be late, and fetch what they hear.
//! Datagrams are handed over ahead of time with the room time of their arrival, so that nothing depends on how punctual
//! this thread is.

use std::{cmp::Reverse, collections::BinaryHeap, error::Error};
use tertulia::{
    engine::{EncoderConfig, LaneConfig, RoomConfig, StreamConfig},
    live::{Control, PacketIn, PacketsOut, RoomId},
    sim::{Rng, Talker},
    speaker::{SpeakerId, SpeakerSet},
    time::{SampleTime, Samples},
};

/// How a room's people behave.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Manners {
    pub(crate) speakers: u16,
    /// How many talk at once; each in turn, for 5 s.
    pub(crate) talking: u16,
    /// Packets are late by 0 to so much, evenly.
    pub(crate) jitter: Samples,
    /// Packets that are never sent, in percent.
    pub(crate) loss_percent: f64,
}

/// All rooms and what can be said in them.
pub(crate) struct Crowd {
    voices: Vec<Vec<Box<[u8]>>>,
    pub(crate) parties: Vec<Party>,
    /// Do turns end in all rooms at the same moment? In a house full of people they never do.
    pub(crate) in_step: bool,
    rng: Rng,
}

/// One room and its people.
pub(crate) struct Party {
    pub(crate) room: RoomId,
    pub(crate) manners: Manners,
    people: Vec<Person>,
    /// So many packets of the first turn were over when the room opened.
    turn: u32,
    /// What all of them have sent is on its way up to here.
    sent_until: SampleTime,
    packet: u32,
}

struct Person {
    way_in: PacketIn,
    way_out: PacketsOut,
    sequence: u16,
    phase: Samples,
    /// On its way: arrival, sequence number, packet, whether it says something.
    under_way: BinaryHeap<Reverse<(u64, u16, u32, bool)>>,
}

const PACKET: Samples = Samples::from_ms(20);
/// A voice begins anew after 5 s.
const LOOP: usize = 250;
/// Who is silent sends a packet in 400 ms.
const DTX: u32 = 20;
/// How far ahead datagrams are handed over.
const AHEAD: Samples = Samples::from_ms(60);
/// A CELT frame of 20 ms that holds nothing (RFC 6716 §3.1).
const SILENCE: &[u8] = &[0xf8, 0xff, 0xfe];

impl Crowd {
    pub(crate) fn new(seed: u64) -> Self {
        let voice = |seed| Talker::new(seed).packets().take(LOOP).collect();
        Self { voices: (0..8).map(voice).collect(), parties: Vec::new(), in_step: false, rng: Rng::new(seed) }
    }

    /// Opens a room and lets its people in; each hears everybody else.
    pub(crate) fn open(
        &mut self,
        stage: &mut Control,
        config: RoomConfig,
        manners: Manners,
    ) -> Result<RoomId, Box<dyn Error>> {
        let (max_lanes, max_buses) = (manners.speakers, manners.speakers + 1);
        let room = stage.open_room(RoomConfig { max_lanes, max_buses, ..config })?;
        let mut people = Vec::new();
        for number in 0..manners.speakers {
            let way_in = stage.admit(room, LaneConfig::new(SpeakerId(0)), &format!("s{number}"))?;
            let others = SpeakerSet::everybody_but(way_in.speaker());
            let stream = StreamConfig { ssrc: number.into(), payload_type: 111, ..StreamConfig::default() };
            let coding = EncoderConfig { relay: false, ..EncoderConfig::default() };
            let way_out = stage.subscribe(room, others, coding, stream)?;
            let phase = Samples::new(self.rng.bits() % PACKET.count());
            people.push(Person { way_in, way_out, sequence: 0, phase, under_way: BinaryHeap::new() });
        }
        let sent_until = stage.now(room).unwrap_or_default() + AHEAD;
        let turn = if self.in_step { 0 } else { (self.rng.bits() % LOOP as u64) as u32 };
        self.parties.push(Party { room, manners, people, turn, sent_until, packet: 0 });
        Ok(room)
    }

    /// Everybody says what there is to say up to a moment from now, and fetches what there is to hear. To be called every
    /// 20 ms or so.
    pub(crate) fn go_on(&mut self, stage: &Control) {
        for party in &mut self.parties {
            let Some(now) = stage.now(party.room) else { continue };
            party.send_until(now + AHEAD, &mut self.rng);
            for (number, person) in party.people.iter_mut().enumerate() {
                person.arrive(now + AHEAD, party.turn, &self.voices[number % self.voices.len()]);
                while person.way_out.pop().is_some() {}
            }
        }
    }
}

impl Party {
    /// Whose turn is it?
    fn talks(&self, number: u16, packet: u32) -> bool {
        let first = (packet + self.turn) / LOOP as u32 * u32::from(self.manners.talking);
        let people = u32::from(self.manners.speakers).max(1);
        (u32::from(number) + people - first % people) % people < self.manners.talking.into()
    }

    fn send_until(&mut self, end: SampleTime, rng: &mut Rng) {
        while self.sent_until < end {
            let packet = self.packet;
            for number in 0..self.manners.speakers {
                let talks = self.talks(number, packet);
                let sent = talks || (packet + u32::from(number)).is_multiple_of(DTX);
                let (manners, person) = (self.manners, &mut self.people[usize::from(number)]);
                if sent {
                    let late = Samples::new((rng.unit() * manners.jitter.count() as f64) as u64);
                    let arrives = self.sent_until + person.phase + late;
                    if !rng.chance(manners.loss_percent / 100.0) {
                        person.under_way.push(Reverse((arrives.samples(), person.sequence, packet, talks)));
                    }
                    person.sequence = person.sequence.wrapping_add(1);
                }
            }
            self.packet += 1;
            self.sent_until += PACKET;
        }
    }
}

impl Person {
    /// Hands over what arrives by `end`, in the order in which it arrives; who talks begins with his turn.
    fn arrive(&mut self, end: SampleTime, turn: u32, voice: &[Box<[u8]>]) {
        while let Some(Reverse((arrives, sequence, packet, talks))) =
            self.under_way.peek().copied().filter(|Reverse((arrives, ..))| *arrives < end.samples())
        {
            self.under_way.pop();
            let payload = if talks { &voice[(packet + turn) as usize % LOOP] } else { SILENCE };
            let mut datagram = vec![0x80, 111];
            datagram.extend(sequence.to_be_bytes());
            datagram.extend(packet.wrapping_mul(PACKET.count() as u32).to_be_bytes());
            datagram.extend([0, 0, 0, 1]);
            datagram.extend(payload);
            // What is not taken is counted there.
            let _ = self.way_in.push_at(&datagram, SampleTime::from_samples(arrives));
        }
    }
}
