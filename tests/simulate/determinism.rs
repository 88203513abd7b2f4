//! Same scenario, same seed, same bytes; and the quantum moves the mix, but changes nothing in it.

use super::stage::{Stage, files, rough};
use tertulia::{
    sim::{Network, Options},
    time::Quantum,
};

#[test]
fn the_same_scenario_leaves_the_same_folder_twice() {
    let mut stage = Stage::new("");
    for (seed, name) in ["ada", "bob", "cleo"].into_iter().enumerate() {
        stage.network(&format!("{name}.csv"), &rough(), seed as u64, 250);
        stage.voice(name, 200, &format!("trace = '{name}.csv'"));
    }
    stage.event(100_001, "do = 'mute'\nspeaker = 'ada'");
    stage.event(150_007, "do = 'withdraw'\nspeaker = 'bob'");
    let options = Options { minus: true, ..Options::default() };
    assert_eq!(stage.run("once", &options), stage.run("again", &options));
    let (once, again) = (files(&stage.path("once")), files(&stage.path("again")));
    let names: Vec<_> = once.keys().map(|name| name.to_str().unwrap()).collect();
    for expected in ["mix.opus", "mix.wav", "minus/cleo.wav", "playout.csv", "report.json"] {
        assert!(names.contains(&expected), "{names:?}");
    }
    assert_eq!(names, again.keys().map(|name| name.to_str().unwrap()).collect::<Vec<_>>());
    for (name, bytes) in once {
        assert!(bytes == again[&name], "{} differs", name.display());
    }
}

/// Two voices' worth of what the engine takes for silence (−120 dBFS): whether a fading voice is still summed is decided
/// once a quantum, so that this much may differ, and no more.
const UNHEARD: f32 = 2e-6;

#[test]
fn the_quantum_shifts_the_mix_and_changes_nothing_in_it() {
    // A packet that arrives at 33 ms is heard from the next quantum's beginning on: at 35 ms, or at 40.
    let mut stage = Stage::new("duration_s = 5");
    stage.network("steady.csv", &Network { transit_ms: 33.0, ..Network::default() }, 1, 200);
    stage.voice("ada", 200, "trace = 'steady.csv'");
    stage.voice("bob", 200, "trace = 'steady.csv'");
    let mix = |name: &str, quantum| {
        stage.run(name, &Options { quantum: Some(quantum), ..Options::default() });
        stage.wav(&format!("{name}/mix.wav"))
    };
    let finest = mix("q2_5", Quantum::Ms2_5);
    assert!(finest.iter().any(|sample| sample.abs() > 0.01));
    for (name, quantum, later_ms) in
        [("q5", Quantum::Ms5, 0), ("q10", Quantum::Ms10, 5), ("q20", Quantum::Ms20, 5)]
    {
        let coarse = mix(name, quantum);
        let later = later_ms * 48;
        assert_eq!(coarse.len(), finest.len());
        for (at, (coarse, finest)) in coarse[later..].iter().zip(&finest).enumerate() {
            assert!((coarse - finest).abs() <= UNHEARD, "{name} at {at}: {coarse} is not {finest}");
        }
    }
}
