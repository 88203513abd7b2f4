//! How late packets come, as weights that fade: 2 ms bins up to 256 ms, then bins of at most 1.6 %, up to 4 s.

/// Bin width at the fine end: 2 ms.
const FINE: u64 = 96;
/// Bins of that width.
const FINE_BINS: u64 = 128;
/// Bins an octave beyond: four octaves follow.
const OCTAVE_BINS: u64 = FINE_BINS / 2;
const BINS: usize = (FINE_BINS + 4 * OCTAVE_BINS) as usize;
/// What one packet weighs when it is new.
const WEIGHT: u32 = 1 << 14;
/// Each fading takes 1/64: a half-life of 44 fadings.
const FADING_SHIFT: u32 = 6;

/// A histogram of residual delays in samples. Bin `i` holds what lies in `(edge(i − 1), edge(i)]`.
#[derive(Debug)]
pub(super) struct Histogram {
    weights: [u32; BINS],
    sum: u64,
}

impl Histogram {
    pub(super) fn new() -> Self {
        Self { weights: [0; BINS], sum: 0 }
    }

    /// Adds a packet; `percent` of one.
    pub(super) fn add(&mut self, residual: u64, percent: u64) {
        let more = (u64::from(WEIGHT) * percent / 100) as u32;
        let weight = &mut self.weights[bin(residual)];
        let before = *weight;
        *weight = weight.saturating_add(more);
        self.sum += u64::from(*weight - before);
    }

    /// Everything counts a little less from now on.
    pub(super) fn fade(&mut self) {
        for weight in &mut self.weights {
            *weight -= weight.div_ceil(1 << FADING_SHIFT);
        }
        self.sum = self.weights.iter().map(|weight| u64::from(*weight)).sum();
    }

    /// The weight of everything.
    pub(super) fn sum(&self) -> u64 {
        self.sum
    }

    /// The weight of what is later than `first`, `first + step`, `first + 2·step`…, for ever; linear inside a bin.
    pub(super) fn tails(&self, first: u64, step: u64) -> Tails<'_> {
        Tails { histogram: self, residual: first, step, bin: 0, from: 0, later: self.sum }
    }

    /// The weight of what is later than `residual`.
    pub(super) fn tail(&self, residual: u64) -> u64 {
        self.tails(residual, 0).next().unwrap_or(0)
    }
}

/// A walk along a histogram.
#[derive(Clone, Debug)]
pub(super) struct Tails<'a> {
    histogram: &'a Histogram,
    residual: u64,
    step: u64,
    /// The bin that holds `residual`, where it begins, and the weight of it and all behind it.
    bin: usize,
    from: u64,
    later: u64,
}

impl Tails<'_> {
    fn weight(&self) -> u64 {
        self.histogram.weights.get(self.bin).map_or(0, |weight| u64::from(*weight))
    }
}

impl Iterator for Tails<'_> {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        while self.bin < BINS && edge(self.bin) <= self.residual {
            self.later -= self.weight();
            self.from = edge(self.bin);
            self.bin += 1;
        }
        let weight = self.weight();
        let part =
            if weight == 0 { 0 } else { weight * (self.residual - self.from) / (edge(self.bin) - self.from) };
        self.residual += self.step;
        Some(self.later - part)
    }
}

fn bin(residual: u64) -> usize {
    let fine = residual.div_ceil(FINE);
    if fine < FINE_BINS {
        return fine as usize;
    }
    let shift = fine.ilog2() - OCTAVE_BINS.ilog2();
    let octave = u64::from(shift - 1);
    ((FINE_BINS + OCTAVE_BINS * octave + (fine >> shift) - OCTAVE_BINS) as usize).min(BINS - 1)
}

/// The largest residual of a bin.
fn edge(bin: usize) -> u64 {
    let Some(coarse) = (bin as u64).checked_sub(FINE_BINS) else { return bin as u64 * FINE };
    let shift = coarse / OCTAVE_BINS + 1;
    let step = coarse % OCTAVE_BINS + OCTAVE_BINS;
    (((step + 1) << shift) - 1) * FINE
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_delay_lies_at_or_below_its_bins_edge_and_above_the_one_before() {
        for residual in (0..200_000).step_by(7) {
            let bin = bin(residual);
            assert!(residual <= edge(bin) || bin == BINS - 1, "{residual}");
            assert!(bin == 0 || residual > edge(bin - 1), "{residual}");
        }
    }

    #[test]
    fn what_lies_on_an_edge_is_not_later_than_it() {
        let mut histogram = Histogram::new();
        histogram.add(6144, 100);
        let tails: Vec<u64> = histogram.tails(6048, 96).take(3).collect();
        assert_eq!(tails, [u64::from(WEIGHT), 0, 0]);
    }

    #[test]
    fn everything_fades_to_nothing() {
        let mut histogram = Histogram::new();
        histogram.add(1000, 100);
        (0..1000).for_each(|_| histogram.fade());
        assert_eq!(histogram.sum(), 0);
    }

    proptest! {
        #[test]
        fn tails_fall_from_everything_to_nothing(delays in prop::collection::vec(0_u64..90_000, 1..50), step in 1_u64..2000) {
            let mut histogram = Histogram::new();
            delays.iter().for_each(|delay| histogram.add(*delay, 100));
            let tails: Vec<u64> = histogram.tails(0, step).take((100_000 / step) as usize + 2).collect();
            prop_assert!(tails.windows(2).all(|pair| pair[0] >= pair[1]));
            prop_assert!(tails[0] <= histogram.sum());
            prop_assert_eq!(*tails.last().unwrap(), 0);
        }
    }
}
