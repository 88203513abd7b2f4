//! What was written is read back: every packet on its sample, every range like the same part of the whole.

use crate::support::{FRAME, MARA, at, recorder};
use proptest::prelude::*;
use std::{fs, path::Path};
use tertulia::{
    consent::Recordable,
    record::{Manifest, Origin, Recorder, Recording, Session, TrackPacket},
    speaker::VoicePacket,
    time::{MediaTime, Samples},
};

/// What becomes of a second of a voice.
#[derive(Clone, Debug)]
enum Second {
    Spoken,
    /// One packet in so many is lost.
    Lossy(u64),
    /// The sender says nothing for this long.
    Paused(u64),
    Muted(u64, u64),
    Away(u64),
    NotAgreed(u64),
}

fn second() -> impl Strategy<Value = Second> {
    let part = 1..48_000_u64;
    prop_oneof![
        3 => Just(Second::Spoken),
        2 => (2..20_u64).prop_map(Second::Lossy),
        1 => (1..150_u64).prop_map(Second::Paused),
        1 => (part.clone(), part.clone()).prop_map(|(from, over)| Second::Muted(from, over)),
        1 => part.clone().prop_map(Second::Away),
        1 => part.prop_map(Second::NotAgreed),
    ]
}

/// A sender's packets of `frames` × 2.5 ms; each tells its number.
struct Sender {
    frames: u64,
    transit: u64,
    number: u64,
    media: u64,
}

impl Sender {
    fn payload(&self) -> Vec<u8> {
        let mut payload = vec![0xE3, 128 | self.frames as u8];
        payload.extend(vec![8; self.frames as usize - 1]);
        payload.extend(self.number.to_le_bytes().repeat(self.frames as usize));
        payload
    }

    fn place(&self) -> u64 {
        self.media + self.transit
    }

    fn send(&mut self, recorder: &mut Recorder, lost: bool) {
        if !lost {
            recorder.packet(VoicePacket {
                speaker: MARA,
                epoch: 0,
                sequence: self.number,
                media: MediaTime::ORIGIN + Samples::new(self.media),
                arrived: at(self.place()),
                duration: Samples::new(120 * self.frames),
                marker: false,
                payload: &self.payload(),
            });
        }
        self.number += 1;
        self.media += 120 * self.frames;
    }
}

/// Records it; the session, and each packet that was sent and not lost, with its place.
fn record(dir: &Path, seconds: &[Second], frames: u64, transit: u64) -> (Session, Vec<(u64, Vec<u8>)>) {
    let mut recorder = recorder(dir);
    let mut sender = Sender { frames, transit, number: 0, media: 0 };
    let mut sent = Vec::new();
    come_in(&mut recorder, 0);
    for second in seconds {
        let from = sender.place();
        tell(&mut recorder, second, from);
        if let Second::Paused(packets) = second {
            sender.media += packets * 120 * frames;
        }
        while sender.place() < from + 48_000 {
            let lost = matches!(second, Second::Lossy(one_in) if sender.number.is_multiple_of(*one_in));
            if !lost {
                sent.push((sender.place(), sender.payload()));
            }
            sender.send(&mut recorder, lost);
            recorder.advance(at(sender.place())).unwrap();
        }
    }
    (recorder.finish(at(sender.place())).unwrap(), sent)
}

fn come_in(recorder: &mut Recorder, now: u64) {
    recorder.join(MARA, "mara", at(now)).unwrap();
    recorder.open(Recordable::dangerously_without_consent(MARA, at(now)));
}

fn tell(recorder: &mut Recorder, second: &Second, from: u64) {
    match *second {
        Second::Spoken | Second::Lossy(_) | Second::Paused(_) => {}
        Second::Muted(begin, over) => {
            recorder.mute(MARA, at(from + begin));
            recorder.unmute(MARA, at(from + begin + over));
        }
        Second::Away(over) => {
            recorder.leave(MARA, at(from));
            come_in(recorder, from + over);
        }
        Second::NotAgreed(over) => {
            recorder.close(MARA, at(from));
            recorder.open(Recordable::dangerously_without_consent(MARA, at(from + over)));
        }
    }
}

fn all(recording: &Recording) -> Vec<TrackPacket> {
    recording.track("mara").unwrap().packets(0..u64::MAX).map(Result::unwrap).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn a_random_session_reads_back_as_it_was_written(
        seconds in prop::collection::vec(second(), 1..12),
        frames in prop::sample::select(vec![1_u64, 2, 4, 8, 24]),
        transit in 0..5_000_u64,
        ranges in prop::collection::vec((0..600_000_u64, 1..90_000_u64), 1..6),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let (session, sent) = record(dir.path(), &seconds, frames, transit);
        let recording = Recording::open(dir.path()).unwrap();
        let entry = &recording.manifest().speakers["mara"];
        prop_assert!(recording.manifest().finished && recording.manifest().samples == session.samples);
        prop_assert_eq!(&entry.gaps, &session.tracks["mara"].gaps);

        let packets = all(&recording);
        prop_assert!(packets.windows(2).all(|pair| pair[0].end() == pair[1].at), "no hole between packets");
        let own: Vec<_> = packets.iter().filter(|packet| packet.origin == Origin::Speaker).collect();
        prop_assert_eq!(own.len() as u64, session.tracks["mara"].recorded, "{:?} {:?}", entry.gaps, own.last());
        for packet in own {
            let place = sent.binary_search_by_key(&payload_number(&packet.payload), |(_, sent)| payload_number(sent));
            let (sample, payload) = &sent[place.unwrap()];
            prop_assert_eq!(&packet.payload, payload);
            // Behind a second stay the grid of 2.5 ms may be half a step off.
            prop_assert!(packet.at.abs_diff(*sample as i64) <= 60, "{} is at {}", sample, packet.at);
        }
        for (from, over) in ranges {
            let part: Vec<_> =
                recording.track("mara").unwrap().packets(from..from + over).map(Result::unwrap).collect();
            let lies_in = |packet: &&TrackPacket| packet.end() > from as i64 && packet.at < (from + over) as i64;
            prop_assert_eq!(part, packets.iter().filter(lies_in).cloned().collect::<Vec<_>>());
        }
    }
}

fn payload_number(payload: &[u8]) -> u64 {
    u64::from_le_bytes(payload[payload.len() - 8..].try_into().unwrap())
}

#[test]
fn a_manifest_is_read_and_written_without_loss() {
    let dir = tempfile::tempdir().unwrap();
    let mut recorder = recorder(dir.path());
    come_in(&mut recorder, 7);
    recorder.gain(MARA, 0.5, at(48_000), Samples::new(480));
    recorder.pan(MARA, -0.25, at(50_000));
    recorder.mute(MARA, at(60_000));
    recorder.finish(at(FRAME * 100)).unwrap();
    let path = dir.path().join("session.json");
    let written = fs::read_to_string(&path).unwrap();
    let manifest = Manifest::read(dir.path()).unwrap();
    assert_eq!(serde_json::to_string_pretty(&manifest).unwrap() + "\n", written);
    let moves: Vec<_> =
        manifest.events.iter().filter_map(|event| event.to.zip(Some(event.at_sample))).collect();
    assert_eq!(moves, [(0.5, 48_000), (-0.25, 50_000)]);
    // What a newer version adds is passed over.
    fs::write(&path, written.replacen("\"schema\"", "\"weather\": {\"rain\": [1]}, \"schema\"", 1)).unwrap();
    assert_eq!(Manifest::read(dir.path()).unwrap(), manifest);
}

#[test]
fn a_wrong_manifest_is_an_error_of_one_line_that_says_where() {
    let dir = tempfile::tempdir().unwrap();
    let mut recorder = recorder(dir.path());
    come_in(&mut recorder, 0);
    recorder.finish(at(48_000)).unwrap();
    let path = dir.path().join("session.json");
    let written = fs::read_to_string(&path).unwrap();
    for (what, instead, expected) in [
        ("\"schema\": 1", "\"schema\": 2", "expected schema 1, found 2"),
        ("48000,", "44100,", "expected sample_rate_hz 48000"),
        ("\"samples\": 48000", "\"samples\": \"many\"", "expected u64 at line 6"),
        ("tracks/mara.opus", "../../etc/passwd", "speakers.mara: expected a file inside"),
        ("tracks/mara.opus", "/etc/passwd", "speakers.mara: expected a file inside"),
        ("\"to_sample\": 48000", "\"to_sample\": 0", "speakers.mara: expected gaps in order"),
        ("\"dtx\"", "\"boredom\"", "unknown variant `boredom`, expected"),
    ] {
        assert!(written.contains(what), "{what} in {written}");
        fs::write(&path, written.replace(what, instead)).unwrap();
        let error = Manifest::read(dir.path()).unwrap_err().to_string();
        assert!(
            error.contains("session.json: ") && error.contains(expected) && !error.contains('\n'),
            "{error}"
        );
    }
}
