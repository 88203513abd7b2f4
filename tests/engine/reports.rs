//! What senders report of their clocks, on the port of their packets.

use crate::desk::{Desk, PACKET, tone};
use tertulia::{
    engine::{Codec, Received},
    packet::{Reject, SenderReport},
    speaker::{SpeakerId, VoiceReport},
    time::{MediaTime, NtpTime, Quantum, SampleTime, Samples},
};

/// Ten packets of SSRC 1 have come; this report comes behind them.
fn after_ten_packets(report: &[u8]) -> (Result<VoiceReport, Reject>, Desk) {
    let mut desk = Desk::new(Quantum::Ms20);
    let speaker = desk.admit(0, Codec::Pcm);
    for packet in 0..10 {
        assert!(desk.send(speaker, packet, &tone(0, packet)));
    }
    let received = match desk.engine.receive(speaker, report, SampleTime::from_samples(9_000)) {
        Received::Report(report) => Ok(report),
        Received::Rejected(reason) => Err(reason),
        other => panic!("neither report nor rejected: {other:?}"),
    };
    (received, desk)
}

fn report(ssrc: u32, timestamp: u32) -> SenderReport {
    SenderReport { ssrc, wall: NtpTime(0x1234 << 32), timestamp }
}

#[test]
fn a_report_stands_on_the_clock_of_its_packets_and_is_counted() {
    let (received, desk) = after_ten_packets(&report(1, 9 * PACKET as u32 + 100).bytes());
    let expected = VoiceReport {
        speaker: SpeakerId(0),
        epoch: 0,
        media: MediaTime::ORIGIN + Samples::new(9 * PACKET as u64 + 100),
        wall: NtpTime(0x1234 << 32),
        arrived: SampleTime::from_samples(9_000),
    };
    assert_eq!(received, Ok(expected));
    let packets = desk.engine.stats(SpeakerId(0)).unwrap().packets;
    assert_eq!((packets.arrived, packets.kept, packets.reports, packets.rejected_total()), (11, 10, 1, 0));
}

#[test]
fn reports_of_strangers_and_of_other_times_are_rejected_as_rtcp_is() {
    let far = 60 * 48_000;
    let behind = report(1, 0u32.wrapping_sub(far));
    let receiver_report = [0x80, 201, 0, 1, 0, 0, 0, 1];
    for bytes in [&report(2, 0).bytes()[..], &report(1, far).bytes(), &behind.bytes(), &receiver_report] {
        let (received, desk) = after_ten_packets(bytes);
        assert_eq!(received, Err(Reject::Rtcp));
        let packets = desk.engine.stats(SpeakerId(0)).unwrap().packets;
        assert_eq!((packets.arrived, packets.reports), (11, 0));
        assert_eq!(packets.rejected[Reject::Rtcp.index()], 1);
    }
}
