//! How late packets come, as weights that fade: bins of 2.5 ms, so that every pull lies on an edge.

/// Bin width: 2.5 ms, the shortest quantum.
pub(super) const BIN: i64 = 120;
/// 960 ms. What is later than that is later than any delay worth having.
pub(super) const BINS: usize = 384;
/// What one packet weighs when it is new.
const WEIGHT: u32 = 1 << 15;
/// Each fading takes 1/64: a half-life of 44 fadings…
const FADING_SHIFT: u32 = 6;
/// …which must not be further apart than this, so that a bin with everything in it holds it.
const MOST_PACKETS: u32 = 1024;
/// All of a memory.
pub(super) const ONE: u64 = 1 << 20;
const SCALE_BITS: u32 = 32;

/// Lateness in bins. Bin `i` holds what lies in `(i − 1, i]` bin widths.
#[derive(Debug)]
pub(super) struct Memory {
    weights: [u32; BINS],
    sum: u32,
    /// `ONE / sum`, with more bits.
    scale: u64,
    fades_every: u32,
    packets: u32,
}

impl Memory {
    /// Everything counts half after as many packets.
    pub(super) fn new(half_life_packets: u32) -> Self {
        let fades_every = (half_life_packets / 44).clamp(4, MOST_PACKETS);
        Self { weights: [0; BINS], sum: 0, scale: 0, fades_every, packets: 0 }
    }

    /// A packet came as late as `bin` tells.
    pub(super) fn add(&mut self, bin: i64) {
        let weight = &mut self.weights[place(bin)];
        let before = *weight;
        *weight = weight.saturating_add(WEIGHT);
        self.sum += *weight - before;
        self.packets += 1;
        if self.packets >= self.fades_every {
            self.packets = 0;
            self.fade();
        }
        self.scale = (ONE << SCALE_BITS).div_ceil(u64::from(self.sum));
    }

    fn fade(&mut self) {
        for weight in &mut self.weights {
            *weight -= weight.div_ceil(1 << FADING_SHIFT);
        }
        self.sum = sum(&self.weights);
    }

    /// Everything is as many bins less late; what is on time then stays together.
    pub(super) fn forward(&mut self, bins: usize) {
        let bins = bins.min(BINS - 1);
        let on_time = sum(&self.weights[..=bins]);
        self.weights.copy_within(bins.., 0);
        self.weights[BINS - bins..].fill(0);
        self.weights[0] = on_time;
    }

    /// How much of it, in parts of [`ONE`], is later than `bin`.
    pub(super) fn later_than(&self, bin: i64) -> u64 {
        self.walk(bin).share()
    }

    /// A walk along its bins that begins behind `bin`.
    pub(super) fn walk(&self, bin: i64) -> Walk<'_> {
        let (rest, later) = match usize::try_from(bin) {
            Ok(bin) => {
                let (on_time, late) = self.weights.split_at((bin + 1).min(BINS));
                (late, self.sum - sum(on_time))
            }
            // Before the first bin there is nothing.
            Err(_) => (&self.weights[..], self.sum),
        };
        Walk { rest, ahead: usize::try_from(-1 - bin).unwrap_or(0), later, scale: self.scale }
    }
}

fn place(bin: i64) -> usize {
    bin.clamp(0, BINS as i64 - 1) as usize
}

/// All of a memory is less than 2³²: each packet weighs 2¹⁵, and 2¹⁶ of them are remembered at most.
fn sum(weights: &[u32]) -> u32 {
    weights.iter().sum()
}

/// A place between two bins, and what lies behind it.
#[derive(Clone, Debug)]
pub(super) struct Walk<'a> {
    rest: &'a [u32],
    /// Bins still to go before the first.
    ahead: usize,
    later: u32,
    scale: u64,
}

impl Walk<'_> {
    /// How much, in parts of [`ONE`], is still later.
    pub(super) fn share(&self) -> u64 {
        (u64::from(self.later) * self.scale) >> SCALE_BITS
    }

    /// Goes on by as many bins.
    pub(super) fn advance<const BINS: usize>(&mut self) {
        match self.rest.split_first_chunk::<BINS>() {
            Some((passed, rest)) if self.ahead == 0 => {
                self.later -= sum(passed);
                self.rest = rest;
            }
            _ => self.advance_at_an_end(BINS),
        }
    }

    fn advance_at_an_end(&mut self, bins: usize) {
        let waits = bins.min(self.ahead);
        self.ahead -= waits;
        let (passed, rest) = self.rest.split_at((bins - waits).min(self.rest.len()));
        self.later -= sum(passed);
        self.rest = rest;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_lies_in_a_bin_is_not_later_than_it() {
        let mut memory = Memory::new(1000);
        memory.add(5);
        let shares: Vec<u64> = (3..7).map(|bin| memory.later_than(bin)).collect();
        assert_eq!(shares, [ONE, ONE, 0, 0]);
        assert_eq!(memory.later_than(-7), ONE);
        assert_eq!(memory.later_than(i64::MAX / 2), 0);
    }

    #[test]
    fn half_is_forgotten_in_a_half_life() {
        let mut memory = Memory::new(880);
        (0..10_000).for_each(|_| memory.add(3));
        (0..880).for_each(|_| memory.add(0));
        let share = memory.later_than(0) as f64 / ONE as f64;
        // 44 fadings of 1/64 leave half to within a hundredth; each comes up to 20 packets early.
        assert!((share - 0.5).abs() < 0.02, "{share}");
    }

    #[test]
    fn the_longest_memory_holds_everything_in_one_bin() {
        let mut memory = Memory::new(u32::MAX);
        (0..200_000).for_each(|_| memory.add(9));
        assert_eq!((memory.later_than(8), memory.later_than(9)), (ONE, 0));
        assert!(memory.weights[9] < u32::MAX, "it never ran full");
    }

    proptest! {
        #[test]
        fn a_walk_finds_what_a_count_of_all_bins_finds(
            late in prop::collection::vec(-5_i64..500, 1..100), from in -20_i64..400, step in prop::sample::select(vec![1_i64, 2, 8]), forward in 0_usize..500,
        ) {
            let mut memory = Memory::new(200);
            late.iter().for_each(|bin| memory.add(*bin));
            let before = memory.later_than(from.max(0) + forward.min(BINS - 1) as i64);
            let count = |memory: &Memory, bin: i64| {
                let late = memory.weights.iter().enumerate().filter(|(at, _)| *at as i64 > bin);
                (late.map(|(_, weight)| u64::from(*weight)).sum::<u64>() * memory.scale) >> SCALE_BITS
            };
            let mut walk = memory.walk(from);
            for at in 0..30 {
                prop_assert_eq!(walk.share(), count(&memory, from + at * step));
                match step {
                    1 => walk.advance::<1>(),
                    2 => walk.advance::<2>(),
                    _ => walk.advance::<8>(),
                }
            }
            memory.forward(forward);
            prop_assert_eq!(memory.later_than(from.max(0)), before, "moved, and nothing lost");
        }
    }
}
