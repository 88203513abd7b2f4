//! One speaker's packets on their way: an Opus file and a trace come in, RTP datagrams (RFC 3550 §5.1, RFC 7587) leave in
//! the order of their arrival. The sequence number counts packets, the timestamp is `960 * seq`; both begin at random.

use super::{
    Rng,
    error::Invalid,
    opus_file::{OpusFile, PACKET},
    scenario::ScenarioSpeaker,
    trace::{TraceRow, read_trace},
};
use crate::{
    frame::Channels,
    packet::{REPORT_BYTES, SenderReport},
    time::{NtpTime, RATE_HZ, SampleTime, Samples},
};
use rtp_types::RtpPacketBuilder;

/// The dynamic payload type of Opus that lanes and buses expect.
pub(super) const PAYLOAD_TYPE: u8 = 111;

/// A header without CSRCs and extensions.
const HEADER_BYTES: usize = 12;

/// Whoever reports does so each five seconds (RFC 3550 §6.2).
const REPORT_EVERY: usize = 250;

/// The senders' wall clocks as the room opens, in seconds.
const WALL_S: u64 = 4_000_000_000;

/// One packet that was sent; times in milliseconds of the room clock.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Sent {
    pub(super) seq: u64,
    pub(super) send_ms: f64,
    /// Its first arrival.
    pub(super) arrival_ms: Option<f64>,
}

impl Sent {
    pub(super) fn at(&self) -> SampleTime {
        SampleTime::from_ms(self.send_ms)
    }
}

/// One datagram reaching the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Arrival {
    pub(super) at: SampleTime,
    /// Which packet, counted in the order of sending.
    pub(super) packet: usize,
}

#[derive(Debug)]
pub(super) struct Sender {
    file: OpusFile,
    stream: Stream,
    pub(super) sent: Vec<Sent>,
    /// Earliest first; the next one is at `next`.
    arrivals: Vec<Arrival>,
    /// Does it report of its clock?
    reports: bool,
    next: usize,
    last_arrived: Option<usize>,
    /// The quickest way through the network that any packet took.
    pub(super) smallest_transit_ms: f64,
}

/// What a sender draws at its start (RFC 3550 §5.1).
#[derive(Clone, Copy, Debug)]
struct Stream {
    ssrc: u32,
    first_sequence: u16,
    first_timestamp: u32,
}

impl Stream {
    fn draw(rng: &mut Rng) -> Self {
        Self {
            ssrc: rng.bits() as u32,
            // Half of the range is left, so that packets older than the first to arrive have numbers too.
            first_sequence: 0x4000 | (rng.bits() as u16 & 0x3fff),
            first_timestamp: rng.bits() as u32,
        }
    }
}

impl Sender {
    /// Reads a speaker's files.
    pub(super) fn load(speaker: &ScenarioSpeaker, rng: &mut Rng) -> Result<Self, Invalid> {
        let file = OpusFile::read(&speaker.opus)?;
        let rows = match &speaker.trace {
            Some(trace) => read_trace(trace)?,
            None => (0..file.packets.len() as u64).map(at_once).collect(),
        };
        let sender = Self::new(file, Stream::draw(rng), &rows, speaker.start.as_ms());
        Ok(Self { reports: speaker.sender_reports, ..sender })
    }

    /// One whose files have been read, and who is there from the room's first sample on.
    pub(super) fn in_memory(file: OpusFile, rows: &[TraceRow], rng: &mut Rng) -> Self {
        Self::new(file, Stream::draw(rng), rows, 0.0)
    }

    fn new(file: OpusFile, stream: Stream, rows: &[TraceRow], start_ms: f64) -> Self {
        let (mut sent, mut arrivals) =
            (Vec::<Sent>::with_capacity(rows.len()), Vec::with_capacity(rows.len()));
        let mut smallest_transit_ms = f64::INFINITY;
        for row in rows {
            let (send_ms, arrival_ms) = (start_ms + row.send_ms, row.arrival_ms.map(|ms| start_ms + ms));
            match sent.last_mut().filter(|before| before.seq == row.seq) {
                Some(first) => first.arrival_ms = earliest(first.arrival_ms, arrival_ms),
                None => sent.push(Sent { seq: row.seq, send_ms, arrival_ms }),
            }
            if let Some(ms) = arrival_ms {
                smallest_transit_ms = smallest_transit_ms.min(ms - send_ms);
                arrivals.push(Arrival { at: arrival(ms), packet: sent.len() - 1 });
            }
        }
        arrivals.sort_by_key(|arrival| arrival.at);
        let last_arrived = arrivals.iter().map(|arrival| arrival.packet).max();
        Self { file, stream, sent, arrivals, reports: false, next: 0, last_arrived, smallest_transit_ms }
    }

    /// Sends its file again and again until the room ends, at once.
    pub(super) fn repeat_until(&mut self, end: SampleTime) {
        let Some(start) = self.sent.first().map(|first| first.send_ms) else { return };
        loop {
            let row = at_once(self.sent.len() as u64);
            let ms = start + row.send_ms;
            let at = arrival(ms);
            if at >= end {
                break;
            }
            self.arrivals.push(Arrival { at, packet: self.sent.len() });
            self.last_arrived = Some(self.sent.len());
            self.sent.push(Sent { seq: row.seq, send_ms: ms, arrival_ms: Some(ms) });
        }
    }

    pub(super) fn channels(&self) -> Channels {
        self.file.channels
    }

    /// When the last packet's sound ends at the sender.
    pub(super) fn end(&self) -> SampleTime {
        self.sent.last().map_or(SampleTime::ZERO, |last| last.at() + PACKET)
    }

    /// How much longer than at the sender the network keeps the sound, at the least.
    pub(super) fn smallest_transit(&self) -> Samples {
        SampleTime::from_ms(self.smallest_transit_ms).since(SampleTime::ZERO)
    }

    /// The latest sent of all that arrive.
    pub(super) fn last_arrived(&self) -> Option<usize> {
        self.last_arrived
    }

    /// Has everything arrived that will?
    pub(super) fn is_done(&self) -> bool {
        self.next == self.arrivals.len()
    }

    /// The next datagram that has arrived by `now`.
    pub(super) fn arrived(&mut self, now: SampleTime) -> Option<Arrival> {
        let arrival = self.arrivals.get(self.next).copied().filter(|arrival| arrival.at <= now)?;
        self.next += 1;
        Some(arrival)
    }

    /// The 16 bits that packet's header carries.
    pub(super) fn sequence(&self, packet: usize) -> u16 {
        self.stream.first_sequence.wrapping_add(packet as u16)
    }

    /// The coded sound of a packet.
    pub(super) fn payload(&self, packet: usize) -> &[u8] {
        let seq = self.sent.get(packet).map_or(0, |sent| sent.seq);
        let place = (seq % self.file.packets.len().max(1) as u64) as usize;
        self.file.packets.get(place).map_or(&[], |payload| payload)
    }

    /// What its sender reports of its clock and sends right behind that packet (RFC 3550 §6.4.1), if it does.
    pub(super) fn report(&self, packet: usize) -> Option<[u8; REPORT_BYTES]> {
        let sent = self.sent.get(packet).filter(|_| self.reports && packet.is_multiple_of(REPORT_EVERY))?;
        let report = SenderReport {
            ssrc: self.stream.ssrc,
            wall: NtpTime::from_samples(WALL_S * u64::from(RATE_HZ) + sent.at().samples()),
            timestamp: self.timestamp(sent.seq),
        };
        Some(report.bytes())
    }

    fn timestamp(&self, seq: u64) -> u32 {
        self.stream.first_timestamp.wrapping_add((seq as u32).wrapping_mul(PACKET.count() as u32))
    }

    /// Writes that packet as RTP.
    pub(super) fn datagram(&self, packet: usize, out: &mut Vec<u8>) {
        let seq = self.sent.get(packet).map_or(0, |sent| sent.seq);
        let header = RtpPacketBuilder::<&[u8], &[u8]>::new()
            .payload_type(PAYLOAD_TYPE)
            .sequence_number(self.sequence(packet))
            .timestamp(self.timestamp(seq))
            .ssrc(self.stream.ssrc);
        out.resize(HEADER_BYTES, 0);
        header.write_into_unchecked(out);
        out.extend(self.payload(packet));
    }
}

/// The first sample that can know of something that comes at `ms`: none is heard before it is there.
fn arrival(ms: f64) -> SampleTime {
    // What is a whole sample but for the last bits of a float is that sample.
    SampleTime::from_samples((ms * f64::from(RATE_HZ) / 1000.0 - 1e-6).ceil() as u64)
}

/// A packet on a network that does nothing to it.
fn at_once(seq: u64) -> TraceRow {
    let send_ms = seq as f64 * PACKET.as_ms();
    TraceRow { seq, send_ms, arrival_ms: Some(send_ms) }
}

fn earliest(a: Option<f64>, b: Option<f64>) -> Option<f64> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sender(rows: &[TraceRow]) -> Sender {
        let packets = vec![Box::from([1u8].as_slice()), Box::from([2u8].as_slice())];
        let file = OpusFile { channels: Channels::Mono, pre_skip: 0, packets };
        let stream = Stream { ssrc: 7, first_sequence: 0xffff, first_timestamp: u32::MAX };
        Sender::new(file, stream, rows, 10.0)
    }

    fn row(seq: u64, send_ms: f64, arrival_ms: Option<f64>) -> TraceRow {
        TraceRow { seq, send_ms, arrival_ms }
    }

    #[test]
    fn packets_arrive_by_the_clock_and_copies_with_their_first() {
        let rows =
            [row(0, 0.0, Some(50.0)), row(1, 20.0, None), row(2, 40.0, Some(45.0)), row(2, 40.0, Some(43.0))];
        let mut sender = sender(&rows);
        let mut order = Vec::new();
        while let Some(arrival) = sender.arrived(SampleTime::from_ms(1000.0)) {
            order.push((arrival.at.as_ms(), arrival.packet));
        }
        assert_eq!(order, [(53.0, 2), (55.0, 2), (60.0, 0)]);
        assert_eq!((sender.sent.len(), sender.sent[2].arrival_ms), (3, Some(53.0)));
        assert!((sender.smallest_transit_ms - 3.0).abs() < 1e-9);
    }

    #[test]
    fn nothing_arrives_before_its_time() {
        let samples = |ms| arrival(ms).samples();
        assert_eq!((samples(0.0), samples(0.001), samples(33.34), samples(33.3)), (0, 1, 1601, 1599));
        for sample in 0..100_000 {
            assert_eq!(samples(f64::from(sample) / 48.0), u64::from(sample as u32));
        }
    }

    #[test]
    fn the_sequence_counts_packets_and_the_timestamp_counts_media() {
        // A sender that skipped packets 1 to 4: both counters wrap.
        let sender = sender(&[row(0, 0.0, None), row(5, 100.0, Some(101.0))]);
        let mut datagram = Vec::new();
        sender.datagram(1, &mut datagram);
        let timestamp = 4799u32.to_be_bytes();
        assert_eq!(datagram[..4], [0x80, 111, 0, 0]);
        assert_eq!(datagram[4..8], timestamp);
        assert_eq!(datagram[8..], [0, 0, 0, 7, 2]);
    }
}
