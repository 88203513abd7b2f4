//! How long should packets wait? An estimate of what delay costs least, from arrivals alone.
//!
//! Three memories tell how late packets come. Two, one of ten seconds and one of a minute or two, count lateness from the
//! quickest transit of the last third of a second: when that rises, what they hold stays where it was, so that a queue
//! that fills is no lateness, and when it falls, they move along. The third counts how much later a packet came than
//! the quickest of those just before it: jitter on any level. The target is the delay that minimises
//! *delay + λ · concealment*, where only whole pulls count: a packet protects only if it is there **at** a pull
//! (after Moon, Kurose, Towsley 1998, and the cost view of the Speex jitter buffer).

use super::{
    floor::Floor,
    gaps::{self, Gaps},
    lowest::Lowest,
    memory::{BIN, Memory, ONE, Walk},
    price::{FULL, Price},
};
use crate::time::{Quantum, Samples};

/// Half-lives grow with λ: at 20 they are 8 s, 80 s and 8 s of 20 ms packets. What happens once in as long as pays for
/// a standing delay must not be forgotten before, and what is rarer must not look frequent.
const HALF_LIVES_PACKETS: [u32; 3] = [20, 200, 20];
/// Lateness counts from the quickest transit of 8 × 40 ms…
const BASE_PART: Samples = Samples::from_ms(40);
/// …surprise from that of 8 × 20 ms.
const LEVEL_PART: Samples = Samples::from_ms(20);
/// The base may have risen this far above the memories' first bin before they are moved: 160 ms.
const LEEWAY: i64 = 64 * BIN;
/// What is later than this is an outage's doing: 600 ms.
const OUTAGE: i64 = 28_800;
/// Above the quickest transit of the moment there is always this much choice, however old the floor is: 200 ms.
const LEAST_CHOICE: i64 = 9600;
/// Delays are reported over the quickest transit of the last 10…20 s.
const FLOOR_PACKETS: u32 = 500;
/// No delay is considered beyond this.
const MAX_DELAY: u64 = 96_000;
/// The target is sought anew with every other packet: that costs half the time and a thousandth of *delay + λ · concealment*.
const DECIDES_EVERY: u64 = 2;
/// A packet is taken to be of so many pulls at most.
const MAX_PULLS: usize = 16;
/// A target is kept that costs no more than 1 ms above the best.
const HYSTERESIS: u64 = 48;
/// The three memories together.
const ALL: u64 = 3 * ONE;
/// One packet in a hundred may come later than any that is remembered, by 60 ms or so (Pareto).
const UNSEEN: u64 = ALL / 100;
const UNSEEN_BY: u64 = 2880;
/// A packet is overdue when at most two in five come as late as it is already.
const OVERDUE: u64 = ALL * 2 / 5;
/// Sound this much later than the target, and 10·λ at most, is caught up by dropping packets: 100 ms to 1 s.
const DROP_ABOVE_MS: (u64, u64) = (100, 1000);

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
    /// Two over the base, one over the level.
    memories: [Memory; 3],
    /// The transit at which the first two begin; never above the base.
    origin: i64,
    base: Lowest,
    level: Lowest,
    floor: Floor,
    /// How late the last packet of an outage was.
    ebb: i64,
    packets: u64,
    target: i64,
    gaps: Gaps,
    price: Price,
}

impl DelayEstimator {
    pub(super) fn new(config: DelayConfig, quantum: Quantum) -> Self {
        let lambda = config.ms_per_percent.clamp(1, 10_000);
        Self {
            config,
            quantum: quantum.samples().count() as i64,
            memories: HALF_LIVES_PACKETS.map(|packets| Memory::new(packets * lambda)),
            origin: 0,
            base: Lowest::new(0, BASE_PART),
            level: Lowest::new(0, LEVEL_PART),
            floor: Floor::new(0, FLOOR_PACKETS),
            ebb: 0,
            packets: 0,
            target: 0,
            gaps: Gaps::new(),
            price: Price::default(),
        }
    }

    /// Learns that sound of `duration` became available after `transit`; pulls come at transits of `phase` modulo the
    /// quantum.
    pub(super) fn learn(&mut self, transit: i64, phase: i64, duration: Samples) {
        let edge = next(transit, phase, BIN);
        if self.packets == 0 {
            self.origin = edge;
            self.base = Lowest::new(edge, BASE_PART);
            self.level = Lowest::new(edge, LEVEL_PART);
            self.floor = Floor::new(transit, FLOOR_PACKETS);
        }
        let surprise = edge - self.level.transit();
        self.level.learn(edge, duration);
        self.follow(edge, duration);
        if !self.ebbs(edge - self.base.transit()) {
            let late = edge - self.origin;
            for (memory, late) in self.memories.iter_mut().zip([late, late, surprise]) {
                memory.add(late.div_euclid(BIN));
            }
        }
        self.price.fade();
        self.floor.learn(transit);
        let decides = self.packets.is_multiple_of(DECIDES_EVERY);
        let target = if decides { self.cheapest(phase, duration) } else { self.target };
        self.target = self.bounded(target, phase);
        self.packets += 1;
    }

    /// Does it belong to an outage: later than any delay worth having, or, behind such, each packet less late than the one
    /// before? Nothing is to be learnt from one.
    fn ebbs(&mut self, late: i64) -> bool {
        let ebbs = late > OUTAGE || late < self.ebb;
        self.ebb = if ebbs { late } else { 0 };
        ebbs
    }

    /// When the base falls, what is remembered falls with it; when it rises, that stays.
    fn follow(&mut self, transit: i64, duration: Samples) {
        let before = self.base.transit();
        let base = self.base.learn(transit, duration);
        self.origin -= (before - base).max(0);
        let risen = base - self.origin;
        if risen > LEEWAY {
            let bins = (risen / BIN) as usize;
            self.memories[..2].iter_mut().for_each(|memory| memory.forward(bins));
            self.origin += risen / BIN * BIN;
        }
    }

    /// Learns how many packets were missing before one that came.
    pub(super) fn learn_gap(&mut self, missing: u64) {
        self.gaps.learn(missing);
    }

    /// Learns that so much was lost; whether it makes up for something concealed.
    pub(super) fn learn_loss(&mut self, lost: Samples, makes_up: bool) {
        self.price.learn(lost.count(), makes_up);
    }

    /// Learns that something came after it was given up for lost.
    pub(super) fn learn_late(&mut self, came: Samples) {
        self.price.came_late(came.count());
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
        let more = most - self.floor();
        most.max(self.base.transit() + more.min(LEAST_CHOICE))
    }

    /// Above the target by this much, catching up in pauses would cost more than it is worth.
    pub(super) fn drop_above(&self) -> i64 {
        let (least, most) = DROP_ABOVE_MS;
        ((10 * self.lambda_ms()).clamp(least, most) * Samples::from_ms(1).count()) as i64
    }

    /// For how many packets' time a rise of the delay is worth it, as the next packet, of `duration`, already has the
    /// transit `so_far` and has not come, while playout needs it by `deadline`. A rise by a millisecond costs as much for
    /// each packet until it is taken back, and saves a millisecond of concealment if the packet comes after the deadline.
    pub(super) fn hazard(&self, so_far: i64, deadline: i64, duration: Samples) -> u64 {
        let level = self.level.transit();
        if so_far <= level {
            return 0;
        }
        let still_to_come = self.later_than(so_far);
        if still_to_come > OVERDUE {
            return 0;
        }
        let gap = (so_far - level) / duration.count().max(1) as i64 + 1;
        let lost = self.gaps.at_least(gap) * ALL / gaps::ONE as u64;
        let packet_ms = duration.count() / Samples::from_ms(1).count();
        let worth = self.lambda_ms() * 100 / packet_ms.max(1);
        worth * self.later_than(deadline.max(so_far)) / (still_to_come + lost).max(1)
    }

    /// How many packets, in parts of [`ALL`], are later than `transit`: of those remembered, and a few later than all.
    fn later_than(&self, transit: i64) -> u64 {
        let bins = self.bins(transit);
        let remembered: u64 =
            self.memories.iter().zip(bins).map(|(memory, bin)| memory.later_than(bin)).sum();
        let beyond = (transit - self.level.transit()).max(0) as u64;
        remembered + UNSEEN * UNSEEN_BY / (beyond + UNSEEN_BY)
    }

    /// Where a transit lies in each memory.
    fn bins(&self, transit: i64) -> [i64; 3] {
        let [late, surprise] =
            [self.origin, self.level.transit()].map(|zero| (transit - zero).div_euclid(BIN));
        [late, late, surprise]
    }

    fn lambda_ms(&self) -> u64 {
        u64::from(self.config.ms_per_percent.min(100_000))
    }

    fn bounded(&self, target: i64, phase: i64) -> i64 {
        let min_delay = self.config.min_delay.count().min(MAX_DELAY) as i64;
        let lowest = next(self.floor() + min_delay, phase, self.quantum);
        target.max(lowest).min(self.ceiling())
    }

    /// The pull at which *delay + λ · concealment* is least. A packet late by up to one pull costs one pull of
    /// concealment, by up to two pulls two, and never more than itself: one share for each pull of its length.
    fn cheapest(&self, phase: i64, duration: Samples) -> i64 {
        match self.quantum / BIN {
            1 => self.cheapest_of::<1>(phase, duration),
            2 => self.cheapest_of::<2>(phase, duration),
            4 => self.cheapest_of::<4>(phase, duration),
            _ => self.cheapest_of::<8>(phase, duration),
        }
    }

    /// The same for pulls that are so many bins apart.
    fn cheapest_of<const BINS: usize>(&self, phase: i64, duration: Samples) -> i64 {
        let first = next(self.base.transit(), phase, self.quantum);
        let pulls = (duration.count() as i64 / self.quantum).clamp(1, MAX_PULLS as i64) as usize;
        let penalty = self.penalty(duration);
        let mut lateness = Lateness::<BINS>::new(self.walks(first), pulls);
        let (mut best, mut pull) = ((u64::MAX, first), first);
        loop {
            let delay = (pull - first) as u64 * ALL;
            let kept = if pull == self.target { HYSTERESIS * ALL } else { 0 };
            let cost = (delay + penalty * lateness.of_packet()).saturating_sub(kept);
            if cost < best.0 {
                best = (cost, pull);
            }
            pull += self.quantum;
            let least = (pull - first) as u64 * ALL;
            if least > best.0 + HYSTERESIS * ALL || lateness.is_over() {
                return best.1;
            }
            lateness.advance();
        }
    }

    fn walks(&self, transit: i64) -> [Walk<'_>; 3] {
        let [a, b, c] = self.bins(transit);
        [self.memories[0].walk(a), self.memories[1].walk(b), self.memories[2].walk(c)]
    }

    /// What one concealed pull in every packet costs, in samples of delay.
    fn penalty(&self, duration: Samples) -> u64 {
        let ms = Samples::from_ms(1).count();
        let full = self.lambda_ms() * 100 * ms * self.price.of_concealment() / FULL;
        full * self.quantum as u64 / duration.count().max(self.quantum as u64)
    }
}

/// The first transit from this one on that is `phase` modulo `step`.
fn next(transit: i64, phase: i64, step: i64) -> i64 {
    transit + phase.wrapping_sub(transit).rem_euclid(step)
}

/// How much is late for a pull and for each of the next ones, while a packet lasts.
struct Lateness<'a, const BINS: usize> {
    walks: [Walk<'a>; 3],
    shares: [u64; MAX_PULLS],
    pulls: usize,
    oldest: usize,
    late: u64,
}

impl<'a, const BINS: usize> Lateness<'a, BINS> {
    fn new(walks: [Walk<'a>; 3], pulls: usize) -> Self {
        let mut lateness = Self { walks, shares: [0; MAX_PULLS], pulls, oldest: 0, late: 0 };
        for place in 0..pulls {
            lateness.shares[place] = lateness.take();
        }
        lateness.late = lateness.shares.iter().sum();
        lateness
    }

    /// The sum over a packet's pulls, in parts of [`ALL`].
    fn of_packet(&self) -> u64 {
        self.late
    }

    fn is_over(&self) -> bool {
        self.late == 0
    }

    fn advance(&mut self) {
        let coming = self.take();
        self.late = self.late + coming - std::mem::replace(&mut self.shares[self.oldest], coming);
        self.oldest = if self.oldest + 1 == self.pulls { 0 } else { self.oldest + 1 };
    }

    fn take(&mut self) -> u64 {
        let share = self.walks.iter().map(Walk::share).sum();
        self.walks.iter_mut().for_each(|walk| walk.advance::<BINS>());
        share
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
        let quantum = estimator.quantum;
        let first = next(estimator.base.transit(), phase, quantum);
        let pulls = (duration.count() as i64 / quantum).clamp(1, MAX_PULLS as i64);
        let share = |pull: i64| -> u64 {
            let bins = estimator.bins(pull);
            estimator.memories.iter().zip(bins).map(|(memory, bin)| memory.later_than(bin)).sum()
        };
        let cost = |pull: i64| {
            let late: u64 = (0..pulls).map(|later| share(pull + later * quantum)).sum();
            let kept = if pull == estimator.target { HYSTERESIS * ALL } else { 0 };
            let cost = (pull - first) as u64 * ALL + estimator.penalty(duration) * late;
            (cost.saturating_sub(kept), pull)
        };
        (first..=first + MAX_DELAY as i64).step_by(quantum as usize).map(cost).min().unwrap().1
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
