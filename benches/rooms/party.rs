//! A room in which people take turns to talk, driven by hand.

use tertulia::{
    engine::{Bus, BusConfig, Command, EncoderConfig, Engine, Lane, LaneConfig, RoomConfig, StreamConfig},
    sim::Talker,
    speaker::{BusId, SpeakerId, SpeakerSet},
    time::{SampleTime, Samples},
};

/// Packets before a voice begins anew, and a turn ends.
const LOOP: usize = 250;
/// Who is silent sends a packet in 400 ms.
const DTX: u32 = 20;
/// A CELT frame of 20 ms that holds nothing (RFC 6716 §3.1).
const SILENCE: &[u8] = &[0xf8, 0xff, 0xfe];

pub(crate) struct Party {
    engine: Engine,
    people: u16,
    voices: Vec<Vec<Box<[u8]>>>,
    sequences: Vec<u16>,
    packet: u32,
    sent: u64,
}

impl Party {
    /// Everybody hears everybody else.
    pub(crate) fn new(people: u16, seed: u64, relay: bool) -> Self {
        let config = RoomConfig { max_lanes: people, max_buses: people, ..RoomConfig::default() };
        let mut engine = Engine::new(config);
        for speaker in (0..people).map(SpeakerId) {
            let lane = Lane::new(LaneConfig::new(speaker), &config).expect("a lane");
            let bus = BusConfig {
                bus: BusId(speaker.0),
                members: SpeakerSet::everybody_but(speaker),
                encoder: Some(EncoderConfig { relay, ..EncoderConfig::default() }),
                stream: StreamConfig::default(),
            };
            let bus = Bus::new(&bus, &config).expect("a bus");
            let refused = [Command::Admit(Box::new(lane)), Command::Open(Box::new(bus))]
                .map(|command| engine.apply(command));
            assert!(refused.iter().all(Option::is_none));
        }
        let voice = |number| Talker::new(seed * 100 + u64::from(number)).packets().take(LOOP).collect();
        let voices = (0..people).map(voice).collect();
        Self { engine, people, voices, sequences: vec![0; people.into()], packet: 0, sent: 0 }
    }

    /// 20 ms: who talks sends a packet, and as a client does who is muted, one of silence behind the last; all get one.
    pub(crate) fn packet_time(&mut self) {
        let arrived = SampleTime::ZERO + Samples::new(u64::from(self.packet) * 960);
        for number in 0..self.people {
            let place = usize::from(number);
            let talks = self.talks(number, self.packet);
            let falls_silent = !talks && self.talks(number, self.packet.saturating_sub(1));
            if talks || falls_silent || (self.packet + u32::from(number)).is_multiple_of(DTX) {
                let payload = if talks { &self.voices[place][self.packet as usize % LOOP] } else { SILENCE };
                let datagram = datagram(self.sequences[place], self.packet, payload);
                self.sequences[place] = self.sequences[place].wrapping_add(1);
                self.engine.receive(SpeakerId(number), &datagram, arrived);
            }
        }
        let sent: usize = (0..2).map(|_| self.engine.tick().packets().count()).sum();
        self.sent += sent as u64;
        self.packet += 1;
    }

    /// Packets sent so far.
    pub(crate) fn sent(&self) -> u64 {
        self.sent
    }

    fn talks(&self, number: u16, packet: u32) -> bool {
        packet as usize / LOOP % usize::from(self.people) == usize::from(number)
    }
}

fn datagram(sequence: u16, packet: u32, payload: &[u8]) -> Vec<u8> {
    let mut datagram = vec![0x80, 111];
    datagram.extend(sequence.to_be_bytes());
    datagram.extend(packet.wrapping_mul(960).to_be_bytes());
    datagram.extend([0, 0, 0, 1]);
    datagram.extend(payload);
    datagram
}
