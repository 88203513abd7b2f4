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
    /// A room in which nothing is heard rests after this long: it no longer ticks, and its buses send one packet in 30 s to
    /// show that they are there, until somebody speaks. `None`: never. A recording, or a bus tapped as PCM, keeps its room
    /// awake.
    pub rest_after: Option<Duration>,
    /// A room that is later than this does not make up for it: ticks pass unheard until it is on time, so that a stall of
    /// whatever length is over at once. Shorter ones cost no sound.
    pub longest_catch_up: Duration,
    /// A speaker's datagrams on their way in: at 32 kbit/s some six seconds.
    pub lane_bytes: usize,
    /// A bus's datagrams on their way out: at 32 kbit/s some twelve seconds.
    pub bus_bytes: usize,
    /// What a room's recording may lag behind: with eight voices some 20 seconds.
    pub tape_bytes: usize,
    /// Recordings at once, in all rooms.
    pub max_recordings: usize,
    /// What all recordings together may keep in memory while disks take nothing; tapes aside.
    pub recording_bytes: usize,
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
            max_recordings: usize::MAX,
            recording_bytes: 256 << 20,
        }
    }
}

impl StageConfig {
    /// Rooms on all workers.
    pub(super) fn seats(&self) -> usize {
        self.workers.saturating_mul(self.max_rooms_per_worker)
    }
}
