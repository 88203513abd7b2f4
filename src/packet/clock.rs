//! A sender's numbers become places: in come the sequence number and timestamp of each packet of one lane, which wrap,
//! jump and begin anew; out comes where the packet belongs on one line that does none of that (RFC 3550 §5.1, §A.1).

use super::{Reject, seen};
use crate::time::{MediaTime, SampleTime, Samples};

/// A step forward of more packets than this is a jump (`MAX_DROPOUT` of RFC 3550 §A.1).
const MAX_DROPOUT: u16 = 3000;
/// A packet at least as far behind the newest is a jump too: nobody would know whether it is a duplicate.
const MAX_MISORDER: u16 = seen::WINDOW as u16;
/// A transit that grows by more between two packets is a clock that jumped: ours, as no network holds packets so long.
const MAX_TRANSIT_RISE: Samples = Samples::from_ms(10_000);
/// A transit that is shorter than the epoch's quickest by more is a timestamp that jumped ahead: ours, as networks have
/// a floor. A pause of the sender moves the clock and the arrival alike.
const MAX_TRANSIT_FALL: Samples = Samples::from_ms(200);
/// What a sender reports of its clock is of its newest packets, give or take this.
const NEAR: Samples = Samples::from_ms(10_000);
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
    /// The shortest transit of its epoch.
    quickest: i64,
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

    /// Where a timestamp of the present sender lies, and in which epoch; none for another sender's, and for one further
    /// than ten seconds from the newest packet's.
    ///
    /// # Real-time
    /// Safe.
    #[must_use]
    pub fn media_at(&self, ssrc: u32, timestamp: u32) -> Option<(MediaTime, u32)> {
        let newest = self.newest.filter(|newest| newest.packet.ssrc == ssrc)?;
        let ahead = i64::from(timestamp.wrapping_sub(newest.packet.timestamp) as i32);
        let near = ahead.unsigned_abs() <= NEAR.count();
        let media = newest.position.media.samples().checked_add_signed(ahead)?;
        near.then_some((MediaTime::from_samples(media), newest.position.epoch))
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
        let quickest = position.media.transit(packet.arrived);
        Self { packet, position, floor: (0, MediaTime::default()), quickest, former: None }
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
        let transit = media.transit(packet.arrived);
        let too_slow = transit.saturating_sub(self.transit()) > MAX_TRANSIT_RISE.count() as i64;
        let too_quick = self.quickest.saturating_sub(transit) > MAX_TRANSIT_FALL.count() as i64;
        if step > i32::MAX as u32 || too_slow || too_quick {
            return self.restart(packet, by);
        }
        let sequence = self.position.sequence.saturating_add(by.into());
        let position = Position { sequence, media, restarted: false, ..self.position };
        Self { packet, position, quickest: self.quickest.min(transit), ..*self }
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
        let quickest = position.media.transit(packet.arrived);
        Self { packet, position, floor: (position.sequence, position.media), quickest, former }
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const STEP: u32 = 960;

    fn packet(ssrc: u32, sequence: u16, timestamp: u32, arrived_ms: f64) -> Arrival {
        Arrival { ssrc, sequence, timestamp, arrived: SampleTime::from_ms(arrived_ms) }
    }

    /// A lane that has heard packets 100…109 of SSRC 1, the last at 180 ms, each 20 ms after the one before.
    fn running() -> SenderClock {
        let mut clock = SenderClock::default();
        for at in 0..10 {
            clock.place(packet(1, 100 + at, STEP * u32::from(at), 20.0 * f64::from(at))).unwrap();
        }
        clock
    }

    /// Sequence, media since the origin, epoch.
    fn place(clock: &mut SenderClock, packet: Arrival) -> Result<(u64, i64, u32), Reject> {
        let media = |position: Position| position.media.samples() as i64 - MediaTime::ORIGIN.samples() as i64;
        clock.place(packet).map(|position| (position.sequence, media(position), position.epoch))
    }

    #[test]
    fn the_first_packet_keeps_its_number_and_sits_at_the_origin() {
        let position = SenderClock::default().place(packet(1, 65_535, 7, 3.0)).unwrap();
        assert_eq!((position.sequence, position.media), (65_535, MediaTime::ORIGIN));
        assert!(!position.restarted && !position.reordered);
    }

    #[test]
    fn what_was_sent_before_the_first_arrival_has_a_place_down_to_number_zero() {
        let mut clock = SenderClock::default();
        clock.place(packet(1, 2, 5, 0.0)).unwrap();
        assert_eq!(place(&mut clock, packet(1, 1, 5u32.wrapping_sub(STEP), 1.0)), Ok((1, -960, 0)));
        assert_eq!(clock.place(packet(1, 0, 5, 1.0)).map(|position| position.reordered), Ok(true));
        assert_eq!(clock.place(packet(1, 65_535, 5, 1.0)), Err(Reject::TooOld));
    }

    #[test]
    fn a_late_packet_has_its_place_up_to_1023_behind() {
        let mut clock = running();
        clock.place(packet(1, 2000, 1900 * STEP, 38_000.0)).unwrap();
        assert_eq!(place(&mut clock, packet(1, 977, 877 * STEP, 38_000.0)), Ok((977, 877 * 960, 0)));
        assert_eq!(place(&mut clock, packet(1, 976, 876 * STEP, 38_000.0)), Err(Reject::Stray));
    }

    #[test]
    fn the_newest_again_is_not_reordered() {
        let mut clock = running();
        let again = clock.place(packet(1, 109, 9 * STEP, 181.0)).unwrap();
        assert_eq!((again.sequence, again.reordered), (109, false));
    }

    #[test]
    fn a_new_ssrc_begins_at_once_with_the_transit_of_the_old() {
        let mut clock = running();
        // 300 ms after the newest arrived, so 300 ms after it on the line.
        let position = clock.place(packet(2, 7, 0xDEAD_BEEF, 480.0)).unwrap();
        assert_eq!((position.sequence, position.epoch, position.restarted), (110, 1, true));
        assert_eq!(position.media.since(MediaTime::ORIGIN), Samples::from_ms(480));
        assert_eq!(place(&mut clock, packet(2, 8, 0xDEAD_BEEF + STEP, 500.0)), Ok((111, 500 * 48, 1)));
    }

    #[test]
    fn an_epoch_never_begins_before_the_one_before_it_has_ended() {
        let mut clock = running();
        assert_eq!(place(&mut clock, packet(2, 7, 0, 180.0)), Ok((110, 200 * 48, 1)));
        assert_eq!(place(&mut clock, packet(3, 7, 0, 0.0)), Ok((111, 220 * 48, 2)));
    }

    #[test]
    fn stragglers_from_before_a_restart_are_too_old() {
        let mut clock = running();
        clock.place(packet(2, 7, 0, 200.0)).unwrap();
        assert_eq!(place(&mut clock, packet(1, 109, 9 * STEP, 201.0)), Err(Reject::TooOld));
        assert_eq!(place(&mut clock, packet(2, 6, 0u32.wrapping_sub(STEP), 201.0)), Err(Reject::TooOld));
        assert_eq!(place(&mut clock, packet(2, 8, STEP, 220.0)).map(|place| place.2), Ok(1));
    }

    #[test]
    fn the_former_sender_is_back_when_a_second_packet_follows() {
        let mut clock = running();
        clock.place(packet(2, 7, 0, 200.0)).unwrap();
        assert_eq!(place(&mut clock, packet(1, 110, 0, 201.0)), Err(Reject::Stray));
        assert_eq!(place(&mut clock, packet(2, 8, STEP, 220.0)).map(|place| place.2), Ok(1));
        assert_eq!(place(&mut clock, packet(1, 111, 0, 221.0)), Err(Reject::Stray));
        assert_eq!(place(&mut clock, packet(1, 112, 0, 241.0)).map(|place| place.2), Ok(2));
    }

    #[test]
    fn a_jump_is_believed_when_a_second_packet_follows() {
        for jumped in [109 + 3001, 60_000] {
            let mut clock = running();
            assert_eq!(place(&mut clock, packet(1, jumped, 0, 200.0)), Err(Reject::Stray));
            assert_eq!(
                place(&mut clock, packet(1, jumped, 0, 200.0)),
                Err(Reject::Stray),
                "a duplicate is no proof"
            );
            assert_eq!(place(&mut clock, packet(1, 110, 10 * STEP, 200.0)), Ok((110, 9600, 0)));
            assert_eq!(
                place(&mut clock, packet(1, jumped + 1, 0, 220.0)),
                Err(Reject::Stray),
                "an ordinary one between"
            );
            assert_eq!(place(&mut clock, packet(1, jumped + 2, 0, 240.0)), Ok((111, 240 * 48, 1)));
        }
        assert_eq!(place(&mut running(), packet(1, 109 + 3000, 10 * STEP, 200.0)), Ok((3109, 9600, 0)));
    }

    #[test]
    fn a_pause_is_no_restart_and_a_clock_that_jumps_is() {
        let minute = 60 * 48_000;
        assert_eq!(place(&mut running(), packet(1, 110, minute, 60_000.0)), Ok((110, minute.into(), 0)));
        // Ten seconds more of transit may be the network's doing, and 200 ms less than ever; either way the numbers go on.
        assert_eq!(place(&mut running(), packet(1, 112, STEP * 10, 10_200.0)), Ok((112, 9600, 0)));
        assert_eq!(place(&mut running(), packet(1, 112, STEP * 10, 10_200.1)), Ok((112, 489_605, 1)));
        assert_eq!(place(&mut running(), packet(1, 112, 20_160, 220.0)), Ok((112, 20_160, 0)));
        assert_eq!(place(&mut running(), packet(1, 112, 20_161, 220.0)), Ok((112, 10_560, 1)));
        assert_eq!(place(&mut running(), packet(1, 112, STEP * 9 - 1, 220.0)), Ok((112, 10_560, 1)));
    }

    #[test]
    fn an_older_packet_with_a_newer_timestamp_lies_with_the_newest() {
        assert_eq!(place(&mut running(), packet(1, 105, STEP * 10, 200.0)).map(|place| place.0), Ok(105));
        let far = place(&mut running(), packet(1, 105, STEP * 9 + (1 << 31), 200.0)).unwrap();
        assert!(far.1 <= 9 * 960, "{far:?}");
    }

    /// Random numbers near each other and near the wraps, and a few SSRCs: every case comes up.
    fn anything() -> impl Strategy<Value = Arrival> {
        let near = prop_oneof![Just(0u32), Just(3000), Just(u32::MAX), Just(1 << 31), any::<u32>()];
        let timestamp = (near, 0u32..5000).prop_map(|(base, offset)| base.wrapping_add(offset));
        let sequence = prop_oneof![0u16..40, 65_500u16.., 900u16..4000, any::<u16>()];
        let arrived = prop_oneof![0u64..1_000_000, 0..u64::from(u32::MAX)].prop_map(SampleTime::from_samples);
        (0u32..4, sequence, timestamp, arrived).prop_map(|(ssrc, sequence, timestamp, arrived)| Arrival {
            ssrc,
            sequence,
            timestamp,
            arrived,
        })
    }

    proptest! {
        /// The sender's true numbers, in 128 bits, are the oracle. Pauses of up to a minute lie between its packets.
        #[test]
        fn a_sender_is_followed_through_any_wrap(
            sequence in any::<u16>(),
            timestamp in any::<u32>(),
            walk in proptest::collection::vec((-900i128..1000, 0i128..60 * 48_000), 1..300),
        ) {
            let (mut clock, mut sent, mut at) = (SenderClock::default(), vec![0i128], 0usize);
            for (step, pause) in std::iter::once((0, 0)).chain(walk) {
                at = (at as i128 + step).max(sent.len() as i128 - 1024).max(0) as usize;
                while sent.len() <= at {
                    sent.push(sent[sent.len() - 1] + 960 + if sent.len() == at { pause } else { 0 });
                }
                let newest = sent.len() - 1;
                let position = clock.place(Arrival {
                    ssrc: 1,
                    sequence: (i128::from(sequence) + at as i128) as u16,
                    timestamp: (i128::from(timestamp) + sent[at]) as u32,
                    arrived: SampleTime::from_samples(sent[newest] as u64),
                });
                prop_assert_eq!(position, Ok(Position {
                    sequence: u64::from(sequence) + at as u64,
                    media: MediaTime::from_samples((i128::from(MediaTime::ORIGIN.samples()) + sent[at]) as u64),
                    epoch: 0,
                    restarted: false,
                    reordered: at < newest,
                }));
            }
        }

        #[test]
        fn epochs_follow_each_other_whatever_comes(packets in proptest::collection::vec(anything(), 1..200)) {
            let mut clock = SenderClock::default();
            let (mut epoch, mut sequence, mut media) = (0, None, MediaTime::default());
            for position in packets.into_iter().filter_map(|packet| clock.place(packet).ok()) {
                let newer = sequence.is_none_or(|newest| position.sequence > newest);
                prop_assert_eq!(position.epoch, epoch + u32::from(position.restarted));
                if position.restarted {
                    prop_assert!(newer && position.media > media);
                }
                if newer {
                    prop_assert!(position.media >= media);
                    (epoch, sequence, media) = (position.epoch, Some(position.sequence), position.media);
                }
                prop_assert_eq!(position.reordered, Some(position.sequence) < sequence);
                prop_assert!(position.media <= media);
            }
        }

        #[test]
        fn no_time_is_too_strange(packets in proptest::collection::vec((anything(), any::<u64>()), 1..50)) {
            let mut clock = SenderClock::default();
            for (packet, arrived) in packets {
                let _ = clock.place(Arrival { arrived: SampleTime::from_samples(arrived), ..packet });
            }
        }
    }
}
