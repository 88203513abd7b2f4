//! Where a room ends, everything that belongs to it ends with it, and is there.

use super::stage::Stage;
use ogg::PacketReader;
use std::{fs::File, path::Path};
use tertulia::{
    sim::{GapLine, Options},
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
