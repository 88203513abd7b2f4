//! How a scenario is run, and what its caller measures and shows meanwhile.

use crate::time::Quantum;
use std::fmt;

/// How to run a scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Also write what each speaker hears.
    pub minus: bool,
    /// Advance by this block, whatever the scenario says.
    pub quantum: Option<Quantum>,
    /// Milliseconds of playout delay worth one percent of concealment.
    pub ms_per_percent: u32,
    /// Also keep each voice's [`History`](super::History).
    pub history: bool,
    /// Draws what real senders draw at random: SSRCs, first sequence numbers and timestamps.
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { minus: false, quantum: None, ms_per_percent: 100, history: false, seed: 1 }
    }
}

/// What the caller measures and shows; the library itself reads no clock. Without them a report holds zeros.
pub struct Meters<'a> {
    /// Told how much of the room is done, 0…1, once a second of room time.
    pub progress: Box<dyn FnMut(f64) + 'a>,
    /// A clock in nanoseconds, read before and after each tick.
    pub now_ns: Box<dyn FnMut() -> u64 + 'a>,
    /// How many allocations the process has made, read around each call of the engine.
    pub allocations: Box<dyn Fn() -> u64 + 'a>,
}

impl Default for Meters<'_> {
    fn default() -> Self {
        Self { progress: Box::new(|_| ()), now_ns: Box::new(|| 0), allocations: Box::new(|| 0) }
    }
}

impl fmt::Debug for Meters<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Meters")
    }
}
