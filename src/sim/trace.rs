//! Network traces: `seq,send_ms,arrival_ms,vad`, one row a packet sent, an empty arrival for a lost one. The header row may
//! be missing; `vad` is never read. A row that repeats the `seq` above it is a copy that the network made of that packet.

use super::error::Invalid;
use std::{fmt, fs, io, path::Path};

/// Media time in samples has room in 64 bits up to here, with a margin for every sum that is made of it.
const END_OF_SEQ: u64 = 1 << 48;

/// One packet's way through the network, in milliseconds since its sender joined.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TraceRow {
    /// Which packet of the file; media time in packets.
    pub seq: u64,
    /// When it leaves.
    pub send_ms: f64,
    /// When it reaches the engine, if it does.
    pub arrival_ms: Option<f64>,
}

impl fmt::Display for TraceRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{},{:.3},", self.seq, self.send_ms)?;
        if let Some(arrival) = self.arrival_ms {
            write!(f, "{arrival:.3}")?;
        }
        write!(f, ",1")
    }
}

/// Reads a trace. Rows stand in the order of sending; arrivals may be in any order.
///
/// # Errors
/// The first line that is no such row.
pub fn read_trace(file: &Path) -> Result<Vec<TraceRow>, Invalid> {
    let text = fs::read_to_string(file).map_err(|error| Invalid::unreadable(file, &error))?;
    let mut rows: Vec<TraceRow> = Vec::with_capacity(text.len() / 20);
    for (at, line) in text.lines().enumerate() {
        if line.trim().is_empty() || (at == 0 && line.starts_with("seq,")) {
            continue;
        }
        let row = parse(line, rows.last()).map_err(|expected| Invalid::new(file, Some(at + 1), expected))?;
        rows.push(row);
    }
    if rows.is_empty() {
        return Err(Invalid::new(file, None, "expected at least one row seq,send_ms,arrival_ms,vad"));
    }
    Ok(rows)
}

/// Writes rows as a trace that [`read_trace`] reads.
///
/// # Errors
/// What the file system refuses.
pub fn write_trace(file: &Path, rows: impl IntoIterator<Item = TraceRow>) -> io::Result<()> {
    let mut text = String::from("seq,send_ms,arrival_ms,vad\n");
    for row in rows {
        text.push_str(&row.to_string());
        text.push('\n');
    }
    fs::write(file, text)
}

fn parse(line: &str, above: Option<&TraceRow>) -> Result<TraceRow, String> {
    let fields: Vec<&str> = line.split(',').map(str::trim).collect();
    let [seq, send, arrival, _vad] = fields[..] else {
        return Err(format!("expected 4 fields seq,send_ms,arrival_ms,vad, found {}", fields.len()));
    };
    let row = TraceRow {
        seq: packet_number(seq)?,
        send_ms: milliseconds("send_ms", send)?,
        arrival_ms: if arrival.is_empty() { None } else { Some(milliseconds("arrival_ms", arrival)?) },
    };
    follows(&row, above)?;
    Ok(row)
}

fn packet_number(field: &str) -> Result<u64, String> {
    let value = field.parse().ok().filter(|seq| *seq < END_OF_SEQ);
    value.ok_or_else(|| format!("expected seq to be a packet number, found {field:?}"))
}

fn milliseconds(name: &str, field: &str) -> Result<f64, String> {
    let value = field.parse().ok().filter(|ms: &f64| (0.0..1e12).contains(ms));
    value.ok_or_else(|| format!("expected {name} in milliseconds from 0 on, found {field:?}"))
}

fn follows(row: &TraceRow, above: Option<&TraceRow>) -> Result<(), String> {
    if let Some(arrival) = row.arrival_ms.filter(|arrival| *arrival < row.send_ms) {
        return Err(format!("expected arrival_ms not before send_ms {}, found {arrival}", row.send_ms));
    }
    match above {
        Some(above) if row.seq < above.seq => {
            Err(format!("expected seq to ascend from {}, found {}", above.seq, row.seq))
        }
        Some(above) if row.send_ms < above.send_ms => {
            Err(format!("expected send_ms to ascend from {}, found {}", above.send_ms, row.send_ms))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<TraceRow>, String> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("t.csv");
        fs::write(&file, text).unwrap();
        read_trace(&file).map_err(|error| error.to_string().replace(&*file.to_string_lossy(), "t.csv"))
    }

    #[test]
    fn rows_with_and_without_header_are_the_same() {
        let rows = read("0,0,1.5,1\n2,40,,0\n").unwrap();
        assert_eq!(rows, read("seq,send_ms,arrival_ms,vad\r\n0,0,1.5,1\r\n2,40,,0\r\n\r\n").unwrap());
        assert_eq!(rows[1], TraceRow { seq: 2, send_ms: 40.0, arrival_ms: None });
    }

    #[test]
    fn what_is_written_is_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("t.csv");
        let rows = [
            TraceRow { seq: 3, send_ms: 0.125, arrival_ms: Some(7.25) },
            TraceRow { seq: 3, send_ms: 0.125, arrival_ms: None },
        ];
        write_trace(&file, rows).unwrap();
        assert_eq!(read_trace(&file).unwrap(), rows);
    }

    #[test]
    fn a_bad_row_is_named_by_its_line() {
        let expect = |text: &str, error: &str| assert_eq!(read(text).unwrap_err(), error);
        expect("0,0,1\n", "t.csv:1: expected 4 fields seq,send_ms,arrival_ms,vad, found 3");
        expect("0,0,1,1\n\nx,0,1,1\n", "t.csv:3: expected seq to be a packet number, found \"x\"");
        expect(
            "281474976710656,0,1,1\n",
            "t.csv:1: expected seq to be a packet number, found \"281474976710656\"",
        );
        assert_eq!(read("281474976710655,0,1,1\n").unwrap().len(), 1);
        expect("0,nan,1,1\n", "t.csv:1: expected send_ms in milliseconds from 0 on, found \"nan\"");
        expect("0,0,-1,1\n", "t.csv:1: expected arrival_ms in milliseconds from 0 on, found \"-1\"");
        expect("0,9,8,1\n", "t.csv:1: expected arrival_ms not before send_ms 9, found 8");
        expect("1,0,1,1\n0,0,1,1\n", "t.csv:2: expected seq to ascend from 1, found 0");
        expect("0,5,6,1\n1,4,6,1\n", "t.csv:2: expected send_ms to ascend from 5, found 4");
        expect("seq,send_ms,arrival_ms,vad\n", "t.csv: expected at least one row seq,send_ms,arrival_ms,vad");
    }
}
