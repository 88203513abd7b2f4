//! Where packets land: sample-exact, whatever the network does.

use crate::support::{FRAME, MARA, Mode, Talker, at, lag, mapped, play, read, recorder, recorder_with_mara};
use tertulia::{
    record::{Cause, Gap},
    speaker::VoicePacket,
    time::Samples,
};

/// The codec's own phase response moves the correlation's peak by up to a few samples; a packet misplaced by one step of
/// the file's lattice would be 120 off.
const NEAR: i64 = 10;

fn gap(from_sample: u64, to_sample: u64, cause: Cause) -> Gap {
    Gap { from_sample, to_sample, cause }
}

/// 10 % of the numbers, some in a row.
fn is_lost(number: u64) -> bool {
    number.wrapping_mul(2_654_435_761) >> 7 & 0x3FF < 102
}

#[test]
fn a_clean_track_lines_up_at_start_middle_and_end() {
    for (mode, channels) in [(Mode::Speech, 1), (Mode::Music, 2)] {
        let (dir, talker) = (tempfile::tempdir().unwrap(), Talker::new(mode, 500));
        let mut recorder = recorder_with_mara(dir.path(), 0);
        play(&mut recorder, (0..500).map(|n| talker.packet(n, 0, 0)).collect());
        let session = recorder.finish(at(500 * FRAME)).unwrap();
        let file = read(dir.path(), "mara");
        let played = file.decode();
        assert_eq!(file.channels, channels);
        for room in [960, 240_000, 500 * FRAME - 9_700] {
            assert!(lag(&played, room, &talker.said, room).abs() <= NEAR);
        }
        assert_eq!(session.tracks["mara"].gaps, []);
        assert_eq!((session.tracks["mara"].recorded, played.len() as u64), (500, session.samples));
    }
}

#[test]
fn a_late_joiner_lands_on_an_odd_sample() {
    for start in [48_001, 100_319, 77_777] {
        let (dir, talker) = (tempfile::tempdir().unwrap(), Talker::new(Mode::Speech, 300));
        let mut recorder = recorder_with_mara(dir.path(), start);
        play(&mut recorder, (0..300).map(|n| talker.packet(n, start, 0)).collect());
        let end = start + 300 * FRAME + 7;
        let session = recorder.finish(at(end)).unwrap();
        let played = read(dir.path(), "mara").decode();
        for said in [960, 150_000, 300 * FRAME - 9_700] {
            assert!(lag(&played, start + said, &talker.said, said).abs() <= NEAR);
        }
        assert_eq!(played.len() as u64, end);
        assert_eq!(
            session.tracks["mara"].gaps,
            [gap(0, start, Cause::NotJoined), gap(end - 7, end, Cause::Dtx)]
        );
    }
}

#[test]
fn jitter_and_reordering_leave_no_trace() {
    let (dir, talker) = (tempfile::tempdir().unwrap(), Talker::new(Mode::Speech, 400));
    let mut recorder = recorder_with_mara(dir.path(), 0);
    // Up to 1.9 s of jitter; the first packet is the slowest of all, the quickest takes 500 samples.
    let transit = |n: u64| if n == 0 { 91_000 } else { 500 + n * 7_919 % 90_000 * u64::from(n % 5 != 2) };
    play(&mut recorder, (0..400).map(|n| talker.packet(n, 0, transit(n))).collect());
    let end = 400 * FRAME + 500;
    let session = recorder.finish(at(end)).unwrap();
    assert_eq!(session.tracks["mara"].gaps, [gap(0, 500, Cause::Dtx)]);
    let file = read(dir.path(), "mara");
    let voice = file.packets.iter().filter(|packet| packet.len() > 3);
    assert!(voice.eq(&talker.packets));
    assert!(lag(&file.decode(), 200_500, &talker.said, 200_000).abs() <= NEAR);
}

#[test]
fn ten_percent_loss_is_listed_exactly_and_moves_nothing() {
    let (dir, talker) = (tempfile::tempdir().unwrap(), Talker::new(Mode::Speech, 1_000));
    let mut recorder = recorder_with_mara(dir.path(), 0);
    let arrives = |n: &u64| *n == 0 || *n == 999 || !is_lost(*n);
    play(&mut recorder, (0..1_000).filter(arrives).map(|n| talker.packet(n, 0, 0)).collect());
    let session = recorder.finish(at(1_000 * FRAME)).unwrap();
    let mut expected: Vec<Gap> = Vec::new();
    for n in (0..1_000).filter(|n| !arrives(n)) {
        match expected.last_mut() {
            Some(last) if last.to_sample == n * FRAME => last.to_sample += FRAME,
            _ => expected.push(gap(n * FRAME, (n + 1) * FRAME, Cause::Loss)),
        }
    }
    assert!(expected.len() > 50);
    assert_eq!(session.tracks["mara"].gaps, expected);
    let played = read(dir.path(), "mara").decode();
    assert_eq!(played, decoded_with_concealment(&talker, arrives));
}

/// What a live decoder makes of the same losses, from the sample that was captured first.
fn decoded_with_concealment(talker: &Talker, arrives: impl Fn(&u64) -> bool) -> Vec<f32> {
    let mut decoder = opus::Decoder::new(48_000, opus::Channels::Mono).unwrap();
    let mut decode = |packet: &[u8]| {
        let mut block = vec![0.0; FRAME as usize];
        decoder.decode_float(packet, &mut block, false).unwrap();
        block
    };
    let packets = talker.packets.iter().zip(0..);
    let mut played: Vec<f32> =
        packets.flat_map(|(packet, n)| decode(if arrives(&n) { packet } else { &[] })).collect();
    played.extend(decode(&[0xF8, 0xFF, 0xFE]));
    played[312..312 + talker.said.len()].to_vec()
}

#[test]
fn a_lost_packet_is_concealed_and_a_long_loss_falls_silent() {
    let (dir, talker) = (tempfile::tempdir().unwrap(), Talker::new(Mode::Speech, 100));
    let mut recorder = recorder_with_mara(dir.path(), 0);
    let arrives = |n: &u64| *n != 20 && !(50..80).contains(n);
    play(&mut recorder, (0..100).filter(arrives).map(|n| talker.packet(n, 0, 0)).collect());
    recorder.finish(at(100 * FRAME)).unwrap();
    let packets = read(dir.path(), "mara").packets;
    assert_eq!(packets[20], [talker.packets[19][0] & 0xFC]);
    assert!(packets[50..55].iter().all(|packet| *packet == [talker.packets[49][0] & 0xFC]));
    assert!(packets[55..80].iter().all(|packet| packet[..] == [0xF8, 0xFF, 0xFE]));
    assert_eq!(packets[80], talker.packets[80]);
}

#[test]
fn a_pause_of_the_sender_is_no_loss() {
    let (dir, talker) = (tempfile::tempdir().unwrap(), Talker::new(Mode::Speech, 200));
    let mut recorder = recorder_with_mara(dir.path(), 0);
    // Nothing is sent in 50..70 (comfort noise goes on) and 100..150 (too long for that); 160 is lost.
    let sent = (0..200).filter(|n| !(50..70).contains(n) && !(100..150).contains(n)).enumerate();
    let packets = sent
        .filter(|(_, n)| *n != 160)
        .map(|(sequence, n)| VoicePacket { sequence: sequence as u64, ..talker.packet(n, 0, 0) });
    play(&mut recorder, packets.collect());
    let session = recorder.finish(at(200 * FRAME)).unwrap();
    assert_eq!(
        session.tracks["mara"].gaps,
        [
            gap(50 * FRAME, 70 * FRAME, Cause::Dtx),
            gap(100 * FRAME, 150 * FRAME, Cause::Dtx),
            gap(160 * FRAME, 161 * FRAME, Cause::Loss)
        ]
    );
    let packets = read(dir.path(), "mara").packets;
    assert!(packets[50..70].iter().all(|packet| packet.len() == 1));
    assert!(packets[100..150].iter().all(|packet| packet[..] == [0xF8, 0xFF, 0xFE]));
}

#[test]
fn what_comes_after_the_repair_window_is_told_as_late() {
    let (dir, talker) = (tempfile::tempdir().unwrap(), Talker::new(Mode::Speech, 400));
    let mut recorder = recorder_with_mara(dir.path(), 0);
    let transit = |n: u64| if (200..203).contains(&n) { 110_400 } else { 0 };
    play(&mut recorder, (0..400).map(|n| talker.packet(n, 0, transit(n))).collect());
    let track = recorder.finish(at(400 * FRAME)).unwrap().tracks.remove("mara").unwrap();
    assert_eq!(track.gaps, [gap(200 * FRAME, 203 * FRAME, Cause::Late)]);
    assert_eq!((track.recorded, track.refused), (397, 3));
}

#[test]
fn a_clock_that_stood_still_is_found_again() {
    let (dir, talker) = (tempfile::tempdir().unwrap(), Talker::new(Mode::Speech, 600));
    let mut recorder = recorder_with_mara(dir.path(), 0);
    // A laptop lid closed for five seconds after packet 299.
    let transit = |n: u64| if n < 300 { 0 } else { 240_000 };
    play(&mut recorder, (0..600).map(|n| talker.packet(n, 0, transit(n))).collect());
    let end = 600 * FRAME + 240_000;
    let track = recorder.finish(at(end)).unwrap().tracks.remove("mara").unwrap();
    assert_eq!(track.gaps, [gap(300 * FRAME, 300 * FRAME + 240_000, Cause::Stall)]);
    assert_eq!(track.recorded, 600);
    let played = read(dir.path(), "mara").decode();
    assert!(lag(&played, 400 * FRAME + 240_000, &talker.said, 400 * FRAME).abs() <= NEAR);
}

#[test]
fn a_capture_that_stood_still_is_found_again_however_long_it_stood() {
    for stood in [19_200, 72_000, 96_480, 105_600, 120_000, 144_000, 168_000, 384_000] {
        let (dir, talker) = (tempfile::tempdir().unwrap(), Talker::new(Mode::Speech, 600));
        let mut recorder = recorder_with_mara(dir.path(), 0);
        let transit = |n: u64| 500 + n * 7 % 480 + if n < 300 { 0 } else { stood };
        play(&mut recorder, (0..600).map(|n| talker.packet(n, 0, transit(n))).collect());
        let track = recorder.finish(at(600 * FRAME + stood + 500)).unwrap().tracks.remove("mara").unwrap();
        let stall = track.gaps.iter().find(|gap| gap.cause == Cause::Stall).expect("a stall is told");
        assert_eq!(
            (stall.from_sample, track.recorded),
            (300 * FRAME + 500, 600),
            "{stood}: {:?}",
            track.gaps
        );
        // The new place is as good as the quickest of the packets that told it: 480 samples of jitter.
        assert!(stall.to_sample.abs_diff(300 * FRAME + stood + 500) <= 480, "{stood}: {stall:?}");
    }
}

#[test]
fn a_network_that_stood_still_moves_nothing() {
    for stood in [19_200, 72_000, 92_000] {
        let (dir, talker) = (tempfile::tempdir().unwrap(), Talker::new(Mode::Speech, 600));
        let mut recorder = recorder_with_mara(dir.path(), 0);
        // What was sent meanwhile comes all at once.
        let transit = |n: u64| if n < 300 { 0 } else { (300 * FRAME + stood).saturating_sub(n * FRAME) };
        play(&mut recorder, (0..600).map(|n| talker.packet(n, 0, transit(n))).collect());
        let track = recorder.finish(at(600 * FRAME)).unwrap().tracks.remove("mara").unwrap();
        assert_eq!((track.recorded, track.gaps), (600, vec![]), "{stood}");
    }
}

#[test]
fn a_packet_that_is_no_opus_is_silence() {
    let (dir, talker) = (tempfile::tempdir().unwrap(), Talker::new(Mode::Speech, 60));
    let mut recorder = recorder_with_mara(dir.path(), 0);
    let garbage = [0x03, 0x00, 1, 2, 3, 4];
    let spoil = |packet| VoicePacket { payload: &garbage, ..packet };
    let packet = |n| if n == 30 { spoil(talker.packet(n, 0, 0)) } else { talker.packet(n, 0, 0) };
    play(&mut recorder, (0..60).map(packet).collect());
    let track = recorder.finish(at(60 * FRAME)).unwrap().tracks.remove("mara").unwrap();
    assert_eq!(track.gaps, [gap(30 * FRAME, 31 * FRAME, Cause::Undecodable)]);
    assert_eq!(track.refused, 1);
}

#[test]
fn packets_of_any_length_stand_exactly() {
    for (size, samples) in
        [(opus::FrameSize::Ms2_5, 120), (opus::FrameSize::Ms10, 480), (opus::FrameSize::Ms60, 2_880)]
    {
        let dir = tempfile::tempdir().unwrap();
        let mut encoder = opus::Encoder::new(48_000, opus::Channels::Mono, opus::Application::Audio).unwrap();
        encoder.set_expert_frame_duration(size).unwrap();
        let said = Talker::new(Mode::Speech, 150).said;
        let encode = |frame: &[f32]| encoder.encode_vec_float(frame, 1500).unwrap();
        let payloads: Vec<Vec<u8>> = said.chunks(samples as usize).map(encode).collect();
        let mut recorder = recorder_with_mara(dir.path(), 13);
        let packet = |(n, payload): (usize, &'_ Vec<u8>)| (n as u64 * samples, n as u64, payload.clone());
        for (media, sequence, payload) in payloads.iter().enumerate().map(packet) {
            let packet = VoicePacket {
                speaker: MARA,
                epoch: 0,
                sequence,
                media: tertulia::time::MediaTime::ORIGIN + Samples::new(media),
                arrived: at(13 + media),
                duration: Samples::new(samples),
                marker: false,
                payload: &payload,
            };
            recorder.packet(packet);
        }
        let session = recorder.finish(at(13 + 150 * FRAME)).unwrap();
        assert_eq!(session.tracks["mara"].gaps, [gap(0, 13, Cause::NotJoined)]);
        assert!(lag(&read(dir.path(), "mara").decode(), 50_013, &said, 50_000).abs() <= NEAR);
    }
}

#[test]
fn all_tracks_last_as_long_as_the_room() {
    for end in [0, 1, 119, 48_000, 100_001] {
        let dir = tempfile::tempdir().unwrap();
        let talker = Talker::new(Mode::Speech, 30);
        let mut recorder = recorder_with_mara(dir.path(), 0);
        recorder.join(tertulia::speaker::SpeakerId(1), "silent", at(0)).unwrap();
        // Nothing is written before the end: what is written would lengthen the room.
        (0..30).for_each(|n| recorder.packet(talker.packet(n, 7, 0)));
        recorder.finish(at(end)).unwrap();
        for name in ["mara", "silent"] {
            let file = read(dir.path(), name);
            assert!(file.ended, "{name} at {end}");
            assert_eq!((file.samples() as u64, file.decode().len() as u64), (end, end));
        }
    }
}

#[test]
fn names_are_file_names() {
    let dir = tempfile::tempdir().unwrap();
    let mut recorder = recorder(dir.path());
    for name in ["", "../up", "Mara", "a b", "ñ"] {
        let error = recorder.join(MARA, name, at(0)).unwrap_err().to_string();
        assert_eq!(error, format!("cannot join as {name}: a name is made of a-z, 0-9, _ and -"));
    }
    recorder.join(MARA, "mara_2-b", at(0)).unwrap();
}

#[test]
fn a_clock_that_drifts_is_followed_in_pauses() {
    for ppm in [-200_i64, 200] {
        let (dir, talker) = (tempfile::tempdir().unwrap(), Talker::new(Mode::Speech, 500));
        let mut recorder = recorder_with_mara(dir.path(), 0);
        // Five minutes; every ten seconds a pause of half a second, in which nothing is sent.
        let truth = |media: i64| 4_800 + media + media * ppm / 1_000_000;
        let sent = (0..15_000_u64).filter(|n| n % 500 < 475).enumerate();
        let packets: Vec<_> = sent
            .map(|(sequence, n)| {
                let media = n * FRAME;
                let jitter = n * 7_919 % 900 * u64::from(n % 5 != 2);
                VoicePacket {
                    sequence: sequence as u64,
                    media: tertulia::time::MediaTime::ORIGIN + Samples::new(media),
                    arrived: at(truth(media as i64) as u64 + jitter),
                    ..talker.packet(n % 500, 0, 0)
                }
            })
            .collect();
        play(&mut recorder, packets);
        let end = truth(15_000 * FRAME as i64) as u64;
        let session = recorder.finish(at(end)).unwrap();
        let track = &session.tracks["mara"];
        assert_eq!((track.recorded, track.refused), (14_250, 0), "{ppm}");
        let (file, manifest) =
            (read(dir.path(), "mara"), tertulia::record::Manifest::read(dir.path()).unwrap());
        let (played, clock) = (file.decode(), &manifest.speakers["mara"].clock);
        assert_eq!(played.len() as u64, end);
        for (n, stands) in (0..15_000).filter(|n| n % 500 < 475).zip(stands(&file, &talker)) {
            let truth = truth((n * FRAME) as i64);
            let (off, mapped) = (stands - truth, mapped(clock, stands as u64) - truth);
            assert!(off.abs() <= 480, "packet {n} is off by {off}");
            assert!(mapped.abs() <= 48, "packet {n} is mapped {mapped} off");
            if n % 997 == 0 && n % 500 < 450 {
                assert!(lag(&played, stands as u64, &talker.said, n % 500 * FRAME).abs() <= NEAR);
            }
        }
    }
}

/// Where each of the talker's packets stands in the file, on the room clock.
fn stands(file: &crate::support::File, talker: &Talker) -> Vec<i64> {
    let mut at = 312 - file.pre_skip as i64;
    let mut stands = Vec::new();
    for packet in &file.packets {
        let n = stands.len() as u64;
        if *packet == talker.packets[(n / 475 * 500 + n % 475) as usize % 500] {
            stands.push(at);
        }
        at += opus::packet::get_nb_samples(packet, 48_000).unwrap() as i64;
    }
    assert_eq!(stands.len(), 14_250);
    stands
}
