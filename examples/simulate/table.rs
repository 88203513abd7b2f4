//! What a person wants to know first: one line a voice, and what lies in the folder.

use std::{fmt::Write, path::Path};
use tertulia::{
    sim::{Options, Outcome, SpeakerLine},
    time::SampleTime,
};

const HEAD: [&str; 11] = [
    "sent",
    "arrived",
    "loss %",
    "late",
    "concealed %",
    "FEC %",
    "delay ms",
    "p95 ms",
    "target ms",
    "gaps",
    "gap s",
];

pub(crate) fn render(outcome: &Outcome, out: &Path, took_s: f64, options: &Options) -> String {
    let names = outcome.voices.iter().map(|voice| voice.name.as_str());
    let name_width = names.clone().chain(["voice"]).map(str::len).max().unwrap_or_default();
    let mut text = format!("{:name_width$}", "voice");
    for title in HEAD {
        let _ = write!(text, "  {title:>width$}", width = title.len().max(5));
    }
    text.push('\n');
    for name in names {
        let Some(line) = outcome.report.speakers.get(name) else { continue };
        let _ = write!(text, "{name:name_width$}");
        for (title, cell) in HEAD.iter().zip(cells(line)) {
            let _ = write!(text, "  {cell:>width$}", width = title.len().max(5));
        }
        text.push('\n');
    }
    text + &summary(outcome, out, took_s, options)
}

fn cells(line: &SpeakerLine) -> [String; 11] {
    let (packets, samples) = (&line.packets, &line.samples);
    let heard = samples.played + samples.concealed + samples.fec + samples.dred + samples.silence;
    let gap_samples: u64 = line.gaps.iter().map(|gap| gap.to_sample - gap.from_sample).sum();
    [
        packets.sent.to_string(),
        packets.arrived.to_string(),
        loss_percent(line),
        packets.late.to_string(),
        percent(samples.concealed, heard),
        percent(samples.fec, heard),
        format!("{:.0}", line.delay_ms.mean),
        format!("{:.0}", line.delay_ms.p95),
        format!("{:.0}", line.target_ms.mean),
        line.gaps.len().to_string(),
        format!("{:.1}", SampleTime::from_samples(gap_samples).as_ms() / 1000.0),
    ]
}

pub(crate) fn loss_percent(line: &SpeakerLine) -> String {
    let packets = &line.packets;
    percent(packets.sent.saturating_sub(packets.arrived - packets.duplicate), packets.sent)
}

fn percent(part: u64, whole: u64) -> String {
    format!("{:.1}", 100.0 * part as f64 / whole.max(1) as f64)
}

fn summary(outcome: &Outcome, out: &Path, took_s: f64, options: &Options) -> String {
    let room_s = SampleTime::from_samples(outcome.report.room.samples).as_ms() / 1000.0;
    let plot = if options.history { "playout.svg shows the delays, " } else { "" };
    let own = if options.minus { "minus/ what each speaker heard, " } else { "" };
    format!(
        "\n{room_s:.1} s of room in {took_s:.2} s ({:.0} x real time).\n{}: mix.wav and mix.opus are what listeners \
         heard, {own}tracks/ has one recording a voice (session.json tells about them), timeline.svg is the picture, \
         {plot}playout.csv and report.json are the figures.\n",
        room_s / took_s,
        out.display()
    )
}
