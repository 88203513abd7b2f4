//! Whatever somebody decides about being recorded, nobody hears it, and nobody else's track knows of it.

use super::stage::{Stage, files, rough};
use std::{collections::BTreeMap, path::PathBuf};
use tertulia::sim::Options;

/// Three voices over rough networks; what the room leaves when these things happen to Ada's consent.
fn room(events: &[(u64, &str)]) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut stage = Stage::new("duration_s = 12");
    for (seed, name) in (1..).zip(["ada", "ben", "cleo"]) {
        stage.network(&format!("{name}.csv"), &rough(), seed, 620);
        stage.voice(name, 600, &format!("trace = '{name}.csv'"));
    }
    for (at, what) in events {
        stage.event(*at, &format!("do = '{what}'\nspeaker = 'ada'"));
    }
    stage.run("out", &Options { minus: true, ..Options::default() });
    files(&stage.path("out"))
}

#[test]
fn gates_move_no_bit_of_what_is_heard_nor_of_other_tracks() {
    let ungated = room(&[]);
    for events in [
        &[(0, "withdraw")][..],
        &[(100_003, "withdraw")],
        &[
            (50_001, "withdraw"),
            (170_777, "grant"),
            (301_234, "withdraw"),
            (301_234, "grant"),
            (400_000, "withdraw"),
        ],
    ] {
        let gated = room(events);
        assert_eq!(gated.keys().collect::<Vec<_>>(), ungated.keys().collect::<Vec<_>>());
        let differ: Vec<_> = gated.iter().filter(|(path, bytes)| ungated[*path] != **bytes).collect();
        let differ: Vec<_> = differ.into_iter().map(|(path, _)| path.display().to_string()).collect();
        assert_eq!(differ, ["report.json", "session.json", "tracks/ada.opus"], "{events:?}");
    }
}
