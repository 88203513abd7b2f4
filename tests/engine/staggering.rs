//! Where many mixes are made, as many are encoded in one quantum as in the next, and nobody hears how that came about.

use crate::desk::{Desk, Talker, encoded};
use tertulia::{
    codec::Decoder, engine::Codec, frame::Channels, packet::opus::duration, speaker::SpeakerSet,
    time::Quantum,
};

const PLACES: u16 = 12;

/// What a room sent: encodes of each tick; of each bus the RTP timestamp and payload of each packet, and the mix.
struct Evening {
    encodes: Vec<u32>,
    sent: Vec<Vec<(u32, Vec<u8>)>>,
    mixes: Vec<Vec<f32>>,
}

/// A panel of twelve, each with a mix of its own, for so many packets; `talks(place, sequence)` says who talks.
fn evening(quantum: Quantum, packets: u16, talks: impl Fn(u16, u16) -> bool) -> Evening {
    let mut desk = Desk::new(quantum);
    let speakers: Vec<_> = (0..PLACES).map(|place| desk.admit(place, Codec::Opus)).collect();
    let mut talkers: Vec<_> = (0..PLACES).map(Talker::new).collect();
    desk.open(SpeakerSet::EVERYBODY, Some(encoded()));
    for speaker in &speakers {
        desk.open(SpeakerSet::everybody_but(*speaker), Some(encoded()));
    }
    let buses = usize::from(PLACES) + 1;
    let mut evening =
        Evening { encodes: Vec::new(), sent: vec![Vec::new(); buses], mixes: vec![Vec::new(); buses] };
    for sequence in 0..packets {
        for speaker in speakers.iter().filter(|speaker| talks(speaker.0, sequence)) {
            desk.send(*speaker, sequence, &talkers[speaker.index()].louder(sequence, 0.2));
        }
        for _ in 0..960 / quantum.samples().count() {
            let tick = desk.engine.tick();
            evening.encodes.push(tick.work().encodes);
            tick.mixes().for_each(|(bus, mix)| evening.mixes[bus.index()].extend_from_slice(mix));
            for packet in tick.packets() {
                let timestamp = u32::from_be_bytes(packet.header[4..8].try_into().unwrap());
                evening.sent[packet.bus.index()].push((timestamp, packet.payload.to_vec()));
            }
        }
    }
    evening
}

/// Everything after the first 1.2 s.
fn settled(evening: &Evening, packets: u16) -> &[u32] {
    let ticks = evening.encodes.len() / usize::from(packets) * 60;
    &evening.encodes[ticks..]
}

#[test]
fn encodes_of_two_quanta_differ_by_one_at_most() {
    let evening = evening(Quantum::Ms10, 90, |_, _| true);
    let settled = settled(&evening, 90);
    assert!(settled.iter().all(|encodes| (6..=7).contains(encodes)), "{settled:?}");
    assert!(evening.encodes.contains(&13), "in the beginning all come together");
}

#[test]
fn shorter_quanta_have_two_that_encode() {
    let evening = evening(Quantum::Ms5, 90, |_, _| true);
    let settled = settled(&evening, 90);
    assert!(settled.iter().all(|encodes| [0, 6, 7].contains(encodes)), "{settled:?}");
    assert_eq!(settled.chunks(2).map(|pair| pair.iter().sum::<u32>()).max(), Some(7));
}

#[test]
fn streams_have_no_gap_and_each_packet_is_as_long_as_its_time() {
    let evening = evening(Quantum::Ms10, 90, |_, _| true);
    let mut halves = 0;
    for sent in &evening.sent {
        for pair in sent.windows(2) {
            let length = length(&pair[0].1);
            assert_eq!(u64::from(pair[1].0.wrapping_sub(pair[0].0)), length);
            halves += usize::from(length == 480);
        }
    }
    assert_eq!(halves, 6, "one short packet for each mix that moved");
}

/// Ten milliseconds of what is heard are as loud as in the mix, and no less so around the short packet.
#[test]
fn nobody_hears_the_move() {
    let evening = evening(Quantum::Ms10, 90, |_, _| true);
    let moved = evening.sent.iter().enumerate().filter_map(|(bus, sent)| {
        let short = sent.iter().find(|(_, payload)| length(payload) == 480)?;
        Some((&evening.mixes[bus], sent, short.0 as usize / BLOCK))
    });
    let mut seen = 0;
    for (mix, sent, at) in moved {
        let errors = level_errors(&decoded(sent), mix);
        let worst = |errors: &[f64]| errors.iter().copied().fold(0.0, f64::max);
        let elsewhere = worst(&errors[20..at - 4]).max(worst(&errors[at + 8..]));
        assert!(worst(&errors[at - 3..at + 7]) <= elsewhere.max(1.0), "{errors:?} at {at}");
        seen += 1;
    }
    assert_eq!(seen, 6);
}

const BLOCK: usize = 480;
/// An encoder's look-ahead.
const BEHIND: usize = 312;

fn decoded(sent: &[(u32, Vec<u8>)]) -> Vec<f32> {
    let (mut decoder, mut sound) = (Decoder::new(Codec::Opus, Channels::Mono).unwrap(), Vec::new());
    for (_, payload) in sent {
        let mut pcm = [0.0; 960];
        let samples = decoder.decode(payload, &mut pcm).unwrap();
        sound.extend_from_slice(&pcm[..samples]);
    }
    sound
}

/// By how many decibels each block is louder or softer than the mix.
fn level_errors(heard: &[f32], mix: &[f32]) -> Vec<f64> {
    let level = |block: &[f32]| {
        10.0 * (block.iter().map(|sample| f64::from(sample * sample)).sum::<f64>() + 1e-9).log10()
    };
    let blocks = heard[BEHIND..].chunks_exact(BLOCK).zip(mix.chunks_exact(BLOCK));
    blocks.map(|(heard, mix)| (level(heard) - level(mix)).abs()).collect()
}

fn length(payload: &[u8]) -> u64 {
    duration(payload).unwrap().count()
}

#[test]
fn who_hears_the_same_again_shares_again() {
    // All but one fall silent; 400 ms later the others hear one voice.
    let evening = evening(Quantum::Ms10, 110, |place, sequence| place == 0 || sequence < 60);
    let last = &evening.encodes[190..];
    assert!(last.iter().all(|encodes| *encodes <= 1), "{last:?}");
    assert_eq!(last.iter().sum::<u32>(), 15);
    let payloads =
        |bus: usize| evening.sent[bus].iter().rev().take(15).map(|(_, payload)| payload).collect::<Vec<_>>();
    assert!((2..=usize::from(PLACES)).all(|bus| payloads(bus) == payloads(0)));
}
