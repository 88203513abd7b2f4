//! Relays under whatever people and networks do: evenings by chance, and what must be true of each.

use crate::{
    desk::{Desk, PACKET, Talker},
    selection::{telling, telling_lane},
};
use tertulia::{
    engine::{Codec, Command, EncoderConfig},
    packet::{Packet, opus::duration},
    sim::Rng,
    speaker::{BusId, SpeakerId, SpeakerSet},
    time::{Quantum, SampleTime, Samples},
};

const PLACES: u16 = 3;
const SILENCE: &[u8] = &[0xf8, 0xff, 0xfe];

/// People who begin and stop to talk, fall silent in three ways, are lost and late, muted and made softer.
struct Evening {
    desk: Desk,
    rng: Rng,
    talkers: Vec<Talker>,
    talks: [bool; PLACES as usize],
    numbers: [u16; PLACES as usize],
    tap: Option<BusId>,
    undecoded: u32,
}

impl Evening {
    fn new(seed: u64, quantum: Quantum) -> Self {
        let mut desk = Desk::new(quantum);
        for place in 0..PLACES {
            desk.admit_as(telling_lane(place, Codec::Opus));
        }
        desk.open(SpeakerSet::EVERYBODY, Some(EncoderConfig::default()));
        for speaker in (0..PLACES).map(SpeakerId) {
            desk.open(SpeakerSet::everybody_but(speaker), Some(EncoderConfig::default()));
        }
        let talkers = (0..PLACES).map(Talker::new).collect();
        let (talks, numbers) = ([true, false, false], [0; PLACES as usize]);
        Self { desk, rng: Rng::new(seed), talkers, talks, numbers, tap: None, undecoded: 0 }
    }

    /// 20 ms; what each bus sent: sequence number, timestamp, and how long it is.
    fn packet_time(&mut self, packet: u16, quantum: Quantum) -> Vec<(BusId, u16, u32, u64)> {
        for place in 0..PLACES {
            self.speak(place, packet);
        }
        self.command(packet);
        let mut sent = Vec::new();
        for _ in 0..PACKET / quantum.samples().len() {
            let tick = self.desk.engine.tick();
            self.undecoded += u32::from(tick.work().decodes == 0);
            for packet in tick.packets() {
                let bytes = [&packet.header[..], packet.payload].concat();
                let rtp = Packet::parse(&bytes).unwrap();
                let length = duration(rtp.payload).unwrap().count();
                sent.push((packet.bus, rtp.sequence, rtp.timestamp, length));
            }
        }
        sent
    }

    fn speak(&mut self, place: u16, packet: u16) {
        let at = usize::from(place);
        let before = self.talks[at];
        if self.rng.chance(if place == 0 { 0.01 } else { 0.03 }) {
            self.talks[at] = !before;
        }
        let voice = self.talkers[at].packet(packet);
        let payload = match (before, self.talks[at]) {
            (_, true) => &voice[..],
            (true, false) => [&voice[..], SILENCE, &[0x78]][self.rng.bits() as usize % 3],
            (false, false) => return,
        };
        let number = self.numbers[at];
        self.numbers[at] += 1;
        if self.rng.chance(0.04) {
            return;
        }
        let mut datagram = telling(SpeakerId(place), packet, self.talks[at], 30, payload);
        datagram[2..4].copy_from_slice(&number.to_be_bytes());
        let late = if self.rng.chance(0.1) { self.rng.bits() % 2400 } else { 100 * u64::from(place) };
        let arrived = SampleTime::from_samples(u64::from(packet) * PACKET as u64 + late);
        self.desk.engine.receive(SpeakerId(place), &datagram, arrived);
    }

    fn command(&mut self, packet: u16) {
        let (speaker, at) = (SpeakerId((self.rng.bits() % 3) as u16), self.desk.engine.now());
        let command = match self.rng.bits() % 200 {
            0 => Command::Mute { speaker, at },
            1 | 2 => Command::Unmute { speaker, at },
            3 => Command::Gain { speaker, to: 0.5, at, over: Samples::from_ms(30) },
            4..=6 => Command::Gain { speaker, to: 1.0, at, over: Samples::from_ms(30) },
            7 | 8 if self.tap.is_none() => {
                self.tap = Some(self.desk.open(SpeakerSet::EVERYBODY, None));
                return;
            }
            9..=12 => match self.tap.take() {
                Some(tap) => Command::Close(tap),
                None => return,
            },
            13 if packet.is_multiple_of(2) => {
                assert_eq!(self.desk.engine.pass().packets().count(), 0);
                return;
            }
            _ => return,
        };
        drop(self.desk.engine.apply(command));
    }
}

#[test]
fn packets_never_overlap_and_their_numbers_only_rise() {
    let mut undecoded = 0;
    for (seed, quantum) in (0..6).zip([Quantum::Ms10, Quantum::Ms20, Quantum::Ms5].into_iter().cycle()) {
        let mut evening = Evening::new(seed, quantum);
        let mut last = [None; PLACES as usize + 1];
        for packet in 0..150 {
            for (bus, sequence, timestamp, length) in evening.packet_time(packet, quantum) {
                let before = last[bus.index()].replace((sequence, timestamp, length));
                let Some((number, time, long)): Option<(u16, u32, u64)> = before else { continue };
                let context = format!("seed {seed}, packet {packet}, {bus:?}: {sequence} at {timestamp}");
                assert!((1..=65).contains(&sequence.wrapping_sub(number)), "{context} behind {number}");
                let apart = timestamp.wrapping_sub(time) as i32;
                assert!(apart >= long as i32, "{context} behind {time}, {long} long");
            }
        }
        undecoded += evening.undecoded;
        for speaker in (0..PLACES).map(SpeakerId) {
            let samples = evening.desk.engine.stats(speaker).unwrap().samples;
            let heard = samples.played + samples.concealed + samples.fec + samples.dred;
            let put_out = heard + samples.silence + samples.unmixed + samples.inserted - samples.removed;
            // What waits to be put out next is counted already: packets, and what a pause was made longer by.
            let ahead = put_out.checked_sub(evening.desk.engine.now().samples());
            assert!(
                ahead.is_some_and(|ahead| ahead < 8 * PACKET as u64),
                "seed {seed}: {samples:?}, {ahead:?}"
            );
        }
    }
    assert!(undecoded > 100, "most of the time only one talks: {undecoded}");
}
