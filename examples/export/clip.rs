//! What a bundle's timelines hold: a clip a voice, markers, the room's time.

use std::ops::Range;
use tertulia::{record::Manifest, render::Format};

/// One file on a timeline.
#[derive(Clone, Debug)]
pub(crate) struct Clip {
    pub(crate) name: String,
    /// From the bundle's folder.
    pub(crate) file: String,
    /// Where it lies on the room's clock.
    pub(crate) span: Range<u64>,
}

/// Something that happened at a moment.
#[derive(Clone, Debug)]
pub(crate) struct Marker {
    pub(crate) at: u64,
    pub(crate) text: String,
}

/// What all timelines of a bundle tell.
#[derive(Clone, Debug)]
pub(crate) struct Timeline {
    pub(crate) name: String,
    /// The part of the room's time that begins each timeline.
    pub(crate) range: Range<u64>,
    pub(crate) stems: Vec<Clip>,
    pub(crate) mix: Clip,
    pub(crate) markers: Vec<Marker>,
    pub(crate) channels: usize,
}

/// Where a voice was in the room, from its first stay's beginning to its last one's end, within `range`.
pub(crate) fn span_of(manifest: &Manifest, name: &str, range: &Range<u64>) -> Option<Range<u64>> {
    let joined = &manifest.speakers.get(name)?.joined;
    let first = joined.iter().map(|span| span.from).min()?;
    let last = joined.iter().map(|span| span.to).max()?;
    let from = first.clamp(range.start, range.end);
    let to = last.clamp(from, range.end);
    (from < to).then_some(from..to)
}

/// What the log tells, but for the faders: those are heard.
pub(crate) fn markers(manifest: &Manifest, range: &Range<u64>) -> Vec<Marker> {
    let told = manifest.events.iter().filter(|event| range.contains(&event.at_sample) && event.to.is_none());
    let mut markers: Vec<Marker> = told
        .map(|event| {
            let speaker = event.speaker.iter().map(|name| format!(" {name}"));
            Marker {
                at: event.at_sample,
                text: std::iter::once(event.verb.to_string()).chain(speaker).collect(),
            }
        })
        .collect();
    markers.sort_by_key(|marker| marker.at);
    markers
}

pub(crate) fn ending(format: Format) -> &'static str {
    match format {
        Format::WavFloat | Format::Wav24 => "wav",
        Format::Flac => "flac",
        Format::Opus { .. } => "opus",
    }
}
