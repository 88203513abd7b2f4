//! How long should packets wait? An estimate of what delay costs least, from arrivals alone.
//!
//! A packet's transit is compared with a location that follows the last few packets, so that ramps and route changes
//! are followed; the residuals fill a fading histogram. The target is the delay that minimises
//! *delay + λ · concealment*, where only whole pulls count: a packet protects only if it is there **at** a pull
//! (after Moon, Kurose, Towsley 1998, and the cost view of the Speex jitter buffer).

use super::{
    floor::Floor,
    gaps::{self, Gaps},
    histogram::Histogram,
};
use crate::time::{Quantum, Samples};

/// Residuals are counted from this far below the location: 128 ms.
const OFFSET: i64 = 6144;
/// The location moves by 1/8 of a packet's distance: a memory of some 160 ms.
const LOCATION_SHIFT: u32 = 3;
/// The location's fraction bits, so that it settles on the very sample.
const FRACTION_BITS: u32 = 8;
/// The histogram fades every so many packets: a half-life of 14 s.
const FADE_PACKETS: u64 = 16;
/// Delays are reported over the quickest transit of the last 10…20 s…
const FLOOR_PACKETS: u32 = 500;
/// …but what nobody has been quicker than for a second or two is no delay to be forbidden.
const RECENT_PACKETS: u32 = 50;
/// No delay is considered beyond this.
const MAX_DELAY: u64 = 96_000;
/// Of λ, what standing delay answers for: the rest of the protection comes from waiting for late packets and from rises
/// while a packet is overdue.
const STANDING_PERCENT: u64 = 60;
/// A packet is taken to be of so many pulls at most.
const MAX_PULLS: usize = 16;
/// A target is kept that costs no more than 1 ms above the best.
const HYSTERESIS: u64 = 48;
/// One packet in a hundred may come later than any that is remembered, by 60 ms or so (Pareto).
const UNSEEN: u64 = 100;
const UNSEEN_BY: u64 = 2880;
/// A packet is overdue when at most two in five come as late as it is already.
const OVERDUE: (u64, u64) = (2, 5);

/// What a jitter buffer aims at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DelayConfig {
    /// Milliseconds of delay worth one percent of concealment.
    pub ms_per_percent: u32,
    /// The delay never goes below this…
    pub min_delay: Samples,
    /// …nor above this (2 s at most).
    pub max_delay: Samples,
}

/// The estimator of one lane.
#[derive(Debug)]
pub(super) struct DelayEstimator {
    config: DelayConfig,
    quantum: i64,
    histogram: Histogram,
    location: i64,
    floor: Floor,
    recent: Floor,
    packets: u64,
    target: i64,
    gaps: Gaps,
}

impl DelayEstimator {
    pub(super) fn new(config: DelayConfig, quantum: Quantum) -> Self {
        Self {
            config,
            quantum: quantum.samples().count() as i64,
            histogram: Histogram::new(),
            location: 0,
            floor: Floor::new(0, FLOOR_PACKETS),
            recent: Floor::new(0, RECENT_PACKETS),
            packets: 0,
            target: 0,
            gaps: Gaps::new(),
        }
    }

    /// Learns that sound of `duration` became available after `transit`; pulls come at transits of `phase` modulo the
    /// quantum.
    pub(super) fn learn(&mut self, transit: i64, phase: i64, duration: Samples) {
        if self.packets == 0 {
            self.location = transit << FRACTION_BITS;
            self.floor = Floor::new(transit, FLOOR_PACKETS);
            self.recent = Floor::new(transit, RECENT_PACKETS);
        }
        self.histogram.add((transit - self.zero()).max(0) as u64);
        self.location += ((transit << FRACTION_BITS) - self.location) >> LOCATION_SHIFT;
        self.floor.learn(transit);
        self.recent.learn(transit);
        self.packets += 1;
        if self.packets.is_multiple_of(FADE_PACKETS) {
            self.histogram.fade();
        }
        self.target = self.bounded(self.cheapest(phase, duration), phase);
    }

    /// Learns how many packets were missing before one that came.
    pub(super) fn learn_gap(&mut self, missing: u64) {
        self.gaps.learn(missing);
    }

    /// The playout offset to aim at, in transit terms.
    pub(super) fn target(&self) -> i64 {
        self.target
    }

    /// The quickest transit lately.
    pub(super) fn floor(&self) -> i64 {
        self.floor.transit()
    }

    /// The largest playout offset allowed: never below what packets need now, though the floor be old.
    pub(super) fn ceiling(&self) -> i64 {
        let most = self.floor() + (self.config.max_delay.count().min(MAX_DELAY) as i64).max(self.quantum);
        most.max(self.recent.transit() + self.quantum)
    }

    /// For how many packets' time a rise of the delay is worth it, as the next packet, of `duration`, already has the
    /// transit `so_far` and has not come, while playout needs it by `deadline`. A rise by a millisecond costs as much for
    /// each packet until it is taken back, and saves a millisecond of concealment if the packet comes after the deadline.
    pub(super) fn hazard(&self, so_far: i64, deadline: i64, duration: Samples) -> u64 {
        let still_to_come = self.later_than(so_far);
        if still_to_come * OVERDUE.1 > self.histogram.sum() * OVERDUE.0 {
            return 0;
        }
        let gap = (so_far - self.place()) / duration.count().max(1) as i64 + 1;
        let lost = (self.gaps.at_least(gap) * self.histogram.sum()) / gaps::ONE as u64;
        let packet_ms = duration.count() / Samples::from_ms(1).count();
        let worth = self.lambda_ms() * 100 / packet_ms.max(1);
        worth.saturating_mul(self.later_than(deadline.max(so_far))) / (still_to_come + lost).max(1)
    }

    /// The weight of packets later than `transit`: those remembered, and a few later than all of them.
    fn later_than(&self, transit: i64) -> u64 {
        let remembered = self.histogram.tail((transit - self.zero()).max(0) as u64);
        let beyond = (transit - self.place()).max(0) as u64;
        remembered + self.histogram.sum() * UNSEEN_BY / UNSEEN / (beyond + UNSEEN_BY)
    }

    fn lambda_ms(&self) -> u64 {
        u64::from(self.config.ms_per_percent.min(100_000))
    }

    fn place(&self) -> i64 {
        (self.location + (1 << (FRACTION_BITS - 1))) >> FRACTION_BITS
    }

    /// Where the histogram begins.
    fn zero(&self) -> i64 {
        self.place() - OFFSET
    }

    /// The first pull at or after `transit`.
    fn pull_from(&self, transit: i64, phase: i64) -> i64 {
        transit + (phase - transit).rem_euclid(self.quantum)
    }

    fn bounded(&self, target: i64, phase: i64) -> i64 {
        let lowest =
            self.pull_from(self.floor() + self.config.min_delay.count().min(MAX_DELAY) as i64, phase);
        target.max(lowest).min(self.ceiling())
    }

    /// The pull at which *delay + λ · concealment* is least. A packet late by up to one pull costs one pull of
    /// concealment, by up to two pulls two, and never more than itself: one tail for each pull of its length.
    fn cheapest(&self, phase: i64, duration: Samples) -> i64 {
        let (zero, quantum) = (self.zero(), self.quantum);
        let pulls = (duration.count() as i64 / quantum).clamp(1, MAX_PULLS as i64) as usize;
        let mut search = Search {
            first: self.pull_from(zero, phase),
            last: zero + OFFSET + MAX_DELAY as i64,
            kept: self.target,
            sum: self.histogram.sum(),
            penalty: self.penalty(duration),
            best: (u64::MAX, 0),
        };
        let start = self.where_waiting_helps(search.first, pulls as i64);
        search.skip_to(start, quantum, pulls as u64);
        let mut tails = self.histogram.tails((start - zero) as u64, quantum as u64);
        let mut window = [0; MAX_PULLS];
        window.iter_mut().zip(tails.by_ref()).take(pulls).for_each(|(place, tail)| *place = tail);
        let (mut pull, mut place) = (start, 0);
        let mut late: u64 = window.iter().sum();
        while search.goes_on(pull, late) {
            let coming = tails.next().unwrap_or(0);
            late = late + coming - std::mem::replace(&mut window[place], coming);
            place = if place + 1 == pulls { 0 } else { place + 1 };
            pull += quantum;
        }
        search.best.1
    }

    /// Before this pull, everything is late for all `pulls` of a packet.
    fn where_waiting_helps(&self, first: i64, pulls: i64) -> i64 {
        let Some(clear) = self.histogram.clear_until() else { return first };
        let in_vain = (self.zero() + clear as i64 - first + self.quantum) / self.quantum;
        first + (in_vain + 1 - pulls).max(0) * self.quantum
    }

    /// What one concealed pull in every packet costs, in samples of delay.
    fn penalty(&self, duration: Samples) -> u64 {
        let ms = Samples::from_ms(1).count();
        self.lambda_ms() * ms * STANDING_PERCENT * self.quantum as u64
            / duration.count().max(self.quantum as u64)
    }
}

/// The pulls one after the other, and the cheapest so far.
struct Search {
    first: i64,
    last: i64,
    /// The pull aimed at until now.
    kept: i64,
    sum: u64,
    penalty: u64,
    best: (u64, i64),
}

impl Search {
    /// Looks at a pull for which so much comes `late`; whether a later one may be cheaper.
    fn goes_on(&mut self, pull: i64, late: u64) -> bool {
        let hysteresis = HYSTERESIS * self.sum;
        let delay = (pull - self.first) as u64 * self.sum;
        if pull > self.last || delay > self.best.0.saturating_add(hysteresis) {
            return false;
        }
        let kept = if pull == self.kept { hysteresis } else { 0 };
        let cost = (delay + self.penalty * late).saturating_sub(kept);
        if cost < self.best.0 {
            self.best = (cost, pull);
        }
        true
    }

    /// Before `start` all waiting is in vain: of those pulls only the first and the one to be kept can be the cheapest.
    fn skip_to(&mut self, start: i64, quantum: i64, pulls: u64) {
        let (first, kept) = (self.first, self.kept);
        let worth_a_look =
            [(first, first < start), (kept, first < kept && kept < start && (kept - first) % quantum == 0)];
        for (pull, _) in worth_a_look.into_iter().filter(|(_, worth)| *worth) {
            self.goes_on(pull, pulls * self.sum);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn estimator(ms_per_percent: u32) -> DelayEstimator {
        let max_delay = Samples::from_ms(2000);
        let config = DelayConfig { ms_per_percent, min_delay: Samples::ZERO, max_delay };
        DelayEstimator::new(config, Quantum::Ms10)
    }

    fn learn(estimator: &mut DelayEstimator, transits_ms: impl IntoIterator<Item = i64>) -> i64 {
        for transit in transits_ms {
            estimator.learn(transit * 48, 0, Samples::from_ms(20));
        }
        estimator.target() / 48
    }

    #[test]
    fn a_steady_network_needs_no_delay_beyond_the_next_pull() {
        assert_eq!(learn(&mut estimator(100), [40]), 40, "from the first packet on");
        assert_eq!(learn(&mut estimator(100), [40; 500]), 40);
        assert_eq!(learn(&mut estimator(100), [33; 500]), 40);
    }

    #[test]
    fn jitter_that_comes_often_is_waited_for() {
        let pattern = (0..1000).map(|i| if i % 20 == 0 { 60 } else { 0 });
        // The location sways with the late ones, so the target may lie one pull beyond.
        assert!((60..=70).contains(&learn(&mut estimator(100), pattern)));
    }

    #[test]
    fn a_lone_spike_is_forgotten() {
        let pattern = (0..4000).map(|i| if i == 100 { 300 } else { 0 });
        assert!(learn(&mut estimator(20), pattern) <= 10);
    }

    #[test]
    fn delay_that_is_dear_buys_less_of_it() {
        let pattern = || (0..1500).map(|i| if i % 100 == 0 { 80 } else { i % 7 });
        assert!(learn(&mut estimator(5), pattern()) < learn(&mut estimator(400), pattern()));
    }

    #[test]
    fn a_route_change_is_followed() {
        let mut estimator = estimator(20);
        learn(&mut estimator, [20; 500]);
        assert!(learn(&mut estimator, [100; 50]) >= 100, "longer at once");
        assert!(learn(&mut estimator, [100; 1000]) <= 110, "hardly longer than needed later");
        assert!(learn(&mut estimator, [20; 1000]) <= 30);
    }

    #[test]
    fn the_target_keeps_to_its_bounds() {
        let config = DelayConfig {
            ms_per_percent: 1000,
            min_delay: Samples::from_ms(40),
            max_delay: Samples::from_ms(80),
        };
        let mut estimator = DelayEstimator::new(config, Quantum::Ms10);
        assert_eq!(learn(&mut estimator, [0; 100]), 40);
        assert_eq!(learn(&mut estimator, (0..200).map(|i| i % 2 * 500)), 80);
    }

    /// What each pull there is would cost, the cheapest and earliest of them.
    fn cheapest_of_all(estimator: &DelayEstimator, phase: i64, duration: Samples) -> i64 {
        let (zero, sum, quantum) = (estimator.zero(), estimator.histogram.sum(), estimator.quantum);
        let first = estimator.pull_from(zero, phase);
        let pulls = (duration.count() as i64 / quantum).clamp(1, MAX_PULLS as i64);
        let cost = |pull: i64| {
            let late: u64 = (0..pulls)
                .map(|later| estimator.histogram.tail((pull + later * quantum - zero) as u64))
                .sum();
            let kept = if pull == estimator.target { HYSTERESIS * sum } else { 0 };
            let cost = (pull - first) as u64 * sum + estimator.penalty(duration) * late;
            (cost.saturating_sub(kept), pull)
        };
        let last = zero + OFFSET + MAX_DELAY as i64;
        (first..=last).step_by(quantum as usize).map(cost).min().unwrap().1
    }

    proptest! {
        #[test]
        fn no_pull_that_the_search_leaves_out_would_be_cheaper(
            ms_per_percent in prop::sample::select(vec![0, 5, 20, 100, 1000]),
            quantum in prop::sample::select(vec![Quantum::Ms2_5, Quantum::Ms10, Quantum::Ms20]),
            duration in prop::sample::select(vec![120, 960, 5760]),
            transits in prop::collection::vec(prop_oneof![8 => 0_i64..3000, 1 => -9000_i64..60_000], 1..16),
        ) {
            let config =
                DelayConfig { ms_per_percent, min_delay: Samples::ZERO, max_delay: Samples::from_ms(2000) };
            let mut estimator = DelayEstimator::new(config, quantum);
            for (at, transit) in transits.into_iter().enumerate() {
                let (phase, duration) = (-(at as i64) * 7, Samples::new(duration));
                estimator.learn(transit, phase, duration);
                let cheapest = estimator.cheapest(phase, duration);
                prop_assert_eq!(cheapest, cheapest_of_all(&estimator, phase, duration));
            }
        }
    }
}
