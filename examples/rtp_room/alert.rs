//! What a recording has to say at once, in a line.

use tertulia::record::{Alert, Limit};

pub(crate) fn line(alert: &Alert) -> String {
    match alert {
        Alert::Limited(limit) => format!("warning: the recording is silent for now: {}", reached(*limit)),
        Alert::Unlimited(limit) => format!("the recording goes on; no longer so: {}", reached(*limit)),
        Alert::Behind => "warning: the disk is too slow, two seconds of the recording are not safe".into(),
        Alert::CaughtUp => "the disk is quick enough again".into(),
        Alert::Stalled(since) => format!("warning: the disk has not answered for {since:.1?}"),
        Alert::Answers => "the disk answers again".into(),
        Alert::Unbalanced(name) => {
            format!("warning: packets of {name} were lost count of; please report this")
        }
    }
}

fn reached(limit: Limit) -> &'static str {
    match limit {
        Limit::Voice => "256 KiB of a voice wait for the disk",
        Limit::Waiting => "--max-room-memory-mb is reached while the disk takes nothing",
        Limit::Process => "--max-memory-mb is reached while the disk takes nothing",
        Limit::Disk => "--max-disk-mb is written",
        Limit::Free => "less than --keep-free-mb is free on the disk",
    }
}
