//! Processor time in nanoseconds, from `/proc` (`proc(5)`, `schedstat`): only on Linux.

use std::{fs, path::Path, time::Duration};

pub(crate) fn of_this_thread() -> Duration {
    read(Path::new("/proc/thread-self"))
}

/// Of this process's thread of that name.
pub(crate) fn of_thread(name: &str) -> Duration {
    let threads = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let named = |path: &Path| fs::read_to_string(path.join("comm")).is_ok_and(|comm| comm.trim() == name);
    threads.map(|thread| thread.path()).find(|path| named(path)).map_or(Duration::ZERO, |path| read(&path))
}

fn read(thread: &Path) -> Duration {
    let stat = fs::read_to_string(thread.join("schedstat")).unwrap_or_default();
    Duration::from_nanos(stat.split(' ').next().and_then(|spent| spent.parse().ok()).unwrap_or(0))
}
