//! Datagrams: what is read from one does not contradict itself, and its lane finds a place for it.

use super::input::Input;
use crate::{
    packet::{
        Arrival, Packet, Position, Red, Reject, Seen, SenderClock, SenderReport, Sighting, has_dred, opus,
        without_padding,
    },
    time::{SampleTime, Samples},
};

/// The bytes are one datagram; then they are many, all of one lane.
///
/// # Panics
/// If a packet contradicts itself.
pub fn packet(data: &[u8]) {
    if let Ok(packet) = Packet::parse(data) {
        check_packet(data, &packet);
    }
    let (mut input, mut clock, mut seen) = (Input(data), SenderClock::default(), Seen::default());
    let (mut arrived, mut newest) = (SampleTime::ZERO, None);
    while let Some((pause, datagram)) = input.byte().zip(input.slice()) {
        arrived += Samples::from_ms(u32::from(pause) * u32::from(pause));
        check_report(datagram, &clock);
        let Ok(packet) = Packet::parse(datagram) else { continue };
        check_packet(datagram, &packet);
        let Packet { ssrc, sequence, timestamp, .. } = packet;
        let Ok(position) = clock.place(Arrival { ssrc, sequence, timestamp, arrived }) else { continue };
        check_position(position, &mut newest);
        assert_ne!(
            seen.insert(position.sequence),
            Sighting::TooOld,
            "the clock and the window have the same reach"
        );
        assert_eq!(seen.insert(position.sequence), Sighting::Duplicate);
    }
}

/// A report is none of a packet's, and stands within ten seconds of the newest.
fn check_report(datagram: &[u8], clock: &SenderClock) {
    let Ok(report) = SenderReport::parse(datagram) else { return };
    assert_eq!(Packet::parse(datagram), Err(Reject::Rtcp));
    assert_eq!(SenderReport::parse(&report.bytes()), Ok(report));
    if let Some((media, _)) = clock.media_at(report.ssrc, report.timestamp) {
        let onwards = clock.media_at(report.ssrc, report.timestamp.wrapping_add(1));
        assert!(onwards.is_none_or(|(next, _)| next.since(media) == Samples::new(1)));
    }
}

fn check_packet(datagram: &[u8], packet: &Packet<'_>) {
    assert!(datagram.len() >= 12 + packet.payload.len() && !packet.payload.is_empty());
    for element in packet.extensions() {
        assert!(packet.extension(element.id).is_some() && element.data.len() <= 255);
        assert!(packet.audio_level(element.id).is_none_or(|level| level.dbov <= 127));
    }
    check_opus(packet.payload);
    if let Ok(red) = Red::parse(packet.payload) {
        let sum: usize = red.older().map(|block| block.payload.len()).sum();
        assert!(sum + red.newest.payload.len() < packet.payload.len());
        red.older().for_each(|block| check_opus(block.payload));
    }
}

fn check_opus(payload: &[u8]) {
    let duration = opus::duration(payload);
    assert!(duration.is_none_or(|span| (120..=5760).contains(&span.count()) && span.count() % 120 == 0));
    assert_eq!(opus::frames(payload).is_some(), duration.is_some());
    let (lbrr, voice, dtx) = (opus::has_lbrr(payload), opus::voice_active(payload), opus::is_dtx(payload));
    assert!(duration.is_some() || (!lbrr && voice.is_none() && !dtx));
    assert!(!dtx || (!lbrr && voice != Some(true)));
    assert!(duration.is_some() || !has_dred(payload));
    if let Some(frames) = opus::frames(payload) {
        let (count, bytes) =
            frames.clone().fold((0, 0), |(count, sum), frame| (count + 1, sum + frame.len()));
        assert!(count == frames.len() && bytes < payload.len());
        check_padding(payload, frames);
    }
}

fn check_padding(payload: &[u8], frames: opus::Frames<'_>) {
    let Some((head, body)) = without_padding(payload) else {
        assert!(!has_dred(payload));
        return;
    };
    let bare = [&head[..], body].concat();
    assert!(bare.len() < payload.len() && without_padding(&bare).is_none());
    assert!(opus::frames(&bare).is_some_and(|bare| bare.eq(frames)));
}

/// Whatever comes, the newest packets follow each other and no other lies beyond them.
fn check_position(position: Position, newest: &mut Option<Position>) {
    match *newest {
        Some(before) if position.sequence <= before.sequence => {
            assert!(position.media <= before.media && position.epoch == before.epoch && !position.restarted);
            return;
        }
        Some(before) => {
            assert!(position.media >= before.media && !position.reordered);
            assert_eq!(position.epoch, before.epoch + u32::from(position.restarted));
        }
        None => assert!(!position.restarted && !position.reordered),
    }
    *newest = Some(position);
}
