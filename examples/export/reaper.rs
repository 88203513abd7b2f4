//! A Reaper project (`.rpp`): an item a voice, in seconds with so many places that samples are exact.

use crate::clip::{Clip, Timeline};
use std::fmt::Write;

pub(crate) fn project(timeline: &Timeline) -> String {
    let mut text = String::from("<REAPER_PROJECT 0.1 \"6.80\" 0\n  SAMPLERATE 48000 1 0\n  TEMPO 120 4 4\n");
    for (number, marker) in (1..).zip(&timeline.markers) {
        let at = seconds(marker.at - timeline.range.start);
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  MARKER {number} {at} {} 0", quoted(&marker.text));
    }
    let muted = |clip: &Clip| u8::from(clip.name == timeline.mix.name);
    for clip in std::iter::once(&timeline.mix).chain(&timeline.stems) {
        let _ = write!(text, "{}", track(clip, timeline, muted(clip)));
    }
    text + ">\n"
}

/// The mix is there, muted: one hears either it or the stems.
fn track(clip: &Clip, timeline: &Timeline, muted: u8) -> String {
    let (name, file) = (quoted(&clip.name), quoted(&clip.file));
    let at = seconds(clip.span.start - timeline.range.start);
    let length = seconds(clip.span.end - clip.span.start);
    let source = match clip.file.rsplit('.').next() {
        Some("flac") => "FLAC",
        Some("opus") => "OPUS",
        _ => "WAVE",
    };
    format!(
        "  <TRACK\n    NAME {name}\n    MUTESOLO {muted} 0 0\n    NCHAN {channels}\n    <ITEM\n      POSITION {at}\n      \
         LENGTH {length}\n      LOOP 0\n      NAME {name}\n      SOFFS 0\n      <SOURCE {source}\n        FILE {file}\n      \
         >\n    >\n  >\n",
        channels = timeline.channels.max(2),
    )
}

/// To 10⁻¹⁵ s.
fn seconds(samples: u64) -> String {
    let (whole, rest) = (samples / 48_000, samples % 48_000);
    let part = u128::from(rest) * 1_000_000_000_000_000 / 48_000;
    format!("{whole}.{part:015}")
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "'"))
}

#[cfg(test)]
mod tests {
    use super::seconds;

    #[test]
    fn a_sample_survives_its_seconds() {
        for samples in [0, 1, 7, 47_999, 48_001, 345_600_011] {
            let read: f64 = seconds(samples).parse().unwrap();
            assert!((read * 48_000.0 - samples as f64).abs() < 1e-4);
        }
    }
}
