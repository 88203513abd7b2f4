//! Is a thread stuck in something that it waits for? It says when it begins a round of work and when it is through;
//! another looks.

use super::clock;
use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::{Duration, Instant},
};

/// One thread's pulse.
#[derive(Debug)]
pub(super) struct Pulse {
    origin: Instant,
    /// When the present round began, in microseconds since `origin`, and one more; none is 0.
    since_us: AtomicU64,
}

impl Pulse {
    pub(super) fn new() -> Self {
        Self { origin: clock::now(), since_us: AtomicU64::new(0) }
    }

    /// A round of work begins.
    pub(super) fn begin(&self) {
        self.since_us.store(self.now_us() + 1, Relaxed);
    }

    /// The round is over.
    pub(super) fn end(&self) {
        self.since_us.store(0, Relaxed);
    }

    /// How long the present round has lasted.
    pub(super) fn lasts(&self) -> Duration {
        match self.since_us.load(Relaxed) {
            0 => Duration::ZERO,
            since => Duration::from_micros(self.now_us().saturating_sub(since - 1)),
        }
    }

    fn now_us(&self) -> u64 {
        clock::now().saturating_duration_since(self.origin).as_micros() as u64
    }
}
