//! The room's figures for Prometheus, in its text format (exposition format 0.0.4), over plain HTTP: one request a
//! connection, one connection at a time.

use crate::{house::House, network::lock};
use std::{
    fmt::Write as _,
    io::{self, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread,
    time::Duration,
};
use tertulia::live::{Quantiles, RoomStats, StageStats};

/// How long a client may take to say what it wants.
const PATIENCE: Duration = Duration::from_millis(500);
/// The longest request that is read.
const MAX_REQUEST: usize = 4096;

/// Serves until `done`.
pub(crate) fn serve(listener: &TcpListener, house: &Mutex<House>, done: &AtomicBool) {
    // Without this the thread could not end; what cannot be set is not served.
    if listener.set_nonblocking(true).is_err() {
        return;
    }
    while !done.load(Relaxed) {
        match listener.accept() {
            // A client that breaks off is its own loss.
            Ok((client, _)) => drop(answer(client, house)),
            Err(_) => thread::park_timeout(PATIENCE / 10),
        }
    }
}

fn answer(mut client: TcpStream, house: &Mutex<House>) -> io::Result<()> {
    client.set_nonblocking(false)?;
    client.set_read_timeout(Some(PATIENCE))?;
    client.set_write_timeout(Some(PATIENCE))?;
    let request = read_request(&mut client)?;
    let (status, body) = match request.split(' ').take(2).collect::<Vec<_>>()[..] {
        ["GET", "/metrics" | "/"] => ("200 OK", lock(house).metrics()),
        ["GET", _] => ("404 Not Found", "only /metrics is here\n".to_owned()),
        _ => ("405 Method Not Allowed", "only GET is answered\n".to_owned()),
    };
    write!(
        client,
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}

/// The head of a request, up to its empty line.
fn read_request(client: &mut TcpStream) -> io::Result<String> {
    let (mut request, mut part) = (Vec::new(), [0; 512]);
    while request.len() < MAX_REQUEST && !request.windows(4).any(|end| end == b"\r\n\r\n") {
        match client.read(&mut part)? {
            0 => break,
            bytes => request.extend(&part[..bytes]),
        }
    }
    Ok(String::from_utf8_lossy(&request).into_owned())
}

/// Everything, as text.
pub(crate) fn render(stage: &StageStats, room: Option<&RoomStats>) -> String {
    let mut page = Page(String::new());
    page.workers(stage);
    if let Some(room) = room {
        page.room(room);
        page.speakers(room);
    }
    page.0
}

struct Page(String);

impl Page {
    fn workers(&mut self, stage: &StageStats) {
        let workers = || {
            stage.workers.iter().enumerate().map(|(number, worker)| (format!("worker=\"{number}\""), worker))
        };
        self.all(
            "tertulia_worker_load_ratio",
            "gauge",
            "Part of a worker's time that goes into ticks.",
            workers().map(|(of, worker)| (of, worker.load.into())),
        );
        self.all("tertulia_worker_shed_rung", "gauge", "What a worker sheds: 0 nothing, 1 neural concealment, 2 encoder complexity, 3 voices, 4 new rooms.", workers().map(|(of, worker)| (of, worker.rung as u8 as f64)));
        self.all(
            "tertulia_worker_ticks_total",
            "counter",
            "Ticks.",
            workers().map(|(of, worker)| (of, worker.ticks as f64)),
        );
        self.all(
            "tertulia_worker_deadline_misses_total",
            "counter",
            "Ticks not done when the next was due.",
            workers().map(|(of, worker)| (of, worker.deadline_misses as f64)),
        );
        self.all(
            "tertulia_worker_passed_total",
            "counter",
            "Ticks that came too late to be heard.",
            workers().map(|(of, worker)| (of, worker.passed as f64)),
        );
        self.summary(
            "tertulia_tick_seconds",
            "What a tick takes.",
            workers().map(|(of, worker)| (of, worker.tick_ns)),
        );
        self.summary(
            "tertulia_tick_lateness_seconds",
            "How late a tick begins.",
            workers().map(|(of, worker)| (of, worker.lateness_ns)),
        );
    }

    fn room(&mut self, room: &RoomStats) {
        let one = |value: f64| [(String::new(), value)];
        self.all("tertulia_room_seconds_total", "counter", "Room time.", one(room.samples as f64 / 48_000.0));
        self.all(
            "tertulia_room_decodes_total",
            "counter",
            "Packets decoded or concealed.",
            one(room.decodes as f64),
        );
        self.all("tertulia_room_encodes_total", "counter", "Mixes encoded.", one(room.encodes as f64));
        self.all(
            "tertulia_room_unrecorded_total",
            "counter",
            "Packets that the recorder's backlog had no room for.",
            one(room.unrecorded as f64),
        );
        self.all("tertulia_room_speakers", "gauge", "Speakers in the room.", one(room.speakers.len() as f64));
        let dropped: u64 = room.buses.iter().map(|bus| bus.dropped).sum();
        self.all(
            "tertulia_room_dropped_total",
            "counter",
            "Packets out that nobody fetched.",
            one(dropped as f64),
        );
    }

    fn speakers(&mut self, room: &RoomStats) {
        let speakers =
            || room.speakers.iter().map(|speaker| (format!("speaker=\"{}\"", speaker.speaker.0), speaker));
        self.all(
            "tertulia_speaker_packets_total",
            "counter",
            "Packets that arrived.",
            speakers().map(|(of, speaker)| (of, speaker.lane.packets.arrived as f64)),
        );
        self.all(
            "tertulia_speaker_late_total",
            "counter",
            "Packets too late to be heard.",
            speakers().map(|(of, speaker)| (of, speaker.lane.packets.late as f64)),
        );
        self.all(
            "tertulia_speaker_concealed_seconds_total",
            "counter",
            "Sound that was invented.",
            speakers().map(|(of, speaker)| (of, speaker.lane.samples.concealed as f64 / 48_000.0)),
        );
        self.all(
            "tertulia_speaker_delay_seconds",
            "gauge",
            "Playout delay over the quickest transit.",
            speakers().map(|(of, speaker)| (of, speaker.lane.delay.as_ms() / 1e3)),
        );
    }

    fn all(&mut self, name: &str, kind: &str, help: &str, values: impl IntoIterator<Item = (String, f64)>) {
        self.head(name, kind, help);
        for (of, value) in values {
            let of = if of.is_empty() { of } else { format!("{{{of}}}") };
            self.line(format_args!("{name}{of} {value}"));
        }
    }

    fn summary(&mut self, name: &str, help: &str, values: impl Iterator<Item = (String, Quantiles)>) {
        self.head(name, "gauge", help);
        for (of, quantiles) in values {
            let Quantiles { p50, p99, p99_9, p99_99, max } = quantiles;
            for (quantile, ns) in
                [("0.5", p50), ("0.99", p99), ("0.999", p99_9), ("0.9999", p99_99), ("1", max)]
            {
                self.line(format_args!("{name}{{{of},quantile=\"{quantile}\"}} {}", ns as f64 / 1e9));
            }
        }
    }

    fn head(&mut self, name: &str, kind: &str, help: &str) {
        self.line(format_args!("# HELP {name} {help}"));
        self.line(format_args!("# TYPE {name} {kind}"));
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        // A string takes whatever there is memory for.
        let _ = writeln!(self.0, "{line}");
    }
}
