//! What a track tells the journal: what is new, and once more all of it.

use super::{
    super::{drift::Knot, journal::News, waiting::Run},
    Track,
};

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
        let (told, packets, loose) = (self.told, self.counts, self.loose_news(all));
        Some(News { name: name.to_owned(), told, packets, gaps, placed, knots: fresh, loose })
    }

    /// How young lines lie, if that has changed.
    fn loose_news(&mut self, all: bool) -> Option<Vec<(Run, Knot)>> {
        let lines = self.clocks.iter().flat_map(|(run, clock)| clock.loose().map(|knot| (*run, knot)));
        let loose: Vec<_> = lines.filter(|_| all).collect();
        if !all || loose == self.loose {
            return None;
        }
        self.loose.clone_from(&loose);
        Some(loose)
    }

    /// Tells everything once more.
    pub(in crate::record) fn tell_again(&mut self) {
        self.journalled = (0, 0);
        self.loose.clear();
        self.gaps.tell_again();
    }
}
