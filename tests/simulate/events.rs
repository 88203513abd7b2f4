//! What happens in a room happens at its sample, wherever that lies in a quantum.

use super::stage::Stage;
use tertulia::sim::Options;

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
        assert_ne!(muted[at], plain[at], "at {at}");
        assert!(muted[at + 480..].iter().all(|sample| *sample == 0.0), "silent after {at}");
    }
}

#[test]
fn one_who_leaves_is_silent_from_that_sample_and_heard_again_on_return() {
    let plain = mix(&[]);
    let at = (48_000..).find(|at| plain[*at].abs() > 1e-3).unwrap();
    let left = mix(&[(at as u64, "do = 'leave'"), (at as u64 + 9600, "do = 'join'")]);
    assert_eq!(left[..at], plain[..at]);
    assert_ne!(left[at], plain[at]);
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
