//! Whatever arrives: every packet is counted once, every sample is told once, every file has the room's length.

use crate::support::{FRAME, MARA, at, parse, recorder};
use proptest::prelude::*;
use std::{fs, path::Path};
use tertulia::{
    consent::Recordable,
    record::{Gap, Recorder, RecorderConfig, Recording, Rotation, Session},
    speaker::{SpeakerId, VoicePacket},
    time::{MediaTime, Samples},
};

/// One call of a hostile caller.
#[derive(Clone, Debug)]
enum Call {
    Packet { speaker: u16, epoch: u32, sequence: u64, media: u64, frames: u64 },
    Advance(u64),
    Join(u16),
    Leave(u16, u64),
    Open(u16, u64),
    Close(u16, u64),
    Mute(u16, u64),
    Unmute(u16, u64),
    Pause(u64),
    Resume(u64),
}

fn call() -> impl Strategy<Value = Call> {
    let (who, when) = (0..3_u16, 0..500_000_u64);
    prop_oneof![
        12 => (who.clone(), 0..3_u32, 0..500_u64, 0..500_000_u64, 1..9_u64).prop_map(
            |(speaker, epoch, sequence, media, frames)| Call::Packet { speaker, epoch, sequence, media, frames }),
        12 => (who.clone(), 0..500_u64).prop_map(|(speaker, n)| Call::Packet {
            speaker, epoch: 0, sequence: n, media: n * FRAME, frames: 8 }),
        6 => (1..60_000_u64).prop_map(Call::Advance),
        2 => who.clone().prop_map(Call::Join),
        1 => (who.clone(), when.clone()).prop_map(|(w, t)| Call::Leave(w, t)),
        2 => (who.clone(), when.clone()).prop_map(|(w, t)| Call::Open(w, t)),
        1 => (who.clone(), when.clone()).prop_map(|(w, t)| Call::Close(w, t)),
        1 => (who.clone(), when.clone()).prop_map(|(w, t)| Call::Mute(w, t)),
        1 => (who, when.clone()).prop_map(|(w, t)| Call::Unmute(w, t)),
        1 => when.clone().prop_map(Call::Pause),
        1 => when.prop_map(Call::Resume),
    ]
}

/// The packet of so many frames of 2.5 ms: CELT, all silent.
fn payload(frames: u64) -> Vec<u8> {
    let mut payload = vec![0xE3, frames as u8];
    payload.extend([0xFF, 0xFE].repeat(frames as usize));
    payload
}

fn carry_out(recorder: &mut Recorder, call: Call, now: &mut u64) -> u64 {
    let id = SpeakerId;
    match call {
        Call::Packet { speaker, epoch, sequence, media, frames } => {
            recorder.packet(VoicePacket {
                speaker: id(speaker),
                epoch,
                sequence,
                media: MediaTime::ORIGIN + Samples::new(media),
                arrived: at(*now),
                duration: Samples::new(120 * frames),
                marker: false,
                payload: &payload(frames),
            });
            return 1;
        }
        Call::Advance(by) => {
            *now += by;
            recorder.advance(at(*now)).unwrap();
        }
        Call::Join(who) => recorder.join(id(who), ["a", "b", "c"][usize::from(who)], at(*now)).unwrap(),
        Call::Leave(who, t) => recorder.leave(id(who), at(t)),
        Call::Open(who, t) => recorder.open(Recordable::dangerously_without_consent(id(who), at(t))),
        Call::Close(who, t) => recorder.close(id(who), at(t)),
        Call::Mute(who, t) => recorder.mute(id(who), at(t)),
        Call::Unmute(who, t) => recorder.unmute(id(who), at(t)),
        Call::Pause(t) => recorder.pause(at(t)),
        Call::Resume(t) => recorder.resume(at(t)),
    }
    0
}

fn in_order(gaps: &[Gap], end: u64) -> bool {
    gaps.iter().all(|gap| gap.from_sample < gap.to_sample && gap.to_sample <= end)
        && gaps.windows(2).all(|pair| {
            pair[0].to_sample < pair[1].from_sample
                || pair[0].to_sample == pair[1].from_sample && pair[0].cause != pair[1].cause
        })
}

/// Records what these calls say, in one part or in several; how many packets were given.
fn record(calls: &[Call], rotation: Rotation, dir: &Path) -> (Session, u64) {
    // Nothing waits for the disk: what it is sure to have is not the question here.
    let config = RecorderConfig { rotation, sync: None, ..RecorderConfig::default() };
    let mut recorder = Recorder::create(dir, config).unwrap();
    recorder.join(MARA, "a", at(0)).unwrap();
    recorder.open(Recordable::dangerously_without_consent(MARA, at(0)));
    let mut now = 0;
    let given = calls.iter().map(|call| carry_out(&mut recorder, call.clone(), &mut now)).sum();
    (recorder.finish(at(now)).unwrap(), given)
}

/// A packet, and where it stands.
type Standing = (i64, Vec<u8>);

/// The speaker's packets.
fn sound(recording: &Recording, name: &str) -> Vec<Standing> {
    let mut track = recording.track(name).unwrap();
    let packets = track.packets(0..u64::MAX).map(Result::unwrap);
    packets.filter(|packet| packet.payload[0] & 3 == 3).map(|packet| (packet.at, packet.payload)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_recording_in_parts_says_what_it_says_in_one(
        calls in prop::collection::vec(call(), 0..120),
        every in 10_000..200_000_u64,
        bytes in prop::option::of(1_000..9_000_u64),
    ) {
        let (one, several) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let rotation = Rotation { every: Some(Samples::new(every)), bytes };
        let (whole, given) = record(&calls, Rotation::default(), one.path());
        let (session, _) = record(&calls, rotation, several.path());
        prop_assert_eq!(&session, &whole);
        let counted: u64 = session.tracks.values().map(|it| it.recorded + it.gated + it.refused).sum();
        prop_assert_eq!(counted + session.unclaimed, given);
        let (one, several) = (Recording::open(one.path()).unwrap(), Recording::open(several.path()).unwrap());
        for (name, entry) in &several.manifest().speakers {
            let (joined, apart) = (sound(&several, name), sound(&one, name));
            // A voice of several clocks stands on one's multiples of 2.5 ms, which the first of a part's sounds may choose.
            let stands = |(one, other): (&Standing, &Standing)| one.1 == other.1 && (one.0 - other.0).abs() <= 60;
            let same = joined.len() == apart.len() && joined.iter().zip(&apart).all(stands);
            let places = |sound: &[Standing]| sound.iter().map(|(at, _)| *at).collect::<Vec<_>>();
            prop_assert!(same, "{name}: {:?}, in parts {:?}", places(&apart), places(&joined));
            prop_assert_eq!(&entry.gaps, &one.manifest().speakers[name].gaps);
            let parts = entry.parts.iter().map(|part| part.recorded);
            prop_assert!(entry.parts.is_empty() || parts.sum::<u64>() == entry.packets.recorded);
        }
    }

}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn every_packet_is_counted_once_and_every_file_is_as_long_as_the_room(calls in prop::collection::vec(call(), 0..120)) {
        let dir = tempfile::tempdir().unwrap();
        let mut recorder = recorder(dir.path());
        recorder.join(MARA, "a", at(0)).unwrap();
        recorder.open(Recordable::dangerously_without_consent(MARA, at(0)));
        let mut now = 0;
        let given: u64 = calls.into_iter().map(|call| carry_out(&mut recorder, call, &mut now)).sum();
        let session = recorder.finish(at(now)).unwrap();
        let counted: u64 = session.tracks.values().map(|it| it.recorded + it.gated + it.refused).sum();
        prop_assert_eq!(counted + session.unclaimed, given);
        for (name, track) in &session.tracks {
            let file = parse(&fs::read(dir.path().join(format!("tracks/{name}.opus"))).unwrap());
            prop_assert_eq!(file.samples() as u64, session.samples);
            prop_assert!(file.ended && in_order(&track.gaps, session.samples));
            // Packets of the speaker's are those of code 3; the rest is fill.
            let recorded = file.packets.iter().filter(|packet| packet[0] & 3 == 3).count();
            prop_assert_eq!(recorded as u64, track.recorded);
            let gaps: u64 = track.gaps.iter().map(|gap| gap.to_sample - gap.from_sample).sum();
            let sound: u64 = file.packets.iter().filter(|packet| packet[0] & 3 == 3).map(|packet| 120 * u64::from(packet[1])).sum();
            // What is no gap is sound; a last packet may reach beyond the room's end.
            prop_assert!(gaps + sound >= session.samples && gaps + sound < session.samples + FRAME);
        }
    }
}
