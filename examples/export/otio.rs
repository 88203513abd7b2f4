//! OpenTimelineIO (`.otio`): a track a voice, in whole samples at a rate of 48000.

use crate::clip::{Clip, Marker, Timeline};
use serde_json::{Value, json};

pub(crate) fn timeline(timeline: &Timeline) -> String {
    let clips = std::iter::once(&timeline.mix).chain(&timeline.stems);
    let tracks: Vec<Value> = clips.map(|clip| track(clip, timeline)).collect();
    let markers: Vec<Value> = timeline.markers.iter().map(|it| marker(it, timeline.range.start)).collect();
    let otio = json!({
        "OTIO_SCHEMA": "Timeline.1",
        "name": timeline.name,
        "metadata": { "tertulia": { "from_sample": timeline.range.start, "to_sample": timeline.range.end } },
        "global_start_time": null,
        "tracks": {
            "OTIO_SCHEMA": "Stack.1",
            "name": "tracks",
            "metadata": {},
            "source_range": null,
            "effects": [],
            "markers": markers,
            "enabled": true,
            "children": tracks,
        },
    });
    format!("{otio:#}\n")
}

/// A gap up to where the voice came in, then its file.
fn track(clip: &Clip, timeline: &Timeline) -> Value {
    let before = clip.span.start - timeline.range.start;
    let gap = json!({
        "OTIO_SCHEMA": "Gap.1",
        "name": "",
        "metadata": {},
        "source_range": range(0, before),
        "effects": [],
        "markers": [],
        "enabled": true,
    });
    let length = clip.span.end - clip.span.start;
    let clip_value = json!({
        "OTIO_SCHEMA": "Clip.2",
        "name": clip.name,
        "metadata": {},
        "source_range": range(0, length),
        "effects": [],
        "markers": [],
        "enabled": true,
        "active_media_reference_key": "DEFAULT_MEDIA",
        "media_references": { "DEFAULT_MEDIA": {
            "OTIO_SCHEMA": "ExternalReference.1",
            "name": clip.name,
            "metadata": {},
            "available_range": range(0, length),
            "available_image_bounds": null,
            "target_url": clip.file,
        } },
    });
    let children: Vec<Value> = (before > 0).then_some(gap).into_iter().chain([clip_value]).collect();
    json!({
        "OTIO_SCHEMA": "Track.1",
        "name": clip.name,
        "kind": "Audio",
        "metadata": {},
        "source_range": null,
        "effects": [],
        "markers": [],
        "enabled": true,
        "children": children,
    })
}

fn marker(marker: &Marker, start: u64) -> Value {
    json!({
        "OTIO_SCHEMA": "Marker.2",
        "name": marker.text,
        "metadata": {},
        "color": "CYAN",
        "comment": "",
        "marked_range": range(marker.at - start, 0),
    })
}

fn range(start: u64, duration: u64) -> Value {
    let time =
        |value: u64| json!({ "OTIO_SCHEMA": "RationalTime.1", "rate": 48_000.0, "value": value as f64 });
    json!({ "OTIO_SCHEMA": "TimeRange.1", "start_time": time(start), "duration": time(duration) })
}
