//! One datagram of a lane becomes a packet in its jitter buffer and one for its recording, or a counter.

use super::{deep::Deep, lane::Lane, stats::PacketCounts};
use crate::{
    codec::CONCEAL_WHOLE,
    jitter::{Insert, Slot},
    packet::{
        Arrival, AudioLevel, Packet, Position, Red, RedBlock, RedBlocks, Reject, SenderReport, Sighting,
        Speech,
    },
    speaker::{VoicePacket, VoiceReport},
    time::{SampleTime, Samples},
};

/// What became of one datagram: exactly one of these, each with its counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received<'a> {
    /// Taken; it belongs in the recording (heard live or not).
    Kept(VoicePacket<'a>),
    /// Taken: what the sender reports of its clock (RTCP on the same port, RFC 5761). The recording can use it.
    Report(VoiceReport),
    /// Came before.
    Duplicate,
    /// Turned away.
    Rejected(Reject),
}

impl Lane {
    pub(super) fn receive<'a>(
        &mut self,
        datagram: &'a [u8],
        arrived: SampleTime,
        deep: &mut Deep,
    ) -> Received<'a> {
        let received = self.sort(datagram, arrived, deep).unwrap_or_else(Received::Rejected);
        self.stats.packets.count(&received);
        received
    }

    fn sort<'a>(
        &mut self,
        datagram: &'a [u8],
        arrived: SampleTime,
        deep: &mut Deep,
    ) -> Result<Received<'a>, Reject> {
        let packet = match Packet::parse(datagram) {
            Err(Reject::Rtcp) => return self.report(datagram, arrived).map(Received::Report),
            packet => packet?,
        };
        let (payload, older) = self.unwrap(&packet)?;
        let duration = self.voice.decoder.duration(payload).ok_or(Reject::Malformed)?;
        let Packet { marker, ssrc, sequence, timestamp, .. } = packet;
        let position = self.clock.place(Arrival { ssrc, sequence, timestamp, arrived })?;
        match self.seen.insert(position.sequence) {
            Sighting::Fresh => {}
            Sighting::Duplicate => return Ok(Received::Duplicate),
            Sighting::TooOld => return Err(Reject::TooOld),
        }
        let level = self.level_extension.and_then(|id| packet.audio_level(id));
        let slot = self.describe(&position, duration, payload, level, deep);
        older.into_iter().flatten().for_each(|copy| self.take_copy(&copy, &slot, arrived));
        let insert = self.jitter.insert(slot, payload, arrived);
        self.restarted |= position.restarted;
        self.epoch = position.epoch.max(self.epoch);
        self.stats.packets.late += u64::from(insert == Insert::Late);
        self.stats.packets.reordered += u64::from(position.reordered);
        let Position { epoch, sequence, media, .. } = position;
        let speaker = self.speaker;
        let kept = VoicePacket { speaker, epoch, sequence, media, arrived, duration, marker, payload };
        Ok(Received::Kept(kept))
    }

    /// What the present sender reports of its clock. Other RTCP has nothing to tell here.
    fn report(&self, datagram: &[u8], arrived: SampleTime) -> Result<VoiceReport, Reject> {
        let report = SenderReport::parse(datagram).map_err(|_| Reject::Rtcp)?;
        let (media, epoch) = self.clock.media_at(report.ssrc, report.timestamp).ok_or(Reject::Rtcp)?;
        Ok(VoiceReport { speaker: self.speaker, epoch, media, wall: report.wall, arrived })
    }

    /// What a packet was sent for, and the copies of older ones that it may bring along (RED).
    fn unwrap<'a>(&self, packet: &Packet<'a>) -> Result<(&'a [u8], Option<RedBlocks<'a>>), Reject> {
        if packet.payload_type == self.payload_type {
            return Ok((packet.payload, None));
        }
        if self.red_payload_type != Some(packet.payload_type) {
            return Err(Reject::PayloadType);
        }
        let red = Red::parse(packet.payload)?;
        match red.newest.payload_type == self.payload_type {
            true => Ok((red.newest.payload, Some(red.older()))),
            false => Err(Reject::PayloadType),
        }
    }

    /// Deep redundancy is looked for only where the packet before is missing: it costs some microseconds.
    fn describe(
        &self,
        position: &Position,
        duration: Samples,
        payload: &[u8],
        level: Option<AudioLevel>,
        deep: &mut Deep,
    ) -> Slot {
        let decoder = &self.voice.decoder;
        let mut slot = Slot::new(position.sequence, position.media, duration);
        slot.fec = decoder.has_fec(payload);
        slot.dtx = decoder.is_dtx(payload);
        slot.speech = Speech::told(level, decoder.voice_active(payload), slot.dtx);
        let before = position.sequence.checked_sub(1);
        // It is synthesised in whole steps: shorter packets could not be made from it.
        let whole = duration.len().is_multiple_of(CONCEAL_WHOLE);
        if whole && self.deep_redundancy && before.is_some_and(|before| self.jitter.is_missing(before)) {
            slot.deep = deep.reach(decoder, payload);
        }
        slot
    }

    /// The packets that a kept one brought along in `datagram`: copies of older ones, of which some may never have come.
    pub(super) fn copies<'a>(
        &self,
        kept: VoicePacket<'a>,
        datagram: &'a [u8],
    ) -> impl Iterator<Item = VoicePacket<'a>> {
        let unwrap = |packet: Packet<'a>| self.unwrap(&packet).ok()?.1;
        let older = self.red_payload_type.and_then(|_| Packet::parse(datagram).ok()).and_then(unwrap);
        older.into_iter().flatten().filter_map(move |copy| {
            let (packets, duration) = self.copied(&copy, kept.sequence)?;
            let (sequence, media) = (kept.sequence - packets, kept.media - copy.back);
            Some(VoicePacket { sequence, media, duration, marker: false, payload: copy.payload, ..kept })
        })
    }

    /// How many packets before number `newest` a copy belongs, by its length, and how long it is.
    fn copied(&self, copy: &RedBlock<'_>, newest: u64) -> Option<(u64, Samples)> {
        let duration = self.voice.decoder.duration(copy.payload)?;
        let packets = copy.back.count() / duration.count().max(1);
        let fits = copy.payload_type == self.payload_type && (1..=newest).contains(&packets);
        fits.then_some((packets, duration))
    }

    fn take_copy(&mut self, copy: &RedBlock<'_>, newest: &Slot, arrived: SampleTime) {
        let Some((packets, duration)) = self.copied(copy, newest.sequence) else { return };
        let mut slot = Slot::new(newest.sequence - packets, newest.media - copy.back, duration);
        slot.red = true;
        self.jitter.insert_copy(slot, copy.payload, arrived);
    }
}

impl PacketCounts {
    fn count(&mut self, received: &Received<'_>) {
        self.arrived += 1;
        match received {
            Received::Kept(_) => self.kept += 1,
            Received::Report(_) => self.reports += 1,
            Received::Duplicate => self.duplicate += 1,
            Received::Rejected(reason) => self.rejected[reason.index()] += 1,
        }
    }
}
