//! Room 1: bytes become packets. RTP (RFC 3550, RFC 8285), the audio level (RFC 6464), redundant payloads (RFC 2198),
//! what an Opus packet tells undecoded, and the place of each packet on one line; what senders report of their clocks (RTCP); out go the headers of the packets a
//! room sends.

mod clock;
mod dred;
mod extension;
mod level;
pub mod opus;
mod padding;
mod red;
mod reject;
mod report;
mod seen;
mod speech;
mod write;

pub use clock::{Arrival, Position, SenderClock};
pub use dred::has_dred;
pub use extension::{Element, Extensions};
pub use level::AudioLevel;
pub use padding::without_padding;
pub use red::{Red, RedBlock, RedBlocks, write_red};
pub use reject::Reject;
pub use report::{REPORT_BYTES, SenderReport};
pub use seen::{Seen, Sighting};
pub use speech::Speech;
pub use write::RtpStream;

use rtp_types::{RtpPacket, RtpParseError};

/// One RTP packet, borrowed from the datagram it came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    /// The marker bit: for audio, the first packet after a pause (RFC 3551 §4.1).
    pub marker: bool,
    /// What the payload is, 0…127.
    pub payload_type: u8,
    /// The sender's count of packets; wraps.
    pub sequence: u16,
    /// The sender's clock at the payload's first sample; wraps.
    pub timestamp: u32,
    /// The sender's synchronisation source.
    pub ssrc: u32,
    /// The codec's bytes, without padding; never empty.
    pub payload: &'a [u8],
    extensions: Extensions<'a>,
}

impl<'a> Packet<'a> {
    /// Reads an RTP packet (RFC 3550 §5.1).
    ///
    /// # Errors
    /// [`Reject::Rtcp`], [`Reject::Truncated`], [`Reject::NotRtp`] or [`Reject::Empty`].
    ///
    /// # Real-time
    /// Safe.
    pub fn parse(datagram: &'a [u8]) -> Result<Self, Reject> {
        if is_rtcp(datagram) {
            return Err(Reject::Rtcp);
        }
        let packet = RtpPacket::parse(datagram).map_err(|error| match error {
            RtpParseError::UnsupportedVersion(_) => Reject::NotRtp,
            RtpParseError::Truncated { .. } | RtpParseError::PaddingInvalid(_) => Reject::Truncated,
        })?;
        Ok(Self {
            marker: packet.marker_bit(),
            payload_type: packet.payload_type(),
            sequence: packet.sequence_number(),
            timestamp: packet.timestamp(),
            ssrc: packet.ssrc(),
            payload: payload(datagram, &packet)?,
            extensions: extensions(datagram, &packet),
        })
    }

    /// Its header extension elements (RFC 8285), in the order they were sent.
    #[must_use]
    pub fn extensions(&self) -> Extensions<'a> {
        self.extensions
    }

    /// The data of its header extension element `id`, 1…255.
    ///
    /// # Real-time
    /// Safe.
    #[must_use]
    pub fn extension(&self, id: u8) -> Option<&'a [u8]> {
        self.extensions.into_iter().find(|element| element.id == id).map(|element| element.data)
    }

    /// How loud the sender says this packet is, if it says so in extension element `id`.
    ///
    /// # Real-time
    /// Safe.
    #[must_use]
    pub fn audio_level(&self, id: u8) -> Option<AudioLevel> {
        self.extension(id).and_then(AudioLevel::parse)
    }
}

/// RTP and RTCP share a port: RTCP has version 2 and a second byte of its own.
fn is_rtcp(datagram: &[u8]) -> bool {
    matches!(datagram, [first, second, ..] if first >> 6 == 2 && report::RTCP.contains(second))
}

// The slices are cut from the datagram, because those that `RtpPacket` lends live no longer than it does.

fn payload<'a>(datagram: &'a [u8], packet: &RtpPacket<'_>) -> Result<&'a [u8], Reject> {
    let start = packet.payload_offset();
    match datagram.get(start..start + packet.payload_len()) {
        None | Some([]) => Err(Reject::Empty),
        Some(payload) => Ok(payload),
    }
}

fn extensions<'a>(datagram: &'a [u8], packet: &RtpPacket<'_>) -> Extensions<'a> {
    let Some((profile, data)) = packet.extension() else { return Extensions::default() };
    let end = packet.payload_offset();
    Extensions::new(profile, datagram.get(end.saturating_sub(data.len())..end).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rtp_types::RtpPacketBuilder;

    fn builder<'a>() -> RtpPacketBuilder<&'a [u8], &'a [u8]> {
        RtpPacketBuilder::new().payload_type(111).sequence_number(7).timestamp(960).ssrc(0xCAFE)
    }

    #[test]
    fn every_field_is_read() {
        let bytes = builder()
            .marker_bit(true)
            .add_csrc(1)
            .add_csrc(2)
            .extension(0xBEDE, &[0x10, 0xAB, 0x21, 1, 2, 0, 0, 0])
            .payload(&[9, 8, 7])
            .padding(5)
            .write_vec()
            .unwrap();
        let packet = Packet::parse(&bytes).unwrap();
        assert!(packet.marker);
        assert_eq!((packet.payload_type, packet.sequence), (111, 7));
        assert_eq!((packet.timestamp, packet.ssrc), (960, 0xCAFE));
        assert_eq!(packet.payload, [9, 8, 7]);
        assert_eq!(packet.extension(1), Some(&[0xAB][..]));
        assert_eq!(packet.extension(2), Some(&[1, 2][..]));
        assert_eq!(packet.extension(3), None);
        assert_eq!(packet.audio_level(1), Some(AudioLevel { voice: true, dbov: 0x2B }));
    }

    #[test]
    fn each_kind_of_bad_datagram_has_its_own_reason() {
        let good = builder().payload(&[1]).write_vec().unwrap();
        let reason = |change: fn(&mut Vec<u8>)| {
            let mut bytes = good.clone();
            change(&mut bytes);
            Packet::parse(&bytes).err()
        };
        assert_eq!(reason(|_| ()), None);
        assert_eq!(reason(|bytes| bytes.truncate(11)), Some(Reject::Truncated));
        assert_eq!(reason(|bytes| bytes.truncate(12)), Some(Reject::Empty));
        assert_eq!(reason(|bytes| bytes[0] = 0x00), Some(Reject::NotRtp));
        assert_eq!(reason(|bytes| bytes[0] = 0x8F), Some(Reject::Truncated));
        assert_eq!(reason(|bytes| bytes[0] = 0x90), Some(Reject::Truncated));
        assert_eq!(reason(|bytes| bytes[0] = 0xA0), Some(Reject::Empty));
        assert_eq!(reason(|bytes| (bytes[0], bytes[12]) = (0xA0, 0)), Some(Reject::Truncated));
        assert_eq!(reason(|bytes| (bytes[0], bytes[12]) = (0xA0, 2)), Some(Reject::Truncated));
        assert_eq!(reason(|bytes| bytes[1] = 200), Some(Reject::Rtcp));
        // A receiver report without reports is shorter than any RTP header.
        assert_eq!(Packet::parse(&[0x80, 201, 0, 1, 0, 0, 0, 1]), Err(Reject::Rtcp));
    }

    /// RFC 3550 §5.1 read with plain indices: the payload's range.
    fn naive_payload(bytes: &[u8]) -> Option<(usize, usize)> {
        let (mut start, mut end) = (12 + 4 * (bytes[0] & 15) as usize, bytes.len());
        if bytes[0] & 0x10 != 0 {
            let length = bytes.get(start + 2..start + 4)?;
            start += 4 + 4 * u16::from_be_bytes([length[0], length[1]]) as usize;
        }
        if bytes[0] & 0x20 != 0 {
            let padding = *bytes.last()? as usize;
            end = if padding == 0 { return None } else { end.checked_sub(padding)? };
        }
        (start < end).then_some((start, end))
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_as_the_rfc_says(
            first in 0x80u8..0xC0,
            second in prop_oneof![0u8..192, 224u8..],
            rest in proptest::collection::vec(prop_oneof![0u8..8, any::<u8>()], 10..200),
        ) {
            let bytes = [&[first, second][..], &rest].concat();
            let read = Packet::parse(&bytes);
            match naive_payload(&bytes) {
                Some((start, end)) => prop_assert_eq!(read.unwrap().payload, &bytes[start..end]),
                None => prop_assert!(matches!(read, Err(Reject::Truncated | Reject::Empty))),
            }
        }

        #[test]
        fn no_bytes_at_all_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            if let Ok(packet) = Packet::parse(&bytes) {
                prop_assert!(packet.extensions().into_iter().count() <= bytes.len());
                prop_assert!(!packet.payload.is_empty());
            }
        }
    }
}
