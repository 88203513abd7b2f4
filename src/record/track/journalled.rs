//! What a track tells the journal: what is new, and once more all of it.

use super::{super::journal::News, Track};

impl Track {
    /// What is new since the last question; all that has no number in it only if `all` is asked for.
    pub(in crate::record) fn news(&mut self, name: &str, all: bool) -> Option<News> {
        let (gaps, places) = (self.gaps.take_fresh(), self.tape.places());
        let placed = places.get(self.journalled.0..).unwrap_or_default().to_vec();
        self.journalled.0 = places.len();
        if !all && gaps.is_empty() && placed.is_empty() {
            return None;
        }
        let past = self.past.iter().flat_map(|(run, knots)| knots.iter().map(|knot| (*run, *knot)));
        let tied = self.clocks.iter().flat_map(|(run, clock)| clock.tied().map(|knot| (*run, knot)));
        let knots: Vec<_> = past.chain(tied).collect();
        let fresh = knots.get(self.journalled.1..).unwrap_or_default().to_vec();
        self.journalled.1 = knots.len();
        let (told, packets) = (self.told, self.counts);
        Some(News { name: name.to_owned(), told, packets, gaps, placed, knots: fresh })
    }

    /// Tells everything once more.
    pub(in crate::record) fn tell_again(&mut self) {
        self.journalled = (0, 0);
        self.gaps.tell_again();
    }
}
