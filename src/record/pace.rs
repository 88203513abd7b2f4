//! How fast a sender's clock goes against the room's, by all that is known of it. A crystal is the same through stalls and
//! restarts; a line under a few seconds of transits tells little of it, a long one much.

/// Crystals differ by some 100 ppm; more than this is no drift.
const STEEPEST: f64 = 500e-6;

/// What is known before anything is seen, namely that crystals are good: it weighs as much as eight seconds.
const CRYSTALS: f64 = 8.0;

/// Nothing weighs more than two minutes: crystals grow warm.
const MOST: f64 = 120.0;

/// A slope, and what it is worth.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Pace {
    slope: f64,
    /// Seconds, squared: as those of a line under points that are equally uncertain.
    weight: f64,
}

impl Default for Pace {
    fn default() -> Self {
        Self { slope: 0.0, weight: CRYSTALS * CRYSTALS }
    }
}

impl Pace {
    /// What a line over so many samples tells.
    pub(super) fn over(samples: i64, slope: f64) -> Self {
        let seconds = samples as f64 / 48_000.0;
        Self { slope: slope.clamp(-STEEPEST, STEEPEST), weight: seconds * seconds }
    }

    /// Both together.
    pub(super) fn and(self, other: Self) -> Self {
        let weight = self.weight + other.weight;
        let slope = (self.slope * self.weight + other.slope * other.weight) / weight;
        Self { slope, weight: weight.min(MOST * MOST) }
    }

    /// How much a transit grows with each sample.
    pub(super) fn slope(self) -> f64 {
        self.slope
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_short_lines_tell_what_a_long_one_does() {
        let short = (0..40).fold(Pace::default(), |known, line| {
            let off = if line % 2 == 0 { 60e-6 } else { -60e-6 };
            known.and(Pace::over(4 * 48_000, 200e-6 + off))
        });
        assert!((short.slope() - 200e-6).abs() < 25e-6, "{short:?}");
        let long = Pace::default().and(Pace::over(100 * 48_000, 200e-6));
        assert!((long.slope() - 200e-6).abs() < 2e-6, "{long:?}");
    }

    #[test]
    fn a_few_seconds_on_a_rough_network_change_little() {
        assert!(Pace::default().and(Pace::over(2 * 48_000, 900e-6)).slope() < 30e-6);
    }
}
