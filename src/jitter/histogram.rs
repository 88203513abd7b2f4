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
    /// All bins before this one are empty.
    first: usize,
}

impl Histogram {
    pub(super) fn new() -> Self {
        Self { weights: [0; BINS], sum: 0, first: BINS - 1 }
    }

    pub(super) fn add(&mut self, residual: u64) {
        let bin = bin(residual);
        self.first = self.first.min(bin);
        let weight = &mut self.weights[bin];
        let before = *weight;
        *weight = weight.saturating_add(WEIGHT);
        self.sum += u64::from(*weight - before);
    }

    /// Everything counts a little less from now on.
    pub(super) fn fade(&mut self) {
        for weight in &mut self.weights {
            *weight -= weight.div_ceil(1 << FADING_SHIFT);
        }
        self.sum = sum(&self.weights);
        let filled = self.weights.iter().position(|weight| *weight > 0);
        self.first = filled.unwrap_or(BINS - 1);
    }

    /// The weight of everything.
    pub(super) fn sum(&self) -> u64 {
        self.sum
    }

    /// The largest residual that nothing is known to be as early as, if there is one.
    pub(super) fn clear_until(&self) -> Option<u64> {
        Some(EDGES[self.first.checked_sub(1)?])
    }

    /// The weight of what is later than `first`, `first + step`, `first + 2·step`…, for ever; linear inside a bin.
    pub(super) fn tails(&self, first: u64, step: u64) -> Tails<'_> {
        let bin = bin(first + 1).min(BINS);
        Tails {
            weights: &self.weights,
            residual: first,
            step,
            bin,
            later: self.sum - sum(&self.weights[..bin]),
        }
    }

    /// The weight of what is later than `residual`.
    pub(super) fn tail(&self, residual: u64) -> u64 {
        self.tails(residual, 0).next().unwrap_or(0)
    }
}

fn sum(weights: &[u32]) -> u64 {
    weights.iter().map(|weight| u64::from(*weight)).sum()
}

/// A walk along a histogram.
#[derive(Clone, Debug)]
pub(super) struct Tails<'a> {
    weights: &'a [u32; BINS],
    residual: u64,
    step: u64,
    /// The bin behind whose begin `residual` lies, and the weight of it and all behind it.
    bin: usize,
    later: u64,
}

impl Iterator for Tails<'_> {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        while let (Some(edge), Some(weight)) = (EDGES.get(self.bin), self.weights.get(self.bin))
            && *edge <= self.residual
        {
            self.later -= u64::from(*weight);
            self.bin += 1;
        }
        let part = self.weights.get(self.bin).map_or(0, |weight| part(*weight, self.bin, self.residual));
        self.residual += self.step;
        Some(self.later - part)
    }
}

/// Of a bin's weight, what lies at or before `residual`. No division but by a constant: a walk asks at every pull.
fn part(weight: u32, bin: usize, residual: u64) -> u64 {
    let begin = bin.checked_sub(1).map_or(0, |before| EDGES[before]);
    ((u64::from(weight) * (residual - begin)) >> shift(bin)) / FINE
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

/// The largest residual of each bin.
static EDGES: [u64; BINS] = {
    let mut edges = [0; BINS];
    let mut bin = 0;
    while bin < BINS {
        edges[bin] = edge(bin);
        bin += 1;
    }
    edges
};

const fn edge(bin: usize) -> u64 {
    let shift = shift(bin);
    if shift == 0 {
        return bin as u64 * FINE;
    }
    let step = (bin as u64 - FINE_BINS) % OCTAVE_BINS + OCTAVE_BINS;
    (((step + 1) << shift) - 1) * FINE
}

/// How many times a bin's width was doubled.
const fn shift(bin: usize) -> u32 {
    match (bin as u64).checked_sub(FINE_BINS) {
        Some(coarse) => (coarse / OCTAVE_BINS) as u32 + 1,
        None => 0,
    }
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
        histogram.add(6144);
        let tails: Vec<u64> = histogram.tails(6048, 96).take(3).collect();
        assert_eq!(tails, [u64::from(WEIGHT), 0, 0]);
    }

    #[test]
    fn everything_fades_to_nothing() {
        let mut histogram = Histogram::new();
        histogram.add(1000);
        (0..1000).for_each(|_| histogram.fade());
        assert_eq!(histogram.sum(), 0);
    }

    proptest! {
        #[test]
        fn tails_fall_from_everything_to_nothing(delays in prop::collection::vec(0_u64..90_000, 1..50), step in 1_u64..2000) {
            let mut histogram = Histogram::new();
            delays.iter().for_each(|delay| histogram.add(*delay));
            let tails: Vec<u64> = histogram.tails(0, step).take((100_000 / step) as usize + 2).collect();
            prop_assert!(tails.windows(2).all(|pair| pair[0] >= pair[1]));
            prop_assert!(tails[0] <= histogram.sum());
            prop_assert_eq!(*tails.last().unwrap(), 0);
        }

        #[test]
        fn a_walk_finds_what_a_count_of_all_bins_finds(
            delays in prop::collection::vec(0_u64..90_000, 1..50), first in 0_u64..20_000, step in 1_u64..2000,
        ) {
            let mut histogram = Histogram::new();
            delays.iter().for_each(|delay| histogram.add(*delay));
            histogram.fade();
            for (at, tail) in histogram.tails(first, step).take(60).enumerate() {
                let residual = first + at as u64 * step;
                prop_assert_eq!(tail, count(&histogram, residual));
                prop_assert!(histogram.clear_until().is_none_or(|clear| residual > clear || tail == histogram.sum()));
            }
        }
    }

    /// The weight of what is later than `residual`, bin by bin.
    fn count(histogram: &Histogram, residual: u64) -> u64 {
        let of_bin = |bin: usize| {
            let (weight, to) = (u64::from(histogram.weights[bin]), edge(bin));
            let from = bin.checked_sub(1).map_or(0, edge);
            match residual {
                _ if to <= residual => 0,
                _ if from >= residual => weight,
                _ => weight - weight * (residual - from) / (to - from),
            }
        };
        (0..BINS).map(of_bin).sum()
    }
}
