//! The recording's mix, written while it grows: what those who are recorded say, some seconds behind the room.

use std::{
    path::Path,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    thread,
    time::Duration,
};
use tertulia::{
    frame::Channels,
    render::{Follow, RenderError},
};

/// Follows the recording in `dir` into `mix.opus` until it is over; what cannot be written is told.
pub(crate) fn follow(dir: &Path, bitrate_bps: u32, over: &AtomicBool) {
    if let Err(error) = write(dir, bitrate_bps, over) {
        eprintln!("warning: the mix: {error}");
    }
}

fn write(dir: &Path, bitrate_bps: u32, over: &AtomicBool) -> Result<(), RenderError> {
    let mut follow = Follow::begin(dir, None, &dir.join("mix.opus"), Channels::Mono, bitrate_bps)?;
    let mut looks = 0_u32;
    while !over.load(Relaxed) {
        thread::park_timeout(LOOK);
        looks += 1;
        if looks.is_multiple_of(20) {
            follow.advance()?;
        }
    }
    follow.finish()
}

/// Ten seconds are rendered at once; it is enough to look for them every other second, and to see soon that all is over.
const LOOK: Duration = Duration::from_millis(100);
