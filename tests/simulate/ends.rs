//! Where a room ends, everything that belongs to it ends with it, and is there.

use super::stage::{Stage, rough};
use ogg::PacketReader;
use std::{fs::File, path::Path};
use tertulia::{
    sim::{GapLine, Network, Options, read_trace},
    time::Quantum,
};

/// How many samples a player makes of an Ogg Opus file (RFC 7845 §4): what its packets hold, up to the last page's
/// position, without the pre-skip.
fn played(path: &Path) -> u64 {
    let mut reader = PacketReader::new(File::open(path).unwrap());
    let head = reader.read_packet().unwrap().unwrap().data;
    let pre_skip = u64::from(u16::from_le_bytes([head[10], head[11]]));
    reader.read_packet().unwrap().unwrap();
    let mut decoder = opus::Decoder::new(48_000, opus::Channels::Mono).unwrap();
    let (mut decoded, mut end) = (0, 0);
    while let Some(packet) = reader.read_packet().unwrap() {
        decoded += decoder.decode_float(&packet.data, &mut [0.0; 5760], false).unwrap() as u64;
        end = packet.absgp_page();
    }
    decoded.min(end) - pre_skip
}

#[test]
fn the_coded_mix_lasts_as_long_as_the_room() {
    for (duration_s, quantum) in
        [(0.001, Quantum::Ms2_5), (0.0135, Quantum::Ms5), (1.0, Quantum::Ms10), (1.2345, Quantum::Ms20)]
    {
        let mut stage = Stage::new(&format!("duration_s = {duration_s}"));
        stage.voice("ada", 100, "");
        let outcome = stage.run("out", &Options { quantum: Some(quantum), ..Options::default() });
        let room = outcome.report.room;
        assert_eq!(room.samples, (duration_s * 48_000.0) as u64);
        assert_eq!(played(&stage.path("out/mix.opus")), room.samples, "{duration_s} s");
        assert_eq!(stage.wav("out/mix.wav").len() as u64, room.samples);
        assert_eq!(room.ticks, room.samples.div_ceil(room.quantum_samples));
    }
}

#[test]
fn who_comes_after_the_rooms_end_has_a_silent_track() {
    let mut stage = Stage::new("duration_s = 1");
    stage.voice("ada", 100, "");
    stage.voice("bob", 100, "start_ms = 1500");
    let report = stage.run("out", &Options::default()).report;
    let gap = GapLine { from_sample: 0, to_sample: 48_000, cause: "not_joined" };
    assert_eq!(report.speakers["bob"].gaps, [gap]);
    assert_eq!(report.speakers["bob"].packets.sent, 0);
    assert_eq!(played(&stage.path("out/tracks/bob.opus")), 48_000);
}

#[test]
fn nothing_is_invented_behind_the_last_packet() {
    for quantum in [Quantum::Ms2_5, Quantum::Ms5, Quantum::Ms10, Quantum::Ms20] {
        let mut stage = Stage::new("duration_s = 5");
        stage.network("steady.csv", &Network { transit_ms: 33.3, ..Network::default() }, 1, 150);
        stage.voice("ada", 200, "trace = 'steady.csv'");
        let report = stage.run("out", &Options { quantum: Some(quantum), ..Options::default() }).report;
        let ada = &report.speakers["ada"];
        assert_eq!((ada.samples.played, ada.samples.concealed), (150 * 960, 0), "{quantum:?}");
        // 33.3 ms are 1,598.4 samples: the first that can hold the sound is the next.
        let before = GapLine { from_sample: 0, to_sample: 1599, cause: "dtx" };
        let after = GapLine { from_sample: 1599 + 150 * 960, to_sample: 240_000, cause: "not_joined" };
        assert_eq!(ada.gaps, [before, after], "{quantum:?}");
        assert_eq!(ada.packets.recorded, 150, "{quantum:?}");
    }
}

#[test]
fn a_last_packet_over_a_rough_network_is_kept_and_lost_ones_behind_it_are_counted() {
    for seed in 0..6 {
        let mut stage = Stage::new("duration_s = 8");
        stage.network("rough.csv", &rough(), seed, 250);
        stage.voice("ada", 250, "trace = 'rough.csv'");
        let report = stage.run("out", &Options::default()).report;
        let ada = &report.speakers["ada"];
        let last = read_trace(&stage.path("rough.csv")).unwrap().pop().unwrap();
        assert_eq!((ada.packets.sent, ada.packets.gated), (last.seq + 1, 0), "{seed}");
        let end = ada.gaps.last().unwrap();
        assert_eq!((end.cause, end.to_sample), ("not_joined", 384_000), "{seed}");
        assert!(ada.gaps.iter().skip(1).all(|gap| gap.cause != "dtx"), "{seed}: {:?}", ada.gaps);
    }
}
