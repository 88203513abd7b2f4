use crate::desk::{Desk, PACKET, datagram, tone};
use tertulia::{
    engine::{Codec, Event, Received},
    speaker::{SpeakerId, SpeakerSet},
    time::{Quantum, SampleTime},
};

fn clock(packet: u16) -> SampleTime {
    SampleTime::from_samples(u64::from(packet) * PACKET as u64)
}

/// Runs 100 packets, each through `rewrite(ssrc, sequence, timestamp)`; how much was played and concealed.
fn run(rewrite: impl Fn(u16) -> (u32, u16, u32)) -> (u64, u64, usize) {
    let mut desk = Desk::new(Quantum::Ms20);
    let speaker = desk.admit(0, Codec::Pcm);
    desk.open(SpeakerSet::EVERYBODY, None);
    let mut restarts = 0;
    for packet in 0..100 {
        let (ssrc, sequence, timestamp) = rewrite(packet);
        let mut bytes = datagram(ssrc, sequence, &tone(0, packet));
        bytes[4..8].copy_from_slice(&timestamp.to_be_bytes());
        let received = desk.engine.receive(speaker, &bytes, clock(packet));
        assert!(matches!(received, Received::Kept(_)), "packet {packet}: {received:?}");
        let tick = desk.engine.tick();
        restarts += tick.events().iter().filter(|event| matches!(event, Event::Restarted { .. })).count();
    }
    let samples = desk.engine.stats(SpeakerId(0)).unwrap().samples;
    (samples.played, samples.concealed, restarts)
}

const ALL: u64 = 100 * PACKET as u64;

#[test]
fn sequence_and_timestamp_wrap_without_a_trace() {
    let wrapped = run(|packet| {
        let timestamp = u32::MAX - 40 * PACKET as u32;
        (9, 65_500_u16.wrapping_add(packet), timestamp.wrapping_add(u32::from(packet) * PACKET as u32))
    });
    assert_eq!(wrapped, (ALL, 0, 0));
}

#[test]
fn another_ssrc_goes_on_where_the_old_one_stopped() {
    let (played, concealed, restarts) = run(|packet| {
        let fresh = packet >= 50;
        let shift = if fresh { 77_000 } else { 0 };
        (u32::from(fresh), packet.wrapping_add(shift as u16), u32::from(packet) * PACKET as u32 + shift)
    });
    assert_eq!((played, concealed, restarts), (ALL, 0, 1));
}

#[test]
fn a_clock_that_jumps_by_minutes_costs_nothing() {
    let jump = 48_000 * 600;
    let forwards = run(|packet| (1, packet, u32::from(packet) * 960 + if packet >= 50 { jump } else { 0 }));
    assert_eq!(forwards, (ALL, 0, 1));
    let backwards = run(|packet| {
        (1, packet, (u32::from(packet) * 960).wrapping_sub(if packet >= 50 { jump } else { 0 }))
    });
    assert_eq!(backwards, (ALL, 0, 1));
}
