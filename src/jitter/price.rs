//! What concealment costs, as long as losses cost as much anyway.
//!
//! What counts is the larger of what is invented and what is never heard. Lost sound is never heard; where it was also
//! concealed though nothing was owed, a stall may be concealed for nothing, and later losses be shortened for it.

/// The full price.
pub(super) const FULL: u64 = 256;
/// Losses fade by 1/512 with each packet: a memory of some 10 s.
const SHIFT: u32 = 9;
/// As much loss counts as if it had been made up for, so that a single one changes little: 40 ms.
const DOUBT: u64 = 1920 << SHIFT;

/// How much of what was lost lately made up for sound concealed before.
#[derive(Debug, Default)]
pub(super) struct Price {
    lost: u64,
    made_up: u64,
}

impl Price {
    /// `lost` samples will not come; whether sound had been concealed that they make up for.
    pub(super) fn learn(&mut self, lost: u64, makes_up: bool) {
        let lost = lost.min(1 << 32) << SHIFT;
        self.lost = (self.lost + lost).min(1 << 48);
        self.made_up = (self.made_up + if makes_up { lost } else { 0 }).min(self.lost);
    }

    /// Of what was given up for lost, so much has come after all: not the network lost it.
    pub(super) fn came_late(&mut self, samples: u64) {
        self.lost = self.lost.saturating_sub(samples.min(1 << 32) << SHIFT);
    }

    /// A packet later.
    pub(super) fn fade(&mut self) {
        for sum in [&mut self.lost, &mut self.made_up] {
            *sum -= sum.div_ceil(1 << SHIFT);
        }
    }

    /// In parts of [`FULL`].
    pub(super) fn of_concealment(&self) -> u64 {
        (FULL * (self.made_up.min(self.lost) + DOUBT) / (self.lost + DOUBT)).min(FULL)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn concealment_is_cheap_only_where_losses_are_concealed_for_nothing() {
        let after = |losses: fn(u32) -> Option<bool>| {
            let mut price = Price::default();
            for at in 0..10_000 {
                losses(at).into_iter().for_each(|makes_up| price.learn(960, makes_up));
                price.fade();
            }
            price.of_concealment()
        };
        assert_eq!(after(|_| None), FULL);
        assert_eq!(after(|at| (at % 10 == 0).then_some(true)), FULL);
        assert!(after(|at| (at % 10 == 0).then_some(false)) < FULL / 10);
        assert!(after(|at| (at == 10).then_some(false)) == FULL, "forgotten");
        let mut late = Price::default();
        (0..1000).for_each(|_| {
            late.learn(960, false);
            late.came_late(960);
        });
        assert_eq!(late.of_concealment(), FULL, "late is not lost");
        let half = after(|at| (at % 10 == 0).then_some(at % 20 == 0));
        assert!((FULL * 4 / 10..FULL * 6 / 10).contains(&half), "{half}");
    }
}
