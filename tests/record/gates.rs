//! Nothing that was refused can be heard: not in the samples, not in the codec's memory.

use crate::support::{FRAME, MARA, Mode, Talker, at, peak_dbfs, play, read, recorder, recorder_with_mara};
use tertulia::{
    consent::Recordable,
    record::{Cause, Gap, Recorder, RecorderConfig},
    speaker::VoicePacket,
    time::Samples,
};

/// Below the noise of 16 bits by far.
const SILENT_DBFS: f32 = -90.0;

fn gap(from_sample: u64, to_sample: u64, cause: Cause) -> Gap {
    Gap { from_sample, to_sample, cause }
}

fn proof(from: u64) -> Recordable {
    Recordable::dangerously_without_consent(MARA, at(from))
}

fn all(talker: &Talker) -> Vec<VoicePacket<'_>> {
    (0..talker.packets.len() as u64).map(|n| talker.packet(n, 0, 0)).collect()
}

#[test]
fn without_consent_a_track_is_silence_and_nothing_else() {
    let (dir, talker) = (tempfile::tempdir().unwrap(), Talker::new(Mode::Speech, 300));
    let mut recorder = recorder(dir.path());
    recorder.join(MARA, "mara", at(0)).unwrap();
    play(&mut recorder, all(&talker));
    let track = recorder.finish(at(300 * FRAME)).unwrap().tracks.remove("mara").unwrap();
    assert_eq!((track.recorded, track.gated), (0, 300));
    assert_eq!(track.gaps, [gap(0, 300 * FRAME, Cause::Gate)]);
    let file = read(dir.path(), "mara");
    assert!(file.packets.iter().all(|packet| packet.len() == 3 && packet[1..] == [0xFF, 0xFE]));
    assert!(file.decode().iter().all(|sample| sample.abs() < 1e-9));
}

#[test]
fn a_refused_stretch_leaks_nowhere() {
    // SILK forgets within three frames, CELT within fifteen.
    for (mode, forgets) in [(Mode::Speech, 3), (Mode::Music, 15)] {
        let (dir, talker) = (tempfile::tempdir().unwrap(), Talker::new(mode, 500));
        let mut recorder = recorder_with_mara(dir.path(), 0);
        // Sentence by sentence: yes up to 100,500, no up to 300,700, yes again.
        recorder.close(MARA, at(100_500));
        recorder.open(proof(300_700));
        play(&mut recorder, all(&talker));
        let track = recorder.finish(at(500 * FRAME)).unwrap().tracks.remove("mara").unwrap();
        // The last packet that ends by 100,500; the first that begins after 300,700 and so many more.
        let (last, first) = (104, 314 + forgets);
        let (from, to) = (last * FRAME, first * FRAME);
        assert_eq!(track.gaps, [gap(from, to, Cause::Gate)]);
        assert_eq!((track.recorded, track.gated), (500 - (first - last), first - last));
        let file = read(dir.path(), "mara");
        let played = file.decode();
        assert!(peak_dbfs(&played[100_500..300_700]) < SILENT_DBFS);
        assert!(peak_dbfs(&played[from as usize - 1_000..from as usize]) > -20.0);
        assert!(peak_dbfs(&played[to as usize..to as usize + 9_600]) > -20.0);
        first_packet_carries_nothing_refused(&talker, first as usize, 300_700);
    }
}

/// The in-band copy in the first kept packet is of the packet before it, which was said after the grant.
fn first_packet_carries_nothing_refused(talker: &Talker, first: usize, granted: u64) {
    let frame_of_copy = first as u64 - 1;
    assert!(frame_of_copy * FRAME >= granted, "the copy is of sound that was said with consent");
    let refused = (granted / FRAME - 1) as usize;
    let mut decoder = opus::Decoder::new(48_000, opus::Channels::Mono).unwrap();
    let mut copy = vec![0.0_f32; FRAME as usize];
    decoder.decode_float(&talker.packets[first], &mut copy, true).unwrap();
    let said = &talker.said[refused * FRAME as usize..(refused + 1) * FRAME as usize];
    let (mut both, mut copied, mut spoken) = (0.0, 1e-12, 1e-12);
    for (c, s) in copy.iter().zip(said) {
        both += c * s;
        copied += c * c;
        spoken += s * s;
    }
    // Two different stretches of a chirp; a copy of the same one has a coefficient above 0.9.
    assert!(f32::abs(both) / f32::sqrt(copied * spoken) < 0.5);
}

#[test]
fn no_gate_offset_leaks() {
    let talker = Talker::new(Mode::Speech, 60);
    for offset in (0..FRAME).step_by(53) {
        let dir = tempfile::tempdir().unwrap();
        let mut recorder = recorder_with_mara(dir.path(), 0);
        let (shut, opened) = (19_200 + offset, 33_600 + 3 * offset / 2);
        recorder.close(MARA, at(shut));
        recorder.open(proof(opened));
        play(&mut recorder, all(&talker));
        recorder.finish(at(60 * FRAME)).unwrap();
        let played = read(dir.path(), "mara").decode();
        let refused = &played[shut as usize..opened as usize];
        assert!(peak_dbfs(refused) < SILENT_DBFS, "{offset}: {}", peak_dbfs(refused));
    }
}

#[test]
fn a_loss_at_a_shut_gate_is_not_concealed_into_it() {
    let (dir, talker) = (tempfile::tempdir().unwrap(), Talker::new(Mode::Speech, 100));
    let mut recorder = recorder_with_mara(dir.path(), 0);
    recorder.mute(MARA, at(52 * FRAME));
    recorder.unmute(MARA, at(60 * FRAME));
    let packets = all(&talker).into_iter().filter(|it| !(150..155).contains(&it.sequence));
    play(&mut recorder, packets.collect());
    let track = recorder.finish(at(100 * FRAME)).unwrap().tracks.remove("mara").unwrap();
    assert_eq!(
        track.gaps,
        [gap(50 * FRAME, 52 * FRAME, Cause::Loss), gap(52 * FRAME, 63 * FRAME, Cause::Mute)]
    );
    let packets = read(dir.path(), "mara").packets;
    assert!(packets[50..52].iter().all(|packet| packet.len() == 1));
    assert!(packets[52..63].iter().all(|packet| packet[..] == [0xF8, 0xFF, 0xFE]));
    assert_eq!(packets[63], talker.packets[63]);
}

#[test]
fn a_muted_voice_is_silent_from_sample_to_sample() {
    let (dir, talker) = (tempfile::tempdir().unwrap(), Talker::new(Mode::Speech, 300));
    let mut recorder = recorder_with_mara(dir.path(), 0);
    recorder.mute(MARA, at(100_001));
    recorder.unmute(MARA, at(200_003));
    play(&mut recorder, all(&talker));
    let track = recorder.finish(at(300 * FRAME)).unwrap().tracks.remove("mara").unwrap();
    assert_eq!(track.gaps, [gap(104 * FRAME, 212 * FRAME, Cause::Mute)]);
    let played = read(dir.path(), "mara").decode();
    assert!(peak_dbfs(&played[100_001..200_003]) < SILENT_DBFS);
}

#[test]
fn a_pause_shuts_every_voice() {
    let (dir, talker) = (tempfile::tempdir().unwrap(), Talker::new(Mode::Speech, 300));
    let mut recorder = recorder_with_mara(dir.path(), 0);
    recorder.pause(at(96_000));
    recorder.resume(at(192_000));
    play(&mut recorder, all(&talker));
    let track = recorder.finish(at(300 * FRAME)).unwrap().tracks.remove("mara").unwrap();
    assert_eq!(track.gaps, [gap(96_000, 192_000 + 2_880, Cause::Gate)]);
    let played = read(dir.path(), "mara").decode();
    assert!(peak_dbfs(&played[96_000..192_000]) < SILENT_DBFS);
}

#[test]
fn an_armed_recorder_begins_in_the_past_but_not_before_consent() {
    let (dir, talker) = (tempfile::tempdir().unwrap(), Talker::new(Mode::Speech, 900));
    let mut recorder = Recorder::arm(RecorderConfig::default(), Samples::from_ms(5_000));
    recorder.join(MARA, "mara", at(0)).unwrap();
    // Ten seconds in, it says yes from now on; two seconds later somebody presses the button for the last five.
    recorder.open(proof(500 * FRAME));
    play(&mut recorder, all(&talker)[..600].to_vec());
    recorder.advance(at(600 * FRAME)).unwrap();
    assert_eq!(dir.path().read_dir().unwrap().count(), 0, "armed, it writes nothing");
    assert_eq!(recorder.begin(dir.path(), at(0)).unwrap(), at(600 * FRAME - 240_000));
    play(&mut recorder, all(&talker)[600..].to_vec());
    let track = recorder.finish(at(900 * FRAME)).unwrap().tracks.remove("mara").unwrap();
    let [Gap { from_sample: 0, to_sample, cause: Cause::Gate }] = track.gaps[..] else {
        panic!("{:?}", track.gaps)
    };
    assert!((500 * FRAME..=504 * FRAME).contains(&to_sample), "{to_sample}");
    assert_eq!(track.recorded + track.gated, 900);
    let played = read(dir.path(), "mara").decode();
    assert!(peak_dbfs(&played[..500 * FRAME as usize]) < SILENT_DBFS);
    assert!(peak_dbfs(&played[to_sample as usize..to_sample as usize + 9_600]) > -20.0);
}

#[test]
fn what_was_paused_in_memory_stays_out_of_what_begins_in_the_past() {
    let (dir, talker) = (tempfile::tempdir().unwrap(), Talker::new(Mode::Speech, 600));
    let mut recorder = Recorder::arm(RecorderConfig::default(), Samples::from_ms(10_000));
    recorder.join(MARA, "mara", at(0)).unwrap();
    recorder.open(proof(0));
    recorder.pause(at(300 * FRAME));
    recorder.resume(at(400 * FRAME));
    play(&mut recorder, all(&talker));
    recorder.begin(dir.path(), at(200 * FRAME)).unwrap();
    let track = recorder.finish(at(600 * FRAME)).unwrap().tracks.remove("mara").unwrap();
    let shut = [gap(0, 203 * FRAME, Cause::Gate), gap(300 * FRAME, 403 * FRAME, Cause::Gate)];
    assert_eq!(track.gaps, shut, "and the first 60 ms behind each");
}

#[test]
fn an_armed_recorder_remembers_who_had_agreed() {
    let (dir, talker) = (tempfile::tempdir().unwrap(), Talker::new(Mode::Speech, 600));
    let mut recorder = Recorder::arm(RecorderConfig::default(), Samples::from_ms(5_000));
    recorder.join(MARA, "mara", at(0)).unwrap();
    recorder.open(proof(0));
    play(&mut recorder, all(&talker));
    let from = recorder.begin(dir.path(), at(400 * FRAME)).unwrap();
    let track = recorder.finish(at(600 * FRAME)).unwrap().tracks.remove("mara").unwrap();
    assert_eq!(from, at(400 * FRAME));
    let [Gap { from_sample: 0, to_sample, cause: Cause::Gate }] = track.gaps[..] else {
        panic!("{:?}", track.gaps)
    };
    assert!((400 * FRAME..=404 * FRAME).contains(&to_sample), "{to_sample}");
}
