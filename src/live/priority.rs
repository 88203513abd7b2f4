//! Real-time scheduling for worker threads, where the machine allows it.

use thread_priority::{Error, ThreadPriority};

/// Above every ordinary thread and below the kernel's own interrupt threads (50). 0…99.
const PRIORITY: u8 = 10;

/// Gives the calling thread `SCHED_FIFO`, or the highest ordinary priority where there is no such thing.
#[cfg(unix)]
pub(super) fn make_realtime() -> Result<(), Error> {
    use thread_priority::{
        RealtimeThreadSchedulePolicy::Fifo, ThreadSchedulePolicy::Realtime, set_thread_priority_and_policy,
        thread_native_id,
    };
    let priority = ThreadPriority::try_from(PRIORITY).map_err(Error::Priority)?;
    set_thread_priority_and_policy(thread_native_id(), priority, Realtime(Fifo))
}

/// Gives the calling thread `SCHED_FIFO`, or the highest ordinary priority where there is no such thing.
#[cfg(not(unix))]
pub(super) fn make_realtime() -> Result<(), Error> {
    let _ = PRIORITY;
    thread_priority::set_current_thread_priority(ThreadPriority::Max)
}
