use crate::desk::{Desk, Talker, datagram};
use proptest::prelude::*;
use tertulia::{
    engine::{Codec, LaneStats},
    packet::Reject,
    speaker::{SpeakerId, SpeakerSet},
    time::{Quantum, SampleTime},
};

fn is_conserved(stats: &LaneStats) -> bool {
    let packets = &stats.packets;
    packets.arrived == packets.kept + packets.reports + packets.duplicate + packets.rejected_total()
}

/// A small generator of its own, so that a million datagrams take no time to draw.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.roll() % limit as u64) as usize
    }
}

#[test]
fn a_million_random_and_mutated_datagrams_change_counters_only() {
    let mut desk = Desk::new(Quantum::Ms20);
    let speaker = desk.admit(0, Codec::Opus);
    desk.open(SpeakerSet::EVERYBODY, None);
    let mut talker = Talker::new(0);
    let good: Vec<_> = (0..200).map(|sequence| datagram(1, sequence, &talker.packet(sequence))).collect();
    let mut dice = Dice(7);
    for number in 0..1_000_000_u64 {
        let mut bytes = good[dice.below(good.len())].clone();
        match dice.below(4) {
            0 => bytes.truncate(dice.below(bytes.len() + 1)),
            1 => bytes = (0..dice.below(60)).map(|_| dice.roll() as u8).collect(),
            2 => (0..=dice.below(6)).for_each(|_| {
                let at = dice.below(bytes.len());
                bytes[at] = dice.roll() as u8;
            }),
            _ => {
                let at = dice.below(16);
                bytes[at % 12] ^= 1 << dice.below(8);
            }
        }
        desk.engine.receive(speaker, &bytes, SampleTime::from_samples(number * 10));
        if number.is_multiple_of(500) {
            let mix = &desk.tick()[0];
            assert!(mix.iter().all(|sample| sample.is_finite() && sample.abs() <= 1.0));
        }
    }
    let stats = desk.engine.stats(speaker).unwrap();
    assert_eq!(stats.packets.arrived, 1_000_000);
    assert!(is_conserved(&stats), "{stats:?}");
    assert!(stats.packets.rejected.iter().filter(|count| **count > 0).count() >= 5, "{stats:?}");
}

#[test]
fn a_datagram_for_nobody_is_rejected() {
    let mut desk = Desk::new(Quantum::Ms10);
    for place in [0, 63, 64, u16::MAX] {
        let received = desk.engine.receive(SpeakerId(place), &[0x80; 40], SampleTime::ZERO);
        assert_eq!(received, tertulia::engine::Received::Rejected(Reject::NoLane));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_datagram_ends_in_exactly_one_counter(
        arrivals in prop::collection::vec((0_u16..300, 0_u64..300_000, 0_u8..3), 1..300),
    ) {
        let mut desk = Desk::new(Quantum::Ms10);
        let speaker = desk.admit(0, Codec::Pcm);
        let mut kept = 0;
        for (sequence, arrived, kind) in arrivals {
            let mut bytes = datagram(1, sequence, &[0; 480]);
            if kind == 2 {
                bytes.pop();
            }
            let received = desk.engine.receive(speaker, &bytes, SampleTime::from_samples(arrived));
            kept += u64::from(matches!(received, tertulia::engine::Received::Kept(_)));
            desk.tick();
        }
        let stats = desk.engine.stats(speaker).unwrap();
        prop_assert_eq!(stats.packets.kept, kept);
        prop_assert!(is_conserved(&stats));
        let samples = stats.samples;
        let made = samples.played + samples.concealed + samples.fec + samples.silence + samples.inserted;
        let waiting = made - samples.removed - desk.engine.now().samples();
        prop_assert!(waiting <= 5760, "{} samples wait, more than the longest packet", waiting);
    }
}
