//! Threads that stamp and send packets come before ordinary ones, where the machine allows it: what they wait for a core is
//! jitter to whoever is at the other end.

/// Below the stage's workers, whose deadlines come first. 0…99.
#[cfg(unix)]
const PRIORITY: u8 = 9;

/// Asks for `SCHED_FIFO` for the calling thread; whether it was given.
#[cfg(unix)]
pub(crate) fn be_punctual() -> bool {
    use thread_priority::{
        RealtimeThreadSchedulePolicy::Fifo, ThreadPriority, ThreadSchedulePolicy::Realtime,
        set_thread_priority_and_policy, thread_native_id,
    };
    ThreadPriority::try_from(PRIORITY).is_ok_and(|priority| {
        set_thread_priority_and_policy(thread_native_id(), priority, Realtime(Fifo)).is_ok()
    })
}

/// Asks for the highest ordinary priority for the calling thread; whether it was given.
#[cfg(not(unix))]
pub(crate) fn be_punctual() -> bool {
    thread_priority::set_current_thread_priority(thread_priority::ThreadPriority::Max).is_ok()
}
