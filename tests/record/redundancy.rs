//! Deep redundancy (DRED) tells what was said up to a second before its packet. None of that may have been refused.

use crate::support::{FRAME, MARA, Talker, at, play, read, recorder, recorder_with_mara};
use std::path::Path;
use tertulia::{
    codec::{Codec, Decoder, DeepReach, DeepScratch},
    consent::Recordable,
    frame::Channels,
    packet::{has_dred, without_padding},
    record::Recorder,
    speaker::{SpeakerId, VoicePacket},
    time::{MediaTime, Samples},
};

/// What is left out behind a gate that opens.
const THREE_FRAMES: u64 = 2_880;
/// Packets of 1.1 s.
const FORGOTTEN: u64 = 55;

fn proof(from: u64) -> Recordable {
    Recordable::dangerously_without_consent(MARA, at(from))
}

fn packets(talker: &Talker) -> impl Iterator<Item = VoicePacket<'_>> {
    (0..talker.packets.len() as u64).map(|n| talker.packet(n, 0, 0))
}

fn finish(recorder: Recorder, end: u64) -> u64 {
    recorder.finish(at(end)).unwrap().tracks["mara"].recorded
}

/// Where the redundancy of `payload`, which begins at `place`, begins and ends, if it has any.
fn told(payload: &[u8], place: u64) -> Option<(u64, u64)> {
    let decoder = Decoder::new(Codec::Opus, Channels::Mono).unwrap();
    let reach = decoder.deep_reach(payload, &mut DeepScratch::new().unwrap());
    let from = |back: Samples| place.saturating_sub(back.count());
    (reach != DeepReach::default()).then(|| (from(reach.back), from(reach.silent)))
}

/// The kept packets among those of `dir`'s file, by their number. All stand on whole frames; fill is short.
fn kept(dir: &Path) -> Vec<(u64, Vec<u8>)> {
    let packets = (0..).zip(read(dir, "mara").packets);
    packets.filter(|(_, packet)| packet.len() > 3).collect()
}

/// The frames of `payload`, whatever is around them.
fn bare(payload: &[u8]) -> Vec<u8> {
    without_padding(payload).map_or_else(|| payload.to_vec(), |(head, frames)| [&head[..], frames].concat())
}

/// No kept packet tells anything of `refused`; all have the frames that were sent. How many still tell something, and
/// how many told something refused when they were sent.
fn check(dir: &Path, talker: &Talker, refused: &[(u64, u64)]) -> (usize, usize) {
    let (mut telling, mut cleaned) = (0, 0);
    let leaks = |told: Option<(u64, u64)>| {
        told.is_some_and(|(from, to)| refused.iter().any(|&(shut, open)| from < open && shut < to))
    };
    for (number, packet) in kept(dir) {
        let sent = &talker.packets[number as usize];
        assert_eq!(bare(&packet), bare(sent), "packet {number}");
        let told = told(&packet, number * FRAME);
        assert!(!leaks(told), "packet {number} tells of {told:?}");
        telling += usize::from(told.is_some());
        cleaned += usize::from(leaks(self::told(sent, number * FRAME)));
    }
    (telling, cleaned)
}

#[test]
fn what_was_refused_is_told_by_no_packet_after_the_grant() {
    let talker = Talker::deep(300);
    for granted in [96_000, 96_481, 100_500] {
        let dir = tempfile::tempdir().unwrap();
        let mut recorder = recorder(dir.path());
        recorder.join(MARA, "mara", at(0)).unwrap();
        recorder.open(proof(granted));
        play(&mut recorder, packets(&talker).collect());
        let first = (granted + THREE_FRAMES).div_ceil(FRAME);
        assert_eq!(finish(recorder, 300 * FRAME), 300 - first);
        let (telling, cleaned) = check(dir.path(), &talker, &[(0, granted)]);
        assert!(telling > 80 && cleaned > 30, "{telling} tell, {cleaned} were cleaned");
        // Nothing is taken longer than needed: 1.1 s, the frames that were left out among them.
        assert!(kept(dir.path()).iter().all(|(number, packet)| {
            *number < first - 3 + FORGOTTEN || *packet == talker.packets[*number as usize]
        }));
    }
}

/// The same with ears: what a decoder makes of the redundancy, wherever it is asked for.
#[test]
fn no_decoder_makes_refused_sound_of_what_was_kept() {
    let (dir, talker) = (tempfile::tempdir().unwrap(), Talker::deep(160));
    let granted = 72_000;
    let mut recorder = recorder(dir.path());
    recorder.join(MARA, "mara", at(0)).unwrap();
    recorder.open(proof(granted));
    play(&mut recorder, packets(&talker).collect());
    finish(recorder, 160 * FRAME);
    let (mut scratch, mut out) = (DeepScratch::new().unwrap(), [0.0; FRAME as usize]);
    let mut recoverable = |payload: &[u8], number: u64| {
        let refused = (1..=number.min(55)).step_by(3).filter(|back| (number - back) * FRAME < granted);
        refused.filter(|back| recovered(payload, *back, &mut scratch, &mut out)).count()
    };
    let (mut after, mut before) = (0, 0);
    for (number, packet) in kept(dir.path()) {
        after += recoverable(&packet, number);
        before += recoverable(&talker.packets[number as usize], number);
    }
    assert_eq!(after, 0);
    assert!(
        before > 300,
        "{before} frames that were refused could be had from the packets as they were sent"
    );
}

/// Does a decoder make sound of what `payload` tells of the frame that lies `back` frames before it?
fn recovered(payload: &[u8], back: u64, scratch: &mut DeepScratch, out: &mut [f32]) -> bool {
    let mut decoder = Decoder::new(Codec::Opus, Channels::Mono).unwrap();
    // A decoder that has heard nothing yet recovers silence.
    decoder.decode(payload, out).unwrap();
    out.fill(0.0);
    let told = decoder.recover_deep(payload, Samples::new(back * FRAME), out, scratch).is_ok();
    told && crate::support::peak_dbfs(out) > -90.0
}

#[test]
fn who_agreed_at_the_door_keeps_every_byte() {
    let (dir, talker) = (tempfile::tempdir().unwrap(), Talker::deep(200));
    let mut recorder = recorder_with_mara(dir.path(), 0);
    recorder.close(MARA, at(150 * FRAME));
    play(&mut recorder, packets(&talker).collect());
    finish(recorder, 200 * FRAME);
    let kept = kept(dir.path());
    assert!(kept.iter().map(|(_, packet)| packet).eq(&talker.packets[..150]));
    assert!(kept.iter().filter(|(_, packet)| has_dred(packet)).count() > 90);
}

#[test]
fn a_pause_a_mute_and_a_second_no_are_told_of_by_nobody() {
    let (dir, talker) = (tempfile::tempdir().unwrap(), Talker::deep(600));
    let mut recorder = recorder_with_mara(dir.path(), 0);
    let shut = [(96_000, 110_000), (220_000, 221_000), (340_000, 400_000)];
    recorder.pause(at(shut[0].0));
    recorder.resume(at(shut[0].1));
    recorder.mute(MARA, at(shut[1].0));
    recorder.unmute(MARA, at(shut[1].1));
    recorder.close(MARA, at(shut[2].0));
    recorder.open(proof(shut[2].1));
    play(&mut recorder, packets(&talker).collect());
    finish(recorder, 600 * FRAME);
    let (telling, cleaned) = check(dir.path(), &talker, &shut);
    assert!(telling > 200 && cleaned > 80, "{telling} tell, {cleaned} were cleaned");
}

/// Losses make the time longer until a packet may tell again; packets that come late fall into their places before that.
#[test]
fn losses_and_late_packets_change_nothing() {
    let (dir, talker) = (tempfile::tempdir().unwrap(), Talker::deep(400));
    let granted = 96_000;
    let mut recorder = recorder(dir.path());
    recorder.join(MARA, "mara", at(0)).unwrap();
    recorder.open(proof(granted));
    let transit = |n: u64| if n % 7 == 3 { 90_000 } else { n * 7_919 % 20_000 };
    let sent = (0..400).filter(|n| n % 5 != 1).map(|n| talker.packet(n, 0, transit(n)));
    play(&mut recorder, sent.collect());
    finish(recorder, 400 * FRAME);
    let (telling, cleaned) = check(dir.path(), &talker, &[(0, granted)]);
    assert!(telling > 100 && cleaned > 20, "{telling} tell, {cleaned} were cleaned");
}

/// A sender that stops its encoder, and lets its timestamps run on, remembers what was said before: its first packets
/// tell of that, however long ago it was.
#[test]
fn a_sender_that_slept_through_the_grant_tells_nothing_either() {
    for epoch in [0, 1] {
        let (dir, talker) = (tempfile::tempdir().unwrap(), Talker::deep(250));
        let (slept, awake) = (100, 480_000);
        let mut recorder = recorder(dir.path());
        recorder.join(MARA, "mara", at(0)).unwrap();
        recorder.open(proof(240_000));
        let wakes = |n: u64| VoicePacket {
            media: MediaTime::ORIGIN + Samples::new(awake + n * FRAME),
            epoch,
            ..talker.packet(n, awake, 0)
        };
        play(
            &mut recorder,
            (0..slept).map(|n| talker.packet(n, 0, 0)).chain((slept..250).map(wakes)).collect(),
        );
        assert_eq!(finish(recorder, awake + 250 * FRAME), 250 - slept - 3);
        let awake: Vec<_> = kept(dir.path()).into_iter().map(|(_, packet)| packet).collect();
        assert!(
            awake[..52].iter().eq(talker.packets[103..155]
                .iter()
                .map(|sent| bare(sent))
                .collect::<Vec<_>>()
                .iter())
        );
        assert!(awake[52..].iter().eq(&talker.packets[155..]));
    }
}

/// What was said elsewhere, between two stays, is nobody's here.
#[test]
fn who_comes_back_brings_nothing_along() {
    let (dir, talker) = (tempfile::tempdir().unwrap(), Talker::deep(300));
    let (left, back, lane) = (100 * FRAME, 150 * FRAME, SpeakerId(7));
    let mut recorder = recorder_with_mara(dir.path(), 0);
    play(&mut recorder, packets(&talker).take(100).collect());
    recorder.leave(MARA, at(left));
    recorder.join(lane, "mara", at(back)).unwrap();
    recorder.open(Recordable::dangerously_without_consent(lane, at(back)));
    let again = packets(&talker).skip(150).map(|packet| VoicePacket { speaker: lane, ..packet });
    play(&mut recorder, again.collect());
    finish(recorder, 300 * FRAME);
    let (telling, cleaned) = check(dir.path(), &talker, &[(left, back)]);
    assert!(telling > 100 && cleaned > 30, "{telling} tell, {cleaned} were cleaned");
}

/// Who was heard before the door is known to have said something there.
#[test]
fn who_comes_in_talking_brings_nothing_along_either() {
    let (dir, talker) = (tempfile::tempdir().unwrap(), Talker::deep(200));
    let joined = 96_000;
    let mut recorder = recorder_with_mara(dir.path(), joined);
    play(&mut recorder, packets(&talker).collect());
    assert_eq!(finish(recorder, 200 * FRAME), 97);
    let (telling, cleaned) = check(dir.path(), &talker, &[(0, joined)]);
    assert!(telling > 30 && cleaned > 30, "{telling} tell, {cleaned} were cleaned");
}
