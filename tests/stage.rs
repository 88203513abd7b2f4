//! Promises of the stage, with real threads. Nothing is timed: datagrams are handed over with the room time at which they
//! arrive, and waiting ends when something has happened (or, to fail, after half a minute).
#![cfg(all(feature = "live", feature = "opus"))]

use std::{thread, time::Duration};
use tertulia::{
    consent::{LegalBasis, ModerationBasis, Recordable, Transcribable},
    engine::{Codec, EncoderConfig, LaneConfig, RoomConfig, StreamConfig},
    live::{
        AttachError, Control, FinishError, MoveError, Notice, OrderError, PacketIn, PacketsOut, PcmOut,
        PushError, RoomId, RoomStats, SOON, SpeakerStats, Stage, StageConfig,
    },
    record::RecorderConfig,
    sim::Talker,
    speaker::{SpeakerId, SpeakerSet},
    time::{SampleTime, Samples},
};

const PACKET: usize = 960;

/// A stage at ordinary priority: a test must not take the machine over. However busy that is, no tick passes unheard.
fn stage(config: StageConfig) -> Control {
    let longest_catch_up = Duration::from_secs(60);
    Stage::start(StageConfig { realtime: false, longest_catch_up, ..config }).expect("threads")
}

fn stage_and_room() -> (Control, RoomId) {
    let mut stage = stage(StageConfig { lane_bytes: 1 << 20, ..StageConfig::default() });
    let room = stage.open_room(RoomConfig::default()).expect("a place");
    (stage, room)
}

fn pcm_lane() -> LaneConfig {
    LaneConfig { codec: Codec::Pcm, ..LaneConfig::new(SpeakerId(0)) }
}

/// Packet `number` of a voice that is the same 16-bit value throughout.
fn datagram(number: u16, value: i16) -> Vec<u8> {
    let mut bytes = vec![0x80, 111];
    bytes.extend(number.to_be_bytes());
    bytes.extend((u32::from(number) * PACKET as u32).to_be_bytes());
    bytes.extend(7_u32.to_be_bytes());
    bytes.extend((0..PACKET).flat_map(|_| value.to_be_bytes()));
    bytes
}

/// Packet `number` of a voice that says nothing: CELT frames of 20 ms (RFC 6716 §3.1).
fn opus_silence(number: u16) -> Vec<u8> {
    [&datagram(number, 0)[..12], &[0xf8, 0xff, 0xfe]].concat()
}

/// Hands over `count` packets, each to arrive when it is sent.
fn speak(packets_in: &mut PacketIn, count: u16, value: i16) {
    for number in 0..count {
        let arrived = SampleTime::from_samples(u64::from(number) * PACKET as u64);
        packets_in.push_at(&datagram(number, value), arrived).expect("room in the ring");
    }
}

/// Tries until there is something.
fn until<T>(mut look: impl FnMut() -> Option<T>) -> T {
    for _ in 0..30_000 {
        if let Some(found) = look() {
            return found;
        }
        thread::park_timeout(Duration::from_millis(1));
    }
    panic!("waited for half a minute");
}

fn read(out: &mut PcmOut, samples: usize) -> Vec<f32> {
    let mut heard = vec![0.0; samples];
    let mut filled = 0;
    until(|| {
        filled += out.read(&mut heard[filled..]);
        (filled == samples).then_some(())
    });
    heard
}

fn pop(out: &mut PacketsOut) -> Vec<u8> {
    until(|| out.pop().map(<[u8]>::to_vec))
}

fn measure(stage: &mut Control, room: RoomId) -> Box<RoomStats> {
    stage.measure(room).expect("a room");
    until(|| match stage.poll() {
        Some(Notice::Measured(_, stats)) => Some(stats),
        _ => None,
    })
}

fn last_figures(stage: &mut Control) -> Box<SpeakerStats> {
    until(|| match stage.poll() {
        Some(Notice::Left(_, stats)) => Some(stats),
        _ => None,
    })
}

/// Is there half a second in which every sample is this value?
fn holds(heard: &[f32], value: f32) -> bool {
    // A 16-bit step is 3e-5; gains are exactly one.
    heard
        .chunk_by(|a, b| (a - b).abs() < 1e-4)
        .any(|same| same.len() > 24_000 && (same[0] - value).abs() < 1e-4)
}

#[test]
fn everybody_hears_everybody_else() {
    let (mut stage, room) = stage_and_room();
    let mut mara = stage.admit(room, pcm_lane(), "mara").expect("a place");
    let mut george = stage.admit(room, pcm_lane(), "george").expect("a place");
    let without_mara = SpeakerSet::everybody_but(mara.speaker());
    let mut mara_hears = stage.subscribe_pcm(room, without_mara).expect("a place");
    let mut all_hear = stage.subscribe_pcm(room, SpeakerSet::EVERYBODY).expect("a place");
    speak(&mut mara, 100, 1 << 12);
    speak(&mut george, 100, 1 << 13);
    assert!(holds(&read(&mut all_hear, 96_000), 0.125 + 0.25));
    assert!(holds(&read(&mut mara_hears, 96_000), 0.25));
}

#[test]
fn a_bus_sends_rtp_in_sequence() {
    let (mut stage, room) = stage_and_room();
    let mut mara = stage.admit(room, pcm_lane(), "mara").expect("a place");
    let stream = StreamConfig { ssrc: 5, payload_type: 96, first_sequence: u16::MAX, first_timestamp: 1000 };
    for codec in [Codec::Pcm, Codec::Opus] {
        let encoder = EncoderConfig { codec, ..EncoderConfig::default() };
        let mut out = stage.subscribe(room, SpeakerSet::EVERYBODY, encoder, stream).expect("a place");
        let packets: Vec<_> = (0..20).map(|_| pop(&mut out)).collect();
        for (count, packet) in packets.iter().enumerate() {
            assert_eq!((packet[0], packet[1] & 0x7f, &packet[8..12]), (0x80, 96, &[0, 0, 0, 5][..]));
            let sequence = u16::from_be_bytes([packet[2], packet[3]]);
            assert_eq!(
                sequence.wrapping_sub(u16::from_be_bytes([packets[0][2], packets[0][3]])),
                count as u16
            );
            assert!(packet.len() > 12);
        }
    }
    speak(&mut mara, 1, 0);
}

#[test]
fn a_speaker_who_was_dismissed_is_gone_with_exact_figures() {
    let (mut stage, room) = stage_and_room();
    let mut mara = stage.admit(room, pcm_lane(), "mara").expect("a place");
    let speaker = mara.speaker();
    speak(&mut mara, 10, 0);
    speak(&mut mara, 1, 0);
    mara.push_at(b"garbage", SampleTime::ZERO).expect("room in the ring");
    until(|| (measure(&mut stage, room).speakers[0].lane.packets.arrived == 12).then_some(()));
    stage.dismiss(room, speaker).expect("a room");
    let left = last_figures(&mut stage);
    let packets = left.lane.packets;
    assert_eq!((left.speaker, packets.arrived), (speaker, 12));
    assert_eq!((packets.kept, packets.duplicate, packets.rejected_total()), (10, 1, 1));
    // The lane's ring has come back and was freed.
    assert_eq!(mara.push(&[]), Err(PushError::Closed));
    assert_eq!(measure(&mut stage, room).speakers, []);
}

#[test]
fn whatever_finds_no_room_is_counted() {
    let mut stage = stage(StageConfig { lane_bytes: 4000, bus_bytes: 300, ..StageConfig::default() });
    let room = stage.open_room(RoomConfig::default()).expect("a place");
    let mut mara = stage.admit(room, pcm_lane(), "mara").expect("a place");
    let encoder = EncoderConfig { codec: Codec::Pcm, ..EncoderConfig::default() };
    let out =
        stage.subscribe(room, SpeakerSet::EVERYBODY, encoder, StreamConfig::default()).expect("a place");
    // An hour ahead: the room does not take them yet.
    let later = SampleTime::from_samples(48_000 * 3600);
    let pushed: Vec<_> = (0..5).map(|number| mara.push_at(&datagram(number, 0), later)).collect();
    assert_eq!(pushed, [Ok(()), Ok(()), Err(PushError::Full), Err(PushError::Full), Err(PushError::Full)]);
    let stats = until(|| Some(measure(&mut stage, room)).filter(|stats| stats.buses[0].dropped > 0));
    assert_eq!((stats.speakers[0].refused, stats.speakers[0].lane.packets.arrived), (3, 0));
    drop(out);
}

#[test]
fn a_room_closes_while_its_speakers_go_on_talking() {
    let (mut stage, room) = stage_and_room();
    let mut mara = stage.admit(room, pcm_lane(), "mara").expect("a place");
    let mut out = stage.subscribe_pcm(room, SpeakerSet::EVERYBODY).expect("a place");
    let talking = thread::spawn(move || {
        let mut numbers = (0..u16::MAX).cycle();
        until(|| {
            let pushed = mara.push(&datagram(numbers.next()?, 0));
            (pushed == Err(PushError::Closed)).then_some(())
        });
    });
    read(&mut out, 4800);
    stage.close_room(room).expect("a room");
    assert_eq!(stage.close_room(room), Err(OrderError::NoRoom));
    assert!(matches!(stage.admit(room, pcm_lane(), "george"), Err(AttachError::NoRoom)));
    let closed = until(|| match stage.poll() {
        Some(Notice::Closed(_, stats)) => Some(stats),
        _ => None,
    });
    assert!(closed.ticks >= 10 && closed.speakers.len() == 1);
    talking.join().expect("no panic");
    assert!(out.is_closed());
}

#[test]
fn a_mute_begins_at_its_sample() {
    let (mut stage, room) = stage_and_room();
    let mut mara = stage.admit(room, pcm_lane(), "mara").expect("a place");
    let mut out = stage.subscribe_pcm(room, SpeakerSet::EVERYBODY).expect("a place");
    let at = SampleTime::from_samples(48_123);
    stage.mute(room, mara.speaker(), at).expect("a room");
    speak(&mut mara, 100, 1 << 13);
    let muted = until(|| match stage.poll() {
        Some(Notice::Event(_, tertulia::engine::Event::Muted { at, .. })) => Some(at),
        _ => None,
    });
    assert_eq!(muted, at);
    let heard = read(&mut out, 72_000);
    // The bus opened some ticks after the room: its first sample is not the room's.
    let silent = heard.iter().rposition(|sample| sample.abs() > 1e-4).expect("heard before");
    assert!(silent > 24_000 && heard[silent + 1..].len() > 12_000);
}

#[test]
fn many_rooms_share_two_workers() {
    let mut stage = stage(StageConfig { workers: 2, ..StageConfig::default() });
    let config = RoomConfig { max_lanes: 2, max_buses: 2, ..RoomConfig::default() };
    let rooms: Vec<_> = (0..40).map(|_| stage.open_room(config).expect("a place")).collect();
    let mut outs: Vec<_> = rooms
        .iter()
        .map(|room| stage.subscribe_pcm(*room, SpeakerSet::EVERYBODY).expect("a place"))
        .collect();
    assert!(outs.iter_mut().all(|out| read(out, 24_000).iter().all(|sample| *sample == 0.0)));
}

/// A hundred times back and forth while somebody speaks.
#[test]
fn a_room_moves_from_worker_to_worker_and_nobody_hears_it() {
    let mut stage = stage(StageConfig { workers: 2, lane_bytes: 1 << 20, ..StageConfig::default() });
    let room = stage.open_room(RoomConfig::default()).expect("a place");
    let mut mara = stage.admit(room, pcm_lane(), "mara").expect("a place");
    let mut out = stage.subscribe_pcm(room, SpeakerSet::EVERYBODY).expect("a place");
    speak(&mut mara, 150, 1 << 13);
    let mut heard = vec![0.0; 120_000];
    let (mut filled, mut moves) = (0, 0);
    until(|| {
        filled += out.read(&mut heard[filled..]);
        moves += 1;
        stage.move_room(room, moves % 2).expect("a worker");
        // Orders follow the room.
        stage.gain(room, mara.speaker(), 1.0, SOON, Samples::ZERO).expect("a room");
        thread::park_timeout(Duration::from_millis(10));
        (filled == heard.len()).then_some(())
    });
    let longest = heard.chunk_by(|a, b| (a - b).abs() < 1e-4).map(<[f32]>::len).max();
    assert!(longest > Some(100_000), "{longest:?}");
    let stats = stage.stats();
    assert!(stats.workers.iter().all(|worker| worker.ticks > 10), "{stats:?}");
    assert_eq!(stats.workers.iter().map(|worker| worker.rooms).sum::<usize>(), 1);
    assert_eq!(stage.move_room(room, 2), Err(MoveError::NoWorker));
}

#[test]
fn a_room_at_rest_wakes_for_a_packet_and_its_clock_is_exact() {
    let mut stage = stage(StageConfig { rest_after: Some(Duration::ZERO), ..StageConfig::default() });
    let room = stage.open_room(RoomConfig::default()).expect("a place");
    let mut mara = stage.admit(room, pcm_lane(), "mara").expect("a place");
    let encoder = EncoderConfig { codec: Codec::Pcm, ..EncoderConfig::default() };
    let stream = StreamConfig { first_timestamp: 0, ..StreamConfig::default() };
    let mut out = stage.subscribe(room, SpeakerSet::EVERYBODY, encoder, stream).expect("a place");
    until(|| stage.stats().rooms[0].resting.then_some(()));
    while out.pop().is_some() {}
    thread::park_timeout(Duration::from_millis(100));
    assert!(out.pop().is_none(), "a room at rest sends nothing");
    let arrived = stage.now(room).expect("a room");
    mara.push_at(&datagram(0, 1 << 13), arrived).expect("room in the ring");
    let (timestamp, first) = until(|| {
        let packet = out.pop()?;
        let loud = |sample: &[u8]| sample != [0, 0];
        let first = packet[12..].chunks(2).position(loud)? as u64;
        Some((u32::from_be_bytes([packet[4], packet[5], packet[6], packet[7]]), first))
    });
    // The first tick that is due after the arrival, and the limiter's look-ahead.
    let heard = u64::from(timestamp) + first;
    assert_eq!(heard, arrived.samples().next_multiple_of(480) + 24);
    let stats = measure(&mut stage, room);
    assert!(stats.rested >= 10 && stats.speakers[0].lane.packets.heard == 1, "{stats:?}");
}

#[test]
fn many_rooms_at_rest_need_no_ticks() {
    let mut stage = stage(StageConfig { rest_after: Some(Duration::ZERO), ..StageConfig::default() });
    let config = RoomConfig { max_lanes: 1, max_buses: 1, ..RoomConfig::default() };
    for _ in 0..500 {
        until(|| stage.open_room(config).ok());
    }
    until(|| stage.stats().rooms.iter().all(|room| room.resting).then_some(()));
    let before = stage.stats().workers[0].ticks;
    thread::park_timeout(Duration::from_millis(200));
    assert_eq!(stage.stats().workers[0].ticks, before);
}

#[test]
fn places_are_used_again_and_never_more_than_there_are() {
    let (mut stage, _) = stage_and_room();
    let config = RoomConfig { max_lanes: 2, max_buses: 1, ..RoomConfig::default() };
    let room = stage.open_room(config).expect("a place");
    for _ in 0..5 {
        let speakers = [(); 2].map(|()| stage.admit(room, pcm_lane(), "x").expect("a place").speaker());
        assert!(matches!(stage.admit(room, pcm_lane(), "x"), Err(AttachError::Full)));
        for speaker in speakers {
            stage.dismiss(room, speaker).expect("a room");
            assert_eq!(last_figures(&mut stage).speaker, speaker);
        }
    }
}

#[test]
fn a_recording_holds_every_packet_from_the_first_on() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut stage = stage(StageConfig::default());
    let room = stage.open_room(RoomConfig::default()).expect("a place");
    let config = RecorderConfig { repair: Samples::from_ms(100), ..RecorderConfig::default() };
    let take = stage.start_recording(room, dir.path(), config).expect("a directory");
    until(|| (measure(&mut stage, room).ticks > 10).then_some(()));
    let mut mara = stage.admit(room, LaneConfig::new(SpeakerId(0)), "mara").expect("a place");
    let consent = Recordable::dangerously_without_consent(mara.speaker(), SOON);
    stage.open_gate(take, consent).expect("a recording");
    let joined = stage.now(room).expect("a room");
    for number in 0..50 {
        let sent = Samples::new(u64::from(number) * PACKET as u64);
        mara.push_at(&opus_silence(number), joined + sent).expect("room in the ring");
    }
    let all_spoken = joined + Samples::new(55 * PACKET as u64);
    let finishing = until(|| {
        let spoken = measure(&mut stage, room).samples > all_spoken.samples();
        spoken.then(|| stage.stop_recording(take).expect("a recording"))
    });
    let session = finishing.wait(Duration::from_secs(30)).expect("a disk");
    let track = &session.tracks["mara"];
    assert_eq!((track.recorded, track.gated, track.refused), (50, 0, 0), "{track:?}");
}

#[test]
fn a_packet_that_came_before_the_room_opened_is_recorded_from_its_opening_on() {
    let dir = tempfile::tempdir().expect("a directory");
    let (mut stage, room) = stage_and_room();
    let config = RecorderConfig { repair: Samples::from_ms(100), ..RecorderConfig::default() };
    let take = stage.start_recording(room, dir.path(), config).expect("a directory");
    let mut mara = stage.admit(room, LaneConfig::new(SpeakerId(0)), "mara").expect("a place");
    let consent = Recordable::dangerously_without_consent(mara.speaker(), SOON);
    stage.open_gate(take, consent).expect("a recording");
    for number in 0..50 {
        // The first was sent 867 samples before the room opened.
        let arrived = (u64::from(number) * PACKET as u64).saturating_sub(867);
        mara.push_at(&opus_silence(number), SampleTime::from_samples(arrived)).expect("room in the ring");
    }
    let finishing = until(|| {
        let spoken = measure(&mut stage, room).samples > 55 * PACKET as u64;
        spoken.then(|| stage.stop_recording(take).expect("a recording"))
    });
    let session = finishing.wait(Duration::from_secs(30)).expect("a disk");
    let track = &session.tracks["mara"];
    assert_eq!((track.recorded, track.gated, track.refused), (50, 0, 0), "{track:?}");
    assert!(track.gaps.iter().all(|gap| gap.from_sample >= 50 * PACKET as u64), "{track:?}");
}

/// Two seconds of a voice, each packet to arrive when it is sent.
fn talk(packets_in: &mut PacketIn, seed: u64, from: SampleTime) {
    for (number, payload) in (0_u16..100).zip(Talker::new(seed).packets()) {
        let packet = [&datagram(number, 0)[..12], &payload].concat();
        let sent = Samples::new(u64::from(number) * PACKET as u64);
        packets_in.push_at(&packet, from + sent).expect("room in the ring");
    }
}

#[test]
fn a_transcript_tells_those_who_agreed_to_it_and_a_copy_those_whom_the_rules_name() {
    let dir = tempfile::tempdir().expect("a directory");
    let (mut stage, room) = stage_and_room();
    let config = RecorderConfig { repair: Samples::from_ms(100), ..RecorderConfig::default() };
    let (written, mut transcript) = stage.start_transcript(room, config).expect("a place");
    let copied = stage.start_copy(room, dir.path(), config).expect("a directory");
    let mut mara = stage.admit(room, LaneConfig::new(SpeakerId(0)), "mara").expect("a place");
    let mut george = stage.admit(room, LaneConfig::new(SpeakerId(0)), "george").expect("a place");
    let yes = Transcribable::dangerously_without_consent(mara.speaker(), SOON);
    stage.open_gate(written, yes).expect("a transcript");
    let rule =
        ModerationBasis::dangerously_without_rule(george.speaker(), SOON, LegalBasis::LegitimateInterest);
    stage.open_gate(copied, rule).expect("a copy");
    let joined = stage.now(room).expect("a room");
    talk(&mut mara, 1, joined);
    talk(&mut george, 2, joined);
    let finishing = until(|| {
        let spoken = measure(&mut stage, room).samples > (joined + Samples::from_ms(2_500)).samples();
        spoken.then(|| stage.stop_recording(copied).expect("a copy"))
    });
    let session = finishing.wait(Duration::from_secs(30)).expect("a disk");
    assert_eq!((session.tracks["george"].recorded, session.tracks["mara"].recorded), (100, 0));
    stage.stop_recording(written).expect("a transcript");
    let (mut samples, mut loudest, mut end) = (0, 0.0_f32, SampleTime::ZERO);
    until(|| {
        while let Some(heard) = transcript.read() {
            assert!(heard.speaker == "mara" && heard.at >= end, "{} at {:?}", heard.speaker, heard.at);
            end = heard.at + Samples::new(heard.pcm.len() as u64);
            samples += heard.pcm.len();
            loudest = heard.pcm.iter().fold(loudest, |loudest, sample| loudest.max(sample.abs()));
        }
        transcript.is_closed().then_some(())
    });
    assert!(samples >= 99 * PACKET && loudest > 0.05, "{samples} samples, {loudest}");
    assert_eq!(transcript.lost(), 0);
}

/// A pipe that nobody reads stands where a track should be written.
#[cfg(unix)]
#[test]
fn a_disk_that_stands_still_stops_no_tick() {
    let dir = tempfile::tempdir().expect("a directory");
    let track = dir.path().join("tracks/mara.opus");
    std::fs::create_dir(dir.path().join("tracks")).expect("a directory");
    assert!(std::process::Command::new("mkfifo").arg(&track).status().expect("mkfifo").success());
    let (mut stage, room) = stage_and_room();
    let config = RecorderConfig { repair: Samples::from_ms(20), ..RecorderConfig::default() };
    let take = stage.start_recording(room, dir.path(), config).expect("a directory");
    let mut mara = stage.admit(room, pcm_lane(), "mara").expect("a place");
    let consent = Recordable::dangerously_without_consent(mara.speaker(), SOON);
    stage.open_gate(take, consent).expect("a recording");
    speak(&mut mara, 200, 1 << 13);
    until(|| (measure(&mut stage, room).samples > 48_000).then_some(()));
    let finishing = stage.stop_recording(take).expect("a recording");
    assert!(matches!(finishing.wait(Duration::from_millis(300)), Err(FinishError::Timeout)));
    let before = measure(&mut stage, room).ticks;
    until(|| (measure(&mut stage, room).ticks > before + 50).then_some(()));
    // Somebody reads at last, and a file may take the pipe's place.
    let reader = std::fs::File::open(&track).expect("the pipe");
    std::fs::remove_file(&track).expect("the pipe goes");
    drop(stage);
    drop(reader);
    assert!(std::fs::metadata(track).expect("a track").is_file());
}
