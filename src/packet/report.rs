//! What a sender reports of its clock (RTCP, RFC 3550 §6.4.1): compound datagrams come in, the wall time of one of its
//! timestamps leaves. Any bytes are read to an answer; what is no report is none.

use super::Reject;
use crate::time::NtpTime;
use std::ops::RangeInclusive;

/// The packet type of a sender report.
const SENDER_REPORT: u8 = 200;
/// What second bytes RTCP has where it shares a port with RTP (RFC 5761 §4).
pub(super) const RTCP: RangeInclusive<u8> = 192..=223;

/// A report without blocks: header, SSRC, and 20 bytes of the sender's.
pub const REPORT_BYTES: usize = 28;

/// A sender's word on its clock: at this moment of its wall clock its media clock stood there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SenderReport {
    /// The sender's synchronisation source.
    pub ssrc: u32,
    /// The moment on its wall clock.
    pub wall: NtpTime,
    /// The same moment as a timestamp of its packets.
    pub timestamp: u32,
}

impl SenderReport {
    /// Reads the first sender report of a compound RTCP datagram.
    ///
    /// # Errors
    /// [`Reject::NotRtp`] for what is no RTCP, [`Reject::Truncated`] where a length lies, [`Reject::Rtcp`] for RTCP without
    /// a sender report.
    ///
    /// # Real-time
    /// Safe.
    pub fn parse(datagram: &[u8]) -> Result<Self, Reject> {
        let mut rest = datagram;
        while !rest.is_empty() {
            let Some(([first, kind, length @ ..], _)) = rest.split_first_chunk::<4>() else {
                return Err(Reject::Truncated);
            };
            if first >> 6 != 2 || !RTCP.contains(kind) {
                return Err(Reject::NotRtp);
            }
            // Counted in words, the first left out.
            let bytes = 4 * (usize::from(u16::from_be_bytes(*length)) + 1);
            let (packet, behind) = rest.split_at_checked(bytes).ok_or(Reject::Truncated)?;
            if *kind == SENDER_REPORT {
                return Self::read(packet).ok_or(Reject::Truncated);
            }
            rest = behind;
        }
        Err(Reject::Rtcp)
    }

    fn read(packet: &[u8]) -> Option<Self> {
        let word = |at: usize| Some(u32::from_be_bytes(*packet.get(at..)?.first_chunk()?));
        let wall = u64::from(word(8)?) << 32 | u64::from(word(12)?);
        (packet.len() >= REPORT_BYTES).then_some(())?;
        Some(Self { ssrc: word(4)?, wall: NtpTime(wall), timestamp: word(16)? })
    }

    /// Writes it as an RTCP datagram, without counts of what was sent.
    #[must_use]
    pub fn bytes(&self) -> [u8; REPORT_BYTES] {
        let mut bytes = [0; REPORT_BYTES];
        bytes[..4].copy_from_slice(&[0x80, SENDER_REPORT, 0, (REPORT_BYTES / 4 - 1) as u8]);
        bytes[4..8].copy_from_slice(&self.ssrc.to_be_bytes());
        bytes[8..16].copy_from_slice(&self.wall.0.to_be_bytes());
        bytes[16..20].copy_from_slice(&self.timestamp.to_be_bytes());
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rtcp_types::{Compound, Packet, SdesChunk, SdesItem, prelude::*};

    const REPORT: SenderReport =
        SenderReport { ssrc: 0xCAFE, wall: NtpTime(0xE8F0_1234_8000_0000), timestamp: u32::MAX - 3 };

    #[test]
    fn a_report_is_read_as_another_crate_wrote_it() {
        let report = rtcp_types::SenderReport::builder(REPORT.ssrc)
            .ntp_timestamp(REPORT.wall.0)
            .rtp_timestamp(REPORT.timestamp)
            .packet_count(7)
            .add_report_block(rtcp_types::ReportBlock::builder(9));
        let name = SdesItem::builder(SdesItem::CNAME, "mara@example.org");
        let names = rtcp_types::Sdes::builder().add_chunk(SdesChunk::builder(REPORT.ssrc).add_item(name));
        let compound = Compound::builder().add_packet(report).add_packet(names);
        let mut bytes = vec![0; compound.calculate_size().unwrap()];
        compound.write_into(&mut bytes).unwrap();
        assert_eq!(SenderReport::parse(&bytes), Ok(REPORT));
    }

    #[test]
    fn another_crate_reads_what_is_written() {
        let bytes = REPORT.bytes();
        let Ok(Packet::Sr(report)) = Packet::parse(&bytes) else { panic!("no sender report") };
        assert_eq!((report.ssrc(), report.ntp_timestamp()), (REPORT.ssrc, REPORT.wall.0));
        assert_eq!(report.rtp_timestamp(), REPORT.timestamp);
        assert_eq!(SenderReport::parse(&bytes), Ok(REPORT));
    }

    #[test]
    fn each_kind_of_bad_report_has_its_own_reason() {
        let reason = |change: fn(&mut Vec<u8>)| {
            let mut bytes = REPORT.bytes().to_vec();
            change(&mut bytes);
            SenderReport::parse(&bytes).err()
        };
        assert_eq!(reason(|bytes| bytes.truncate(27)), Some(Reject::Truncated));
        assert_eq!(reason(|bytes| bytes[3] = 5), Some(Reject::Truncated));
        assert_eq!(reason(|bytes| bytes[3] = 7), Some(Reject::Truncated));
        assert_eq!(reason(|bytes| bytes[1] = 201), Some(Reject::Rtcp));
        assert_eq!(reason(|bytes| bytes[0] = 0), Some(Reject::NotRtp));
        assert_eq!(SenderReport::parse(&[]), Err(Reject::Rtcp));
        let behind_rtp = [&[0x80, 111, 0, 0], &REPORT.bytes()[..]].concat();
        assert_eq!(SenderReport::parse(&behind_rtp), Err(Reject::NotRtp));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_as_another_crate_reads_them(
            mut bytes in proptest::collection::vec(prop_oneof![0u8..8, any::<u8>()], 28..80),
            whole in any::<bool>(),
        ) {
            bytes[..2].copy_from_slice(&[0x80, 200]);
            bytes[2] = 0;
            bytes[3] = if whole { 6 } else { bytes[3] };
            if whole {
                bytes.truncate(28);
            }
            let read = SenderReport::parse(&bytes);
            if let Some(Ok(Packet::Sr(report))) = Compound::parse(&bytes).ok().and_then(|mut it| it.next()) {
                let expected = SenderReport {
                    ssrc: report.ssrc(),
                    wall: NtpTime(report.ntp_timestamp()),
                    timestamp: report.rtp_timestamp(),
                };
                prop_assert_eq!(read, Ok(expected));
            } else {
                prop_assert!(!whole);
            }
        }

        #[test]
        fn no_bytes_at_all_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = SenderReport::parse(&bytes);
        }
    }
}
