//! How much may wait for the disk or lie on it: what tapes ask before they take a packet. One purse a recording; recordings of one
//! process may share an [`Allowance`]. What is refused is counted, by the limit that refused it.

use super::limits::{Limit, Limits};
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
};

/// What all recordings of a process together may keep in memory while their disks take nothing. Clones are the same.
#[derive(Clone, Debug)]
pub struct Allowance(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    most: usize,
    held: AtomicUsize,
}

impl Allowance {
    /// So many bytes, and a page a voice.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self(Arc::new(Shared { most, held: AtomicUsize::new(0) }))
    }

    /// What waits now, in bytes.
    #[must_use]
    pub fn held(&self) -> usize {
        self.0.held.load(Relaxed)
    }

    fn is_full(&self) -> bool {
        self.held() >= self.0.most
    }
}

/// One recording's.
#[derive(Clone, Debug)]
pub(super) struct Purse(Arc<Counted>);

#[derive(Debug)]
struct Counted {
    limits: Limits,
    shared: Option<Allowance>,
    held: AtomicUsize,
    /// What lies on disk, as it was last counted.
    written: AtomicU64,
    /// What is free there, as it was last asked.
    free: AtomicU64,
    refused: [AtomicU64; Limit::ALL.len()],
}

impl Purse {
    pub(super) fn new(limits: Limits, shared: Option<Allowance>) -> Self {
        Self(Arc::new(Counted {
            limits,
            shared,
            held: AtomicUsize::new(0),
            written: AtomicU64::new(0),
            free: AtomicU64::new(u64::MAX),
            refused: Default::default(),
        }))
    }

    /// The limit that allows nothing more for now.
    pub(super) fn reached(&self) -> Option<Limit> {
        Limit::ALL.into_iter().find(|limit| self.has_reached(*limit))
    }

    /// Does this limit allow nothing more for now? A voice's own is the tape's.
    pub(super) fn has_reached(&self, limit: Limit) -> bool {
        let Counted { limits, shared, held, written, free, .. } = &*self.0;
        match limit {
            Limit::Voice => false,
            Limit::Waiting => held.load(Relaxed) >= limits.waiting_bytes,
            Limit::Process => shared.as_ref().is_some_and(Allowance::is_full),
            Limit::Disk => written.load(Relaxed) >= limits.disk_bytes,
            Limit::Free => free.load(Relaxed) < limits.free_bytes,
        }
    }

    /// A tape that held `before` bytes holds `now`.
    pub(super) fn weigh(&self, before: usize, now: usize) {
        let shared = self.0.shared.as_ref().map(|shared| &shared.0.held);
        for held in [Some(&self.0.held), shared].into_iter().flatten() {
            held.fetch_add(now, Relaxed);
            held.fetch_sub(before, Relaxed);
        }
    }

    /// So much lies on disk, and so much is free there.
    pub(super) fn look(&self, written: u64, free: Option<u64>) {
        self.0.written.store(written, Relaxed);
        self.0.free.store(free.unwrap_or(u64::MAX), Relaxed);
    }

    /// A packet was refused because of this limit, unless it was taken.
    pub(super) fn refuse_unless(&self, taken: bool, limit: Limit) {
        self.0.refused[limit as usize].fetch_add((!taken).into(), Relaxed);
    }

    /// How many packets each limit has refused, if any.
    pub(super) fn all_refused(&self) -> BTreeMap<Limit, u64> {
        let all = Limit::ALL.map(|limit| (limit, self.refused(limit)));
        all.into_iter().filter(|(_, packets)| *packets > 0).collect()
    }

    /// How many packets it has refused.
    pub(super) fn refused(&self, limit: Limit) -> u64 {
        self.0.refused[limit as usize].load(Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_recording_holds_another_cannot() {
        let shared = Allowance::new(100);
        let [one, other] = [(); 2].map(|()| Purse::new(Limits::default(), Some(shared.clone())));
        one.weigh(0, 99);
        assert_eq!((shared.held(), other.reached()), (99, None));
        other.weigh(0, 1);
        assert_eq!((one.reached(), other.reached()), (Some(Limit::Process), Some(Limit::Process)));
        one.weigh(99, 0);
        assert_eq!((shared.held(), one.reached()), (1, None));
    }

    #[test]
    fn each_limit_bites_at_its_byte() {
        let limits = Limits { waiting_bytes: 10, disk_bytes: 1_000, free_bytes: 500, ..Limits::default() };
        let purse = Purse::new(limits, None);
        purse.look(999, Some(500));
        purse.weigh(0, 9);
        assert_eq!(purse.reached(), None);
        for (written, free, held, limit) in
            [(999, 500, 10, Limit::Waiting), (1_000, 500, 9, Limit::Disk), (999, 499, 9, Limit::Free)]
        {
            purse.look(written, Some(free));
            purse.weigh(9, held);
            assert_eq!(purse.reached(), Some(limit));
            purse.weigh(held, 9);
        }
        purse.look(0, None);
        assert_eq!(purse.reached(), None, "who does not know what is free is not held up");
    }
}
