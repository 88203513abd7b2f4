//! What ticks of one room cost: measured, smoothed, and told beforehand from the work that lies ahead.

use crate::{engine::Work, time::Samples};

/// The smoothed cost of one room's ticks.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cost {
    /// Of one tick, on average: what it took, its units of work, and how far it was from what its work is worth.
    tick_ns: f32,
    units: f32,
    deviation_ns: f32,
    learnt: u32,
}

/// Ticks until an average is one: before that all count the same, and nothing is foreseen.
const MEMORY: u32 = 16;

impl Cost {
    /// A tick did `work` in `ns`.
    pub(super) fn learn(&mut self, work: Work, ns: u64) {
        self.learnt = (self.learnt + 1).min(MEMORY);
        let share = 1.0 / self.learnt as f32;
        let (ns, units) = (ns as f32, units(work));
        self.tick_ns += (ns - self.tick_ns) * share;
        self.units += (units - self.units) * share;
        let deviation_ns = (ns - self.unit_ns() * units).abs();
        self.deviation_ns += (deviation_ns - self.deviation_ns) * share;
    }

    /// What a tick with so much work will cost, in ns, if it is one of the dearer; 0 before enough was learnt.
    pub(super) fn foreseen_ns(&self, work: Work) -> u64 {
        let enough = self.learnt == MEMORY;
        if enough { (self.unit_ns() * units(work) + 2.0 * self.deviation_ns) as u64 } else { 0 }
    }

    /// The part of a core that goes into ticks of this length, in millionths.
    pub(super) fn load_ppm(&self, quantum: Samples) -> u32 {
        (f64::from(self.tick_ns) / quantum.as_ms()) as u32
    }

    /// Ticks count by their work: a small one that was interrupted says little of what work costs.
    fn unit_ns(&self) -> f32 {
        self.tick_ns / self.units
    }
}

/// Work in decodes of 20 ms: an encode costs some five of them, looking at a lane a fortieth, and a tick by itself a tenth.
fn units(work: Work) -> f32 {
    0.1 + 0.025 * work.lanes as f32 + work.decodes as f32 + 5.0 * work.encodes as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    const DECODE: Work = Work { lanes: 4, decodes: 4, encodes: 0 };
    const BOTH: Work = Work { lanes: 4, decodes: 4, encodes: 5 };

    #[test]
    fn a_tick_with_more_to_do_is_foreseen_to_cost_more() {
        let mut cost = Cost::default();
        cost.learn(DECODE, 100_000);
        assert_eq!(cost.foreseen_ns(BOTH), 0, "one tick tells nothing");
        (0..200).for_each(|_| cost.learn(DECODE, 100_000));
        // 29.2 units instead of 4.2.
        let ratio = cost.foreseen_ns(BOTH) as f32 / cost.foreseen_ns(DECODE) as f32;
        assert!((ratio - 29.2 / 4.2).abs() < 0.01);
        // What never varied is foreseen as it was.
        assert!(cost.foreseen_ns(DECODE).abs_diff(100_000) < 1000);
    }

    #[test]
    fn what_varies_is_foreseen_at_its_worse() {
        let mut cost = Cost::default();
        (0..200).for_each(|turn| cost.learn(DECODE, if turn % 2 == 0 { 80_000 } else { 120_000 }));
        assert!(cost.foreseen_ns(DECODE) > 120_000);
    }

    #[test]
    fn an_idle_tick_that_was_interrupted_says_little_of_the_price_of_work() {
        let mut cost = Cost::default();
        (0..200).for_each(|_| cost.learn(BOTH, 1_000_000));
        cost.learn(Work { lanes: 4, decodes: 0, encodes: 0 }, 2_000_000);
        assert!(cost.foreseen_ns(BOTH) < 1_500_000, "{}", cost.foreseen_ns(BOTH));
    }

    #[test]
    fn a_tenth_of_the_time_is_a_tenth_of_a_core() {
        let mut cost = Cost::default();
        (0..500).for_each(|turn| cost.learn(DECODE, if turn % 2 == 0 { 500_000 } else { 1_500_000 }));
        // One more of either kind makes a thirtieth.
        assert!(cost.load_ppm(Samples::from_ms(10)).abs_diff(100_000) < 4000);
    }
}
