//! A voice that was away comes back without a click: after losses and after stalls of 20 to 200 ms, for vowels and for real
//! speech.

use crate::{
    click::clicks,
    desk::PACKET,
    line::{Line, Sent, coded},
};
use std::{f32::consts::TAU, path::Path};
use tertulia::{
    codec::Decoder,
    engine::Codec,
    frame::Channels,
    sim::{OpusFile, Rng},
    time::Quantum,
};

/// A steady voice with all its harmonics up to 4 kHz, as loud as people speak, that comes and goes softly.
fn vowel(pitch_hz: f32, seconds: usize) -> Vec<f32> {
    let harmonics = (4000.0 / pitch_hz) as usize;
    let at =
        |n: usize, k: usize| (TAU * (pitch_hz * k as f32 * n as f32 / 48_000.0).fract()).cos() / k as f32;
    let length = seconds * 48_000;
    let gain = |n: usize| 0.05 * (n.min(length - n) as f32 / 4800.0).min(1.0);
    (0..length).map(|n| gain(n) * (1..=harmonics).map(|k| at(n, k)).sum::<f32>()).collect()
}

/// Six seconds of one of the panel's voices.
fn panel(name: &str) -> Vec<f32> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/panel").join(name).with_extension("opus");
    let mut decoder = Decoder::new(Codec::Opus, Channels::Mono).unwrap();
    let (mut frame, mut sound) = ([0.0; PACKET], Vec::new());
    for packet in OpusFile::read(&file).unwrap().packets.iter().take(300) {
        decoder.decode(packet, &mut frame).unwrap();
        sound.extend(frame);
    }
    sound
}

/// Those whose lips do not click by themselves.
const PANEL: [&str; 5] = ["emma", "fenrir", "george", "puck", "sarah"];
const PITCHES_HZ: [f32; 3] = [80.0, 130.0, 250.0];

/// What becomes of packets that are hit.
#[derive(Clone, Copy, Debug)]
enum Trouble {
    Lost,
    /// They come all at once when the trouble is over.
    Stalled,
}

/// Sends `sound` with trouble of 20 to 200 ms about every 400 ms.
fn troubled(sound: &[f32], trouble: Trouble, seed: u64) -> Vec<Sent> {
    let (mut rng, mut sent, mut number) = (Rng::new(seed), Vec::new(), 0);
    let mut packets = coded(sound, 0).into_iter();
    loop {
        let calm = rng.between(10.0, 30.0) as usize;
        let hit = rng.between(1.0, 11.0) as usize;
        // Most stalls end between two pulls.
        let off_ms = rng.between(0.0, 19.0);
        for place in 0..calm + hit {
            let Some(payload) = packets.next() else { return sent };
            let over_ms = ((number + calm + hit - place) * 20) as f64 + off_ms;
            let arrives_ms = match trouble {
                Trouble::Lost if place >= calm => None,
                Trouble::Stalled if place >= calm => Some(over_ms),
                _ => Some((number * 20) as f64),
            };
            sent.extend(arrives_ms.map(|ms| Sent::steady(number, payload, ms)));
            number += 1;
        }
    }
}

fn heard(sound: &[f32], trouble: Trouble, quantum: Quantum, seed: u64) -> Vec<f32> {
    Line::new(Codec::Opus, quantum).listen(troubled(sound, trouble, seed), |_, _, _| ()).sound
}

/// What clicks of all sounds under all troubles.
fn clicking(sounds: impl Iterator<Item = (String, Vec<f32>)>) -> Vec<String> {
    let mut found = Vec::new();
    for (name, sound) in sounds {
        assert_eq!(clicks(&sound), [0; 0], "{name} clicks by itself");
        for trouble in [Trouble::Lost, Trouble::Stalled] {
            for quantum in [Quantum::Ms2_5, Quantum::Ms10] {
                let places = clicks(&heard(&sound, trouble, quantum, 1));
                found.extend(places.iter().map(|ms| format!("{name}, {trouble:?}, {quantum:?}: at {ms} ms")));
            }
        }
    }
    found
}

#[test]
fn vowels_come_back_without_a_click() {
    let vowels = PITCHES_HZ.map(|hz| (format!("{hz} Hz"), vowel(hz, 4)));
    assert_eq!(clicking(vowels.into_iter()), [""; 0]);
}

#[test]
fn people_come_back_without_a_click() {
    let people = PANEL.map(|name| (name.to_owned(), panel(name)));
    assert_eq!(clicking(people.into_iter()), [""; 0]);
}

/// The ear that says so hears cuts: 3 ms of silence, hard at both ends, wherever a voice is loud.
#[test]
fn a_hard_cut_is_a_click() {
    let sounds = PITCHES_HZ.map(|hz| vowel(hz, 4)).into_iter().chain(PANEL.map(panel));
    let (mut cuts, mut heard) = (0, 0);
    for mut sound in sounds {
        let mut places = Vec::new();
        for at in (9600..sound.len() - 9600).step_by(2400) {
            if sound[at].abs() > 0.05 {
                sound[at..at + 144].fill(0.0);
                places.push(at / 48);
            }
        }
        let clicks = clicks(&sound);
        cuts += places.len();
        heard += places.iter().filter(|at| clicks.iter().any(|click| click.abs_diff(**at) <= 4)).count();
    }
    assert!(cuts > 100 && heard * 10 >= cuts * 8, "{heard} of {cuts}");
}
