//! Sound bites: exact to the sample, and with nothing in them that lies outside.

use crate::support::{FRAME, Mode, Talker, at, lag, play, read, recorder_with_mara};
use std::{fs, ops::Range, path::Path};
use tertulia::record::{Cuttable, Derived, Manifest, Recording, cut, redact};

const END: u64 = 500 * FRAME;

fn session(dir: &Path, talker: &Talker) -> Recording {
    let mut recorder = recorder_with_mara(dir, 0);
    play(&mut recorder, (0..talker.packets.len() as u64).map(|n| talker.packet(n, 0, 0)).collect());
    recorder.finish(at(END)).unwrap();
    Recording::open(dir).unwrap()
}

fn clip(parent: &Recording, range: Range<u64>, span: Range<u64>, into: &Path) -> Manifest {
    cut(parent, range, &[Cuttable { speaker: "mara".into(), span }], into).unwrap()
}

#[test]
fn a_clip_plays_the_same_samples_and_exactly_as_many() {
    for mode in [Mode::Speech, Mode::Music] {
        let (dir, talker) = (tempfile::tempdir().unwrap(), Talker::new(mode, 500));
        let parent = session(&dir.path().join("whole"), &talker);
        let whole = read(parent.dir(), "mara").decode();
        for (from, to) in [(0, 1), (96_000, 144_000), (100_001, 196_003), (300_479, END)] {
            let into = dir.path().join(format!("clip{from}"));
            let manifest = clip(&parent, from..to, 0..END, &into);
            let file = read(&into, "mara");
            let played = file.decode();
            assert_eq!((played.len() as u64, manifest.samples), (to - from, to - from));
            assert!(file.ended);
            // A decoder that comes in later makes other samples of the same packets for a while, at the same places.
            if played.len() > 20_000 {
                assert_eq!(lag(&played, 4_800, &whole, from + 4_800), 0, "{from}..{to}");
            }
        }
    }
}

#[test]
fn only_packets_of_the_stretch_and_80_ms_before_are_in_it() {
    let (dir, talker) = (tempfile::tempdir().unwrap(), Talker::deep(500));
    let parent = session(&dir.path().join("whole"), &talker);
    let into = dir.path().join("clip");
    clip(&parent, 240_000..336_000, 0..END, &into);
    let file = read(&into, "mara");
    // From 236,160 on, and the first packet's in-band copy too; none begins at 336,000.
    let first = if tertulia::packet::opus::has_lbrr(&talker.packets[246]) { 247 } else { 246 };
    let bare = |packet: &[u8]| {
        tertulia::packet::without_padding(packet)
            .map_or_else(|| packet.to_vec(), |(head, frames)| [&head[..], frames].concat())
    };
    let sound: Vec<_> = file.packets.iter().filter(|packet| packet.len() > 3).collect();
    assert_eq!(sound.len(), 350 - first);
    for (packet, sent) in sound.iter().zip(&talker.packets[first..]) {
        assert_eq!(bare(packet), bare(sent));
    }
    // Deep redundancy tells of the second before: none of it for 1.1 s.
    assert!(sound[..55].iter().all(|packet| !tertulia::packet::has_dred(packet)));
    assert!(sound[55..].iter().any(|packet| tertulia::packet::has_dred(packet)));
}

#[test]
fn where_a_voice_has_not_agreed_to_be_cut_it_is_silent_in_the_clip() {
    let (dir, talker) = (tempfile::tempdir().unwrap(), Talker::new(Mode::Speech, 500));
    let parent = session(&dir.path().join("whole"), &talker);
    let into = dir.path().join("clip");
    // It agreed from 250,000 to 290,000 only.
    clip(&parent, 240_000..336_000, 250_000..290_000, &into);
    let played = read(&into, "mara").decode();
    assert_eq!(played.len(), 96_000);
    let loud = |from: usize, to: usize| crate::support::peak_dbfs(&played[from..to]);
    assert!(loud(0, 10_000) < -90.0 && loud(50_000, 96_000) < -90.0);
    assert!(loud(15_000, 40_000) > -20.0);
    // Consent from the very start of the clip: nothing stands in the 80 ms before.
    let into = dir.path().join("door");
    clip(&parent, 240_000..336_000, 240_000..END, &into);
    let sound = read(&into, "mara").packets.into_iter().filter(|packet| packet.len() > 3);
    assert!(sound.eq(talker.packets[253..350].iter().cloned()));
}

#[test]
fn a_clip_says_where_it_lies_and_goes_when_its_voice_is_taken_back() {
    let (dir, talker) = (tempfile::tempdir().unwrap(), Talker::new(Mode::Speech, 500));
    let parent = session(&dir.path().join("whole"), &talker);
    let into = dir.path().join("clip");
    clip(&parent, 240_000..336_000, 0..END, &into);
    let origin: serde_json::Value =
        serde_json::from_slice(&fs::read(into.join("clip.json")).unwrap()).unwrap();
    assert_eq!((&origin["from_sample"], &origin["to_sample"]), (&240_000.into(), &336_000.into()));
    let hash = parent.manifest().speakers["mara"].sha256.clone().unwrap();
    assert_eq!(origin["voices"]["mara"], hash);
    assert_eq!(Derived::of(parent.dir()).unwrap().len(), 1);
    let dropped = redact(parent.dir(), "mara", 300_000..300_001).unwrap().dropped;
    assert_eq!(dropped.len(), 1);
    assert!(!into.exists());
}

#[test]
fn no_clip_reaches_beyond_its_session() {
    let (dir, talker) = (tempfile::tempdir().unwrap(), Talker::new(Mode::Speech, 100));
    let parent = session(&dir.path().join("whole"), &talker);
    for range in [5..5, 0..END + 1] {
        let error = cut(&parent, range, &[], &dir.path().join("clip")).unwrap_err().to_string();
        assert!(error.contains("expected a range within the session"), "{error}");
    }
}
