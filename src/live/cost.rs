//! What ticks of one room cost: measured, smoothed, and told beforehand from the work that lies ahead.

use crate::{engine::Work, time::Samples};

/// The smoothed cost of one room's ticks.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cost {
    /// For one unit of work: mean and mean deviation, as RFC 6298 §2 has them for round trips.
    unit_ns: f32,
    unit_deviation_ns: f32,
    /// For one tick, whatever its work.
    tick_ns: f32,
}

impl Cost {
    /// A tick did `work` in `ns`.
    pub(super) fn learn(&mut self, work: Work, ns: u64) {
        let ns = ns as f32;
        let unit = ns / units(work);
        if self.unit_ns <= 0.0 {
            *self = Self { unit_ns: unit, unit_deviation_ns: unit / 2.0, tick_ns: ns };
            return;
        }
        self.unit_deviation_ns += ((unit - self.unit_ns).abs() - self.unit_deviation_ns) / 4.0;
        self.unit_ns += (unit - self.unit_ns) / 8.0;
        self.tick_ns += (ns - self.tick_ns) / 32.0;
    }

    /// What a tick with so much work will cost, in ns, if it costs more than usual; 0 before anything was learnt.
    pub(super) fn foreseen_ns(&self, work: Work) -> u64 {
        ((self.unit_ns + 4.0 * self.unit_deviation_ns) * units(work)) as u64
    }

    /// The part of a core that goes into ticks of this length, in millionths.
    pub(super) fn load_ppm(&self, quantum: Samples) -> u32 {
        (f64::from(self.tick_ns) / quantum.as_ms()) as u32
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
        assert_eq!(cost.foreseen_ns(BOTH), 0);
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
    fn a_tenth_of_the_time_is_a_tenth_of_a_core() {
        let mut cost = Cost::default();
        (0..500).for_each(|turn| cost.learn(DECODE, if turn % 2 == 0 { 500_000 } else { 1_500_000 }));
        assert!(cost.load_ppm(Samples::from_ms(10)).abs_diff(100_000) < 3000);
    }
}
