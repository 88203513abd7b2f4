//! Places handed out on the control side: of a room to speakers and buses, of the stage to rooms. A place that was freed
//! is the last to be used again, so that what is still said about who had it does not hit who gets it.

use std::collections::VecDeque;

/// Free places.
#[derive(Debug)]
pub(super) struct Seats<Place>(VecDeque<Place>);

impl<Place> Seats<Place> {
    pub(super) fn new(places: impl IntoIterator<Item = Place>) -> Self {
        Self(places.into_iter().collect())
    }

    pub(super) fn take(&mut self) -> Option<Place> {
        self.0.pop_front()
    }

    pub(super) fn free(&mut self, place: Place) {
        self.0.push_back(place);
    }

    /// Takes back the place that was just taken and never used.
    pub(super) fn untake(&mut self, place: Place) {
        self.0.push_front(place);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_freed_place_is_used_last() {
        let mut seats = Seats::new(0..3);
        assert_eq!(seats.take(), Some(0));
        seats.free(0);
        assert_eq!(
            [seats.take(), seats.take(), seats.take(), seats.take()],
            [Some(1), Some(2), Some(0), None]
        );
    }
}
