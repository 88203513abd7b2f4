//! A crowd for a mixing server: see `--help`. Prints how late its clicks come back, what was lost, and what it cost.

mod args;
mod click;
mod ear;
#[path = "../rtp_room/priority.rs"]
mod priority;
mod script;
mod server;
mod speakers;

use args::Args;
use ear::{Clicks, Taken};
use script::Script;
use serde_json::json;
use server::Meter;
use speakers::{Heard, Sent};
use std::{
    error::Error, process::ExitCode, sync::atomic::AtomicBool, sync::atomic::Ordering::Relaxed, thread,
    time::Duration,
};

fn main() -> ExitCode {
    let args = match Args::parse() {
        Ok(Some(args)) => args,
        Ok(None) => {
            println!("{}", args::HELP);
            return ExitCode::SUCCESS;
        }
        Err(line) => {
            eprintln!("load: {line}");
            return ExitCode::from(2);
        }
    };
    match run(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("load: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<(), Box<dyn Error>> {
    let script = Script::write(args)?;
    let sockets = speakers::sockets(args)?;
    let (listener, others) = sockets.split_last().ok_or("no sockets")?;
    let over = &AtomicBool::new(false);
    let meter = Meter::begin(args)?;
    let (sent, heard, taken) = thread::scope(|threads| {
        let hearing = threads.spawn(|| speakers::hear(others, over));
        let listening = threads.spawn(|| ear::listen(listener, over));
        if !priority::be_punctual() {
            eprintln!(
                "warning: this machine gives no real-time priority; what is sent late is jitter to the server"
            );
        }
        let start = speakers::now() + Duration::from_millis(20);
        let sent = speakers::send(args, &script, &sockets, start);
        // What is still on its way.
        thread::park_timeout(Duration::from_millis(300));
        over.store(true, Relaxed);
        (sent, hearing.join(), listening.join())
    });
    let (heard, taken) = (heard.map_err(|_| "a thread died")??, taken.map_err(|_| "a thread died")??);
    let cost = meter.end(args);
    let clicks = taken.clicks(&script, &sent)?;
    let figures = Figures { args, sent, heard, taken, clicks, cost };
    figures.print();
    if let Some(file) = &args.json {
        std::fs::write(file, format!("{:#}\n", figures.json()))
            .map_err(|error| format!("--json {}: {error}", file.display()))?;
    }
    if figures.taken.heard.packets == 0 {
        return Err(format!("nothing came back from {}: is a server there?", args.to).into());
    }
    Ok(())
}

struct Figures<'a> {
    args: &'a Args,
    sent: Sent,
    heard: Vec<Heard>,
    taken: Taken,
    clicks: Clicks,
    cost: server::Cost,
}

impl Figures<'_> {
    fn print(&self) {
        let Args { speakers, talking_percent, jitter_ms, seconds, to, .. } = self.args;
        println!(
            "{speakers} speakers, {talking_percent} % talking, {seconds} s, jitter {jitter_ms} ms, to {to}"
        );
        let latest_ms = self.sent.latest.as_secs_f64() * 1e3;
        println!("sent      {} packets, the latest {latest_ms:.1} ms after its time", self.sent.packets);
        let (packets, missing) = self.returned();
        println!("received  {packets} packets by {} people, {missing} missing", self.heard.len() + 1);
        match self.quantiles() {
            Some([p50, p95, p99, max]) => println!(
                "latency   added p50 {p50:.1} ms, p95 {p95:.1}, p99 {p99:.1}, max {max:.1} over {} clicks, {} unheard\n          \
                 (mouth to ear, less 20 ms of packetisation and the sender's own encoder)",
                self.clicks.added_ms.len(),
                self.clicks.unheard
            ),
            None => println!("latency   no click was heard, {} were sent", self.clicks.unheard),
        }
        self.cost.print();
    }

    fn returned(&self) -> (u64, u64) {
        let all = self.heard.iter().chain([&self.taken.heard]);
        all.fold((0, 0), |(packets, missing), heard| (packets + heard.packets, missing + heard.missing))
    }

    /// p50, p95, p99 and the largest, by nearest rank.
    fn quantiles(&self) -> Option<[f64; 4]> {
        let sorted = &self.clicks.added_ms;
        let last = sorted.len().checked_sub(1)?;
        Some(
            [0.5, 0.95, 0.99, 1.0]
                .map(|part| sorted[((sorted.len() as f64 * part).ceil() as usize).clamp(1, last + 1) - 1]),
        )
    }

    fn json(&self) -> serde_json::Value {
        let (packets, missing) = self.returned();
        let [p50, p95, p99, max] = self.quantiles().map_or([None; 4], |all| all.map(Some));
        json!({
            "speakers": self.args.speakers,
            "talking_percent": self.args.talking_percent,
            "jitter_ms": self.args.jitter_ms,
            "seconds": self.args.seconds,
            "sent": self.sent.packets,
            "sender_max_late_ms": self.sent.latest.as_secs_f64() * 1e3,
            "received": packets,
            "missing": missing,
            "added_ms": {"p50": p50, "p95": p95, "p99": p99, "max": max},
            "clicks": self.clicks.added_ms.len(),
            "clicks_unheard": self.clicks.unheard,
            "cpu_ms_per_speaker_second": self.cost.cpu_ms_per_speaker_second,
            "deadline_misses": self.cost.deadline_misses,
        })
    }
}
