//! Where a sender's clock lies on the room clock. A packet's place is its media time plus the smallest transit that was
//! seen in the first `repair` window of its run. A drift of the two clocks is watched from then on, and places follow it
//! step by step where nobody hears it (`Track::steer`).
//! One exception: a run that would begin up to a packet before room sample 0 begins there.
//!
//! A sender whose capture stood still (a suspended machine) is late for ever after, by a step. A network that stood
//! still is late too, but catches up within a moment. So when the transit steps, packets are put on trial for one more
//! window: if a punctual one comes meanwhile it was the network, else the clock is anchored anew by them.

use super::{
    drift::{Drift, Knot},
    waiting::Waiting,
};
use crate::time::{MediaTime, SampleTime, Samples};

/// A step of the transit by more is put on trial: 300 ms, more than a change of route makes.
const STEP: i64 = 14_400;

/// One run of a sender's clock.
#[derive(Debug, Default)]
pub(super) struct Clock {
    /// From media time to room samples, once it is known: where packets are put.
    transit: Option<i64>,
    /// Where they belong.
    drift: Option<Drift>,
    /// Where it stood before it stood still.
    past: Vec<Knot>,
    /// How much later than it belongs a run is put that would begin before the room.
    late: i64,
    trial: Option<Trial>,
    heard: SampleTime,
    /// The transit of the packet that came last.
    latest: Option<i64>,
    /// The highest number among the punctual: what is older is a straggler.
    newest: u64,
}

/// What to make of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// Its place is this transit away, and those on trial were stragglers.
    Punctual(i64),
    /// Its place is this transit away.
    Late(i64),
    /// Nobody knows yet.
    Doubtful,
}

/// Packets whose places are not known yet.
#[derive(Debug)]
struct Trial {
    since: SampleTime,
    transit: i64,
    packets: Vec<Waiting>,
}

/// How a trial ended: these packets belong where `transit` says.
#[derive(Debug)]
pub(super) struct Verdict {
    pub(super) packets: Vec<Waiting>,
    pub(super) transit: i64,
}

impl Clock {
    /// A packet came; nothing before room sample `settled` can be written any more.
    pub(super) fn hear(&mut self, packet: &Waiting, settled: u64) -> Standing {
        self.heard = self.heard.max(packet.arrived);
        let transit = packet.media.transit(packet.arrived);
        let before = self.latest.replace(transit).unwrap_or(transit);
        let Some(anchor) = self.transit else { return Standing::Doubtful };
        let drift = self.drift.as_mut();
        let (late, step) = (transit.saturating_sub(anchor), transit.saturating_sub(before));
        let in_time = packet.at(anchor) >= settled as i64;
        if late.abs() < STEP && in_time {
            self.newest = self.newest.max(packet.sequence);
            drift.into_iter().for_each(|drift| drift.hear(packet.media_sample(), from_origin(transit)));
            return Standing::Punctual(anchor);
        }
        let stepped = self.trial.is_some() || step >= STEP || late <= -STEP || !in_time;
        if stepped && packet.sequence > self.newest { Standing::Doubtful } else { Standing::Late(anchor) }
    }

    /// Takes a packet that has no place as yet.
    pub(super) fn doubt(&mut self, packet: Waiting) {
        let (since, transit) = (packet.arrived, packet.media.transit(packet.arrived));
        let trial = self.trial.get_or_insert_with(|| Trial { since, transit, packets: Vec::new() });
        trial.transit = trial.transit.min(transit);
        trial.packets.push(packet);
    }

    /// A punctual packet came: those on trial were stragglers.
    pub(super) fn confirm(&mut self) -> Vec<Waiting> {
        self.trial.take().map(|trial| trial.packets).unwrap_or_default()
    }

    /// Ends a trial that has lasted for `repair`.
    pub(super) fn judge(&mut self, now: SampleTime, repair: Samples) -> Option<Verdict> {
        let Trial { transit, packets, .. } = self.trial.take_if(|trial| now >= trial.since + repair)?;
        // A sender that stood still goes on sending; stragglers are few.
        let sent = packets.iter().map(|packet| packet.media);
        let span =
            sent.clone().max().zip(sent.min()).map_or(Samples::ZERO, |(last, first)| last.since(first));
        let stragglers = span.count() < repair.count() / 2;
        let kept = self.transit.filter(|_| stragglers);
        let put = kept.unwrap_or_else(|| self.anchor(transit, &packets));
        self.newest = packets.iter().map(|packet| packet.sequence).max().unwrap_or(self.newest);
        Some(Verdict { packets, transit: put })
    }

    /// Begins anew with packets of this transit; where they are put.
    fn anchor(&mut self, transit: i64, packets: &[Waiting]) -> i64 {
        let past: Vec<Knot> = self.drift.iter().flat_map(Drift::knots).collect();
        self.past.extend(past);
        self.drift = followed(packets);
        let put = not_before_the_room(transit, packets);
        self.late = put.saturating_sub(transit);
        *self.transit.insert(put)
    }

    /// By how much the place of what is at this media sample has drifted from where it is put.
    pub(super) fn error(&self, media_sample: i64) -> i64 {
        let drift = self.drift.as_ref().zip(self.transit);
        drift.map_or(0, |(drift, put)| {
            drift.transit(media_sample).round() as i64 + self.late - from_origin(put)
        })
    }

    /// Packets are put this much later from now on. Where they were put before.
    pub(super) fn shift(&mut self, by: i64) -> Option<i64> {
        let before = self.transit?;
        self.transit = Some(before.saturating_add(by));
        Some(before)
    }

    /// Where the sender's clock stood on the room clock.
    pub(super) fn knots(&self) -> impl Iterator<Item = Knot> + '_ {
        self.past.iter().copied().chain(self.drift.iter().flat_map(Drift::knots))
    }

    /// No packet on trial belongs before this.
    pub(super) fn waits_since(&self, repair: Samples) -> Option<SampleTime> {
        self.trial.as_ref().map(|trial| trial.since.before(repair))
    }

    /// Could a packet of this run still come in time?
    pub(super) fn is_needed(&self, now: SampleTime, repair: Samples) -> bool {
        self.trial.is_some() || now < self.heard + repair
    }
}

/// A transit of media time as it is counted from where a sender's first packet is put.
fn from_origin(transit: i64) -> i64 {
    transit.saturating_add_unsigned(MediaTime::ORIGIN.samples())
}

/// What packets that were on trial tell of their clock.
fn followed(packets: &[Waiting]) -> Option<Drift> {
    let mut heard = packets.iter().map(|it| (it.media_sample(), from_origin(it.media.transit(it.arrived))));
    let (media, transit) = heard.next()?;
    let mut drift = Drift::new(media, transit);
    heard.for_each(|(media, transit)| drift.hear(media, transit));
    Some(drift)
}

/// The longest packet (RFC 6716 §2.1.4).
const LONGEST: Samples = Samples::from_ms(120);

/// What arrives before the room opens counts as arrived at its opening, and so its place may come out before that. It is
/// not lost for that: the run begins at room sample 0. Further back is what was said before there was a room.
fn not_before_the_room(transit: i64, packets: &[Waiting]) -> i64 {
    let first = packets.iter().map(|packet| packet.at(transit)).min().unwrap_or(0);
    let before = first.min(0).unsigned_abs();
    if before <= LONGEST.count() { transit.saturating_add_unsigned(before) } else { transit }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        speaker::{SpeakerId, VoicePacket},
        time::MediaTime,
    };

    const REPAIR: Samples = Samples::new(96_000);

    fn packet(number: u64, arrived: u64) -> Waiting {
        let packet = VoicePacket {
            speaker: SpeakerId(0),
            epoch: 0,
            sequence: number,
            media: MediaTime::ORIGIN + Samples::new(960 * number),
            arrived: SampleTime::from_samples(arrived),
            duration: Samples::new(960),
            payload: &[0xF8],
        };
        Waiting::new(0, packet).unwrap()
    }

    fn take(clock: &mut Clock, packet: Waiting) -> Standing {
        let standing = clock.hear(&packet, 0);
        if standing == Standing::Doubtful {
            clock.doubt(packet);
        }
        standing
    }

    /// Where media time zero lies in the room.
    fn origin(clock: &Clock) -> Option<i64> {
        clock.transit.map(|transit| transit + MediaTime::ORIGIN.samples() as i64)
    }

    fn judged(clock: &mut Clock, now: u64) -> Option<usize> {
        clock.judge(SampleTime::from_samples(now), REPAIR).map(|verdict| verdict.packets.len())
    }

    fn anchored() -> Clock {
        let mut clock = Clock::default();
        for (number, arrived) in [(0, 5_000), (1, 2_000), (2, 4_000)] {
            assert_eq!(take(&mut clock, packet(number, arrived)), Standing::Doubtful);
        }
        assert_eq!(judged(&mut clock, 5_000 + 95_999), None);
        assert_eq!(judged(&mut clock, 5_000 + 96_000), Some(3));
        clock
    }

    #[test]
    fn the_quickest_packet_of_the_first_window_anchors_the_clock() {
        assert_eq!(origin(&anchored()), Some(1_040));
    }

    fn anchor_of(arrivals: impl IntoIterator<Item = u64>) -> i64 {
        let mut clock = Clock::default();
        for (number, arrived) in arrivals.into_iter().enumerate() {
            take(&mut clock, packet(number as u64, arrived));
        }
        clock.judge(SampleTime::from_samples(200_000), REPAIR).unwrap();
        origin(&clock).unwrap()
    }

    #[test]
    fn a_run_that_would_begin_a_packet_before_the_room_begins_with_it() {
        assert_eq!(anchor_of([0, 93, 1_053]), 0);
        assert_eq!(anchor_of([0; 7]), 0);
        assert_eq!(anchor_of([0; 8]), -6_720, "what was said before there was a room");
    }

    #[test]
    fn a_lone_straggler_moves_no_clock() {
        let mut clock = anchored();
        assert_eq!(take(&mut clock, packet(3, 200_000)), Standing::Doubtful);
        assert_eq!(judged(&mut clock, 300_000), Some(1));
        assert_eq!(origin(&clock), Some(1_040));
    }

    #[test]
    fn an_older_packet_that_comes_late_is_no_step() {
        let mut clock = anchored();
        assert!(matches!(take(&mut clock, packet(10, 1_040 + 9_600)), Standing::Punctual(_)));
        assert!(matches!(take(&mut clock, packet(5, 60_000)), Standing::Late(_)));
    }

    #[test]
    fn delay_that_grows_little_by_little_is_no_step() {
        let mut clock = anchored();
        for number in 3..100 {
            assert_ne!(take(&mut clock, packet(number, 1_040 + 1_260 * number)), Standing::Doubtful);
        }
    }

    #[test]
    fn a_clock_that_stood_still_is_anchored_anew() {
        let mut clock = anchored();
        for number in 3..103 {
            assert_eq!(take(&mut clock, packet(number, 200_000 + 960 * number)), Standing::Doubtful);
        }
        assert_eq!(judged(&mut clock, 300_000), Some(100));
        assert_eq!(origin(&clock), Some(200_000));
    }
}
