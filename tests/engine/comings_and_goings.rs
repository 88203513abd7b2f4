use crate::desk::{Desk, tone};
use tertulia::{
    engine::{
        BuildError, Bus, BusConfig, Codec, Command, EncoderConfig, Event, Lane, LaneConfig, Retired,
        RoomConfig, StreamConfig,
    },
    speaker::{BusId, SpeakerId, SpeakerSet},
    time::{Quantum, Samples},
};

#[test]
fn a_place_can_be_taken_once_and_again_when_it_is_free() {
    let mut desk = Desk::new(Quantum::Ms10);
    let speaker = desk.admit(5, Codec::Pcm);
    let second = Lane::new(LaneConfig::new(speaker), &RoomConfig::default()).unwrap();
    let refused = desk.engine.apply(Command::Admit(Box::new(second)));
    assert!(matches!(refused, Some(Retired::Refused(Command::Admit(_)))));
    assert!(
        matches!(desk.engine.apply(Command::Dismiss(speaker)), Some(Retired::Lane(lane)) if lane.speaker() == speaker)
    );
    assert!(matches!(desk.engine.apply(Command::Dismiss(speaker)), Some(Retired::Refused(_))));
    desk.admit(5, Codec::Pcm);
}

#[test]
fn comings_and_goings_are_told_in_order() {
    let mut desk = Desk::new(Quantum::Ms10);
    let speaker = desk.admit(2, Codec::Pcm);
    let at = tertulia::engine::Engine::LOOKAHEAD;
    assert_eq!(
        desk.engine.tick().events(),
        [Event::Joined { speaker, at: tertulia::time::SampleTime::ZERO + at }]
    );
    drop(desk.engine.apply(Command::Dismiss(speaker)));
    let now = desk.engine.now();
    assert_eq!(desk.engine.tick().events(), [Event::Left { speaker, at: now + at }]);
    assert!(desk.engine.tick().events().is_empty());
}

#[test]
fn a_lane_that_leaves_is_not_heard_any_more() {
    let mut desk = Desk::new(Quantum::Ms10);
    let speaker = desk.admit(0, Codec::Pcm);
    desk.open(SpeakerSet::EVERYBODY, None);
    desk.send(speaker, 0, &tone(0, 0));
    assert!(desk.tick()[0].iter().any(|sample| *sample != 0.0));
    drop(desk.engine.apply(Command::Dismiss(speaker)));
    desk.tick();
    assert!(desk.tick()[0].iter().all(|sample| *sample == 0.0));
    assert!(!desk.send(speaker, 1, &tone(0, 1)));
}

#[test]
fn rooms_hold_1024_lanes() {
    let room = RoomConfig { max_lanes: 1024, max_buses: 1025, ..RoomConfig::default() };
    let mut engine = tertulia::engine::Engine::new(room);
    for place in 0..1024 {
        let config = LaneConfig { codec: Codec::Pcm, ..LaneConfig::new(SpeakerId(place)) };
        assert!(engine.apply(Command::Admit(Box::new(Lane::new(config, &room).unwrap()))).is_none());
        engine.tick();
    }
    assert!(matches!(
        Lane::new(LaneConfig::new(SpeakerId(1024)), &room),
        Err(BuildError::Place { got: 1024, .. })
    ));
}

#[test]
fn a_packet_that_is_no_whole_number_of_quanta_is_refused_when_its_bus_is_built() {
    let room = RoomConfig { quantum: Quantum::Ms20, ..RoomConfig::default() };
    let encoder = EncoderConfig { packet: Samples::from_ms(10), ..EncoderConfig::default() };
    let config = BusConfig {
        bus: BusId(0),
        members: SpeakerSet::EVERYBODY,
        encoder: Some(encoder),
        stream: StreamConfig::default(),
    };
    let error = Bus::new(&config, &room).unwrap_err();
    assert_eq!(error.to_string(), "packet of 10 ms, expected a multiple of the quantum of 20 ms");
}
