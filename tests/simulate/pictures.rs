//! What `simulate --plot` draws from, and how much of it there may be.

use super::{
    plot,
    stage::{Stage, files, rough},
};
use std::fs;
use tertulia::{
    sim::{Fate, Options, Outcome, Rng, Span, VoiceLog, VoicePacketLog},
    time::{SampleTime, Samples},
};

fn rough_room() -> Stage {
    let mut stage = Stage::new("duration_s = 8");
    for (seed, name) in ["ada", "bob"].into_iter().enumerate() {
        stage.network(&format!("{name}.csv"), &rough(), seed as u64, 400);
        stage.voice(name, 300, &format!("trace = '{name}.csv'"));
    }
    stage.event(120_000, "do = 'leave'\nspeaker = 'bob'");
    stage.event(168_000, "do = 'join'\nspeaker = 'bob'");
    stage
}

fn length(spans: &[Span]) -> u64 {
    spans.iter().map(|span| span.to.since(span.from).count()).sum()
}

#[test]
fn a_history_adds_up_to_the_report_over_all_stays_of_a_voice() {
    let outcome = rough_room().run("out", &Options { history: true, ..Options::default() });
    for voice in &outcome.voices {
        let (samples, history) =
            (&outcome.report.speakers[&voice.name].samples, voice.history.as_ref().unwrap());
        assert!(samples.concealed > 0, "{samples:?}");
        let spans = [&history.concealed, &history.inserted, &history.removed].map(|spans| length(spans));
        assert_eq!(spans, [samples.concealed, samples.inserted, samples.removed], "{}", voice.name);
    }
}

#[test]
fn a_history_is_kept_for_whoever_asks_and_changes_no_byte() {
    let stage = rough_room();
    let without = stage.run("without", &Options::default());
    stage.run("with", &Options { history: true, ..Options::default() });
    assert!(without.voices.iter().all(|voice| voice.history.is_none()));
    assert!(files(&stage.path("without")) == files(&stage.path("with")));
}

#[test]
fn each_packet_heard_has_a_target_in_the_terms_of_its_playout() {
    let outcome = rough_room().run("out", &Options::default());
    for packet in outcome.voices.iter().flat_map(|voice| &voice.packets) {
        assert_eq!(packet.target_ms.is_some(), packet.playout_ms.is_some());
        // Targets of this network lie below 150 ms, and playout is never further away than a stall of it.
        if let Some((target, playout)) = packet.target_ms.zip(packet.playout_ms) {
            assert!((target - playout).abs() < 150.0, "{packet:?}");
        }
    }
}

#[test]
fn the_picture_of_a_crowd_stays_below_two_megabytes() {
    for voices in [1, 8, 16] {
        let mut outcome = rough_room().run("out", &Options::default());
        crowd(&mut outcome, voices);
        let folder = tempfile::tempdir().unwrap();
        let picture = folder.path().join("playout.svg");
        plot::draw(&picture, &outcome).unwrap();
        let bytes = fs::metadata(&picture).unwrap().len();
        assert!(bytes < 2_000_000, "{voices} voices: {bytes} bytes");
    }
}

/// Five minutes of the worst: nothing lies beside anything alike.
fn crowd(outcome: &mut Outcome, voices: u64) {
    let line = outcome.report.speakers["ada"].clone();
    outcome.report.room.samples = 300 * 48_000;
    outcome.voices = (0..voices).map(|seed| restless(seed, &mut Rng::new(seed))).collect();
    outcome.report.speakers = outcome.voices.iter().map(|voice| (voice.name.clone(), line.clone())).collect();
}

fn restless(seed: u64, rng: &mut Rng) -> VoiceLog {
    let mut log = VoiceLog { name: format!("v{seed}"), ..VoiceLog::default() };
    let mut history = tertulia::sim::History::default();
    for seq in 0..15_000 {
        let send_ms = seq as f64 * 20.0;
        let playout_ms = Some(send_ms + rng.between(0.0, 300.0));
        let fate = [Fate::Primary, Fate::Fec, Fate::Late, Fate::Skipped][(rng.bits() % 4) as usize];
        log.packets.push(VoicePacketLog {
            seq,
            send_ms,
            arrival_ms: Some(send_ms + rng.between(0.0, 300.0)).filter(|_| !rng.chance(0.1)),
            playout_ms,
            target_ms: playout_ms.map(|ms| ms + rng.between(0.0, 50.0)),
            fate,
            bytes: 80,
            voiced: None,
        });
        let from = SampleTime::from_ms(send_ms);
        let span = |rng: &mut Rng| Span { from, to: from + Samples::new(rng.bits() % 900) };
        history.concealed.push(span(rng));
        history.inserted.push(span(rng));
        history.removed.push(span(rng));
    }
    log.history = Some(history);
    log
}
