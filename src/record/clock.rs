//! Where a sender's clock lies on the room clock. A packet's place is its media time plus the smallest transit of its
//! run's beginning: of a quarter of a second if that was even, else of a `repair` window ([`Trial`]). A drift of the two
//! clocks is watched from then on, and places follow it step by step where nobody hears it (`Track::steer`).
//! One exception: a run that would begin up to a packet before room sample 0 begins there.
//!
//! A sender whose capture stood still (a suspended machine) is late for ever after, by a step. A network that stood
//! still is late too, but catches up within a moment. So when the transit steps, packets are put on trial for a
//! window: if a punctual one comes meanwhile it was the network, else the clock is anchored anew by them.

use super::{
    drift::{Drift, Knot},
    pace::Pace,
    reports::Reports,
    trial::{Step, Trial, Verdict},
    waiting::{Waiting, media_sample},
};
use crate::{
    speaker::VoiceReport,
    time::{MediaTime, SampleTime, Samples},
};
use std::collections::VecDeque;

/// A step of the transit by more is put on trial: 60 ms.
const STEP: i64 = 2_880;

/// A packet that is quicker by so much is, too.
const QUICKER: i64 = 14_400;

/// Up to here a transit tells of the clock's drift.
const SLOWEST: i64 = 14_400;

/// A report of a moment further ahead of all packets is not believed: 100 ms.
const AHEAD: Samples = Samples::from_ms(100);

/// A transit steps against the quickest of so many packets before.
const BEFORE: usize = 4;

/// One run of a sender's clock.
#[derive(Debug, Default)]
pub(super) struct Clock {
    /// From media time to room samples, once it is known: where packets are put.
    transit: Option<i64>,
    /// Where they belong.
    drift: Option<Drift>,
    /// The first number behind the last step, and where packets before it are put.
    former: Option<(u64, i64)>,
    /// How fast the clock goes by what another run told.
    pace: Pace,
    /// What the sender itself tells of it.
    reports: Reports,
    /// How much later than it belongs a run is put that would begin before the room.
    late: i64,
    trial: Option<Trial>,
    /// The number the run began with, if it did so evenly: nothing of it comes before.
    begun: Option<u64>,
    heard: SampleTime,
    /// Where the last of its packets ends, on the sender's clock.
    end: MediaTime,
    /// The newest packets' transits, and the last one's number.
    latest: (u64, VecDeque<i64>),
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

impl Clock {
    /// The clock of a sender whose other runs went at this pace.
    pub(super) fn of_pace(pace: Pace) -> Self {
        Self { pace, ..Self::default() }
    }

    /// A packet came; nothing before room sample `settled` can be written any more.
    pub(super) fn hear(&mut self, packet: &Waiting, settled: u64) -> Standing {
        self.heard = self.heard.max(packet.arrived);
        self.end = self.end.max(packet.media + Samples::new(packet.samples));
        let transit = packet.transit();
        let step = self.step_to(packet.sequence, transit);
        let Some(anchor) = self.transit else { return Standing::Doubtful };
        if let Some((first, former)) = self.former
            && packet.sequence < first
        {
            return Standing::Late(former);
        }
        let late = transit.saturating_sub(anchor);
        let in_time = packet.at(anchor) >= settled as i64;
        if (1 - QUICKER..STEP).contains(&late) && in_time {
            self.newest = self.newest.max(packet.sequence);
            self.learn(packet);
            return Standing::Punctual(anchor);
        }
        let stepped = self.trial.is_some() || step >= STEP || late <= -QUICKER || !in_time;
        match packet.sequence > self.newest {
            true if stepped => Standing::Doubtful,
            true => {
                self.learn(packet);
                Standing::Late(anchor)
            }
            false => Standing::Late(anchor),
        }
    }

    /// By how much a packet takes longer than those before it; nothing if a later one came first.
    fn step_to(&mut self, sequence: u64, transit: i64) -> i64 {
        let (newest, latest) = &mut self.latest;
        if sequence < *newest {
            return 0;
        }
        let before = latest.iter().copied().min().unwrap_or(transit);
        *newest = sequence;
        latest.push_back(transit);
        latest.drain(..latest.len().saturating_sub(BEFORE));
        transit.saturating_sub(before)
    }

    fn learn(&mut self, packet: &Waiting) {
        let late = packet.transit().saturating_sub(self.transit.unwrap_or_default());
        if let Some(drift) = self.drift.as_mut().filter(|_| late < SLOWEST) {
            drift.hear(packet.media_sample(), from_origin(packet.transit()));
        }
    }

    /// Takes what the sender says of its clock. A moment that none of its packets has come near may be reckoned on from a
    /// capture that stands still.
    pub(super) fn report(&mut self, report: &VoiceReport) {
        if report.media > self.end + AHEAD {
            return;
        }
        self.reports.hear(media_sample(report.media), report.wall.samples());
        let Some((drift, pace)) = self.drift.as_mut().zip(self.reports.pace()) else { return };
        if !drift.lean(pace) {
            self.reports.forget();
        }
    }

    /// Takes a packet that has no place as yet.
    pub(super) fn doubt(&mut self, packet: Waiting) {
        self.trial.get_or_insert_with(|| Trial::new(packet.arrived)).packets.push(packet);
    }

    /// A punctual packet came: those on trial were stragglers.
    pub(super) fn confirm(&mut self) -> Vec<Waiting> {
        self.trial.take().map(|trial| trial.packets).unwrap_or_default()
    }

    /// Ends a trial that has lasted for `repair`, or that has told enough: packets, and the transit of their places.
    pub(super) fn judge(&mut self, now: SampleTime, repair: Samples) -> Vec<(Waiting, i64)> {
        let begins = self.transit.is_none();
        let is_over = |trial: &mut Trial| now >= trial.since + repair || begins && trial.is_even(now);
        let Some(trial) = self.trial.take_if(is_over) else { return Vec::new() };
        self.newest = trial.numbers().map_or(self.newest, |(_, newest)| newest);
        match self.transit {
            None => self.begin(&trial, now),
            Some(anchor) => match trial.step_from(anchor, repair, self.stood(&trial)) {
                Verdict::Stood(step) => self.step(step, &trial),
                Verdict::HeldUp => trial.packets.iter().for_each(|packet| self.learn(packet)),
                Verdict::TooSoon(first) => {
                    let (before, rest) = trial.from(first);
                    self.trial = Some(rest);
                    let placed = self.placed(before);
                    return placed.into_iter().chain(self.judge(now, repair)).collect();
                }
            },
        }
        self.placed(trial.packets)
    }

    /// Packets, and the transit of their places.
    fn placed(&self, packets: Vec<Waiting>) -> Vec<(Waiting, i64)> {
        let put = |packet: Waiting| self.transit_of(packet.sequence).map(|transit| (packet, transit));
        packets.into_iter().filter_map(put).collect()
    }

    /// For how long the sender says that its clock stood still before the packets on trial.
    fn stood(&self, trial: &Trial) -> Option<i64> {
        let first = trial.packets.iter().map(Waiting::media_sample).min()?;
        self.reports.stood_at(first)
    }

    /// A run begins where its quickest packet says.
    fn begin(&mut self, trial: &Trial, now: SampleTime) {
        self.begun = trial.numbers().map(|(first, _)| first).filter(|_| trial.is_even(now));
        self.drift = followed(&trial.packets, 0, self.pace);
        self.put(trial.quickest(), &trial.packets);
    }

    /// The clock stood still.
    fn step(&mut self, step: Step, trial: &Trial) {
        self.former = self.transit.map(|transit| (step.first, transit));
        let behind = followed(&trial.packets, step.first, self.pace());
        self.drift = match (self.drift.take(), behind) {
            (Some(before), Some(behind)) => Some(before.then(behind)),
            (before, behind) => behind.or(before),
        };
        self.put(step.transit, &trial.packets);
    }

    fn put(&mut self, transit: i64, packets: &[Waiting]) {
        let put = not_before_the_room(transit, packets);
        self.late = put.saturating_sub(transit);
        self.transit = Some(put);
    }

    /// From media time to room samples, for the packet of this number, once it is known.
    pub(super) fn transit_of(&self, sequence: u64) -> Option<i64> {
        let former = self.former.filter(|(first, _)| sequence < *first).map(|(_, former)| former);
        former.or(self.transit)
    }

    /// Where packets that come now are put.
    pub(super) fn transit(&self) -> Option<i64> {
        self.transit
    }

    /// How fast the clock goes.
    pub(super) fn pace(&self) -> Pace {
        self.drift.as_ref().map_or(self.pace, Drift::pace)
    }

    /// Is it sure that nothing of the run comes before this number?
    pub(super) fn begins_with(&self, sequence: u64) -> bool {
        self.begun == Some(sequence)
    }

    /// The first room sample behind all that came, if that is known.
    pub(super) fn end(&self) -> Option<u64> {
        let transit = match (&self.trial, self.transit) {
            (None, transit) => transit?,
            (Some(trial), None) => not_before_the_room(trial.quickest(), &trial.packets),
            (Some(_), Some(_)) => return None,
        };
        u64::try_from(transit.saturating_add_unsigned(self.end.samples())).ok()
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

    /// As [`Self::knots`], as far as they stay as they are.
    pub(super) fn tied(&self) -> impl Iterator<Item = Knot> + '_ {
        self.drift.iter().flat_map(Drift::tied).copied()
    }

    /// As [`Self::knots`], as far as nothing of the present line stays as it is yet.
    pub(super) fn loose(&self) -> impl Iterator<Item = Knot> + '_ {
        self.drift.iter().flat_map(Drift::loose)
    }

    /// Where the sender's clock stood on the room clock.
    pub(super) fn knots(&self) -> impl Iterator<Item = Knot> + '_ {
        self.drift.iter().flat_map(Drift::knots)
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

/// What packets that were on trial tell of their clock, those from number `first` on.
fn followed(packets: &[Waiting], first: u64, pace: Pace) -> Option<Drift> {
    let packets = packets.iter().filter(|packet| packet.sequence >= first);
    let from = packets.clone().map(Waiting::media_sample).min()?;
    let mut heard = packets.map(|it| (it.media_sample(), from_origin(it.transit())));
    let (media, transit) = heard.next()?;
    let mut drift = Drift::new(from, Knot { media, transit: transit as f64 }, pace);
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
            marker: false,
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
        Some(clock.judge(SampleTime::from_samples(now), REPAIR).len()).filter(|packets| *packets > 0)
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
        clock.judge(SampleTime::from_samples(200_000), REPAIR);
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
