//! What was found, speaker by speaker.

use crate::{
    cli::Arguments,
    listen::Found,
    room::Recorded,
    story::{LATE, LOST, STORIES},
};
use std::collections::BTreeMap;
use tertulia::record::Cause;

/// What may be off in a track, which is not transcoded, and in a stem: in samples.
const TRACK: f64 = 480.0;
const STEM: f64 = 48.0;

type Listened = BTreeMap<&'static str, Found>;

/// Prints the table; whether all is as it should be.
pub(crate) fn print(arguments: &Arguments, recorded: &Recorded, tracks: &Listened, stems: &Listened) -> bool {
    println!(
        "{} minutes, seed {}, {:.0} % lost, {:.0} % late{}; a click every five seconds, found by ear",
        arguments.minutes,
        arguments.seed,
        100.0 * LOST,
        100.0 * LATE,
        if arguments.reports { ", sender reports" } else { "" }
    );
    println!("                   clicks       worst error ms      length   too late live, of these");
    println!(
        "speaker    said track  stem      track     stem     samples    come    in the track   what happens"
    );
    let mut well = true;
    for story in STORIES {
        let (Some(voice), Some(track), Some(stem)) =
            (recorded.voices.get(story.name), tracks.get(story.name), stems.get(story.name))
        else {
            continue;
        };
        let said = voice.clicks.len();
        let right = track.clicks == said
            && stem.clicks == said
            && track.worst.abs() <= TRACK
            && stem.worst.abs() <= STEM
            && (track.too_long, stem.too_long) == (0, 0);
        let kept = voice.late.saturating_sub(voice.track.refused);
        println!(
            "{:8} {said:6} {:5} {:5} {:+10.3} {:+8.3} {:+6}, {:+} {:8} {:10}        {}{}",
            story.name,
            track.clicks,
            stem.clicks,
            track.worst / 48.0,
            stem.worst / 48.0,
            track.too_long,
            stem.too_long,
            voice.late,
            kept,
            story.told,
            if right { "" } else { "  <- NOT AS IT SHOULD BE" }
        );
        if !right {
            print_where(track);
        }
        well &= right;
    }
    print_gaps(recorded);
    well
}

fn print_where(track: &Found) {
    print!("         the worst in the track at {:.3} s", track.worst_at / 48_000.0);
    track.missed_at.iter().for_each(|at| print!(", a click not heard at {:.3} s", at / 48_000.0));
    println!();
}

fn print_gaps(recorded: &Recorded) {
    const CAUSES: [Cause; 6] =
        [Cause::Loss, Cause::Late, Cause::Dtx, Cause::Stall, Cause::Drift, Cause::NotJoined];
    println!("\ngaps, seconds (number)");
    for (name, voice) in &recorded.voices {
        print!("{name:8}");
        for cause in CAUSES {
            let gaps = voice.track.gaps.iter().filter(|gap| gap.cause == cause);
            let samples: u64 = gaps.clone().map(|gap| gap.to_sample - gap.from_sample).sum();
            print!("  {} {:.2} ({})", cause.name(), samples as f64 / 48_000.0, gaps.count());
        }
        println!();
    }
}
