//! What happens in a room happens at its sample, wherever that lies in a quantum.

use super::stage::Stage;
use tertulia::sim::{GapLine, Options, SpeakerLine};

/// One voice for two seconds with these events in it.
fn mix(events: &[(u64, &str)]) -> Vec<f32> {
    let mut stage = Stage::new("");
    stage.voice("ada", 100, "");
    for (at, what) in events {
        stage.event(*at, &format!("{what}\nspeaker = 'ada'"));
    }
    stage.run("out", &Options::default());
    stage.wav("out/mix.wav")
}

#[test]
fn a_mute_changes_its_sample_and_not_the_one_before() {
    let plain = mix(&[]);
    // The first loud sample after a moment inside the talk, at offsets that fall on, before and after a quantum's edges.
    for offset in [0, 1, 95, 96, 97, 240, 383, 384, 385, 479] {
        let at =
            (48_000..).step_by(480).map(|edge| edge + offset).find(|at| plain[*at].abs() > 1e-3).unwrap();
        let muted = mix(&[(at as u64, "do = 'mute'")]);
        assert_eq!(muted[..at], plain[..at], "before {at}");
        assert_ne!(muted[at].to_bits(), plain[at].to_bits(), "at {at}");
        assert!(muted[at + 480..].iter().all(|sample| *sample == 0.0), "silent after {at}");
    }
}

#[test]
fn one_who_leaves_is_silent_from_that_sample_and_heard_again_on_return() {
    let plain = mix(&[]);
    let at = (48_000..).find(|at| plain[*at].abs() > 1e-3).unwrap();
    let left = mix(&[(at as u64, "do = 'leave'"), (at as u64 + 9600, "do = 'join'")]);
    assert_eq!(left[..at], plain[..at]);
    assert_ne!(left[at].to_bits(), plain[at].to_bits());
    assert!(left[at + 480..at + 9600].iter().all(|sample| *sample == 0.0));
    assert!(left[at + 9600..].iter().any(|sample| sample.abs() > 1e-3));
}

#[test]
fn a_room_turns_stereo_for_a_pan() {
    let mono = mix(&[]);
    let stereo = mix(&[(50_000, "do = 'pan'\npan = -1")]);
    assert_eq!(stereo.len(), 2 * mono.len());
    let right =
        |frames: &[f32]| frames.iter().skip(1).step_by(2).map(|sample| sample.abs()).fold(0.0, f32::max);
    assert!(right(&stereo[..100_000]) > 0.01);
    assert!(right(&stereo[2 * 50_480..]) < 1e-6);
}

/// Ten seconds of one voice with these events in it: its mix and its line.
fn ten_seconds(keys: &str, events: &[(u64, &str)]) -> (Vec<f32>, SpeakerLine) {
    let mut stage = Stage::new("duration_s = 10");
    stage.voice("ada", 500, keys);
    for (at, what) in events {
        stage.event(*at, &format!("{what}\nspeaker = 'ada'"));
    }
    let mut report = stage.run("out", &Options::default()).report;
    (stage.wav("out/mix.wav"), report.speakers.remove("ada").unwrap())
}

#[test]
fn one_who_is_back_within_a_quantum_goes_on() {
    let (plain, whole) = ten_seconds("", &[]);
    assert!(whole.gaps.is_empty(), "{:?}", whole.gaps);
    for (leave, join) in [(96_000, 96_000), (96_600, 97_000), (96_301, 96_310), (96_479, 96_577)] {
        let (mix, line) = ten_seconds("", &[(leave, "do = 'leave'"), (join, "do = 'join'")]);
        let differs = (0..mix.len()).find(|at| mix[*at].to_bits() != plain[*at].to_bits());
        assert_eq!(differs, (leave < join).then_some(leave as usize), "{leave} to {join}");
        // Packets of 96,000 and 96,960 that lie outside for a part are left out whole, and three or fifteen more that may
        // tell of what was said outside; what follows is all there.
        let forgotten = if leave < join { 97_920 + 15 * 960 } else { 97_920 };
        for gap in &line.gaps {
            assert!(gap.from_sample >= 96_000 && gap.to_sample <= forgotten, "{leave} to {join}: {gap:?}");
            let behind = gap.from_sample == join || gap.cause == "gate" && gap.from_sample > join;
            assert!(gap.cause == "not_joined" || behind, "{leave} to {join}: {gap:?}");
        }
        assert_eq!(line.gaps.iter().any(|gap| gap.cause == "not_joined"), leave < join);
        assert!(line.packets.recorded >= if leave < join { 483 } else { 498 }, "{:?}", line.packets);
    }
}

#[test]
fn what_is_set_out_of_the_room_counts_when_one_comes_in() {
    for (keys, joins, events) in [
        ("start_ms = 1000", 48_000, vec![(24_000, "do = 'mute'")]),
        ("", 48_000, vec![(10, "do = 'mute'"), (24_000, "do = 'leave'"), (48_000, "do = 'join'")]),
        ("", 24_200, vec![(24_000, "do = 'leave'"), (24_100, "do = 'mute'"), (24_200, "do = 'join'")]),
    ] {
        let (mix, line) = ten_seconds(keys, &events);
        assert!(mix[joins as usize + 480..].iter().all(|sample| *sample == 0.0), "{events:?}");
        let muted = GapLine { from_sample: joins, to_sample: 480_000, cause: "mute" };
        assert_eq!(line.gaps.last(), Some(&muted), "{events:?}");
    }
    let away = [(48_000, "do = 'leave'"), (144_000, "do = 'join'")];
    let (plain, _) = ten_seconds("", &away);
    let (louder, _) = ten_seconds("", &[away[0], (96_000, "do = 'gain'\ndb = 6"), away[1]]);
    let (unmuted, line) =
        ten_seconds("", &[(47_000, "do = 'mute'"), away[0], (96_000, "do = 'unmute'"), away[1]]);
    assert_eq!(unmuted[144_000..], plain[144_000..]);
    // And 300 ms of CELT more: who knows what its encoder heard elsewhere.
    assert_eq!(line.gaps.last().map(|gap| gap.to_sample), Some(144_000 + 15 * 960));
    let loudest = |mix: &[f32]| mix[144_000..].iter().fold(0.0_f32, |top, sample| top.max(sample.abs()));
    let factor = loudest(&louder) / loudest(&plain);
    // 6 dB are a factor of 1.995; the voice is far below where the limiter begins.
    assert!((factor - 1.995).abs() < 0.01, "{factor}");
}
