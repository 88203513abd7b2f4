//! The mix of a recording that still runs.

use crate::support::{FRAME, MARA, Mode, Talker, at, play, recorder_with_mara};
use std::fs;
use tertulia::{
    consent::Recordable,
    frame::Channels,
    record::{Derived, Recording, redact},
    render::{Follow, Format, Of, Order, What, deliver},
    speaker::{SpeakerId, VoicePacket},
};

const PUCK: SpeakerId = SpeakerId(1);
const BITRATE_BPS: u32 = 48_000;

#[test]
fn a_mix_that_grows_with_its_recording_is_the_one_that_is_rendered_of_it_afterwards() {
    let dir = tempfile::tempdir().unwrap();
    let (mara, puck) = (Talker::new(Mode::Speech, 1_750), Talker::new(Mode::Speech, 1_750));
    let mut recorder = recorder_with_mara(dir.path(), 0);
    recorder.join(PUCK, "puck", at(0)).unwrap();
    recorder.open(Recordable::dangerously_without_consent(PUCK, at(0)));
    let growing = dir.path().join("mix.opus");
    let mut follow = Follow::begin(dir.path(), None, &growing, Channels::Mono, BITRATE_BPS).unwrap();
    let mut reached = Vec::new();
    for five_seconds in 0..7 {
        // She stops agreeing in the middle of a block; some of his packets are lost.
        if five_seconds == 3 {
            recorder.close(MARA, at(15 * 48_000 + 77));
        }
        let numbers = five_seconds * 250..(five_seconds + 1) * 250;
        let hers = numbers.clone().map(|number| mara.packet(number, 0, 480));
        let his = numbers.filter(|number| number % 9 != 4);
        let his = his.map(|number| VoicePacket { speaker: PUCK, ..puck.packet(number, 0, 960) });
        play(&mut recorder, hers.chain(his).collect());
        recorder.advance(at((five_seconds + 1) * 250 * FRAME)).unwrap();
        reached.push(follow.advance().unwrap() / 48_000);
    }
    assert_eq!(reached, [0, 0, 0, 10, 10, 20, 20], "whole blocks, some seconds behind");
    recorder.finish(at(1_750 * FRAME)).unwrap();
    follow.finish().unwrap();

    let recording = Recording::open(dir.path()).unwrap();
    let (of, format) = (Of::Mix, Format::Opus { bitrate_bps: BITRATE_BPS });
    let order = Order { of, format, span: None, path: dir.path().join("afterwards.opus") };
    let what = What { channels: Some(Channels::Mono), ..What::default() };
    deliver(&recording, &what, std::slice::from_ref(&order), &mut |_| {}).unwrap();
    assert!(fs::read(&growing).unwrap() == fs::read(&order.path).unwrap());

    assert!(Derived::of(dir.path()).unwrap().iter().any(|made| made.path.ends_with("mix.opus")));
    redact(dir.path(), "mara", 0..48_000).unwrap();
    assert!(!growing.exists(), "what holds a voice that is taken back goes");
}
