//! What playout does to a voice over minutes: clocks that drift, senders that rest, senders that begin anew.

use crate::line::{Line, Sent};
use std::f32::consts::TAU;
use tertulia::{
    engine::{Codec, LaneStats},
    packet::opus,
    sim::{Rng, Talker},
    time::{Quantum, Samples},
};

/// Packets of speech, of a pause, in turn: 1.4 s and 0.6 s.
const TURN: usize = 100;
const TALK: usize = 70;

fn is_speech(packet: usize) -> bool {
    packet % TURN < TALK
}

/// 20 ms of linear PCM: a buzz of 125 Hz in four syllables a second, 14 dB deep, where there is speech, else faint noise.
fn said(packet: usize, rng: &mut Rng) -> Vec<u8> {
    let sample = |place: usize, noise: f64| {
        let seconds = (packet * 960 + place) as f32 / 48_000.0;
        let syllable = 0.2 + 0.8 * (TAU * 2.0 * seconds).sin().abs();
        let buzz: f32 = (1..6).map(|k| (TAU * 125.0 * k as f32 * seconds).sin() / k as f32).sum();
        let voice = if is_speech(packet) { 0.1 * syllable * buzz } else { 0.0 };
        ((voice + noise as f32 * 3e-4) * 32_767.0) as i16
    };
    (0..960).flat_map(|place| sample(place, rng.between(-1.0, 1.0)).to_be_bytes()).collect()
}

/// Ten minutes of a sender whose clock is `ppm` quick, over a network with 4 ms of jitter: what was concealed, and stretched
/// while somebody spoke.
fn drifting(ppm: f64) -> (Samples, Samples) {
    let mut rng = Rng::new(1);
    let turn: Vec<_> = (0..TURN).map(|packet| said(packet, &mut rng)).collect();
    let sent = (0..30_000).map(|packet| {
        let jitter_ms = rng.between(0.0, 4.0);
        // Half a second of transit, so that a quick clock does not outrun it.
        let arrives_ms = packet as f64 * 20.0 * (1.0 - ppm * 1e-6) + 500.0 + jitter_ms;
        Sent::steady(packet, turn[packet % TURN].clone(), arrives_ms)
    });
    let sent: Vec<_> = sent.collect();
    let (mut packet, mut before, mut in_speech) = (0, 0, 0);
    // The sequence numbers of ten minutes fit into 16 bits.
    let heard = Line::new(Codec::Pcm, Quantum::Ms10).listen(sent, |_, stats, playouts| {
        packet = playouts.last().map_or(packet, |playout| playout.sequence as usize);
        let stretched = stats.samples.inserted + stats.samples.removed;
        in_speech += if is_speech(packet) { stretched - before } else { 0 };
        before = stretched;
    });
    assert!(before > 0, "nothing drifts");
    (Samples::new(heard.stats.samples.concealed), Samples::new(in_speech))
}

#[test]
fn drift_is_absorbed_without_a_hole() {
    for ppm in [300.0, -300.0] {
        let (concealed, in_speech) = drifting(ppm);
        // 0.02 % of ten minutes.
        assert!(concealed <= Samples::from_ms(120), "{ppm} ppm: {} ms concealed", concealed.as_ms());
        // The clocks part by 180 ms: pauses take up what they can, and pitch periods go and come by the pull.
        assert!(
            in_speech <= Samples::from_ms(360),
            "{ppm} ppm: {} ms of speech stretched",
            in_speech.as_ms()
        );
    }
}

/// Thirty turns of a sender that rests in its pauses: `rest` packets of nothing, but for one of one byte that says so and one every
/// 400 ms, as libopus sends. How many of the first packets behind rests were heard at once, and what was concealed.
fn resting(jitter_ms: f64, rest: usize) -> (usize, LaneStats) {
    let mut rng = Rng::new(7);
    let words: Vec<_> = Talker::new(1).packets().take(TALK).collect();
    let (mut sent, mut firsts) = (Vec::new(), Vec::new());
    let mut number = 0;
    for turn in 0..30 {
        for place in 0..TALK + rest {
            let at = turn * (TALK + rest) + place;
            let rests = place >= TALK;
            if rests && !(place - TALK).is_multiple_of(20) {
                continue;
            }
            if place == 0 && turn > 0 {
                firsts.push(number);
            }
            let payload = if rests { words[0][..1].to_vec() } else { words[place].to_vec() };
            let arrives_ms = at as f64 * 20.0 + 40.0 + rng.between(0.0, jitter_ms);
            sent.push(Sent { timestamp: (at * 960) as u32, ..Sent::steady(number, payload, arrives_ms) });
            number += 1;
        }
    }
    assert!(sent.iter().any(|packet| opus::is_dtx(&packet.payload)));
    let heard = Line::new(Codec::Opus, Quantum::Ms10).listen(sent, |_, _, _| ());
    let at_once = |first: &&usize| {
        let playout = heard.playouts.iter().find(|playout| playout.sequence == **first as u64);
        // The jitter, two pulls, the limiter: nothing waits longer.
        playout.is_some_and(|playout| playout.delay.as_ms() <= jitter_ms + 20.5)
    };
    (firsts.iter().filter(at_once).count(), heard.stats)
}

#[test]
fn the_first_word_behind_a_rest_is_on_time() {
    for (jitter_ms, rest) in [(0.0, 50), (25.0, 50), (25.0, 175)] {
        let (on_time, stats) = resting(jitter_ms, rest);
        assert_eq!(on_time, 29, "{jitter_ms} ms of jitter, {rest} packets of rest");
        assert_eq!(stats.packets.late, 0);
        // Jitter is learnt once.
        assert!(stats.samples.concealed <= 4800, "{} samples concealed", stats.samples.concealed);
    }
}

/// Twenty seconds of a sender, another SSRC with another clock and transit from the tenth on: when from there on its delay
/// stays within 20 ms of the target, in milliseconds.
fn begun_anew(transit_ms: f64) -> f64 {
    let mut rng = Rng::new(3);
    let mut voice = Talker::new(2).packets();
    let sent = (0..1000).map(|packet| {
        let anew = packet >= 500;
        let arrives_ms =
            packet as f64 * 20.0 + rng.between(0.0, 15.0) + if anew { transit_ms } else { 100.0 };
        let plain = Sent::steady(packet, voice.next().unwrap().into_vec(), arrives_ms);
        let shift = if anew { 1_234_567_890 } else { 0 };
        let (sequence, timestamp) =
            (plain.sequence.wrapping_add(shift as u16), plain.timestamp.wrapping_add(shift));
        Sent { ssrc: 1 + u32::from(anew), sequence, timestamp, ..plain }
    });
    let sent: Vec<_> = sent.collect();
    let mut off_until_ms = 0.0;
    Line::new(Codec::Opus, Quantum::Ms10).listen(sent, |at, stats, playouts| {
        let off = playouts.iter().any(|playout| playout.delay.as_ms() > stats.target.as_ms() + 20.0);
        if off {
            off_until_ms = at.as_ms();
        }
    });
    off_until_ms - 10_000.0 - transit_ms
}

#[test]
fn a_sender_that_begins_anew_is_at_its_target_within_two_seconds() {
    for transit_ms in [100.0, 40.0, 250.0] {
        let took_ms = begun_anew(transit_ms);
        assert!(took_ms <= 2000.0, "{transit_ms} ms of transit: {took_ms} ms");
    }
}
