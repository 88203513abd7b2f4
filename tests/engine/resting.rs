use crate::desk::{Desk, Talker, encoded, tone};
use tertulia::{
    engine::{Codec, LaneStats, Source},
    speaker::SpeakerSet,
    time::{Quantum, SampleTime},
};

/// How a stretch of time is spent.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
    Ticking,
    /// All at once, as soon as nothing is left to hear.
    Resting,
}

/// Two speak, fall silent for `silence` ticks of 10 ms, and speak again; another has never spoken. What was heard after
/// the silence, and what the lanes counted.
fn evening(codec: Codec, silence: u64, way: Way) -> (Vec<Vec<f32>>, Vec<LaneStats>) {
    let mut desk = Desk::new(Quantum::Ms10);
    let speakers = [0, 1, 2].map(|place| desk.admit(place, codec));
    let mut talkers = [0, 1].map(Talker::new);
    desk.open(SpeakerSet::EVERYBODY, None);
    let mut speak = |desk: &mut Desk, sequence: u16| {
        for (place, talker) in talkers.iter_mut().enumerate() {
            let payload = match codec {
                Codec::Pcm => tone(place as u16, sequence),
                _ => talker.packet(sequence),
            };
            assert!(desk.send(speakers[place], sequence, &payload));
        }
        [desk.tick().remove(0), desk.tick().remove(0)]
    };
    (0..50).for_each(|sequence| drop(speak(&mut desk, sequence)));
    let mut left = silence;
    while left > 0 {
        if way == Way::Resting && desk.engine.is_at_rest() {
            desk.engine.rest(left);
            left = 0;
        } else {
            desk.tick();
            left -= 1;
        }
    }
    let next = 50 + (silence / 2) as u16;
    let heard = (next..next + 50).flat_map(|sequence| speak(&mut desk, sequence)).collect();
    (heard, speakers.map(|speaker| desk.engine.stats(speaker).unwrap()).to_vec())
}

#[test]
fn a_room_that_rested_goes_on_as_if_it_had_ticked() {
    for codec in [Codec::Pcm, Codec::Opus] {
        // Some 5 s until the last background is gone, then 7 s of rest.
        let (ticked, rested) = (evening(codec, 1200, Way::Ticking), evening(codec, 1200, Way::Resting));
        assert!(ticked.0.concat().iter().any(|sample| sample.abs() > 0.01));
        assert!(ticked.0 == rested.0, "{codec:?}: something else is heard");
        assert_eq!(ticked.1, rested.1, "{codec:?}");
    }
}

#[test]
fn nobody_rests_while_anything_is_heard_or_waits() {
    let mut desk = Desk::new(Quantum::Ms10);
    let speaker = desk.admit(0, Codec::Pcm);
    desk.open(SpeakerSet::EVERYBODY, None);
    desk.tick();
    assert!(desk.engine.is_at_rest());
    desk.send(speaker, 0, &tone(0, 0));
    desk.tick();
    assert!(!desk.engine.is_at_rest());
    // Its background lingers for 4 s behind 120 ms of concealment.
    for _ in 0..420 {
        desk.tick();
    }
    assert!(desk.engine.is_at_rest());
}

#[test]
fn a_rest_is_a_pause_in_the_stream() {
    let mut desk = Desk::new(Quantum::Ms10);
    desk.open(SpeakerSet::EVERYBODY, Some(encoded()));
    let mut headers = Vec::new();
    for _ in 0..2 {
        for _ in 0..4 {
            headers.extend(desk.engine.tick().packets().map(|packet| packet.header));
        }
        desk.engine.rest(100);
    }
    let numbers: Vec<_> = headers.iter().map(|header| u16::from_be_bytes([header[2], header[3]])).collect();
    let times: Vec<_> = headers
        .iter()
        .map(|header| u32::from_be_bytes([header[4], header[5], header[6], header[7]]))
        .collect();
    assert_eq!(numbers, [0, 1, 2, 3]);
    assert_eq!(times, [0, 960, 104 * 480, 106 * 480]);
}

/// Behind a stall: nothing is decoded or sent, and every packet has the place that it would have had.
#[test]
fn ticks_that_pass_unheard_leave_what_comes_after_them_in_its_place() {
    let run = |unheard: std::ops::Range<u16>| {
        let mut desk = Desk::new(Quantum::Ms10);
        let (speaker, mut talker) = (desk.admit(0, Codec::Opus), Talker::new(0));
        desk.open(SpeakerSet::EVERYBODY, Some(encoded()));
        let (mut heard, mut sent, mut played) = (Vec::new(), Vec::new(), Vec::new());
        for sequence in 0..60 {
            desk.send(speaker, sequence, &talker.packet(sequence));
            for _ in 0..2 {
                let unheard = unheard.contains(&sequence);
                let tick = if unheard { desk.engine.pass() } else { desk.engine.tick() };
                // The voice plays to the end of the packet that was begun.
                assert!(!unheard || tick.work().encodes == 0);
                heard.extend(tick.mixes().map(|(_, mix)| mix.to_vec()));
                sent.extend(tick.packets().map(|packet| packet.at.samples() / 960));
                played.extend(
                    tick.playouts().iter().map(|playout| (playout.sequence, playout.at, playout.source)),
                );
            }
        }
        assert_eq!(desk.engine.now().samples(), 60 * 960);
        (heard, sent, played)
    };
    let (whole, stalled) = (run(0..0), run(20..40));
    assert!(whole.0[..40] == stalled.0[..40]);
    assert!(stalled.0[40..80].concat().iter().all(|sample| *sample == 0.0));
    assert_eq!(stalled.1, (0..20).chain(40..60).collect::<Vec<_>>());
    let places = |played: &[(u64, SampleTime, Source)]| {
        played.iter().map(|(sequence, at, _)| (*sequence, *at)).collect::<Vec<_>>()
    };
    assert_eq!(places(&stalled.2), places(&whole.2));
    let unmixed = stalled.2.iter().filter(|(.., source)| *source == Source::Unmixed).count();
    assert!((19..=20).contains(&unmixed), "{unmixed}");
    // The decoder was warmed up: 100 ms later the tone is the same again, but for a hundredth of its peak of 0.09. Another
    // stretch of it would differ by as much as there is.
    let difference =
        |a: &[f32], b: &[f32]| a.iter().zip(b).fold(0.0_f32, |most, (a, b)| most.max((a - b).abs()));
    let last = difference(&whole.0[90..].concat(), &stalled.0[90..].concat());
    assert!(last < 9e-4, "{last}");
}
