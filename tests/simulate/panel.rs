//! The panel that comes with the examples: the first thing a newcomer runs.

use std::path::Path;
use tertulia::sim::{Meters, Options, Scenario, SpeakerLine, simulate};

#[test]
fn the_panel_of_the_examples_runs_and_tells_what_happened() {
    let scenario =
        Scenario::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/panel/panel.toml")).unwrap();
    let out = tempfile::tempdir().unwrap();
    let report = simulate(&scenario, &Options::default(), out.path(), Meters::default()).unwrap().report;
    assert_eq!((report.room.samples, report.room.ticks), (1_747_200, 3640));
    let gaps = |name: &str, cause: &str| {
        let gaps = report.speakers[name].gaps.iter().filter(|gap| gap.cause == cause);
        gaps.map(|gap| (gap.from_sample, gap.to_sample)).collect::<Vec<_>>()
    };
    assert_eq!(gaps("michael", "loss"), []);
    // What ends or falls silent within a packet takes the whole packet from the recording.
    let [(from, 1_747_200)] = gaps("puck", "not_joined")[..] else {
        panic!("{:?}", gaps("puck", "not_joined"))
    };
    assert!(from <= 960_000 && from > 960_000 - 960, "{from}");
    let [(from, to)] = gaps("fenrir", "mute")[..] else { panic!("{:?}", gaps("fenrir", "mute")) };
    assert!(from <= 730_123 && from > 730_123 - 960, "{from}");
    assert!((1_286_400..1_286_400 + 5 * 960).contains(&to), "{to}");
    let lossy = |line: &SpeakerLine| line.packets.sent > line.packets.arrived;
    let names: Vec<_> =
        report.speakers.iter().filter(|(_, line)| lossy(line)).map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["emma", "fenrir", "puck", "sarah"]);
}
