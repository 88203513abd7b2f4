use crate::desk::{Desk, tone};
use tertulia::{
    engine::{Codec, Command, Event},
    speaker::{SpeakerId, SpeakerSet},
    time::{Quantum, SampleTime, Samples},
};

const ROOM_SAMPLES: usize = 9600;

/// 200 ms of the listeners' mix, with `commands` applied before the first tick.
fn mix(quantum: Quantum, commands: &[fn(SpeakerId, SampleTime) -> Command], at: u64) -> Vec<f32> {
    let mut desk = Desk::new(quantum);
    let speaker = desk.admit(0, Codec::Pcm);
    desk.open(SpeakerSet::EVERYBODY, None);
    for command in commands {
        assert!(desk.engine.apply(command(speaker, SampleTime::from_samples(at))).is_none());
    }
    let mut heard = Vec::new();
    while heard.len() < ROOM_SAMPLES {
        let now = desk.engine.now().samples();
        if now.is_multiple_of(960) {
            desk.send(speaker, (now / 960) as u16, &tone(3, (now / 960) as u16));
        }
        heard.extend(desk.tick().remove(0));
    }
    heard
}

fn first_difference(a: &[f32], b: &[f32]) -> Option<usize> {
    a.iter().zip(b).position(|(a, b)| a.to_bits() != b.to_bits())
}

const MUTE: fn(SpeakerId, SampleTime) -> Command = |speaker, at| Command::Mute { speaker, at };
const STEP: fn(SpeakerId, SampleTime) -> Command =
    |speaker, at| Command::Gain { speaker, to: 0.5, at, over: Samples::ZERO };
const RAMP: fn(SpeakerId, SampleTime) -> Command =
    |speaker, at| Command::Gain { speaker, to: 0.0, at, over: Samples::from_ms(10) };

#[test]
fn a_change_begins_at_its_sample_at_every_offset_inside_a_quantum() {
    for quantum in [Quantum::Ms2_5, Quantum::Ms5, Quantum::Ms10, Quantum::Ms20] {
        let plain = mix(quantum, &[], 0);
        // The tone crosses zero, where any gain is the same: such samples cannot show where a change begins.
        let offsets = (0..quantum.samples().count()).step_by(7).map(|offset| 4800 + offset);
        for at in offsets.filter(|at| plain[*at as usize].abs() > 1e-3) {
            for change in [MUTE, STEP, RAMP] {
                let changed = mix(quantum, &[change], at);
                assert_eq!(first_difference(&plain, &changed), Some(at as usize), "{quantum:?}, sample {at}");
            }
        }
    }
}

#[test]
fn every_quantum_gives_the_same_mix_to_the_bit() {
    let ten = mix(Quantum::Ms10, &[MUTE, STEP], 5001);
    for quantum in [Quantum::Ms2_5, Quantum::Ms5, Quantum::Ms20] {
        assert_eq!(first_difference(&mix(quantum, &[MUTE, STEP], 5001), &ten), None, "{quantum:?}");
    }
}

#[test]
fn a_change_whose_moment_has_passed_begins_at_the_first_sample_not_yet_mixed() {
    let mut desk = Desk::new(Quantum::Ms10);
    let speaker = desk.admit(0, Codec::Pcm);
    desk.tick();
    assert!(desk.engine.apply(Command::Mute { speaker, at: SampleTime::ZERO }).is_none());
    let earliest = desk.engine.now() + tertulia::engine::Engine::LOOKAHEAD;
    assert_eq!(desk.engine.tick().events(), [Event::Muted { speaker, at: earliest }]);
}
