//! A recording of many hours goes on in another part now and then: from one room sample on, every track is written into a
//! file of its own in the next folder, `part-0002`, `part-0003` and so on. No packet is lost by that, and none is counted twice.
//!
//! One that lies across the seam is in the part where it begins. The next part's file begins with a copy of it and of what
//! came up to 80 ms before, for a decoder to settle on; players skip that.

use super::seal::Seal;
use crate::time::Samples;
use serde::{Deserialize, Serialize};

/// When a recording goes on in another part: whichever comes first. By default never.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rotation {
    /// So long after the part began, to the sample.
    pub every: Option<Samples>,
    /// When the part's tracks have so many bytes.
    pub bytes: Option<u64>,
}

/// Where a part lies, as the session's manifest tells it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// From the session's folder.
    pub folder: String,
    /// The room sample at which its tracks begin.
    pub from_sample: u64,
}

/// One of the files of a track.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrackPart {
    /// From the session's folder.
    pub file: String,
    /// The room sample it begins with.
    pub from_sample: u64,
    /// What players skip at its start, in samples.
    pub pre_skip: u64,
    /// Packets of the speaker in it, but for those that are in the part before.
    pub recorded: u64,
    /// The finished file's length.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_bytes: Option<u64>,
    /// And its hash, in hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
}

impl TrackPart {
    /// With what the finished file is known by.
    pub(super) fn sealed(mut self, (bytes, sha256): Seal) -> Self {
        (self.file_bytes, self.sha256) = (Some(bytes), Some(sha256));
        self
    }
}

/// The parts of a recording that is being made.
#[derive(Debug)]
pub(super) struct Parts {
    rotation: Rotation,
    /// Where they begin.
    begun: Vec<u64>,
    /// When the last one was begun to be written.
    since: u64,
    /// Some tracks still are in the part before.
    pub(super) turning: bool,
}

impl Parts {
    pub(super) fn new(rotation: Rotation) -> Self {
        Self { rotation, begun: vec![0], since: 0, turning: false }
    }

    /// Recording begins at `at`.
    pub(super) fn begin(&mut self, at: u64) {
        self.since = at;
    }

    pub(super) fn rotates(&self) -> bool {
        self.rotation != Rotation::default()
    }

    /// Where another part is to begin, if it is, now that the tracks of this one have `bytes` and room time is `now`: not
    /// before `reached`, up to which they are written.
    pub(super) fn due(&self, now: u64, reached: u64, bytes: u64) -> Option<u64> {
        let by_time = self.rotation.every.map(|every| self.since + every.count()).filter(|at| *at <= now);
        let by_size = self.rotation.bytes.filter(|most| *most <= bytes).map(|_| now);
        let at = by_time.into_iter().chain(by_size).min()?.max(reached);
        (!self.turning && at > self.since && at <= now).then_some(at)
    }

    /// Another part begins at `at`; its folder.
    pub(super) fn turn(&mut self, at: u64) -> String {
        self.begun.push(at);
        (self.since, self.turning) = (at, true);
        folder(self.begun.len())
    }

    /// All tracks are in the last part.
    pub(super) fn turned(&mut self) {
        self.turning = false;
    }

    /// Where the last begins.
    pub(super) fn last(&self) -> u64 {
        self.begun.last().copied().unwrap_or(0)
    }

    /// The last one's folder.
    pub(super) fn folder(&self) -> String {
        folder(self.begun.len())
    }

    /// The last but one: its folder, and from where to where it goes.
    pub(super) fn before(&self) -> Option<(String, u64, u64)> {
        let [.., from, to] = self.begun[..] else { return None };
        Some((folder(self.begun.len() - 1), from, to))
    }

    /// Where they begin, but for the first.
    pub(super) fn further(&self) -> &[u64] {
        self.begun.get(1..).unwrap_or_default()
    }
}

/// The folder of the `number`th part, counted from 1, with what stands between it and a file.
pub(super) fn folder(number: usize) -> String {
    if number < 2 { String::new() } else { format!("part-{number:04}/") }
}

/// What a track's file is called in its part's folder.
pub(super) fn own_name(file: &str) -> &str {
    file.find("tracks/").and_then(|at| file.get(at..)).unwrap_or(file)
}

/// Parts as the manifest lists them: all but the first, which is the session's folder itself.
pub(super) fn listed(further: &[u64]) -> Vec<Part> {
    let listed = (2..).zip(further);
    listed
        .map(|(number, from)| Part {
            folder: folder(number).trim_end_matches('/').into(),
            from_sample: *from,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_over_by_time_or_by_size_and_never_before_what_is_written() {
        let rotation = Rotation { every: Some(Samples::new(1_000)), bytes: Some(500) };
        let mut parts = Parts::new(rotation);
        assert_eq!(parts.due(999, 0, 499), None);
        assert_eq!(parts.due(1_030, 900, 0), Some(1_000));
        assert_eq!(parts.due(1_030, 1_010, 0), Some(1_010));
        assert_eq!(parts.due(1_005, 1_010, 0), None, "not before it is reached");
        assert_eq!(parts.due(700, 600, 500), Some(700));
        assert_eq!(parts.turn(1_000), "part-0002/");
        assert_eq!(parts.due(9_000, 0, 0), None, "one after the other");
        parts.turned();
        assert_eq!(parts.due(2_020, 0, 0), Some(2_000));
        assert_eq!(parts.before(), Some((String::new(), 0, 1_000)));
        assert_eq!((parts.last(), parts.folder().as_str()), (1_000, "part-0002/"));
        assert_eq!(Parts::new(Rotation::default()).due(u64::MAX, 0, u64::MAX), None);
    }
}
