//! The quickest transit of the last moments, which follows routes and ramps.

use crate::time::Samples;

const PARTS: usize = 8;

/// A minimum over a window of time, in eighths.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lowest {
    parts: [i64; PARTS],
    at: usize,
    /// How much of the newest part has passed, and how much it takes.
    passed: Samples,
    part: Samples,
}

impl Lowest {
    pub(super) fn new(transit: i64, part: Samples) -> Self {
        Self { parts: [transit; PARTS], at: 0, passed: Samples::ZERO, part }
    }

    /// Sound of `duration` came after `transit`; the quickest now.
    pub(super) fn learn(&mut self, transit: i64, duration: Samples) -> i64 {
        if self.passed >= self.part {
            self.at = (self.at + 1) % PARTS;
            self.parts[self.at] = transit;
            self.passed = Samples::ZERO;
        }
        self.parts[self.at] = self.parts[self.at].min(transit);
        self.passed += duration;
        self.transit()
    }

    pub(super) fn transit(&self) -> i64 {
        self.parts.iter().copied().fold(i64::MAX, i64::min)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quickest_counts_for_as_long_as_the_window() {
        let (ms, mut lowest) = (Samples::from_ms, Lowest::new(50, Samples::from_ms(40)));
        assert_eq!(lowest.learn(20, ms(20)), 20);
        // Seven more parts of two packets each, and the rest of the first.
        (0..15).for_each(|_| assert_eq!(lowest.learn(70, ms(20)), 20));
        assert_eq!(lowest.learn(70, ms(20)), 70);
    }

    #[test]
    fn long_packets_are_a_part_each() {
        let mut lowest = Lowest::new(50, Samples::from_ms(40));
        (0..8).for_each(|_| assert_eq!(lowest.learn(70, Samples::from_ms(60)), 50));
        assert_eq!(lowest.learn(70, Samples::from_ms(60)), 70);
    }
}
