use crate::desk::{Desk, Talker, encoded};
use tertulia::{
    engine::{Codec, Command, EncoderConfig, Event, Shed},
    speaker::SpeakerSet,
    time::Quantum,
};

/// What listeners get of one talker through a room whose encoder has this complexity, and what was shed before each packet.
fn packets(complexity: u8, shed: impl Fn(u16) -> Shed) -> Vec<Vec<u8>> {
    let mut desk = Desk::new(Quantum::Ms20);
    let (speaker, mut talker) = (desk.admit(0, Codec::Opus), Talker::new(0));
    desk.engine.apply(Command::Shed(shed(0)));
    desk.open(SpeakerSet::EVERYBODY, Some(EncoderConfig { complexity, ..encoded() }));
    let send = |sequence| {
        desk.engine.apply(Command::Shed(shed(sequence)));
        desk.send(speaker, sequence, &talker.packet(sequence));
        desk.engine.tick().packets().next().unwrap().payload.to_vec()
    };
    (0..60).map(send).collect()
}

#[test]
fn encoders_work_as_thoroughly_as_they_may() {
    let thorough = packets(9, |_| Shed::Neural);
    let shed = packets(9, |_| Shed::Complexity);
    let back = packets(9, |sequence| if sequence < 30 { Shed::Voices } else { Shed::Nothing });
    assert_eq!(thorough, packets(9, |_| Shed::Nothing));
    assert_eq!(shed, packets(Shed::COMPLEXITY, |_| Shed::Nothing));
    assert_eq!(back[..30], shed[..30]);
    assert_ne!(back[30..], shed[30..]);
    assert_ne!(thorough, shed);
}

#[test]
fn each_step_is_told_once() {
    let mut desk = Desk::new(Quantum::Ms10);
    let steps = [Shed::Nothing, Shed::Neural, Shed::Neural, Shed::Voices, Shed::Nothing];
    let mut told = Vec::new();
    for shed in steps {
        assert!(desk.engine.apply(Command::Shed(shed)).is_none());
        assert_eq!(desk.engine.shed(), shed);
        let tick = desk.engine.tick();
        told.extend(tick.events().iter().filter_map(|event| match event {
            Event::Shed { shed, .. } => Some(*shed),
            _ => None,
        }));
    }
    assert_eq!(told, [Shed::Neural, Shed::Voices, Shed::Nothing]);
}

#[test]
fn the_work_of_the_next_tick_is_foretold() {
    let mut desk = Desk::new(Quantum::Ms10);
    let speakers: Vec<_> = (0..3).map(|place| desk.admit(place, Codec::Opus)).collect();
    let mut talkers: Vec<_> = (0..3).map(Talker::new).collect();
    desk.open(SpeakerSet::EVERYBODY, Some(encoded()));
    for speaker in &speakers {
        desk.open(SpeakerSet::everybody_but(*speaker), Some(encoded()));
    }
    for sequence in 0..40 {
        for (speaker, talker) in speakers.iter().zip(&mut talkers) {
            desk.send(*speaker, sequence, &talker.packet(sequence));
        }
        for half in 0..2 {
            let foretold = desk.engine.next_work();
            let spent = desk.engine.tick().work();
            if sequence > 2 {
                assert_eq!(foretold, spent, "packet {sequence}, tick {half}");
            }
        }
    }
}
