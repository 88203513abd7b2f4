//! Renders of recordings: ranges, threads, sums, places, and what is better than live.

use crate::support::{FRAME, MARA, Mode, Talker, at, lag, peak_dbfs, play, recorder_with_mara};
use std::{collections::BTreeMap, fs, ops::Range, path::Path};
use tertulia::{
    consent::Recordable,
    record::{Cause, Derived, Recording, redact},
    render::{Automation, Change, Format, Move, Of, Order, What, deliver, render},
    speaker::{SpeakerId, VoicePacket},
    time::Samples,
};

const PUCK: SpeakerId = SpeakerId(1);

/// Samples of one render.
#[derive(Default)]
struct Rendered {
    mix: Vec<f32>,
    sum: Vec<f32>,
    stems: BTreeMap<String, Vec<f32>>,
    width: usize,
}

fn rendered(dir: &Path, what: &What) -> Rendered {
    let recording = Recording::open(dir).unwrap();
    let mut all = Rendered::default();
    render(&recording, what, &mut |block| {
        all.width = block.channels.count();
        all.mix.extend_from_slice(block.mix);
        all.sum.extend_from_slice(block.sum);
        for name in recording.manifest().speakers.keys() {
            let stem = all.stems.entry(name.clone()).or_default();
            match block.stem(name) {
                Some(samples) => stem.extend_from_slice(samples),
                None => stem.resize(all.sum.len(), 0.0),
            }
        }
        Ok(())
    })
    .unwrap();
    all
}

fn of(range: Range<u64>) -> What {
    What { range: Some(range), ..What::default() }
}

/// Half a minute of two voices, loud enough for the limiter; one comes late, on an odd sample, and is moved about; some
/// of the other's packets are lost.
fn two_voices(dir: &Path, seconds: u64) -> (Talker, Talker) {
    let (mara, puck) = (Talker::new(Mode::Speech, seconds * 50), Talker::new(Mode::Music, seconds * 50));
    let mut recorder = recorder_with_mara(dir, 0);
    let late = 4 * 48_000 + 7;
    recorder.join(PUCK, "puck", at(late)).unwrap();
    recorder.open(Recordable::dangerously_without_consent(PUCK, at(late)));
    recorder.gain(MARA, 2.5, at(100_003), Samples::new(4_801));
    recorder.gain(PUCK, 2.0, at(late), Samples::ZERO);
    recorder.pan(PUCK, -0.5, at(960_100));
    recorder.mute(MARA, at(700_001));
    recorder.unmute(MARA, at(733_333));
    let theirs = (0..(seconds - 5) * 50).map(|n| VoicePacket { speaker: PUCK, ..puck.packet(n, late, 400) });
    let ours = (0..seconds * 50).filter(|n| n % 11 != 3).map(|n| mara.packet(n, 0, 0));
    play(&mut recorder, ours.chain(theirs).collect());
    recorder.finish(at(seconds * 48_000)).unwrap();
    (mara, puck)
}

fn bits(samples: &[f32]) -> Vec<u32> {
    samples.iter().map(|sample| sample.to_bits()).collect()
}

#[test]
fn a_range_is_the_whole_there_bit_by_bit_for_any_number_of_threads() {
    let dir = tempfile::tempdir().unwrap();
    two_voices(dir.path(), 34);
    let whole = rendered(dir.path(), &What { threads: Some(1), ..What::default() });
    assert_eq!((whole.width, whole.mix.len()), (2, 2 * 34 * 48_000));
    assert!(peak_dbfs(&whole.sum) > 0.5 && peak_dbfs(&whole.mix) < -1.0, "the limiter is at work");
    for (range, threads) in
        [(0..1, 2), (479_999..480_001, 1), (700_000..1_000_123, 3), (1_439_900..1_632_000, 2)]
    {
        let part = rendered(dir.path(), &What { threads: Some(threads), ..of(range.clone()) });
        let there = 2 * range.start as usize..2 * range.end as usize;
        assert!(bits(&part.mix) == bits(&whole.mix[there.clone()]), "{range:?}");
        assert!(bits(&part.sum) == bits(&whole.sum[there.clone()]), "{range:?}");
        for (name, stem) in &part.stems {
            assert!(bits(stem) == bits(&whole.stems[name][there.clone()]), "{range:?} {name}");
        }
    }
}

#[test]
fn stems_sum_to_the_sum_and_the_mix_is_that_where_the_limiter_rests() {
    let dir = tempfile::tempdir().unwrap();
    two_voices(dir.path(), 12);
    let soft = Automation::Own(
        ["mara", "puck"]
            .map(|speaker| Move { speaker: speaker.into(), at: 0, change: Change::Gain { to: 0.5, over: 0 } })
            .into(),
    );
    let Rendered { mix, sum, stems, .. } =
        rendered(dir.path(), &What { automation: soft, ..What::default() });
    let added: Vec<f32> = stems["mara"].iter().zip(&stems["puck"]).map(|(a, b)| a + b).collect();
    assert!(bits(&added) == bits(&sum));
    assert!(bits(&mix) == bits(&sum), "a limiter at rest is a delay, and that is taken out");
}

#[test]
fn every_voice_stands_where_it_was_said() {
    let dir = tempfile::tempdir().unwrap();
    let (mara, puck) = two_voices(dir.path(), 12);
    let flat = rendered(dir.path(), &What { automation: Automation::Flat, ..What::default() });
    let left = |name: &str| flat.stems[name].iter().step_by(flat.width).copied().collect::<Vec<_>>();
    // SILK moves some frequencies by two samples.
    assert!(lag(&left("mara"), 300_000, &mara.said, 300_000).abs() <= 2);
    // It came by 400 samples late: that is where the quickest packet says that it was sent.
    assert_eq!(lag(&left("puck"), 4 * 48_000 + 407 + 96_000, &puck.said, 96_000), 0);
    let before = &left("puck")[..4 * 48_000 + 7];
    assert!(before.iter().all(|sample| *sample == 0.0));
}

#[test]
fn what_a_later_packet_tells_once_more_is_heard() {
    let dir = tempfile::tempdir().unwrap();
    let talker = Talker::deep(300);
    let mut recorder = recorder_with_mara(dir.path(), 0);
    // Holes of 20 to 120 ms.
    let lost = |n: u64| n > 60 && n % 40 < 1 + n / 40 % 6;
    play(&mut recorder, (0..300).filter(|n| !lost(*n)).map(|n| talker.packet(n, 0, 0)).collect());
    recorder.finish(at(300 * FRAME)).unwrap();
    let recording = Recording::open(dir.path()).unwrap();
    let gaps = &recording.manifest().speakers["mara"].gaps;
    assert!(gaps.iter().any(|gap| gap.cause == Cause::Loss));
    let ours = rendered(dir.path(), &What::default()).stems.remove("mara").unwrap();
    let players = crate::support::read(dir.path(), "mara").decode();
    let (mut ours_off, mut players_off) = (0.0, 0.0);
    for gap in gaps.iter().filter(|gap| gap.cause == Cause::Loss) {
        let hole = gap.from_sample as usize..gap.to_sample as usize;
        let off = |heard: &[f32]| {
            levels(&heard[hole.clone()])
                .zip(levels(&talker.said[hole.clone()]))
                .map(|(a, b)| (a - b).abs())
                .sum::<f32>()
        };
        ours_off += off(&ours);
        players_off += off(&players);
    }
    assert!(ours_off < 0.6 * players_off, "{ours_off} against {players_off} dB");
}

/// The level of each 5 ms, in dB.
fn levels(sound: &[f32]) -> impl Iterator<Item = f32> + '_ {
    sound
        .chunks(240)
        .map(|step| 10.0 * (step.iter().map(|s| s * s).sum::<f32>() / step.len() as f32 + 1e-8).log10())
}

#[test]
fn nothing_is_mended_across_a_shut_gate() {
    let dir = tempfile::tempdir().unwrap();
    let talker = Talker::deep(200);
    let mut recorder = recorder_with_mara(dir.path(), 0);
    recorder.close(MARA, at(100 * FRAME));
    recorder.open(Recordable::dangerously_without_consent(MARA, at(104 * FRAME)));
    // What opens the gate again tells, undecoded, of the second before; and a packet right behind is lost.
    play(&mut recorder, (0..200).filter(|n| *n != 108).map(|n| talker.packet(n, 0, 0)).collect());
    recorder.finish(at(200 * FRAME)).unwrap();
    let sound = rendered(dir.path(), &What::default()).mix;
    let shut = &sound[100 * FRAME as usize + 400..107 * FRAME as usize - 312];
    assert!(peak_dbfs(shut) < -90.0, "{}", peak_dbfs(shut));
}

#[test]
fn a_clock_that_drifts_is_put_right() {
    let dir = tempfile::tempdir().unwrap();
    // The sender's clock is 200 ppm slow: what it calls a second lasts 9.6 samples longer in the room.
    let talker = Talker::new(Mode::Music, 90 * 50);
    let mut recorder = recorder_with_mara(dir.path(), 0);
    let place = |media: u64| media + media / 5_000;
    let packets = (0..90 * 50)
        .map(|n| VoicePacket { arrived: at(place(n * FRAME) + 300 + n * 7 % 31), ..talker.packet(n, 0, 0) });
    play(&mut recorder, packets.collect());
    recorder.finish(at(90 * 48_000)).unwrap();
    let mono: Vec<f32> = rendered(dir.path(), &What::default()).mix.chunks(2).map(|pair| pair[0]).collect();
    for second in [2, 20, 45, 70, 85] {
        let media = second * 48_000;
        let behind = lag(&mono, place(media) + 300, &talker.said, media);
        assert!(behind.abs() <= 48, "{behind} samples at {second} s");
    }
}

#[test]
fn files_are_the_same_for_any_number_of_threads_and_say_where_they_begin() {
    let dir = tempfile::tempdir().unwrap();
    two_voices(dir.path(), 12);
    let recording = Recording::open(dir.path()).unwrap();
    let formats = [Format::WavFloat, Format::Wav24, Format::Flac, Format::Opus { bitrate_bps: 64_000 }];
    let make = |threads: usize| {
        let out = dir.path().join(threads.to_string());
        fs::create_dir(&out).unwrap();
        let order = |(number, format): (usize, &Format)| {
            [(Of::Mix, None), (Of::Stem("puck".into()), Some(192_007..500_000))].map(|(of, span)| Order {
                path: out.join(format!("{number}-{}", span.is_some())),
                of,
                span,
                format: *format,
            })
        };
        let orders: Vec<_> = formats.iter().enumerate().flat_map(order).collect();
        deliver(&recording, &What { threads: Some(threads), ..What::default() }, &orders, &mut |_| {})
            .unwrap();
        orders
            .into_iter()
            .map(|order| (order.path.clone(), fs::read(order.path).unwrap()))
            .collect::<Vec<_>>()
    };
    let (one, three) = (make(1), make(3));
    assert!(one.iter().zip(&three).all(|((_, a), (_, b))| a == b));
    let whole = rendered(dir.path(), &What::default());
    let stem = &whole.stems["puck"][2 * 192_007..2 * 500_000];
    let mut float = hound::WavReader::open(&one[1].0).unwrap();
    assert!(float.samples::<f32>().map(Result::unwrap).eq(stem.iter().copied()));
    let mut bits24 = hound::WavReader::open(&one[3].0).unwrap();
    let off = bits24
        .samples::<i32>()
        .map(Result::unwrap)
        .zip(stem)
        .map(|(a, b)| (a as f32 / 8_388_608.0 - b).abs())
        .fold(0.0, f32::max);
    assert!(off <= 1.0 / 8_388_608.0, "{off}");
    let bext = one[1].1.windows(4).position(|name| name == b"bext").unwrap() + 8;
    assert_eq!(one[1].1[bext + 338..bext + 346], 192_007_u64.to_le_bytes());
}

#[test]
fn what_cannot_be_is_said_in_one_line() {
    let dir = tempfile::tempdir().unwrap();
    two_voices(dir.path(), 6);
    let recording = Recording::open(dir.path()).unwrap();
    for (what, expected) in [
        (of(5..5), "expected a range within 0..288000, found 5..5"),
        (of(5..288_001), "expected a range within"),
        (
            What { voices: Some(["nobody".to_owned()].into()), ..What::default() },
            "expected one of mara, puck, found nobody",
        ),
    ] {
        let error = render(&recording, &what, &mut |_| Ok(())).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn what_is_delivered_is_listed_and_goes_with_its_voice() {
    let (root, dir) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    two_voices(dir.path(), 6);
    let recording = Recording::open(dir.path()).unwrap();
    let order =
        |of, span, file: &str| Order { of, span, format: Format::WavFloat, path: root.path().join(file) };
    let orders = [
        order(Of::Mix, None, "mix.wav"),
        order(Of::Mix, Some(0..100_000), "early.wav"),
        order(Of::Stem("mara".into()), None, "mara.wav"),
        order(Of::Stem("puck".into()), None, "puck.wav"),
    ];
    deliver(&recording, &What::default(), &orders, &mut |_| ()).unwrap();
    let names = |all: &[Derived]| -> Vec<String> {
        all.iter().map(|it| it.path.file_name().unwrap().to_string_lossy().into_owned()).collect()
    };
    assert_eq!(names(&Derived::of(dir.path()).unwrap()), ["mix.wav", "early.wav", "mara.wav", "puck.wav"]);
    let dropped = redact(dir.path(), "puck", 200_000..240_000).unwrap().dropped;
    assert_eq!(names(&dropped), ["mix.wav", "puck.wav"]);
    let there = |file: &str| root.path().join(file).exists();
    assert!(!there("mix.wav") && !there("puck.wav") && there("early.wav") && there("mara.wav"));
    // Made anew it is listed anew.
    let recording = Recording::open(dir.path()).unwrap();
    deliver(&recording, &What::default(), &orders[..1], &mut |_| ()).unwrap();
    assert_eq!(names(&Derived::of(dir.path()).unwrap()), ["early.wav", "mara.wav", "mix.wav"]);
}
