//! What a stage is built from.

/// How many threads, and how much memory each ring takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StageConfig {
    /// Real-time threads. A room stays on one; leave a core to the network.
    pub workers: usize,
    /// Ask for `SCHED_FIFO`. Where that is not allowed, the stage runs all the same and says so.
    pub realtime: bool,
    /// Rooms that one worker takes.
    pub max_rooms_per_worker: usize,
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
            max_rooms_per_worker: 1024,
            lane_bytes: 32 << 10,
            bus_bytes: 64 << 10,
            tape_bytes: 1 << 20,
        }
    }
}
