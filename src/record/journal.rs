//! `journal.jsonl`: what the manifest will say, line by line as it comes to be known, so that a recorder that dies leaves
//! its knowledge behind. Each line stands by itself; one that was cut off is no line.

use super::{
    counts::Counts, disk::Disk, drift::Knot, event::Event, gap::Told, growing::Growing, latest::Piece,
    place::Place, waiting::Run,
};
use serde::{Deserialize, Serialize};
use std::io;

/// Its name in the session's folder.
pub(super) const FILE: &str = "journal.jsonl";

/// What may wait for the disk. When more has come to be known meanwhile, all is told once more.
const BACKLOG_BYTES: usize = 256 << 10;

/// One line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Line {
    /// A recording begins.
    Session {
        /// Wall time of room sample 0.
        epoch_unix_ms: Option<u64>,
    },
    /// Something was done to it.
    Event(Event),
    /// Another part begins at this sample.
    Part(u64),
    /// What is new of a track.
    Track(News),
    /// Room time.
    Now(u64),
}

/// What is new of one track.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct News {
    pub(super) name: String,
    /// Up to here all is told.
    pub(super) told: u64,
    pub(super) packets: Counts,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) gaps: Vec<Told>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) placed: Vec<Place>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) knots: Vec<(Run, Knot)>,
    /// How lines lie that no knot is tied of as yet; they take the place of those told before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) loose: Option<Vec<(Run, Knot)>>,
}

/// The journal of a recording.
#[derive(Debug)]
pub(super) struct Journal {
    file: Growing,
    overflowed: bool,
}

impl Journal {
    /// An empty one, in the place of whatever is there.
    pub(super) fn new() -> Self {
        let mut journal = Self { file: Growing::new(FILE.to_owned()), overflowed: false };
        journal.begin_anew();
        journal
    }

    /// What comes is all there is.
    pub(super) fn begin_anew(&mut self) {
        self.file.begin_anew();
        self.overflowed = false;
    }

    /// Adds a line, if there is room.
    pub(super) fn push(&mut self, line: &Line) {
        self.overflowed |= self.file.held() > BACKLOG_BYTES;
        if let (false, Ok(mut json)) = (self.overflowed, serde_json::to_vec(line)) {
            json.push(b'\n');
            self.file.push(&json);
        }
    }

    /// It is gone.
    pub(super) fn lose(&mut self) {
        self.overflowed = true;
    }

    /// Is something missing?
    pub(super) fn is_broken(&self) -> bool {
        self.overflowed
    }

    /// Is it to take the place of one that is there?
    pub(super) fn is_another(&self) -> bool {
        self.file.is_another()
    }

    /// What is to be told among what came last.
    pub(super) fn news(&self) -> Option<Piece<'_>> {
        self.file.news()
    }

    /// All that is new was told.
    pub(super) fn was_told(&mut self) {
        self.file.was_told();
    }

    /// Nobody knows what became of what was written and not made safe.
    pub(super) fn doubt(&mut self) {
        self.file.doubt();
    }

    pub(super) fn write(&mut self, disk: &mut dyn Disk) -> io::Result<()> {
        self.file.write(disk)
    }

    pub(super) fn sync(&mut self, disk: &mut dyn Disk) -> io::Result<()> {
        self.file.sync(disk)
    }
}

/// The lines of a journal as it was left, perhaps cut off.
pub(super) fn lines(bytes: &[u8]) -> impl Iterator<Item = Line> + '_ {
    let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    let lines = bytes.get(..whole).unwrap_or_default().split(|byte| *byte == b'\n');
    lines.map_while(|line| serde_json::from_slice(line).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_cut_off_is_no_line() {
        let all = [Line::Session { epoch_unix_ms: Some(7) }, Line::Now(48_000), Line::Track(News::default())];
        let bytes: Vec<u8> =
            all.iter().flat_map(|line| [serde_json::to_vec(line).unwrap(), vec![b'\n']].concat()).collect();
        assert!(lines(&bytes).eq(all.clone()));
        for cut in 0..bytes.len() {
            let whole = bytes[..cut].iter().filter(|byte| **byte == b'\n').count();
            assert!(lines(&bytes[..cut]).eq(all[..whole].to_vec()), "{cut}");
        }
        let zeros = [&bytes[..], &[0; 100]].concat();
        assert!(lines(&zeros).eq(all));
    }
}
