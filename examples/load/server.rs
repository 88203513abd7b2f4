//! What the evening cost the server: the CPU time of its process (`proc(5)`), or what `rtp_room --stats` wrote.

use crate::args::Args;
use std::fs;

/// Looks at the server before and after.
pub(crate) struct Meter {
    cpu_ms: Option<f64>,
}

/// What it cost.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cost {
    pub(crate) cpu_ms_per_speaker_second: Option<f64>,
    pub(crate) deadline_misses: Option<u64>,
}

impl Meter {
    /// An error is one line.
    pub(crate) fn begin(args: &Args) -> Result<Self, String> {
        let cpu_ms = match args.pid {
            Some(pid) => Some(cpu_ms(pid).ok_or_else(|| format!("--pid {pid}: no such process"))?),
            None => None,
        };
        Ok(Self { cpu_ms })
    }

    pub(crate) fn end(&self, args: &Args) -> Cost {
        let speaker_seconds = (args.speakers + 1) as f64 * args.seconds;
        let process = args.pid.and_then(cpu_ms).zip(self.cpu_ms).map(|(after, before)| after - before);
        let stats = args.stats.as_ref().and_then(|file| fs::read_to_string(file).ok());
        let stats: Option<serde_json::Value> = stats.and_then(|text| serde_json::from_str(&text).ok());
        let of_room = stats.as_ref().and_then(|stats| stats["cpu_ms"].as_f64());
        Cost {
            cpu_ms_per_speaker_second: process.or(of_room).map(|cpu_ms| cpu_ms / speaker_seconds),
            deadline_misses: stats.as_ref().and_then(|stats| stats["deadline_misses"].as_u64()),
        }
    }
}

impl Cost {
    pub(crate) fn print(&self) {
        if let Some(cost) = self.cpu_ms_per_speaker_second {
            println!("server    {cost:.2} CPU-ms a speaker-second");
        }
        if let Some(misses) = self.deadline_misses {
            println!("server    {misses} deadlines missed");
        }
    }
}

/// User and system time of a process, in hundredths of a second (`proc(5)`: fields 14 and 15); only on Linux.
fn cpu_ms(pid: u32) -> Option<f64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields: Vec<_> = stat.rsplit(") ").next()?.split(' ').collect();
    let ticks = |field: usize| fields.get(field)?.parse::<f64>().ok();
    Some((ticks(11)? + ticks(12)?) * 10.0)
}
