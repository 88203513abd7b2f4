use crate::desk::{Desk, PACKET, samples, tone};
use tertulia::{
    engine::{Codec, Engine},
    speaker::SpeakerSet,
    time::Quantum,
};

#[test]
fn everybody_hears_the_others_and_never_oneself() {
    let mut desk = Desk::new(Quantum::Ms10);
    let speakers: Vec<_> = (0..3).map(|place| desk.admit(place, Codec::Pcm)).collect();
    let all = desk.open(SpeakerSet::EVERYBODY, None);
    let own: Vec<_> = speakers.iter().map(|id| desk.open(SpeakerSet::everybody_but(*id), None)).collect();
    let mut heard = vec![Vec::new(); 4];
    for sequence in 0..50 {
        for speaker in &speakers {
            assert!(desk.send(*speaker, sequence, &tone(speaker.0, sequence)));
        }
        for _ in 0..2 {
            for (heard, mix) in heard.iter_mut().zip(desk.tick()) {
                heard.extend(mix);
            }
        }
    }
    let delay = Engine::LOOKAHEAD.len();
    for (bus, left_out) in [(all, None), (own[0], Some(0)), (own[1], Some(1)), (own[2], Some(2))] {
        let expected = |at: usize| -> f64 {
            (0..3)
                .filter(|voice| Some(*voice) != left_out)
                .map(|voice| f64::from(samples(voice, (at / PACKET) as u16)[at % PACKET]) / 32768.0)
                .sum()
        };
        for (at, sample) in heard[bus.index()].iter().enumerate().skip(delay).take(40_000).step_by(17) {
            // 16-bit samples are exact in f32, and so are sums of three of them.
            assert!(
                (f64::from(*sample) - expected(at - delay)).abs() < 1e-7,
                "bus {bus:?} sample {at}: {sample}"
            );
        }
    }
}

#[test]
fn a_solo_speaker_hears_exact_silence() {
    let mut desk = Desk::new(Quantum::Ms5);
    let speaker = desk.admit(7, Codec::Pcm);
    desk.open(SpeakerSet::everybody_but(speaker), None);
    for sequence in 0..20 {
        desk.send(speaker, sequence, &tone(1, sequence));
        for _ in 0..4 {
            assert!(desk.tick()[0].iter().all(|sample| *sample == 0.0));
        }
    }
}
