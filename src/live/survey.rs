//! A room's figures, gathered while it ticks: a few lanes after each tick, so that asking never makes one late.

use super::{
    room::{Leftover, Room, Survey},
    stats::{BusStats, RoomStats},
};

/// Each costs some microseconds for its quantiles.
const LANES_A_TICK: usize = 16;

impl Room {
    /// Begins a snapshot, to be filled into `stats`; gives it back at once if another is in the making.
    pub(super) fn begin_survey(&mut self, stats: Box<RoomStats>) -> Option<Leftover> {
        if self.asked.is_some() {
            return Some(Leftover::Blank(stats));
        }
        self.asked = Some(Survey { stats, next_place: 0 });
        None
    }

    /// Goes on with the snapshot that was asked for; gives it back when it is whole.
    pub(super) fn survey(&mut self) -> Option<Leftover> {
        let mut asked = self.asked.take()?;
        asked.next_place = self.measure_lanes(&mut asked.stats, asked.next_place, LANES_A_TICK);
        if asked.next_place < self.inlets.len() {
            self.asked = Some(asked);
            return None;
        }
        self.measure_room(&mut asked.stats);
        Some(Leftover::Measured(asked.stats))
    }

    /// The whole snapshot at once. Allocates: for a room that has come back up.
    pub(super) fn final_stats(&self) -> RoomStats {
        let mut stats = RoomStats::default();
        self.measure_lanes(&mut stats, 0, self.inlets.len());
        self.measure_room(&mut stats);
        stats
    }

    fn measure_lanes(&self, stats: &mut RoomStats, from: usize, lanes: usize) -> usize {
        let present =
            self.inlets.iter().enumerate().skip(from).filter_map(|(at, inlet)| Some((at, inlet.as_ref()?)));
        for (count, (at, inlet)) in present.enumerate() {
            if count == lanes {
                return at;
            }
            let lane = self.engine.stats(inlet.speaker).unwrap_or_default();
            stats.speakers.push(inlet.stats(lane));
        }
        self.inlets.len()
    }

    fn measure_room(&self, stats: &mut RoomStats) {
        self.pace.tell(stats);
        stats.decodes = self.totals.decodes;
        stats.encodes = self.totals.encodes;
        stats.unrecorded = self.totals.unrecorded;
        stats.events_lost = self.totals.events_lost;
        stats.limiter_max_reduction_db = self.engine.limiter_max_reduction_db();
        let buses = self.outlets.iter().flatten();
        stats.buses.extend(buses.map(|outlet| BusStats { bus: outlet.bus, dropped: outlet.dropped }));
    }
}
