//! One datagram of a lane becomes a packet in its jitter buffer and one for its recording, or a counter.

use super::{lane::Lane, stats::PacketCounts};
use crate::{
    jitter::{Insert, JitterBuffer},
    packet::{Arrival, Packet, Reject, Sighting},
    speaker::VoicePacket,
    time::SampleTime,
};

/// What became of one datagram: exactly one of these, each with its counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received<'a> {
    /// Taken; it belongs in the recording (heard live or not).
    Kept(VoicePacket<'a>),
    /// Came before.
    Duplicate,
    /// Turned away.
    Rejected(Reject),
}

impl Lane {
    pub(super) fn receive<'a>(&mut self, datagram: &'a [u8], arrived: SampleTime) -> Received<'a> {
        let received = self.sort(datagram, arrived).unwrap_or_else(Received::Rejected);
        self.stats.packets.count(&received);
        received
    }

    fn sort<'a>(&mut self, datagram: &'a [u8], arrived: SampleTime) -> Result<Received<'a>, Reject> {
        let packet = Packet::parse(datagram)?;
        if packet.payload_type != self.payload_type {
            return Err(Reject::PayloadType);
        }
        let payload = packet.payload;
        let duration = self.voice.decoder.duration(payload).ok_or(Reject::Malformed)?;
        let Packet { ssrc, sequence, timestamp, .. } = packet;
        let position = self.clock.place(Arrival { ssrc, sequence, timestamp, arrived })?;
        match self.seen.insert(position.sequence) {
            Sighting::Fresh => {}
            Sighting::Duplicate => return Ok(Received::Duplicate),
            Sighting::TooOld => return Err(Reject::TooOld),
        }
        let (fec, dtx) = (self.voice.decoder.has_fec(payload), self.voice.decoder.is_dtx(payload));
        let slot = JitterBuffer::describe(position.sequence, position.media, duration, fec, dtx);
        let insert = self.jitter.insert(slot, payload, arrived);
        self.restarted |= position.restarted;
        self.epoch = position.epoch.max(self.epoch);
        self.stats.packets.late += u64::from(insert == Insert::Late);
        self.stats.packets.reordered += u64::from(position.reordered);
        Ok(Received::Kept(VoicePacket {
            speaker: self.speaker,
            epoch: position.epoch,
            sequence: position.sequence,
            media: position.media,
            arrived,
            duration,
            payload,
        }))
    }
}

impl PacketCounts {
    fn count(&mut self, received: &Received<'_>) {
        self.arrived += 1;
        match received {
            Received::Kept(_) => self.kept += 1,
            Received::Duplicate => self.duplicate += 1,
            Received::Rejected(reason) => self.rejected[reason.index()] += 1,
        }
    }
}
