//! The quickest transit lately: the zero from which delays are reported and bounded.

/// A windowed minimum of transit times.
#[derive(Clone, Copy, Debug)]
pub(super) struct Floor {
    now: i64,
    before: i64,
    packets: u32,
    window_packets: u32,
}

impl Floor {
    /// The minimum over one to two windows of as many packets.
    pub(super) fn new(transit: i64, window_packets: u32) -> Self {
        Self { now: transit, before: transit, packets: 0, window_packets }
    }

    pub(super) fn learn(&mut self, transit: i64) {
        self.now = self.now.min(transit);
        self.packets += 1;
        if self.packets == self.window_packets {
            (self.before, self.now, self.packets) = (self.now, transit, 0);
        }
    }

    pub(super) fn transit(&self) -> i64 {
        self.now.min(self.before)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_floor_falls_at_once_and_rises_after_two_windows() {
        let mut floor = Floor::new(50, 500);
        floor.learn(20);
        assert_eq!(floor.transit(), 20);
        (0..1000).for_each(|_| floor.learn(70));
        assert_eq!(floor.transit(), 70);
    }
}
