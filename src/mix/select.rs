//! Who is heard when places are few: the claims of all come in, those with the most weight leave.

use crate::speaker::{SpeakerId, SpeakerSet};
use std::cmp::Reverse;

/// Chooses the weightiest.
#[derive(Debug)]
pub struct Selection {
    claims: Vec<(Reverse<u32>, SpeakerId)>,
}

impl Selection {
    /// For at most so many claims.
    ///
    /// # Real-time
    /// Allocates.
    #[must_use]
    pub fn new(max_claims: usize) -> Self {
        Self { claims: Vec::with_capacity(max_claims) }
    }

    /// The `places` weightiest of `claims`; of equals, the lower place. Claims beyond the room for them are left out.
    ///
    /// # Real-time
    /// Safe.
    pub fn choose(&mut self, places: usize, claims: impl Iterator<Item = (SpeakerId, u32)>) -> SpeakerSet {
        let room = self.claims.capacity();
        self.claims.clear();
        self.claims.extend(claims.take(room).map(|(speaker, weight)| (Reverse(weight), speaker)));
        if (1..self.claims.len()).contains(&places) {
            self.claims.select_nth_unstable(places - 1);
        }
        self.claims.iter().take(places).fold(SpeakerSet::NOBODY, |set, (_, speaker)| set.with(*speaker))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_weightiest_are_chosen(weights in prop::collection::vec(0..20_u32, 0..60), places in 0..70_usize) {
            let claims = || (0..).map(SpeakerId).zip(weights.iter().copied());
            let mut sorted: Vec<_> = claims().collect();
            sorted.sort_by_key(|(speaker, weight)| (Reverse(*weight), *speaker));
            let expected = sorted.iter().take(places).fold(SpeakerSet::NOBODY, |set, claim| set.with(claim.0));
            let mut selection = Selection::new(60);
            prop_assert_eq!(selection.choose(places, claims()), expected);
            prop_assert_eq!(selection.choose(places, claims()), expected, "a second time");
        }
    }
}
