//! More voices than places: who is decoded and heard, and what becomes of the others.

use crate::desk::{Desk, PACKET, Talker, datagram, samples, tone};
use proptest::prelude::*;
use tertulia::{
    engine::{Codec, EncoderConfig, LaneConfig, Playout, RoomConfig, Source, Work},
    packet::opus,
    speaker::{SpeakerId, SpeakerSet},
    time::Quantum,
};

/// A datagram that says how loud it is (RFC 6464), in extension element 1.
fn telling(speaker: SpeakerId, sequence: u16, voice: bool, dbov: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = datagram(u32::from(speaker.0), sequence, &[]);
    bytes[0] |= 0x10;
    bytes.extend([0xBE, 0xDE, 0, 1, 0x10, u8::from(voice) << 7 | dbov, 0, 0]);
    bytes.extend(payload);
    bytes
}

fn telling_lane(place: u16, codec: Codec) -> LaneConfig {
    LaneConfig { codec, level_extension: Some(1), ..LaneConfig::new(SpeakerId(place)) }
}

/// What one does in one packet's time.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Does {
    Talk,
    /// Sends packets of digital silence.
    Listen,
    /// Sends nothing.
    Rest,
}

/// What came of an evening, tick by tick.
#[derive(Default)]
struct Evening {
    mix: Vec<f32>,
    work: Vec<Work>,
    playouts: Vec<Playout>,
    desk: Option<Desk>,
}

impl Evening {
    fn of(
        max_mixed: Option<u16>,
        codec: Codec,
        places: u16,
        packets: u16,
        does: impl Fn(u16, u16) -> Does,
    ) -> Self {
        let mut desk = Desk::of(RoomConfig { quantum: Quantum::Ms10, max_mixed, ..RoomConfig::default() });
        let speakers: Vec<_> = (0..places).map(|place| desk.admit_as(telling_lane(place, codec))).collect();
        let mut talkers: Vec<_> = (0..places).map(Talker::new).collect();
        desk.open(SpeakerSet::EVERYBODY, None);
        let mut evening = Self::default();
        for sequence in 0..packets {
            for (speaker, talker) in speakers.iter().zip(&mut talkers) {
                let does = does(speaker.0, sequence);
                let payload = match (codec, does) {
                    (Codec::Opus, Does::Talk) => talker.packet(sequence),
                    (Codec::Opus, _) => talker.louder(sequence, 0.0),
                    (Codec::Pcm, Does::Talk) => tone(speaker.0, sequence),
                    (Codec::Pcm, _) => vec![0; 2 * PACKET],
                };
                let dbov = if does == Does::Talk { 30 } else { 127 };
                if does != Does::Rest {
                    let datagram = telling(*speaker, sequence, does == Does::Talk, dbov, &payload);
                    assert!(desk.deliver(*speaker, sequence, &datagram));
                }
            }
            for _ in 0..2 {
                let tick = desk.engine.tick();
                evening.mix.extend(tick.mixes().next().unwrap().1);
                evening.work.push(tick.work());
                evening.playouts.extend(tick.playouts());
            }
        }
        evening.desk = Some(desk);
        evening
    }

    /// The packets of one speaker, with what became of them.
    fn fates(&self, speaker: u16) -> Vec<(u64, Source)> {
        let of_it = self.playouts.iter().filter(|playout| playout.speaker == SpeakerId(speaker));
        of_it.map(|playout| (playout.sequence, playout.source)).collect()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn with_places_enough_for_the_talkers_the_mix_is_as_without_a_bound(
        talks in prop::collection::vec((0_u16..40, 1_u16..40), 1..5),
        listeners in 1_u16..9,
    ) {
        let talkers = talks.len() as u16;
        let does = |place: u16, sequence: u16| match talks.get(usize::from(place)) {
            Some((from, packets)) if (*from..from + packets).contains(&sequence) => Does::Talk,
            Some(_) => Does::Rest,
            None => Does::Listen,
        };
        let bounded = Evening::of(Some(talkers), Codec::Pcm, talkers + listeners, 80, does);
        let unbounded = Evening::of(None, Codec::Pcm, talkers + listeners, 80, does);
        prop_assert!(bounded.mix == unbounded.mix);
        prop_assert!(bounded.work.iter().map(|work| work.decodes).sum::<u32>()
            < unbounded.work.iter().map(|work| work.decodes).sum::<u32>());
    }
}

#[test]
fn no_more_than_the_places_are_decoded_however_many_talk() {
    let evening = Evening::of(Some(4), Codec::Opus, 30, 60, |_, _| Does::Talk);
    // Each packet is played at its even tick.
    assert!(evening.work[20..].iter().step_by(2).all(|work| work.decodes == 4 && work.lanes == 30));
    assert!(evening.work[20..].iter().skip(1).step_by(2).all(|work| work.decodes == 0));
    let heard =
        (0..30).filter(|place| evening.fates(*place)[10..].iter().all(|fate| fate.1 == Source::Primary));
    assert_eq!(heard.collect::<Vec<_>>(), [0, 1, 2, 3], "who came first stays");
}

#[test]
fn whoever_begins_to_talk_is_heard_from_the_first_packet_on() {
    let does = |place: u16, sequence: u16| match place {
        9 if sequence >= 40 => Does::Talk,
        _ => Does::Listen,
    };
    let (bounded, unbounded) =
        (Evening::of(Some(3), Codec::Opus, 10, 60, does), Evening::of(None, Codec::Opus, 10, 60, does));
    let fates = bounded.fates(9);
    assert_eq!(fates[39], (39, Source::Unmixed));
    assert!(fates[40..].iter().all(|fate| fate.1 == Source::Primary));
    // Only what a decoder remembers of silence differs.
    let (from, until) = (40 * PACKET, 60 * PACKET);
    let power = |samples: &mut dyn Iterator<Item = f32>| samples.map(|x| f64::from(x * x)).sum::<f64>();
    let pairs = || bounded.mix[from..until].iter().zip(&unbounded.mix[from..until]);
    let residue = power(&mut pairs().map(|(a, b)| a - b));
    let whole = power(&mut pairs().map(|(_, b)| *b));
    assert!(whole > 1.0 && residue < whole * 1e-4, "{residue} of {whole}");
}

#[test]
fn the_encoders_own_detector_tells_who_begins_to_talk() {
    let room = RoomConfig { quantum: Quantum::Ms20, max_mixed: Some(1), ..RoomConfig::default() };
    let mut desk = Desk::of(room);
    let (listener, speaker) = (desk.admit(0, Codec::Opus), desk.admit(1, Codec::Opus));
    let (mut silent, mut voice) = (Talker::new(0), tertulia::sim::Talker::new(3).packets());
    desk.open(SpeakerSet::EVERYBODY, None);
    let (mut first, mut fates) = (None, Vec::new());
    for sequence in 0..100 {
        let payload = if sequence < 20 { silent.louder(sequence, 0.0) } else { voice.next().unwrap().into() };
        if sequence >= 20 && opus::voice_active(&payload) == Some(true) {
            first.get_or_insert(sequence);
        }
        desk.send(listener, sequence, &silent.louder(sequence, 0.0));
        desk.send(speaker, sequence, &payload);
        let tick = desk.engine.tick();
        fates.extend(tick.playouts().iter().filter(|playout| playout.speaker == speaker).map(|it| it.source));
    }
    let first = usize::from(first.unwrap());
    // A detector takes some packets to learn what silence is.
    assert!(fates[10..first].iter().all(|fate| *fate == Source::Unmixed));
    assert!(fates[first..first + 25].iter().all(|fate| *fate == Source::Primary));
}

#[test]
fn speakers_do_not_flutter() {
    // Five talk in sentences of a second with breaths of 300 ms, never in step; three can be heard.
    let does = |place: u16, sequence: u16| {
        if (sequence + place * 13) % 65 < 50 { Does::Talk } else { Does::Listen }
    };
    let evening = Evening::of(Some(3), Codec::Pcm, 5, 400, does);
    let changes = |place| evening.fates(place).windows(2).filter(|pair| pair[0].1 != pair[1].1).count();
    assert!((0..5).map(changes).sum::<usize>() <= 4);
}

#[test]
fn a_louder_voice_takes_the_place_of_the_softest_after_a_while_and_without_a_click() {
    let room = RoomConfig { quantum: Quantum::Ms10, max_mixed: Some(2), ..RoomConfig::default() };
    let mut desk = Desk::of(room);
    let speakers: Vec<_> = (0..3).map(|place| desk.admit_as(telling_lane(place, Codec::Opus))).collect();
    let mut talkers: Vec<_> = (0..3).map(Talker::new).collect();
    desk.open(SpeakerSet::EVERYBODY, None);
    let (mut mix, mut heard) = (Vec::<f32>::new(), Vec::new());
    for sequence in 0..150_u16 {
        for (speaker, talker) in speakers.iter().zip(&mut talkers) {
            let (gain, dbov) = match speaker.0 {
                0 => (0.8, 20),
                1 => (0.1, 40),
                _ if sequence < 50 => (0.05, 45),
                _ => (1.0, 18),
            };
            let payload = talker.louder(sequence, gain);
            assert!(desk.deliver(*speaker, sequence, &telling(*speaker, sequence, true, dbov, &payload)));
        }
        for _ in 0..2 {
            let tick = desk.engine.tick();
            mix.extend(tick.mixes().next().unwrap().1);
            heard.extend(tick.playouts().iter().filter(|playout| playout.speaker.0 == 2).copied());
        }
    }
    let first = heard.iter().position(|playout| playout.source == Source::Primary && playout.sequence > 10);
    assert!((52..60).contains(&first.unwrap()), "{first:?}");
    assert!(heard[first.unwrap()..].iter().all(|playout| playout.source == Source::Primary));
    // The steepest that three such tones can be together, and the codec with them.
    let steepest = mix[PACKET * 20..].windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f32::max);
    assert!(steepest < 0.02, "{steepest}");
}

#[test]
fn what_nobody_hears_is_counted_as_exactly_as_what_is_heard() {
    let does =
        |place: u16, sequence: u16| if (sequence / 20 + place) % 5 == 4 { Does::Rest } else { Does::Talk };
    let (bounded, unbounded) =
        (Evening::of(Some(2), Codec::Opus, 6, 150, does), Evening::of(None, Codec::Opus, 6, 150, does));
    let key = |playout: &Playout| (playout.speaker, playout.sequence, playout.at, playout.delay);
    let sorted = |evening: &Evening| {
        let mut all: Vec<_> = evening.playouts.iter().map(key).collect();
        all.sort();
        all
    };
    assert_eq!(sorted(&bounded), sorted(&unbounded));
    let stats =
        |evening: &Evening, place| evening.desk.as_ref().unwrap().engine.stats(SpeakerId(place)).unwrap();
    for place in 0..6 {
        let (one, other) = (stats(&bounded, place), stats(&unbounded, place));
        assert_eq!(one.packets.heard + one.packets.unmixed, other.packets.heard);
        let (a, b) = (one.samples, other.samples);
        assert_eq!((a.played + a.unmixed, a.concealed, a.silence), (b.played, b.concealed, b.silence));
        let made = a.played + a.unmixed + a.concealed + a.silence + a.inserted - a.removed;
        assert_eq!(made, 300 * 480);
    }
}

#[test]
fn where_packets_do_not_tell_the_loud_are_found_by_listening() {
    let room = RoomConfig { quantum: Quantum::Ms10, max_mixed: Some(2), ..RoomConfig::default() };
    let mut desk = Desk::of(room);
    let speakers: Vec<_> = (0..6).map(|place| desk.admit(place, Codec::Pcm)).collect();
    desk.open(SpeakerSet::EVERYBODY, None);
    let mut sources = Vec::new();
    for sequence in 0..100 {
        for speaker in &speakers {
            let loud = speaker.0 == 5;
            let pcm = samples(speaker.0, sequence)
                .into_iter()
                .flat_map(|x| (if loud { x } else { x / 500 }).to_be_bytes());
            desk.send(*speaker, sequence, &pcm.collect::<Vec<_>>());
        }
        for _ in 0..2 {
            let tick = desk.engine.tick();
            sources.extend(
                tick.playouts().iter().filter(|playout| playout.speaker.0 == 5).map(|playout| playout.source),
            );
        }
    }
    assert!(sources[25..].iter().all(|source| *source == Source::Primary));
}

#[test]
fn lanes_with_nothing_in_them_are_not_looked_at() {
    let room = RoomConfig { max_lanes: 1000, ..RoomConfig::default() };
    let mut desk = Desk::of(room);
    let speakers: Vec<_> = (0..1000).map(|place| desk.admit(place, Codec::Pcm)).collect();
    desk.open(SpeakerSet::EVERYBODY, Some(EncoderConfig::default()));
    desk.tick();
    assert_eq!(desk.engine.next_work().lanes, 0);
    let ticks = 700;
    for sequence in 0..ticks / 2 {
        if sequence < 50 {
            desk.send(speakers[500], sequence, &[1_u8, 0].repeat(PACKET));
        }
        desk.tick();
        let lanes = desk.engine.next_work().lanes;
        assert_eq!(lanes, u32::from(sequence < 50 || lanes == 1));
        desk.tick();
    }
    assert_eq!(desk.engine.next_work().lanes, 0, "its background is gone after 4 s");
    let silence = |place: u16| desk.engine.stats(SpeakerId(place)).unwrap().samples.silence;
    assert_eq!((silence(3), silence(999)), ((u64::from(ticks) + 1) * 480, (u64::from(ticks) + 1) * 480));
    assert!(silence(500) < silence(3));
}
