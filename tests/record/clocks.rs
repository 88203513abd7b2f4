//! Senders' clocks that stand still, and what only looks like it.

use crate::support::{FRAME, File, MARA, Mode, Talker, at, lag, mapped, play, read, recorder_with_mara};
use tertulia::{
    record::{Cause, Gap, Manifest, recover},
    speaker::{VoicePacket, VoiceReport},
    time::{MediaTime, NtpTime, Samples},
};

/// As in `place.rs`: what the codec's phase and the file's lattice make of a place, and some.
const NEAR: i64 = 120;

fn gap(from_sample: u64, to_sample: u64, cause: Cause) -> Gap {
    Gap { from_sample, to_sample, cause }
}

/// Up to 10 ms, of which each 68th packet is free.
fn jitter(n: u64) -> u64 {
    n * 7 % 480
}

/// Where each packet of a talker stands in a file that holds all of them.
fn stands(file: &File, talker: &Talker) -> Vec<u64> {
    let mut at = 312 - file.pre_skip as i64;
    let mut stands = Vec::new();
    for packet in &file.packets {
        if talker.packets.get(stands.len()) == Some(packet) {
            stands.push(at as u64);
        }
        at += opus::packet::get_nb_samples(packet, 48_000).unwrap() as i64;
    }
    stands
}

#[test]
fn a_capture_that_stood_still_for_a_moment_is_followed_at_once() {
    for stood in [3_360, 4_800, 9_600, 14_000] {
        let (dir, talker) = (tempfile::tempdir().unwrap(), Talker::new(Mode::Speech, 600));
        let mut recorder = recorder_with_mara(dir.path(), 0);
        let late = |n: u64| 500 + if n < 300 { 0 } else { stood };
        play(&mut recorder, (0..600).map(|n| talker.packet(n, 0, late(n) + jitter(n))).collect());
        let session = recorder.finish(at(600 * FRAME + stood + 500)).unwrap();
        let track = &session.tracks["mara"];
        assert_eq!((track.recorded, track.gaps[1].cause), (600, Cause::Stall), "{stood}: {:?}", track.gaps);
        let clock = &Manifest::read(dir.path()).unwrap().speakers["mara"].clock;
        let stands = stands(&read(dir.path(), "mara"), &talker);
        assert_eq!(stands.len(), 600);
        for (n, stands) in (0..).zip(stands) {
            let truth = (n * FRAME + late(n)) as i64;
            assert!((stands as i64 - truth).abs() <= 480, "{stood}: packet {n} stands at {stands}");
            let mapped = mapped(clock, stands) - truth;
            assert!(mapped.abs() <= 48, "{stood}: packet {n} is mapped {mapped} off");
        }
    }
}

#[test]
fn a_recorder_that_dies_soon_behind_a_stall_has_told_where_the_clock_stands() {
    for stood in [4_800, 14_000] {
        let (dir, talker) = (tempfile::tempdir().unwrap(), Talker::new(Mode::Speech, 600));
        let mut recorder = recorder_with_mara(dir.path(), 0);
        let late = |n: u64| 500 + if n < 300 { 0 } else { stood };
        play(&mut recorder, (0..600).map(|n| talker.packet(n, 0, late(n) + jitter(n))).collect());
        drop(recorder);
        recover(dir.path()).unwrap();
        let clock = &Manifest::read(dir.path()).unwrap().speakers["mara"].clock;
        let stands = stands(&read(dir.path(), "mara"), &talker);
        assert!(stands.len() > 500, "{}", stands.len());
        for (n, stands) in (0..).zip(stands) {
            let off = mapped(clock, stands) - (n * FRAME + late(n)) as i64;
            assert!(off.abs() <= 48, "{stood}: packet {n} is mapped {off} off");
        }
    }
}

#[test]
fn a_queue_that_grows_and_shrinks_moves_nothing() {
    for peak in [4_800, 9_600, 13_000_u64] {
        let (dir, talker) = (tempfile::tempdir().unwrap(), Talker::new(Mode::Speech, 600));
        let mut recorder = recorder_with_mara(dir.path(), 0);
        // It is there at once, and drains within three seconds.
        let queue = |n: u64| if n < 300 { 0 } else { peak.saturating_sub((n - 300) * peak / 150) };
        play(&mut recorder, (0..600).map(|n| talker.packet(n, 0, queue(n))).collect());
        let track = recorder.finish(at(600 * FRAME)).unwrap().tracks.remove("mara").unwrap();
        assert_eq!((track.recorded, track.gaps), (600, vec![]), "{peak}");
    }
}

#[test]
fn what_came_late_from_before_a_stall_is_put_before_it() {
    let (dir, talker) = (tempfile::tempdir().unwrap(), Talker::new(Mode::Speech, 600));
    let mut recorder = recorder_with_mara(dir.path(), 0);
    let late = |n: u64| match n {
        // The first is overtaken by what was said behind the stall, the second comes while nobody knows of it.
        250 => 80_000,
        299 => 6_000,
        300.. => 12_000,
        _ => 0,
    };
    play(&mut recorder, (0..600).map(|n| talker.packet(n, 0, late(n))).collect());
    let track = recorder.finish(at(600 * FRAME + 12_000)).unwrap().tracks.remove("mara").unwrap();
    assert_eq!(track.gaps, [gap(300 * FRAME, 300 * FRAME + 12_000, Cause::Stall)]);
    assert_eq!(track.recorded, 600);
}

/// Twelve seconds of talk with a pause of `silence` behind packet 299, in which nothing is sent.
fn suppressed(silence: u64, stands_still: bool, marked: bool) -> Vec<Gap> {
    let (dir, talker) = (tempfile::tempdir().unwrap(), Talker::new(Mode::Speech, 600));
    let mut recorder = recorder_with_mara(dir.path(), 0);
    let packet = |n: u64| {
        let after = if n < 300 { 0 } else { silence };
        let media = n * FRAME + if stands_still { 0 } else { after };
        VoicePacket {
            media: MediaTime::ORIGIN + Samples::new(media),
            marker: marked && (n == 0 || n == 300),
            ..talker.packet(n, after, jitter(n) * u64::from(!n.is_multiple_of(50)))
        }
    };
    play(&mut recorder, (0..600).map(packet).collect());
    let end = 600 * FRAME + silence;
    let mut session = recorder.finish(at(end)).unwrap();
    let played = read(dir.path(), "mara").decode();
    assert!(lag(&played, 400 * FRAME + silence, &talker.said, 400 * FRAME).abs() <= NEAR);
    assert_eq!((session.tracks["mara"].recorded, played.len() as u64), (600, end));
    session.tracks.remove("mara").unwrap().gaps
}

#[test]
fn silence_that_a_sender_suppresses_is_a_pause_whatever_its_timestamps_do() {
    for silence in [4_800, 24_000, 144_000] {
        let told = |cause| [gap(300 * FRAME, 300 * FRAME + silence, cause)];
        assert_eq!(suppressed(silence, false, true), told(Cause::Dtx), "timestamps run on: {silence}");
        assert_eq!(suppressed(silence, true, true), told(Cause::Dtx), "timestamps stand still: {silence}");
        assert_eq!(
            suppressed(silence, true, false),
            told(Cause::Stall),
            "the capture stood still: {silence}"
        );
    }
}

#[test]
fn a_voice_is_on_disk_within_a_second_from_its_first_packet_on_and_behind_a_restart() {
    let (dir, talker) = (tempfile::tempdir().unwrap(), Talker::new(Mode::Speech, 400));
    let mut recorder = recorder_with_mara(dir.path(), 0);
    for n in 0..400 {
        let restarted =
            VoicePacket { epoch: 1, media: MediaTime::from_samples(n * FRAME), ..talker.packet(n, 0, 0) };
        recorder.packet(if n < 200 { talker.packet(n, 0, 0) } else { restarted });
        let now = (n + 1) * FRAME;
        recorder.advance(at(now)).unwrap();
        let written = read(dir.path(), "mara");
        let written = if written.samples_known() { written.samples() as u64 } else { 0 };
        assert!(now <= written + 48_000, "at {now} no more is on disk than {written}");
    }
    let track = recorder.finish(at(400 * FRAME)).unwrap().tracks.remove("mara").unwrap();
    assert_eq!((track.recorded, track.gaps), (400, vec![]));
    assert_eq!(stands(&read(dir.path(), "mara"), &talker).len(), 400);
}

/// A sender's word: what it said at this media sample, it said at this sample of its wall clock.
fn report(media: u64, wall: u64, arrived: u64) -> VoiceReport {
    VoiceReport {
        speaker: MARA,
        epoch: 0,
        media: MediaTime::ORIGIN + Samples::new(media),
        wall: NtpTime::from_samples(4_000_000_000 * 48_000 + wall),
        arrived: at(arrived),
    }
}

/// Twelve seconds of talk, whose packets come 200 ms later from packet 300 on, and a report each second.
fn stepped(stood: bool, lies: u64) -> Vec<Gap> {
    let (dir, talker) = (tempfile::tempdir().unwrap(), Talker::new(Mode::Speech, 600));
    let mut recorder = recorder_with_mara(dir.path(), 0);
    let late = |n: u64| if n < 300 { 0 } else { 9_600 };
    for n in 0..600 {
        let arrived = n * FRAME + late(n);
        recorder.advance(at(arrived)).unwrap();
        recorder.packet(talker.packet(n, 0, late(n)));
        if n % 50 == 10 {
            let wall = n * FRAME + if stood { late(n) } else { 0 } + n * lies;
            recorder.report(report(n * FRAME, wall, arrived));
        }
    }
    recorder.finish(at(600 * FRAME + 9_600)).unwrap().tracks.remove("mara").unwrap().gaps
}

#[test]
fn a_sender_s_word_tells_a_capture_that_stood_still_from_a_route_that_grew_longer() {
    let stall = gap(300 * FRAME, 300 * FRAME + 9_600, Cause::Stall);
    let end = gap(600 * FRAME, 600 * FRAME + 9_600, Cause::Dtx);
    assert_eq!(stepped(true, 0), [stall]);
    assert_eq!(stepped(false, 0), [end], "a longer route is no gap");
    // A wall clock that runs twice as fast as anything does is no clock.
    assert_eq!(stepped(false, 960), [stall]);
}

#[test]
fn a_sender_s_word_on_its_pace_is_worth_a_minute_of_packets() {
    let worst = |reports: bool| {
        let (dir, talker) = (tempfile::tempdir().unwrap(), Talker::new(Mode::Speech, 600));
        let mut recorder = recorder_with_mara(dir.path(), 0);
        // 300 ppm slow, and a network whose quickest packets are few and far between.
        let truth = |n: u64| n * FRAME + n * FRAME * 3 / 10_000;
        let jitter = |n: u64| if n.is_multiple_of(90) { 0 } else { 200 + n * 7_919 % 1_900 };
        for n in 0..600 {
            let arrived = truth(n) + jitter(n);
            recorder.advance(at(arrived)).unwrap();
            recorder.packet(VoicePacket { arrived: at(arrived), ..talker.packet(n, 0, 0) });
            if reports && n % 100 == 50 {
                recorder.report(report(n * FRAME, truth(n), arrived));
            }
        }
        recorder.finish(at(truth(600))).unwrap();
        let clock = &Manifest::read(dir.path()).unwrap().speakers["mara"].clock;
        let stands = stands(&read(dir.path(), "mara"), &talker);
        (0..).zip(stands).map(|(n, at)| (mapped(clock, at) - truth(n) as i64).abs()).max().unwrap()
    };
    let (without, with) = (worst(false), worst(true));
    assert!(with <= 48 && with * 2 <= without, "{with} samples off, and {without} without reports");
}
