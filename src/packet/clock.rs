//! A sender's numbers become places: in come the sequence number and timestamp of each packet of one lane, which wrap,
//! jump and begin anew; out comes where the packet belongs on one line that does none of that (RFC 3550 §5.1, §A.1).

use super::{Reject, seen};
use crate::time::{MediaTime, SampleTime, Samples};

/// A step forward of more packets than this is a jump (`MAX_DROPOUT` of RFC 3550 §A.1).
const MAX_DROPOUT: u16 = 3000;
/// A packet at least as far behind the newest is a jump too: nobody would know whether it is a duplicate.
const MAX_MISORDER: u16 = seen::WINDOW as u16;
/// A transit that changes by more between two packets is a clock that jumped: ours, as no network holds packets so long.
const MAX_TRANSIT_STEP: Samples = Samples::from_ms(10_000);
/// What the last packet before a restart is taken to last: the usual packet of RFC 7587.
const LAST_PACKET: Samples = Samples::from_ms(20);

/// What a packet's header says of its place, and when it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// The sender's synchronisation source.
    pub ssrc: u32,
    /// The sender's count of packets; wraps.
    pub sequence: u16,
    /// The sender's clock at the packet's first sample; wraps.
    pub timestamp: u32,
    /// When it reached the engine.
    pub arrived: SampleTime,
}

/// Where a packet belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// The sequence number, unwrapped. A lane's first packet keeps its 16 bits; later ones count on through restarts.
    pub sequence: u64,
    /// Where its first sample lies on the sender's clock. Within an epoch no packet lies beyond the newest one, and an
    /// epoch begins where all before it have ended.
    pub media: MediaTime,
    /// Counts the restarts.
    pub epoch: u32,
    /// It begins its epoch, and that is not the first.
    pub restarted: bool,
    /// A later packet came first.
    pub reordered: bool,
}

/// Puts the packets of one lane in their places.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SenderClock {
    newest: Option<Newest>,
    /// What a second packet must be for a jump to be believed.
    expected: Option<(u32, u16)>,
}

/// The packet furthest ahead so far, and what came before its epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Newest {
    packet: Arrival,
    position: Position,
    /// Where its epoch began: nothing of it lies before.
    floor: (u64, MediaTime),
    /// The last packet of the SSRC before this one.
    former: Option<(u32, u16)>,
}

/// How a packet stands to the newest.
enum Step {
    Ahead(u16),
    Behind(u16),
    /// Too far for a step.
    Jump,
    /// An SSRC never heard, or not lately.
    NewSender,
    /// Left over from the SSRC before this one.
    FormerSender,
}

impl SenderClock {
    /// The place of a packet.
    ///
    /// # Errors
    /// [`Reject::TooOld`] for what belongs before the first packet or before the last restart; [`Reject::Stray`] for a
    /// jump that no second packet has confirmed yet.
    ///
    /// # Real-time
    /// Safe.
    pub fn place(&mut self, packet: Arrival) -> Result<Position, Reject> {
        let Some(newest) = self.newest else { return Ok(self.keep(Newest::first(packet))) };
        match newest.step_to(packet) {
            Step::Ahead(by) => Ok(self.keep(newest.advance(packet, by))),
            Step::Behind(by) => newest.reordered(packet, by),
            Step::NewSender => Ok(self.keep(newest.restart(packet, 1))),
            Step::FormerSender => Err(Reject::TooOld),
            Step::Jump if self.confirms(packet) => Ok(self.keep(newest.restart(packet, 1))),
            Step::Jump => Err(Reject::Stray),
        }
    }

    fn keep(&mut self, newest: Newest) -> Position {
        *self = Self { newest: Some(newest), expected: None };
        newest.position
    }

    /// Does it follow a jump? Otherwise it may be one itself, and the next packet is awaited.
    fn confirms(&mut self, packet: Arrival) -> bool {
        let next = (packet.ssrc, packet.sequence.wrapping_add(1));
        self.expected.replace(next) == Some((packet.ssrc, packet.sequence))
    }
}

impl Newest {
    fn first(packet: Arrival) -> Self {
        let position = Position {
            sequence: packet.sequence.into(),
            media: MediaTime::ORIGIN,
            epoch: 0,
            restarted: false,
            reordered: false,
        };
        Self { packet, position, floor: (0, MediaTime::default()), former: None }
    }

    fn step_to(&self, packet: Arrival) -> Step {
        if packet.ssrc != self.packet.ssrc {
            return self.step_of_stranger(packet);
        }
        let ahead = packet.sequence.wrapping_sub(self.packet.sequence);
        match (ahead, ahead.wrapping_neg()) {
            (1..=MAX_DROPOUT, _) => Step::Ahead(ahead),
            (_, behind @ 0..MAX_MISORDER) => Step::Behind(behind),
            _ => Step::Jump,
        }
    }

    /// Another SSRC is another stream at once. Only the one before this must prove that it is back.
    fn step_of_stranger(&self, packet: Arrival) -> Step {
        match self.former {
            Some((ssrc, last)) if ssrc == packet.ssrc => match last.wrapping_sub(packet.sequence) {
                0..MAX_MISORDER => Step::FormerSender,
                _ => Step::Jump,
            },
            _ => Step::NewSender,
        }
    }

    /// The next packet, after a loss or a pause perhaps; a restart if its timestamp cannot be true.
    fn advance(&self, packet: Arrival, by: u16) -> Self {
        let step = packet.timestamp.wrapping_sub(self.packet.timestamp);
        let media = self.position.media + Samples::new(step.into());
        let believable = media.transit(packet.arrived).abs_diff(self.transit()) <= MAX_TRANSIT_STEP.count();
        if step > i32::MAX as u32 || !believable {
            return self.restart(packet, by);
        }
        let sequence = self.position.sequence.saturating_add(by.into());
        Self { packet, position: Position { sequence, media, restarted: false, ..self.position }, ..*self }
    }

    /// A new epoch, `by` packets on. Its transit is taken to be that of the packets before it.
    fn restart(&self, packet: Arrival, by: u16) -> Self {
        let media = (packet.arrived.samples() as i64).saturating_sub(self.transit()).max(0) as u64;
        let position = Position {
            sequence: self.position.sequence.saturating_add(by.into()),
            media: MediaTime::from_samples(media).max(self.position.media + LAST_PACKET),
            epoch: self.position.epoch.wrapping_add(1),
            restarted: true,
            reordered: false,
        };
        let last = (self.packet.ssrc, self.packet.sequence);
        let former = if packet.ssrc == self.packet.ssrc { self.former } else { Some(last) };
        Self { packet, position, floor: (position.sequence, position.media), former }
    }

    /// A packet from before this one, or this one once more.
    fn reordered(&self, packet: Arrival, by: u16) -> Result<Position, Reject> {
        let sequence =
            self.position.sequence.checked_sub(by.into()).filter(|sequence| *sequence >= self.floor.0);
        let step = self.packet.timestamp.wrapping_sub(packet.timestamp);
        let media = self.position.media.samples().saturating_sub(step.into());
        Ok(Position {
            sequence: sequence.ok_or(Reject::TooOld)?,
            media: MediaTime::from_samples(media).clamp(self.floor.1, self.position.media),
            epoch: self.position.epoch,
            restarted: false,
            reordered: by > 0,
        })
    }

    fn transit(&self) -> i64 {
        self.position.media.transit(self.packet.arrived)
    }
}
