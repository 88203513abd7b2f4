use crate::desk::{Desk, Talker, encoded};
use tertulia::{
    engine::{Codec, Command},
    speaker::{BusId, SpeakerId, SpeakerSet},
    time::Quantum,
};

/// A room in which `talking(place, sequence)` says who talks; every packet of every bus, by bus.
fn packets(places: u16, talking: impl Fn(u16, u16) -> bool) -> (Vec<Vec<Vec<u8>>>, Vec<u32>) {
    let mut desk = Desk::new(Quantum::Ms10);
    let speakers: Vec<_> = (0..places).map(|place| desk.admit(place, Codec::Opus)).collect();
    let mut talkers: Vec<_> = (0..places).map(Talker::new).collect();
    let coding = Some(encoded());
    desk.open(SpeakerSet::EVERYBODY, coding);
    for speaker in &speakers {
        desk.open(SpeakerSet::everybody_but(*speaker), coding);
    }
    let mut sent = vec![Vec::new(); usize::from(places) + 1];
    let mut encodes = Vec::new();
    for sequence in 0..100 {
        for speaker in speakers.iter().filter(|speaker| talking(speaker.0, sequence)) {
            desk.send(*speaker, sequence, &talkers[speaker.index()].packet(sequence));
        }
        let mut in_packet = 0;
        for _ in 0..2 {
            let tick = desk.engine.tick();
            in_packet += tick.work().encodes;
            for packet in tick.packets() {
                sent[packet.bus.index()].push(packet.payload.to_vec());
            }
        }
        encodes.push(in_packet);
    }
    (sent, encodes)
}

#[test]
fn silent_speakers_share_the_listeners_encode() {
    let (sent, encodes) = packets(20, |place, _| place == 4);
    assert_eq!(encodes[50..], [1; 50], "what all hear; the talker hears silence, whose packet is sent again");
    assert!((1..=20).filter(|bus| *bus != 5).all(|bus| sent[bus] == sent[0]));
    assert_ne!(sent[5], sent[0]);
    assert!(sent.iter().all(|packets| packets.len() == 100));
}

#[test]
fn a_muted_speaker_shares_the_listeners_encode() {
    let mut desk = Desk::new(Quantum::Ms20);
    let speakers: Vec<_> = (0..2).map(|place| desk.admit(place, Codec::Opus)).collect();
    let mut talkers: Vec<_> = (0..2).map(Talker::new).collect();
    let all = desk.open(SpeakerSet::EVERYBODY, Some(encoded()));
    let own = desk.open(SpeakerSet::everybody_but(speakers[1]), Some(encoded()));
    for sequence in 0..100 {
        if sequence == 20 {
            let at = desk.engine.now();
            desk.engine.apply(Command::Mute { speaker: speakers[1], at });
        }
        for (speaker, talker) in speakers.iter().zip(&mut talkers) {
            desk.send(*speaker, sequence, &talker.packet(sequence));
        }
        let tick = desk.engine.tick();
        let payload = |bus| tick.packets().find(|packet| packet.bus == bus).unwrap().payload;
        match sequence {
            5..20 => assert!(tick.work().encodes == 2 && payload(all) != payload(own)),
            50.. => assert!(tick.work().encodes == 1 && payload(all) == payload(own)),
            _ => {}
        }
    }
}

#[test]
fn one_encode_for_each_distinct_mix() {
    let (_, encodes) = packets(6, |place, _| place < 3);
    assert_eq!(encodes[50..], [4; 50]);
}

#[test]
fn a_mix_that_splits_off_goes_on_without_a_seam() {
    // Speaker 1 begins to talk at packet 40. What it hears is speaker 0 all along, so its stream must be, bit for bit,
    // what everybody would have got had it never talked.
    let (split, _) = packets(2, |place, sequence| place == 0 || sequence >= 40);
    let (quiet, _) = packets(2, |place, _| place == 0);
    assert_eq!(split[2], quiet[0]);
    assert_ne!(split[0], quiet[0]);
}

#[test]
fn a_voice_that_falls_silent_shares_again_after_its_hangover() {
    let (sent, encodes) = packets(2, |place, sequence| place == 0 || (20..30).contains(&sequence));
    assert_eq!(encodes[25], 3);
    assert_eq!(encodes[70], 1, "400 ms after its last sound; who still talks hears silence");
    assert_eq!(sent[2][90..], sent[0][90..]);
}

#[test]
fn when_a_leader_closes_its_followers_go_on_without_a_seam() {
    let run = |close: bool| {
        let mut desk = Desk::new(Quantum::Ms20);
        let speaker = desk.admit(0, Codec::Opus);
        let mut talker = Talker::new(0);
        for _ in 0..3 {
            desk.open(SpeakerSet::EVERYBODY, Some(encoded()));
        }
        let mut sent = Vec::new();
        for sequence in 0..60 {
            desk.send(speaker, sequence, &talker.packet(sequence));
            let tick = desk.engine.tick();
            sent.extend(
                tick.packets().filter(|packet| packet.bus == BusId(2)).map(|packet| packet.payload.to_vec()),
            );
            assert_eq!(tick.work().encodes, 1);
            if close && sequence == 30 {
                let closed = desk.engine.apply(Command::Close(BusId(0)));
                assert!(closed.is_some());
            }
        }
        sent
    };
    assert_eq!(run(true), run(false));
}

#[test]
fn any_set_of_members_is_a_mix() {
    let mut desk = Desk::new(Quantum::Ms10);
    let speakers: Vec<_> = (0..4).map(|place| desk.admit(place, Codec::Pcm)).collect();
    let pair = SpeakerSet::NOBODY.with(speakers[0]).with(speakers[3]);
    let bus = desk.open(pair, None);
    let alone = desk.open(SpeakerSet::NOBODY.with(SpeakerId(3)), None);
    for speaker in &speakers {
        desk.send(*speaker, 0, &[1_u8, 0].repeat(960));
    }
    let mixes = desk.tick();
    let loud = 256.0 / 32768.0;
    assert_eq!((mixes[bus.index()][200], mixes[alone.index()][200]), (2.0 * loud, loud));
}
