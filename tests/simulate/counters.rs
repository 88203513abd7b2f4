//! Every packet is in exactly one counter and on one line, whatever happens to it on its way.

use super::stage::{Stage, rough};
use std::{collections::BTreeMap, fs};
use tertulia::sim::{Fate, Network, Options, SpeakerLine, read_trace};

const END_MS: f64 = 6000.0;

#[test]
fn every_packet_is_counted_once_through_gates_mutes_and_comings_and_goings() {
    let mut stage = Stage::new("duration_s = 6");
    for (seed, (name, keys)) in
        [("ada", ""), ("bob", "consent = 'unknown'"), ("cleo", "start_ms = 777.5"), ("dora", "")]
            .into_iter()
            .enumerate()
    {
        stage.network(&format!("{name}.csv"), &rough(), seed as u64, 280);
        stage.voice(name, 200, &format!("trace = '{name}.csv'\n{keys}"));
    }
    stage.event(48_001, "do = 'grant'\nspeaker = 'bob'");
    stage.event(96_003, "do = 'withdraw'\nspeaker = 'bob'");
    stage.event(60_000, "do = 'mute'\nspeaker = 'cleo'");
    stage.event(70_111, "do = 'unmute'\nspeaker = 'cleo'");
    stage.event(80_000, "do = 'leave'\nspeaker = 'dora'");
    stage.event(120_000, "do = 'join'\nspeaker = 'dora'");
    stage.event(150_000, "do = 'stop'");
    stage.event(160_000, "do = 'record'");
    let outcome = stage.run("out", &Options::default());
    for (name, line) in &outcome.report.speakers {
        assert_eq!(line.packets.arrived, line.packets.accounted(), "{name}");
        assert!(line.packets.duplicate > 0 && line.packets.reordered > 0, "{name}: {:?}", line.packets);
    }
    let recorded = |name: &str| outcome.report.speakers[name].packets.recorded;
    assert!(recorded("ada") > 0 && outcome.report.speakers["bob"].packets.gated > recorded("bob"));

    // Ada stays from the first to the last sample: everything that arrived by then is hers.
    let rows = read_trace(&stage.path("ada.csv")).unwrap();
    let arrived = rows.iter().filter(|row| row.arrival_ms.is_some_and(|ms| ms < END_MS)).count();
    assert_eq!(outcome.report.speakers["ada"].packets.arrived, arrived as u64);

    let lines = lines_of(&fs::read_to_string(stage.path("out/playout.csv")).unwrap());
    for voice in &outcome.voices {
        let line = &outcome.report.speakers[&voice.name];
        assert_eq!(lines[&voice.name], line.packets.sent, "{}", voice.name);
        check_log(&voice.name, &voice.packets, line);
    }
}

fn lines_of(csv: &str) -> BTreeMap<String, u64> {
    let mut count = BTreeMap::new();
    for line in csv.lines().skip(1) {
        *count.entry(line.split(',').next().unwrap().to_owned()).or_default() += 1;
    }
    count
}

fn check_log(name: &str, log: &[tertulia::sim::VoicePacketLog], line: &SpeakerLine) {
    let heard = log.iter().filter(|packet| packet.fate.is_heard()).count() as u64;
    let late = log.iter().filter(|packet| packet.fate == Fate::Late).count() as u64;
    assert_eq!(late, line.packets.late, "{name}");
    assert!(heard > 50 && heard <= line.packets.sent, "{name}");
    let places: Vec<f64> = log.iter().filter_map(|packet| packet.playout_ms).collect();
    assert!(places.is_sorted(), "{name}: packets are heard in the order of their sending");
    for packet in log {
        assert_eq!(packet.fate == Fate::Lost, packet.arrival_ms.is_none() && packet.fate != Fate::Fec);
        assert_eq!(packet.fate.is_heard(), packet.playout_ms.is_some());
    }
}

#[test]
fn packets_in_flight_when_the_room_ends_are_late_in_the_table_and_in_the_report() {
    let mut stage = Stage::new("duration_s = 2");
    stage.network("far.csv", &Network { transit_ms: 100.0, ..Network::default() }, 1, 200);
    stage.voice("ada", 200, "trace = 'far.csv'");
    let outcome = stage.run("out", &Options::default());
    let csv = fs::read_to_string(stage.path("out/playout.csv")).unwrap();
    let late = csv.lines().filter(|line| line.ends_with(",late")).count() as u64;
    // Of the 100 sent in two seconds, those of the last 100 ms are on their way.
    assert!(late >= 5, "{late}");
    assert_eq!(outcome.report.speakers["ada"].packets.late, late);
}

#[test]
fn what_a_sender_reports_of_its_clock_is_counted_by_itself_and_moves_nothing_that_is_right() {
    let run = |reports: &str| {
        let mut stage = Stage::new("duration_s = 6");
        stage.voice("ada", 300, reports);
        let outcome = stage.run("out", &Options::default());
        (outcome.report.speakers["ada"].packets.clone(), fs::read(stage.path("out/tracks/ada.opus")).unwrap())
    };
    let ((silent, track), (told, same)) = (run(""), run("sender_reports = true"));
    assert_eq!((silent.reports, told.reports, told.rejected), (0, 2, 0));
    assert_eq!((told.arrived, told.accounted(), track == same), (silent.arrived, silent.accounted(), true));
}
