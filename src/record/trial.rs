//! Packets whose places are not known yet: they begin a run, or their transit has stepped. In they come; out comes
//! whether the run began evenly, and whether the sender's capture stood still or only the network.
//!
//! A network that stood still hands over at once what it held, and a queue grows and shrinks: the quickest packets do not
//! stay equally late. Behind a capture that stood still they do.

use super::waiting::Waiting;
use crate::time::{SampleTime, Samples};

/// A run that begins evenly for so long is known well enough.
const LOOK: Samples = Samples::from_ms(250);

/// Evenly: no packet is missing, and so many of them took the shortest way, or nearly (2.5 ms).
const ENOUGH: usize = 4;
const NEARLY: i64 = 120;

/// Quickest packets that differ by no more lie on one floor: 5 ms.
const FLAT: i64 = 240;

/// Fewer lie on one floor by chance: three packets of 120 ms did, once in a million stays.
const FEW: usize = 6;

/// A step by more is no queue, however uneven: 300 ms, more than a change of route makes.
const SURE: i64 = 14_400;

/// The sender's word agrees with what is seen to 20 ms.
const AGREE: i64 = 960;

/// Packets on trial.
#[derive(Debug)]
pub(super) struct Trial {
    pub(super) since: SampleTime,
    pub(super) packets: Vec<Waiting>,
}

/// What a trial ends with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The sender's clock stood still.
    Stood(Step),
    /// The network did.
    HeldUp,
    /// It began with stragglers; what came from this number on has not been seen for long enough.
    TooSoon(u64),
}

/// Where a clock lies that stood still.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) transit: i64,
    /// The number of the first packet that was sent then.
    pub(super) first: u64,
}

impl Trial {
    pub(super) fn new(since: SampleTime) -> Self {
        Self { since, packets: Vec::new() }
    }

    /// The smallest transit.
    pub(super) fn quickest(&self) -> i64 {
        self.packets.iter().map(Waiting::transit).min().unwrap_or(0)
    }

    /// The lowest and the highest number.
    pub(super) fn numbers(&self) -> Option<(u64, u64)> {
        let numbers = self.packets.iter().map(|packet| packet.sequence);
        numbers.clone().min().zip(numbers.max())
    }

    /// Did a run begin so evenly that no more has to be seen of it?
    pub(super) fn is_even(&self, now: SampleTime) -> bool {
        let quickest = self.quickest();
        let quick = self.packets.iter().filter(|packet| packet.transit() - quickest <= NEARLY).count();
        let unbroken =
            self.numbers().is_some_and(|(first, last)| last - first == self.packets.len() as u64 - 1);
        now >= self.since + LOOK && quick >= ENOUGH && unbroken
    }

    /// Where the clock lies now, if it stood still and lay at `anchor` before. Else these packets were held up. The sender
    /// may have told for how long it stood.
    pub(super) fn step_from(&self, anchor: i64, repair: Samples, told: Option<i64>) -> Verdict {
        let half = self.since + Samples::new(repair.count() / 2);
        let late = self.packets.iter().filter(|packet| packet.arrived >= half);
        let Some(floor) = late.map(Waiting::transit).min() else { return Verdict::HeldUp };
        // Quicker than whatever came later: these were sent before the clock stood still, and held up.
        let (old, new): (Vec<&Waiting>, Vec<&Waiting>) =
            self.packets.iter().partition(|packet| packet.transit() < floor - FLAT);
        let agrees = |told: i64| (told - (floor - anchor)).abs() < AGREE;
        if told.is_some_and(|told| told.abs() < AGREE && !agrees(told)) {
            return Verdict::HeldUp;
        }
        let sure = !(0..SURE).contains(&(floor - anchor)) || told.is_some_and(agrees);
        let even = old.len() * 8 <= self.packets.len();
        let new = match self.behind(&old) {
            Some(behind) if sure || even => behind,
            None if sure && !even => self.packets.iter().collect(),
            _ => new,
        };
        let first = first_of(&new);
        if lasts(&new) < repair.count() / 2 {
            let begins_before = self.packets.iter().any(|packet| packet.sequence < first);
            return if begins_before && !new.is_empty() { Verdict::TooSoon(first) } else { Verdict::HeldUp };
        }
        let transit = new.iter().map(|packet| packet.transit()).min();
        let stood = transit.filter(|_| sure || even && self.is_flat(&new, repair));
        stood.map_or(Verdict::HeldUp, |transit| Verdict::Stood(Step { transit, first }))
    }

    /// What was sent behind the last of the `old`, if there is hardly anything else before that: stragglers, some of them
    /// as late by chance as those behind. None if the `old` are strewn about: then it is the network that is uneven.
    fn behind(&self, old: &[&Waiting]) -> Option<Vec<&Waiting>> {
        let last = old.iter().map(|packet| packet.sequence).max();
        let (before, behind): (Vec<&Waiting>, Vec<&Waiting>) =
            self.packets.iter().partition(|packet| Some(packet.sequence) <= last);
        (before.len() < 2 * old.len().max(FEW / 2)).then_some(behind)
    }

    /// The packets from this number on, on trial from when the first of them came.
    pub(super) fn from(self, first: u64) -> (Vec<Waiting>, Self) {
        let (before, packets): (Vec<_>, Vec<_>) =
            self.packets.into_iter().partition(|packet| packet.sequence < first);
        let since = packets.iter().map(|packet| packet.arrived).min().unwrap_or(self.since);
        (before, Self { since, packets })
    }

    /// Do the quickest of each quarter of the trial lie on one floor?
    fn is_flat(&self, packets: &[&Waiting], repair: Samples) -> bool {
        let mut floors = [None::<i64>; 4];
        for packet in packets {
            let quarter = packet.arrived.since(self.since).count() * 4 / repair.count().max(1);
            let floor = &mut floors[(quarter as usize).min(3)];
            *floor = Some(floor.map_or(packet.transit(), |floor| floor.min(packet.transit())));
        }
        let known = floors.iter().flatten();
        let spread = known.clone().max().zip(known.clone().min()).map_or(0, |(high, low)| high - low);
        packets.len() >= FEW && known.count() >= 3 && spread <= FLAT
    }
}

/// The number behind a stand. Where the sender marks the first packet behind a pause, a few stragglers from before it may
/// be among the others.
fn first_of(packets: &[&Waiting]) -> u64 {
    let first = packets.iter().map(|packet| packet.sequence).min().unwrap_or(0);
    let marked = packets.iter().filter(|packet| packet.marker).map(|packet| packet.sequence).min();
    let before = |marked: &u64| packets.iter().filter(|packet| packet.sequence < *marked).count();
    marked.filter(|marked| before(marked) < FEW).unwrap_or(first)
}

/// How long was the sender at it? One that stood still goes on sending; stragglers are few.
fn lasts(packets: &[&Waiting]) -> u64 {
    let sent = packets.iter().map(|packet| packet.media);
    sent.clone().max().zip(sent.min()).map_or(0, |(last, first)| last.since(first).count())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        speaker::{SpeakerId, VoicePacket},
        time::MediaTime,
    };

    const REPAIR: Samples = Samples::from_ms(2_000);

    /// Packets of 20 ms from number 0 on, each this much later than it was sent.
    fn trial(transits: impl IntoIterator<Item = u64>) -> Trial {
        let mut packets: Vec<Waiting> = (0..)
            .zip(transits)
            .map(|(number, transit)| {
                let packet = VoicePacket {
                    speaker: SpeakerId(0),
                    epoch: 0,
                    sequence: number,
                    media: MediaTime::ORIGIN + Samples::new(960 * number),
                    arrived: SampleTime::from_samples(960 * number + transit),
                    duration: Samples::new(960),
                    marker: false,
                    payload: &[0xF8],
                };
                Waiting::new(0, packet).unwrap()
            })
            .collect();
        packets.sort_by_key(|packet| packet.arrived);
        Trial { since: packets[0].arrived, packets }
    }

    /// By how much the clock stepped from a transit of 0, and with which packet.
    fn step(transits: impl IntoIterator<Item = u64>) -> Option<(i64, u64)> {
        let origin = MediaTime::ORIGIN.samples() as i64;
        match trial(transits).step_from(-origin, REPAIR, None) {
            Verdict::Stood(step) => Some((step.transit + origin, step.first)),
            _ => None,
        }
    }

    #[test]
    fn a_capture_that_stood_still_stays_equally_late() {
        for stood in [2_900, 4_800, 9_600, 14_000, 48_000] {
            assert_eq!(step(std::iter::repeat_n(stood, 100)), Some((stood as i64, 0)), "{stood}");
            // Up to 20 ms of jitter.
            let (transit, first) = step((0..100).map(|n| stood + n * 7_919 % 960)).unwrap();
            assert!(first == 0 && (transit - stood as i64) < 48, "{stood}: {transit}");
        }
    }

    #[test]
    fn a_queue_that_comes_and_goes_is_no_capture_that_stood_still() {
        assert_eq!(step((0..100).map(|n| 4_000 + 60 * n)), None);
        assert_eq!(step((0..100).map(|n| 12_000 - 80 * n)), None);
        assert_eq!(step((0..100_u64).map(|n| 6_000 + 60 * n.abs_diff(50))), None);
        // It grows for half of the time.
        assert_eq!(step((0..100).map(|n| 4_000 + 150 * n.min(50))), None);
        assert_eq!(step([9_600; 40]), None, "no more than that came");
        let mut five = trial([9_600; 100]);
        five.packets.retain(|packet| packet.sequence.is_multiple_of(20));
        let origin = MediaTime::ORIGIN.samples() as i64;
        assert_eq!(five.step_from(-origin, REPAIR, None), Verdict::HeldUp, "chance");
    }

    #[test]
    fn what_the_sender_says_decides_where_it_can_be_true() {
        let origin = MediaTime::ORIGIN.samples() as i64;
        let told = |packets: &Trial, told| {
            matches!(packets.step_from(-origin, REPAIR, Some(told)), Verdict::Stood(_))
        };
        let even = trial([9_600; 100]);
        assert!(told(&even, 9_500) && !told(&even, 0), "a route that grew longer");
        assert!(told(&even, -48_000), "an absurd word counts for nothing");
        let uneven = trial((0..100).map(|n| 9_600 + 30 * n % 1_500));
        assert!(told(&uneven, 10_000));
    }

    #[test]
    fn what_was_held_up_before_the_clock_stood_still_is_told_apart() {
        let transits = [5_000, 6_000].into_iter().chain(std::iter::repeat_n(12_000, 100));
        assert_eq!(step(transits), Some((12_000, 2)));
    }

    #[test]
    fn a_trial_that_began_with_stragglers_goes_on_with_what_came_behind() {
        let origin = MediaTime::ORIGIN.samples() as i64;
        // Four came late before the sender was silent for 1.5 s, its clock standing; then half a second of it was heard.
        let transits = [12_000, 20_000, 15_000, 30_000].into_iter().chain(std::iter::repeat_n(72_000, 25));
        let all = trial(transits);
        assert_eq!(all.step_from(-origin, REPAIR, None), Verdict::TooSoon(4));
        let (before, rest) = all.from(4);
        assert_eq!((before.len(), rest.packets.len()), (4, 25));
        assert_eq!(rest.since, rest.packets[0].arrived);
        // Strewn about, they say that the network is uneven.
        let strewn = (0..100).map(|n| if n % 3 == 2 && n < 45 { 40_000 } else { 41_000 });
        assert_eq!(step(strewn), Some((40_000, 0)));
    }

    #[test]
    fn stragglers_as_late_as_a_stand_is_long_were_sent_before_it() {
        // Two strays end what was said: one came later than the stand was long, one earlier.
        let transits = || [73_000, 18_000].into_iter().chain(std::iter::repeat_n(49_000, 100));
        assert_eq!(step(transits()), Some((49_000, 2)));
        let short = [40_000, 4_000].into_iter().chain(std::iter::repeat_n(9_600, 100));
        assert_eq!(step(short), Some((9_600, 2)));
        // If both came later, only the sender's mark tells.
        let mut marked = trial([73_000, 60_000].into_iter().chain(std::iter::repeat_n(49_000, 100)));
        let origin = MediaTime::ORIGIN.samples() as i64;
        let first = |trial: &Trial| match trial.step_from(-origin, REPAIR, None) {
            Verdict::Stood(step) => step.first,
            verdict => panic!("{verdict:?}"),
        };
        assert_eq!(first(&marked), 0);
        marked.packets.iter_mut().find(|packet| packet.sequence == 2).unwrap().marker = true;
        assert_eq!(first(&marked), 2);
        marked.packets.iter_mut().for_each(|packet| packet.marker = packet.sequence == 50);
        assert_eq!(first(&marked), 0, "so many are no stragglers");
    }

    #[test]
    fn a_run_that_begins_evenly_is_known_within_a_quarter_of_a_second() {
        let now = |ms| SampleTime::from_ms(ms);
        assert!(!trial([480; 12]).is_even(now(259.9)) && trial([480; 12]).is_even(now(260.0)));
        assert!(!trial([480, 480, 480, 9_000, 9_500]).is_even(now(600.0)));
        let mut broken = trial([480; 13]);
        broken.packets.remove(5);
        assert!(!broken.is_even(now(600.0)));
    }
}
