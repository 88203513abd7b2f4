//! The null test: the mix is the sum of the bare decodes, and one's own bus is that sum without oneself.

use super::stage::{PACKET, Stage};
use tertulia::{engine::Engine, sim::Options, time::RATE_HZ};

const NAMES: [&str; 8] = ["ada", "bob", "cleo", "dora", "emil", "fay", "gus", "hana"];
const PACKETS: usize = 150;
/// −120 dBFS: what `f32` sums in another order differ by, and far below the last bit of 16.
const NULL: f32 = 1e-6;

fn decode(packets: &[Vec<u8>]) -> Vec<f32> {
    let mut decoder = opus::Decoder::new(RATE_HZ, opus::Channels::Mono).unwrap();
    let mut pcm = vec![0.0; packets.len() * PACKET];
    for (packet, frame) in packets.iter().zip(pcm.chunks_exact_mut(PACKET)) {
        assert_eq!(decoder.decode_float(packet, frame, false).unwrap(), PACKET);
    }
    pcm
}

/// The sum of those `pcm`, later by the limiter's look-ahead: sample 0 of a packet that arrives at once.
fn assert_is_sum(mix: &[f32], voices: &[&Vec<f32>], what: &str) {
    let later = Engine::LOOKAHEAD.len();
    assert_eq!(mix.len(), PACKETS * PACKET);
    assert!(mix[..later].iter().all(|sample| *sample == 0.0), "{what} begins with silence");
    for (at, sample) in mix[later..].iter().enumerate() {
        let sum: f32 = voices.iter().map(|pcm| pcm[at]).sum();
        assert!((sample - sum).abs() <= NULL, "{what} at {at}: {sample} is not {sum}");
    }
}

#[test]
fn a_clean_room_is_the_sum_of_its_bare_decodes() {
    let mut stage = Stage::new("");
    let voices: Vec<Vec<f32>> = NAMES.iter().map(|name| decode(&stage.voice(name, PACKETS, ""))).collect();
    let outcome = stage.run("out", &Options { minus: true, ..Options::default() });
    assert_eq!(outcome.report.room.limiter_max_reduction_db, 0.0);
    let mix = stage.wav("out/mix.wav");
    assert!(mix.iter().any(|sample| sample.abs() > 0.05), "there is something to hear");
    assert_is_sum(&mix, &voices.iter().collect::<Vec<_>>(), "mix");
    for name in NAMES {
        let others: Vec<_> =
            voices.iter().zip(NAMES).filter(|(_, other)| *other != name).map(|(pcm, _)| pcm).collect();
        assert_is_sum(&stage.wav(&format!("out/minus/{name}.wav")), &others, name);
    }
}

#[test]
fn a_solo_speaker_hears_exact_silence() {
    let mut stage = Stage::new("");
    stage.voice("ada", PACKETS, "");
    stage.run("out", &Options { minus: true, ..Options::default() });
    let (heard, mix) = (stage.wav("out/minus/ada.wav"), stage.wav("out/mix.wav"));
    assert!(heard.len() == mix.len() && heard.iter().all(|sample| *sample == 0.0));
    assert!(mix.iter().any(|sample| *sample != 0.0));
}
