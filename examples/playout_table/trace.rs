//! A trace as the comparators see it: one frame a row, when it was sent, when it and its copy arrived, and, from the
//! `vad` column that our engine never reads, whether it is speech.

use crate::measure::FRAME_MS;
use std::{
    fs,
    path::{Path, PathBuf},
};
use tertulia::{
    packet::opus,
    sim::{OpusFile, TraceRow, read_trace},
};

#[derive(Clone, Debug)]
pub(crate) struct Trace {
    pub(crate) name: String,
    /// Each packet once, in the order of sending.
    pub(crate) rows: Vec<TraceRow>,
    pub(crate) frames: Vec<Frame>,
    /// The smallest transit of all.
    pub(crate) quickest_ms: f64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Frame {
    pub(crate) send_ms: f64,
    pub(crate) arrival_ms: Option<f64>,
    /// When the packet after it brings a copy, if it does.
    pub(crate) copy_ms: Option<f64>,
    pub(crate) is_speech: bool,
}

impl Frame {
    /// When its content is there, by whichever way is quicker.
    pub(crate) fn there_ms(&self) -> Option<f64> {
        match (self.arrival_ms, self.copy_ms) {
            (Some(arrival), Some(copy)) => Some(arrival.min(copy)),
            (arrival, copy) => arrival.or(copy),
        }
    }
}

impl Trace {
    /// `is_speech` may be shorter than the rows; what it does not tell is speech.
    pub(crate) fn new(name: &str, rows: Vec<TraceRow>, is_speech: &[bool]) -> Self {
        let speech = is_speech.iter().copied().chain(std::iter::repeat(true));
        let frame = |(row, is_speech): (&TraceRow, bool)| Frame {
            send_ms: row.send_ms,
            arrival_ms: row.arrival_ms,
            copy_ms: None,
            is_speech,
        };
        let frames = rows.iter().zip(speech).map(frame).collect();
        let transits = rows.iter().filter_map(|row| Some(row.arrival_ms? - row.send_ms));
        Self { name: name.to_owned(), quickest_ms: transits.fold(f64::INFINITY, f64::min), rows, frames }
    }

    /// The same network, for a voice whose packets may carry copies of the ones before them.
    pub(crate) fn carrying(mut self, voice: &OpusFile) -> Self {
        let copies: Vec<bool> = voice.packets.iter().map(|packet| opus::has_lbrr(packet)).collect();
        for place in 1..self.frames.len() {
            let next = &self.rows[place];
            let has_copy = copies[next.seq as usize % copies.len()];
            self.frames[place - 1].copy_ms = next.arrival_ms.filter(|_| has_copy);
        }
        self
    }

    /// Frames of which nothing ever arrives.
    pub(crate) fn lost(&self) -> usize {
        self.frames.iter().filter(|frame| frame.there_ms().is_none()).count()
    }

    /// How long after its sending at the quickest transit each frame is there; none for the lost ones.
    pub(crate) fn late_ms(&self) -> impl Iterator<Item = Option<f64>> {
        self.frames.iter().map(|frame| Some(frame.there_ms()? - frame.send_ms - self.quickest_ms))
    }

    /// The rows as a file that [`read_all`] reads.
    pub(crate) fn to_csv(&self) -> String {
        let rows = self.rows.iter().zip(&self.frames).map(|(row, frame)| {
            let arrival = row.arrival_ms.map(|ms| format!("{ms:.3}")).unwrap_or_default();
            format!("{},{:.3},{arrival},{}\n", row.seq, row.send_ms, u8::from(frame.is_speech))
        });
        std::iter::once("seq,send_ms,arrival_ms,vad\n".to_owned()).chain(rows).collect()
    }

    /// Where the sender's clock puts a frame.
    pub(crate) fn media_ms(place: usize) -> f64 {
        place as f64 * FRAME_MS
    }
}

/// Reads trace files, and all `.csv` of folders, by name.
pub(crate) fn read_all(paths: &[PathBuf]) -> Result<Vec<Trace>, String> {
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            files.extend(csv_files(path)?);
        } else {
            files.push(path.clone());
        }
    }
    files.iter().map(|file| read(file)).collect()
}

fn csv_files(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let unreadable = |error| format!("{}: expected a readable folder: {error}", folder.display());
    let entries = fs::read_dir(folder).map_err(unreadable)?.flatten().map(|entry| entry.path());
    let mut files: Vec<_> = entries.filter(|path| path.extension().is_some_and(|end| end == "csv")).collect();
    files.sort();
    if files.is_empty() { Err(format!("{}: expected .csv files", folder.display())) } else { Ok(files) }
}

fn read(file: &Path) -> Result<Trace, String> {
    let rows = read_trace(file).map_err(|error| error.to_string())?;
    let text = fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let vad = text.lines().filter(|line| line.starts_with(|first: char| first.is_ascii_digit()));
    let is_speech: Vec<bool> = vad.map(|line| line.split(',').nth(3).map(str::trim) != Some("0")).collect();
    let (rows, is_speech) = without_copies(&rows, &is_speech);
    if let Some(two) = rows.windows(2).find(|two| two[1].seq != two[0].seq + 1) {
        let (file, before, after) = (file.display(), two[0].seq, two[1].seq);
        return Err(format!(
            "{file}: expected a sender without pauses (comparators know none), found {after} after {before}"
        ));
    }
    let name = file.file_stem().unwrap_or_default().to_string_lossy();
    let trace = Trace::new(&name, rows, &is_speech);
    if trace.quickest_ms.is_finite() {
        Ok(trace)
    } else {
        Err(format!("{}: expected a packet that arrives", file.display()))
    }
}

/// A row that repeats the number above it is a copy that the network made: the earlier arrival counts.
fn without_copies(rows: &[TraceRow], is_speech: &[bool]) -> (Vec<TraceRow>, Vec<bool>) {
    let (mut once, mut speech): (Vec<TraceRow>, Vec<bool>) = (Vec::new(), Vec::new());
    for (row, is_speech) in rows.iter().zip(is_speech) {
        match once.last_mut().filter(|last| last.seq == row.seq) {
            Some(first) => {
                let arrivals = first.arrival_ms.into_iter().chain(row.arrival_ms);
                first.arrival_ms = arrivals.min_by(f64::total_cmp);
            }
            None => {
                once.push(*row);
                speech.push(*is_speech);
            }
        }
    }
    (once, speech)
}

/// Traces made by hand, for the comparators' tests: one transit a frame of 20 ms, none for a lost one.
#[cfg(test)]
pub(crate) fn by_hand(transits_ms: &[Option<f64>], is_speech: &[bool]) -> Trace {
    let rows = transits_ms.iter().zip(0..).map(|(transit, seq)| {
        let send_ms = seq as f64 * FRAME_MS;
        TraceRow { seq, send_ms, arrival_ms: transit.map(|ms| send_ms + ms) }
    });
    Trace::new("by hand", rows.collect(), is_speech)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_knows_what_is_late_and_what_is_lost() {
        let trace = by_hand(&[Some(30.0), None, Some(45.0)], &[true, false]);
        assert_eq!(trace.late_ms().collect::<Vec<_>>(), [Some(0.0), None, Some(15.0)]);
        assert_eq!(trace.lost(), 1);
        assert_eq!(trace.frames.iter().map(|frame| frame.is_speech).collect::<Vec<_>>(), [true, false, true]);
    }

    #[test]
    fn a_copy_comes_with_the_packet_after_it() {
        let frame = Frame { send_ms: 0.0, arrival_ms: None, copy_ms: Some(51.0), is_speech: true };
        assert_eq!(frame.there_ms(), Some(51.0));
        assert_eq!(Frame { arrival_ms: Some(50.0), ..frame }.there_ms(), Some(50.0));
    }

    #[test]
    fn what_is_written_is_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.csv");
        let trace = by_hand(&[Some(30.25), None, Some(45.0)], &[true, false]);
        fs::write(&file, trace.to_csv()).unwrap();
        let read = &read_all(&[folder.path().to_owned()]).unwrap()[0];
        assert_eq!((read.name.as_str(), &read.rows, &read.frames), ("a", &trace.rows, &trace.frames));
    }

    #[test]
    fn of_packets_that_come_twice_the_first_counts() {
        let row = |seq, arrival_ms| TraceRow { seq, send_ms: 0.0, arrival_ms };
        let rows = [row(0, Some(9.0)), row(0, Some(7.0)), row(1, None), row(1, Some(3.0))];
        let (rows, speech) = without_copies(&rows, &[true, true, false, false]);
        assert_eq!(rows, [row(0, Some(7.0)), row(1, Some(3.0))]);
        assert_eq!(speech, [true, false]);
    }
}
