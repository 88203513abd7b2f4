//! A jitter buffer explained on one network: what came when, how long playout waited for it, what had to be invented or
//! recovered, and how delay was worked off again. A line a second, and what both cost at the end.
//!
//!     cargo run --release --example watch_a_jitter_buffer [TRACE.csv [VOICE.opus]]

use std::{env::args, mem, path::Path, process::ExitCode};
use tertulia::{
    engine::{Command, Engine, Lane, LaneConfig, LaneStats, RoomConfig, Source},
    packet::RtpStream,
    sim::{OpusFile, TraceRow, read_trace},
    speaker::SpeakerId,
    time::SampleTime,
};

const HELP: &str = "Tells what a jitter buffer does with one voice on one network.\n
Usage: watch_a_jitter_buffer [TRACE.csv [VOICE.opus]]\n
  TRACE.csv     seq,send_ms,arrival_ms,vad: a row a packet (default: examples/panel/wifi.csv)
  VOICE.opus    packets of 20 ms, again and again as needed (default: examples/panel/emma.opus)";
/// Senders draw their first sequence number; a known one leads from a playout back to the row of the trace.
const FIRST: u16 = 0x4000;

fn main() -> ExitCode {
    let file = |place, usual: &str| args().nth(place).unwrap_or_else(|| usual.into());
    let (trace, voice) = (file(1, "examples/panel/wifi.csv"), file(2, "examples/panel/emma.opus"));
    let result = match (trace.as_str(), args().nth(3)) {
        ("-h" | "--help", _) => {
            println!("{HELP}");
            Ok(())
        }
        (_, Some(more)) => Err(format!("expected a trace and a voice, found {more} too, see --help")),
        _ => watch(&trace, &voice),
    };
    let Err(error) = result else { return ExitCode::SUCCESS };
    eprintln!("watch_a_jitter_buffer: {error}");
    ExitCode::FAILURE
}

fn watch(trace: &str, voice: &str) -> Result<(), String> {
    let mut rows = read_trace(Path::new(trace)).map_err(|error| error.to_string())?;
    rows.dedup_by_key(|row| row.seq); // a copy that the network made is not watched
    let packets = OpusFile::read(Path::new(voice)).map_err(|error| error.to_string())?.packets;
    let transits_ms = rows.iter().filter_map(|row| Some(row.arrival_ms? - row.send_ms));
    let quickest_ms =
        transits_ms.min_by(f64::total_cmp).ok_or_else(|| format!("{trace}: expected an arrival"))?;

    // A room of one lane and no output: its jitter buffer and decoder are at work all the same.
    let (room, speaker) = (RoomConfig::default(), SpeakerId(0));
    let mut engine = Engine::new(room);
    let lane = Lane::new(LaneConfig::new(speaker), &room).map_err(|error| error.to_string())?;
    drop(engine.apply(Command::Admit(Box::new(lane))));

    // The sender numbers its packets in the order of sending; the network decides which come, and in what order.
    let (mut stream, mut coming) = (RtpStream::new(1, 111, FIRST, 0), Vec::new());
    for row in &rows {
        let header = stream.header(SampleTime::from_samples(960 * row.seq), false);
        let payload = &packets[row.seq as usize % packets.len()];
        coming.extend(row.arrival_ms.map(|at_ms| (at_ms, row.send_ms, [&header[..], payload].concat())));
    }
    coming.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut coming = coming.into_iter().peekable();

    println!("{trace}: delays are in ms over the quickest packet, which took {quickest_ms:.1} ms.");
    println!("▁ 40 ms that came at once … █ took 140 ms more, × lost   ■ 10 ms of playout delay\n");
    let mut story = Story { rows, quickest_ms, ..Story::default() };
    while coming.peek().is_some() || engine.now().as_ms() < story.last_ms.0 + story.target_ms {
        // What has come by now goes in first: a packet that comes between two pulls waits for the second…
        let now_ms = engine.now().as_ms();
        while let Some((at_ms, send_ms, datagram)) = coming.next_if(|(at_ms, ..)| *at_ms <= now_ms) {
            engine.receive(speaker, &datagram, SampleTime::from_ms(at_ms));
            story.arrival(at_ms, at_ms - send_ms - quickest_ms);
        }
        // …and then the room pulls 10 ms of sound: the next packet; if it is missing, the spare copy in the one behind
        // it (FEC); failing that, something invented. The tick tells which packets began, and where in the mix.
        let playouts = engine.tick().playouts().to_vec();
        let stats = engine.stats(speaker).unwrap_or_default();
        for playout in playouts.iter().filter(|playout| playout.source != Source::Skipped) {
            let place = playout.sequence.wrapping_sub(u64::from(FIRST));
            let Some(row) = story.rows.get(place as usize) else { continue };
            let delay_ms = playout.at.as_ms() - row.send_ms - quickest_ms;
            story.delays_ms.push(delay_ms);
            // The lane counts from the quickest packet *lately*; this puts its target beside the delay.
            story.target_ms = delay_ms - playout.delay.as_ms() + stats.target.as_ms();
        }
        if engine.now().as_ms() >= 1000.0 * f64::from(story.seconds + 1) {
            story.second(stats);
        }
    }
    story.end(&engine.stats(speaker).unwrap_or_default());
    Ok(())
}

/// What has happened, and how much of it has been told.
#[derive(Default)]
struct Story {
    rows: Vec<TraceRow>,
    quickest_ms: f64,
    /// Of every packet heard.
    delays_ms: Vec<f64>,
    target_ms: f64,
    /// When the last packet arrived, and how much later than the quickest.
    last_ms: (f64, f64),
    stall_ms: f64,
    seconds: u32,
    told: (LaneStats, f64, usize),
}

impl Story {
    /// In a stall nothing comes for long; then what is overdue comes all at once.
    fn arrival(&mut self, at_ms: f64, delay_ms: f64) {
        let (before_ms, usual_ms) = mem::replace(&mut self.last_ms, (at_ms, delay_ms));
        if delay_ms > usual_ms + 40.0 {
            self.stall_ms = self.stall_ms.max(at_ms - before_ms);
        }
    }

    fn second(&mut self, stats: LaneStats) {
        let from_ms = 1000.0 * f64::from(self.seconds) - self.quickest_ms;
        let due = |row: &&TraceRow| (from_ms..from_ms + 1000.0).contains(&row.send_ms);
        let due: Vec<&TraceRow> = self.rows.iter().filter(due).collect();
        let now = (stats, self.target_ms, self.delays_ms.len());
        let (before, was_ms, told) = mem::replace(&mut self.told, now);
        let ms = |now: u64, before: u64| (now.saturating_sub(before) as f64 / 48.0).round();
        let (new, old) = (&stats.samples, &before.samples);
        let stall_ms = mem::take(&mut self.stall_ms).round();
        let lost = due.iter().filter(|row| row.arrival_ms.is_none()).count() as f64;
        let waits_ms = if (self.target_ms - was_ms).abs() < 5.0 { 0.0 } else { self.target_ms.round() };
        // What the network did → what was made of it, and for what playout waits from now on.
        let happened = [(stall_ms, "ms of stall"), (lost, "lost")];
        let done = [
            (ms(new.fec + new.dred, old.fec + old.dred), "ms recovered"),
            (ms(new.concealed, old.concealed), "ms concealed"),
            (ms(new.inserted, old.inserted), "ms put in"),
            (ms(new.removed, old.removed), "ms left out"),
            (waits_ms, "ms is the target now"),
        ];
        let parts = [list(&happened), list(&done)].into_iter().filter(|part| !part.is_empty());
        let story = parts.collect::<Vec<_>>().join(" → ");
        let delay_ms = mean(self.delays_ms.get(told..).unwrap_or_default());
        let bar = "■".repeat((delay_ms / 10.0).round().clamp(0.0, 24.0) as usize);
        let arrivals: String = due.chunks(2).map(|two| self.sign(two)).collect();
        let (minute, second) = (self.seconds / 60, self.seconds % 60);
        println!("{minute}:{second:02} {arrivals:25} {delay_ms:4.0} ms {bar:24} {story}");
        self.seconds += 1;
    }

    /// The worst of a few packets.
    fn sign(&self, rows: &[&TraceRow]) -> char {
        let late = |row: &&TraceRow| Some((row.arrival_ms? - row.send_ms - self.quickest_ms) / 20.0);
        let worst = rows.iter().map(late).try_fold(0.0, |worst: f64, late| Some(worst.max(late?)));
        worst.map_or('×', |eighths| ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'][(eighths as usize).min(7)])
    }

    /// D, C, and what both cost together when a percent of C is worth 20 or 100 ms of D.
    fn end(&self, stats: &LaneStats) {
        let samples = &stats.samples;
        let made = samples.played + samples.fec + samples.dred + samples.concealed + samples.silence;
        let percent = |part: u64, whole: u64| 100.0 * part as f64 / whole.max(1) as f64;
        let unheard = self.rows.len().saturating_sub(self.delays_ms.len()) as u64;
        let invented = percent(samples.concealed, made + samples.inserted - samples.removed.min(made));
        let (d, c) = (mean(&self.delays_ms), invented.max(percent(unheard, self.rows.len() as u64)));
        let stretched = percent(samples.inserted + samples.removed, made);
        let (j20, j100) = (d + 20.0 * c, d + 100.0 * c);
        println!("\nD    {d:6.1} ms  from microphone to mix, over the quickest way, on average");
        println!("C    {c:6.2} %   invented, or never heard if that is more");
        println!("J20  {j20:6.1}     D + 20 C: what delay and gaps cost together; J100 {j100:.1}");
        println!("     {stretched:6.2} %   stretched: put in to wait longer, left out to catch up");
    }
}

fn list(facts: &[(f64, &str)]) -> String {
    let facts = facts.iter().filter(|(count, _)| *count > 0.0).map(|(count, what)| format!("{count} {what}"));
    facts.collect::<Vec<_>>().join(", ")
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}
