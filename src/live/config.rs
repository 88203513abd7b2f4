//! What a stage is built from.

use std::time::Duration;

/// How many threads, and how much memory each ring takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StageConfig {
    /// Real-time threads. Rooms are spread over them by what they cost; leave a core to the network.
    pub workers: usize,
    /// Ask for `SCHED_FIFO`. Where that is not allowed, the stage runs all the same and says so.
    pub realtime: bool,
    /// Rooms that one worker takes.
    pub max_rooms_per_worker: usize,
    /// A room in which nothing can be heard or recorded rests after this long: it no longer ticks, and its buses send one
    /// packet in 15 s to keep the way open (RFC 6263 §4.6) until somebody speaks. `None`: never. Buses tapped as PCM keep
    /// their room awake.
    pub rest_after: Option<Duration>,
    /// A tick that is later than this is not made up for: it passes unheard, so that a stall of whatever length is over at
    /// once. Shorter ones cost no sound.
    pub longest_catch_up: Duration,
    /// A speaker's datagrams on their way in: at 32 kbit/s some six seconds.
    pub lane_bytes: usize,
    /// A bus's datagrams on their way out: at 32 kbit/s some twelve seconds.
    pub bus_bytes: usize,
    /// What a room's recording may lag behind: with eight voices some 20 seconds.
    pub tape_bytes: usize,
}

impl Default for StageConfig {
    fn default() -> Self {
        Self {
            workers: 1,
            realtime: true,
            max_rooms_per_worker: 16_384,
            rest_after: Some(Duration::from_secs(5)),
            longest_catch_up: Duration::from_millis(200),
            lane_bytes: 32 << 10,
            bus_bytes: 64 << 10,
            tape_bytes: 1 << 20,
        }
    }
}

impl StageConfig {
    /// Rooms on all workers.
    pub(super) fn seats(&self) -> usize {
        self.workers.saturating_mul(self.max_rooms_per_worker)
    }
}
