//! How many packets a network loses in a row: what is overdue may be lost rather than late.

/// Runs of up to so many packets are told apart.
const LONGEST: usize = 32;
/// Certainty.
pub(super) const ONE: i32 = 1 << 20;
/// Each packet counts for 1/1024: a memory of some 20 s.
const SHIFT: u32 = 10;

/// For each length, how often at least as many packets are missing before one that comes.
#[derive(Debug)]
pub(super) struct Gaps([i32; LONGEST]);

impl Gaps {
    pub(super) fn new() -> Self {
        Self([0; LONGEST])
    }

    /// A packet came, and so many before it had not.
    pub(super) fn learn(&mut self, missing: u64) {
        let missing = missing.min(LONGEST as u64) as usize;
        for (at, run) in self.0.iter_mut().enumerate() {
            *run += (if at < missing { ONE } else { 0 } - *run) >> SHIFT;
        }
    }

    /// How likely it is, in parts of [`ONE`], that the next `packets` (1 or more) are lost.
    pub(super) fn at_least(&self, packets: i64) -> u64 {
        self.0[packets.clamp(1, LONGEST as i64) as usize - 1] as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losses_are_learnt_by_their_length_and_forgotten() {
        let mut gaps = Gaps::new();
        (0..20_000).for_each(|at| gaps.learn(if at % 10 == 0 { 2 } else { 0 }));
        // One packet in ten had a gap before it; the estimate sways by about 1/1024 around that.
        let tenth = ONE as u64 / 10;
        assert!(gaps.at_least(1).abs_diff(tenth) < tenth / 50 && gaps.at_least(2) == gaps.at_least(1));
        assert_eq!((gaps.at_least(3), gaps.at_least(-7)), (0, gaps.at_least(1)));
        (0..20_000).for_each(|_| gaps.learn(0));
        assert_eq!(gaps.at_least(1), 0);
    }

    #[test]
    fn an_endless_gap_counts_for_every_length() {
        let mut gaps = Gaps::new();
        (0..20_000).for_each(|_| gaps.learn(u64::MAX));
        assert!(gaps.at_least(i64::MAX) > ONE as u64 * 99 / 100);
    }
}
