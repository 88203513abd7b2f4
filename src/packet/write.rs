//! The headers of the packets a bus sends: in comes where a packet stands on the room clock, out come the twelve bytes
//! before its payload (RFC 3550 §5.1).

use crate::time::SampleTime;
use rtp_types::RtpPacketBuilder;

/// One outgoing RTP stream: counts its packets and puts them on its own clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RtpStream {
    ssrc: u32,
    payload_type: u8,
    sequence: u16,
    first_timestamp: u32,
    started: bool,
}

impl RtpStream {
    /// A stream whose first packet has `first_sequence`, and on whose clock room sample 0 is `first_timestamp`. Only the
    /// lower seven bits of `payload_type` fit into a header.
    #[must_use]
    pub const fn new(ssrc: u32, payload_type: u8, first_sequence: u16, first_timestamp: u32) -> Self {
        Self { ssrc, payload_type, sequence: first_sequence, first_timestamp, started: false }
    }

    /// So many packets were lost before the next one: whoever receives the stream is to know.
    ///
    /// # Real-time
    /// Safe.
    pub fn lose(&mut self, packets: u16) {
        self.sequence = self.sequence.wrapping_add(packets);
    }

    /// The header of the next packet, whose first sample stands at `at`. The stream's first packet has the marker in any
    /// case; `after_pause` sets it on another (RFC 3551 §4.1).
    ///
    /// # Real-time
    /// Safe.
    pub fn header(&mut self, at: SampleTime, after_pause: bool) -> [u8; 12] {
        let header = RtpPacketBuilder::<&[u8], &[u8]>::new()
            .marker_bit(after_pause || !self.started)
            .payload_type(self.payload_type)
            .sequence_number(self.sequence)
            .timestamp(self.first_timestamp.wrapping_add(at.samples() as u32))
            .ssrc(self.ssrc);
        self.started = true;
        self.sequence = self.sequence.wrapping_add(1);
        let mut bytes = [0; 12];
        header.write_into_unchecked(&mut bytes);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::Packet;

    #[test]
    fn what_is_written_is_read_back() {
        let mut stream = RtpStream::new(0xFEED, 111, u16::MAX, u32::MAX - 959);
        let mut next = |at, after_pause| {
            let bytes = [&stream.header(SampleTime::from_samples(at), after_pause)[..], &[1]].concat();
            let packet = Packet::parse(&bytes).unwrap();
            assert_eq!((packet.ssrc, packet.payload_type, packet.payload), (0xFEED, 111, &[1][..]));
            (packet.sequence, packet.timestamp, packet.marker)
        };
        assert_eq!(next(0, false), (u16::MAX, u32::MAX - 959, true));
        assert_eq!(next(960, false), (0, 0, false));
        assert_eq!(next(9600, true), (1, 8640, true));
        assert_eq!(next((1 << 32) + 10_560, false), (2, 9600, false));
    }

    #[test]
    fn a_payload_type_of_eight_bits_does_not_become_a_marker() {
        let mut stream = RtpStream::new(1, 0xFF, 0, 0);
        assert_eq!(stream.header(SampleTime::ZERO, false)[1], 0xFF);
        assert_eq!(stream.header(SampleTime::ZERO, false)[1], 0x7F);
    }
}
