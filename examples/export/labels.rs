//! Audacity's labels: `start <tab> end <tab> text`, in seconds of the bundle's time.

use crate::{clip::Timeline, turns::Heard};
use std::{collections::BTreeMap, ops::Range};

pub(crate) fn labels(timeline: &Timeline, heard: &BTreeMap<String, Heard>) -> String {
    let turns =
        heard.iter().flat_map(|(name, heard)| heard.turns.iter().map(|turn| (turn.clone(), name.clone())));
    let moments = timeline.markers.iter().map(|marker| (marker.at..marker.at, format!("[{}]", marker.text)));
    let mut labels: Vec<(Range<u64>, String)> = turns.chain(moments).collect();
    labels.sort_by(|a, b| (a.0.start, a.0.end, &a.1).cmp(&(b.0.start, b.0.end, &b.1)));
    let seconds = |sample: u64| (sample - timeline.range.start) as f64 / 48_000.0;
    labels
        .iter()
        .map(|(span, text)| format!("{:.6}\t{:.6}\t{text}\n", seconds(span.start), seconds(span.end)))
        .collect()
}
