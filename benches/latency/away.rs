//! How long the machine kept a thread waiting that wanted to run: for a core (`/proc/…/schedstat`, second figure, in ns) and by
//! the host underneath (`steal` in `/proc/stat`, in hundredths of a second, all cores together). Only on Linux; zero elsewhere.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

/// Watches one thread of this process.
pub(crate) struct Watch {
    thread: Option<PathBuf>,
    began: Away,
    before: Duration,
    most: Duration,
}

/// What a stretch of time lacked.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Away {
    /// The thread was ready and had no core.
    pub(crate) waited: Duration,
    /// The most of that between two looks.
    pub(crate) most: Duration,
    /// The host ran something else.
    pub(crate) stolen: Duration,
}

impl Watch {
    /// Begins with the thread of that name.
    pub(crate) fn begin(name: &str) -> Self {
        let threads = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
        let named =
            |path: &PathBuf| fs::read_to_string(path.join("comm")).is_ok_and(|comm| comm.trim() == name);
        let thread = threads.map(|thread| thread.path()).find(named);
        let waited = thread.as_ref().map_or(Duration::ZERO, |thread| waited(thread));
        let began = Away { waited, stolen: stolen(), ..Away::default() };
        Self { thread, began, before: waited, most: Duration::ZERO }
    }

    /// Looks how long it has waited since the last look.
    pub(crate) fn look(&mut self) {
        let waited = self.thread.as_ref().map_or(Duration::ZERO, |thread| waited(thread));
        self.most = self.most.max(waited.saturating_sub(self.before));
        self.before = waited;
    }

    /// Since the beginning.
    pub(crate) fn end(mut self) -> Away {
        self.look();
        Away {
            waited: self.before.saturating_sub(self.began.waited),
            most: self.most,
            stolen: stolen().saturating_sub(self.began.stolen),
        }
    }
}

fn waited(thread: &Path) -> Duration {
    let stat = fs::read_to_string(thread.join("schedstat")).unwrap_or_default();
    Duration::from_nanos(stat.split(' ').nth(1).and_then(|waited| waited.parse().ok()).unwrap_or(0))
}

fn stolen() -> Duration {
    let stat = fs::read_to_string("/proc/stat").unwrap_or_default();
    let first = stat.lines().next().unwrap_or_default();
    let steal = first.split_whitespace().nth(8).and_then(|ticks| ticks.parse().ok()).unwrap_or(0);
    Duration::from_millis(10 * steal)
}
