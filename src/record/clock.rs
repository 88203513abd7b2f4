//! Where a sender's clock lies on the room clock. A packet's place is its media time plus the smallest transit that was
//! seen in the first `repair` window of its run; from then on that is fixed. A drift of the two clocks is not corrected.
//! One exception: a run that would begin up to a packet before room sample 0 begins there.
//!
//! A sender whose clock stood still (a suspended machine) would be late for ever. So late packets are put on trial for
//! one more window: if a punctual one comes meanwhile they were stragglers, else the clock is anchored anew by them.

use super::waiting::Waiting;
use crate::time::{MediaTime, SampleTime, Samples};

/// One run of a sender's clock.
#[derive(Debug, Default)]
pub(super) struct Clock {
    /// From media time to room samples, once it is fixed.
    transit: Option<i64>,
    trial: Option<Trial>,
    heard: SampleTime,
}

/// Packets whose places are not known yet.
#[derive(Debug)]
struct Trial {
    since: SampleTime,
    transit: i64,
    packets: Vec<Waiting>,
}

/// How a trial ended: these packets belong where `transit` says, or came too late for that place.
#[derive(Debug)]
pub(super) struct Verdict {
    pub(super) packets: Vec<Waiting>,
    pub(super) transit: i64,
    pub(super) late: bool,
}

impl Clock {
    /// A packet came.
    pub(super) fn hear(&mut self, arrived: SampleTime) {
        self.heard = self.heard.max(arrived);
    }

    /// The room sample of `media` and the transit that says so, once they are known.
    pub(super) fn place(&self, media: MediaTime) -> Option<(i64, i64)> {
        self.transit.map(|transit| (transit.saturating_add_unsigned(media.samples()), transit))
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
        let Trial { since, transit, packets } = self.trial.take_if(|trial| now >= trial.since + repair)?;
        // A clock that stood still goes on sending; a straggler is alone.
        let late = self.transit.filter(|_| self.heard.since(since).count() < repair.count() / 2);
        let transit = late.unwrap_or_else(|| not_before_the_room(transit, &packets));
        self.transit = Some(transit);
        Some(Verdict { packets, transit, late: late.is_some() })
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
    use crate::speaker::{SpeakerId, VoicePacket};

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

    fn take(clock: &mut Clock, packet: Waiting) {
        clock.hear(packet.arrived);
        clock.doubt(packet);
    }

    fn room_sample(clock: &Clock, media: MediaTime) -> i64 {
        clock.place(media).unwrap().0
    }

    fn anchored() -> Clock {
        let mut clock = Clock::default();
        for (number, arrived) in [(0, 5_000), (1, 2_000), (2, 4_000)] {
            take(&mut clock, packet(number, arrived));
        }
        assert!(clock.judge(SampleTime::from_samples(5_000 + 95_999), REPAIR).is_none());
        let verdict = clock.judge(SampleTime::from_samples(5_000 + 96_000), REPAIR).unwrap();
        assert_eq!((verdict.packets.len(), verdict.late), (3, false));
        clock
    }

    #[test]
    fn the_quickest_packet_of_the_first_window_anchors_the_clock() {
        assert_eq!(room_sample(&anchored(), MediaTime::ORIGIN), 1_040);
        assert_eq!(room_sample(&anchored(), MediaTime::ORIGIN + Samples::new(9_600)), 10_640);
    }

    fn anchor_of(arrivals: impl IntoIterator<Item = u64>) -> i64 {
        let mut clock = Clock::default();
        for (number, arrived) in arrivals.into_iter().enumerate() {
            take(&mut clock, packet(number as u64, arrived));
        }
        clock.judge(SampleTime::from_samples(200_000), REPAIR).unwrap();
        room_sample(&clock, MediaTime::ORIGIN)
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
        take(&mut clock, packet(3, 200_000));
        assert!(clock.judge(SampleTime::from_samples(300_000), REPAIR).unwrap().late);
        assert_eq!(room_sample(&clock, MediaTime::ORIGIN), 1_040);
    }

    #[test]
    fn a_clock_that_stood_still_is_anchored_anew() {
        let mut clock = anchored();
        for number in 3..103 {
            take(&mut clock, packet(number, 200_000 + 960 * number));
        }
        assert!(!clock.judge(SampleTime::from_samples(300_000), REPAIR).unwrap().late);
        assert_eq!(room_sample(&clock, MediaTime::ORIGIN), 200_000);
    }
}
