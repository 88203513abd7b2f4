//! The bundle, file by file: sound, timelines, waveforms, and what proves that all of it is there.

use crate::{
    cli::Arguments,
    clip::{self, Clip, Timeline},
    labels, otio, overview, reaper,
    turns::{Heard, Listeners},
};
use indicatif::{ProgressBar, ProgressStyle};
use sha2::{Digest, Sha256};
use std::{
    collections::BTreeMap,
    fmt::Write,
    fs,
    ops::Range,
    path::{Path, PathBuf},
    time::Instant,
};
use tertulia::{
    frame::Channels,
    record::{Derived, Recording},
    render::{Format, Of, Order, What, deliver},
};

const MIX: &str = "mix";
const SUM: &str = "sum.wav";

/// Makes the bundle; what a person wants to know of it.
pub(crate) fn make(arguments: &Arguments) -> Result<String, String> {
    let recording = Recording::open(&arguments.recording).map_err(|error| error.to_string())?;
    let recording = match &arguments.keys {
        Some(keys) => recording.with_keys(keys),
        None => recording,
    };
    let what = what(arguments, &recording)?;
    let range = what.range.clone().unwrap_or(0..0);
    let stems = stems(arguments, &recording, &range)?;
    let out = &arguments.out;
    for folder in ["stems", "peaks"] {
        let path = out.join(folder);
        fs::create_dir_all(&path).map_err(|error| format!("cannot create {}: {error}", path.display()))?;
    }
    let began = now();
    let (heard, channels) = sound(arguments, &recording, &what, &stems)?;
    let took_s = began.elapsed().as_secs_f64();
    let timeline = timeline(arguments, &recording, range, stems, channels);
    note(out, &timeline, &recording, &heard)?;
    texts(out, &timeline, &recording, &heard)?;
    sums(out)?;
    Ok(summary(out, &timeline, took_s))
}

fn what(arguments: &Arguments, recording: &Recording) -> Result<What, String> {
    let end = recording.manifest().samples;
    let range = arguments.from.unwrap_or(0)..arguments.to.unwrap_or(end).min(end);
    if range.start >= range.end {
        let length = end as f64 / 48_000.0;
        return Err(format!("--from, --to: expected a part of the recording's {length:.3} s"));
    }
    Ok(What {
        voices: arguments.voices.clone(),
        range: Some(range),
        channels: arguments.channels,
        automation: arguments.automation.clone(),
        threads: arguments.threads,
    })
}

/// A file for each voice that was in the room then.
fn stems(arguments: &Arguments, recording: &Recording, range: &Range<u64>) -> Result<Vec<Clip>, String> {
    let manifest = recording.manifest();
    let names: Vec<&String> = match &arguments.voices {
        Some(voices) => voices.iter().collect(),
        None => manifest.speakers.keys().collect(),
    };
    let ending = clip::ending(arguments.format);
    let stem = |name: &&String| {
        let span = clip::span_of(manifest, name, range)?;
        let span = if arguments.full_length { range.clone() } else { span };
        Some(Clip { name: name.to_string(), file: format!("stems/{name}.{ending}"), span })
    };
    let stems: Vec<Clip> = names.iter().filter_map(stem).collect();
    if stems.is_empty() { Err(String::from("expected a voice that was in the room then")) } else { Ok(stems) }
}

/// Renders once: all files, and what is heard of each voice.
fn sound(
    arguments: &Arguments,
    recording: &Recording,
    what: &What,
    stems: &[Clip],
) -> Result<(BTreeMap<String, Heard>, Channels), String> {
    let out = &arguments.out;
    let order = |of, span, file: &str, format| Order { of, span, path: out.join(file), format };
    let voice = |clip: &Clip| {
        order(Of::Stem(clip.name.clone()), Some(clip.span.clone()), &clip.file, arguments.format)
    };
    let mut orders: Vec<Order> = stems.iter().map(voice).collect();
    orders.push(order(Of::Mix, None, &mix_file(arguments), arguments.format));
    if arguments.sum {
        orders.push(order(Of::Sum, None, SUM, Format::WavFloat));
    }
    let mut listeners = Listeners::new(stems.iter().map(|clip| &clip.name));
    let (range, bar) = (what.range.clone().unwrap_or(0..1), bar());
    let mut channels = Channels::Mono;
    deliver(recording, what, &orders, &mut |block| {
        channels = block.channels;
        listeners.hear(block);
        bar.set_position((block.at + block.samples() - range.start) * 1000 / (range.end - range.start));
    })
    .map_err(|error| error.to_string())?;
    bar.finish_and_clear();
    Ok((listeners.finish(), channels))
}

fn mix_file(arguments: &Arguments) -> String {
    format!("{MIX}.{}", clip::ending(arguments.format))
}

fn timeline(
    arguments: &Arguments,
    recording: &Recording,
    range: Range<u64>,
    stems: Vec<Clip>,
    channels: Channels,
) -> Timeline {
    let name = fs::canonicalize(&arguments.recording).unwrap_or_else(|_| arguments.recording.clone());
    Timeline {
        name: name.file_name().map_or_else(|| "session".into(), |name| name.to_string_lossy().into_owned()),
        markers: clip::markers(recording.manifest(), &range),
        mix: Clip { name: MIX.into(), file: mix_file(arguments), span: range.clone() },
        range,
        stems,
        channels: channels.count(),
    }
}

fn texts(
    out: &Path,
    timeline: &Timeline,
    recording: &Recording,
    heard: &BTreeMap<String, Heard>,
) -> Result<(), String> {
    write(out, "timeline.otio", otio::timeline(timeline))?;
    write(out, "session.rpp", reaper::project(timeline))?;
    write(out, "labels.txt", labels::labels(timeline, heard))?;
    for (name, heard) in heard {
        write(out, &format!("peaks/{name}.json"), heard.peaks.json())?;
        write(out, &format!("peaks/{name}.dat"), heard.peaks.dat())?;
    }
    let manifest = recording.dir().join("session.json");
    let bytes =
        fs::read(&manifest).map_err(|error| format!("cannot read {}: {error}", manifest.display()))?;
    write(out, "session.json", bytes)?;
    let picture = out.join("overview.svg");
    overview::draw(&picture, timeline, recording.manifest(), heard)
        .map_err(|error| format!("cannot write {}: {error}", picture.display()))?;
    write(out, "README.txt", readme(timeline))
}

/// What tells of voices without being sound goes with them too.
fn note(
    out: &Path,
    timeline: &Timeline,
    recording: &Recording,
    heard: &BTreeMap<String, Heard>,
) -> Result<(), String> {
    let all: Vec<String> = heard.keys().cloned().collect();
    let made = |file: &str, speakers: &[String]| {
        let derived = Derived {
            path: std::path::absolute(out.join(file)).map_err(|error| error.to_string())?,
            kind: "export".into(),
            from_sample: timeline.range.start,
            to_sample: timeline.range.end,
            speakers: speakers.to_vec(),
            recipients: Vec::new(),
        };
        derived.note(recording.dir()).map_err(|error| error.to_string())
    };
    for name in &all {
        made(&format!("peaks/{name}.json"), std::slice::from_ref(name))?;
        made(&format!("peaks/{name}.dat"), std::slice::from_ref(name))?;
    }
    ["labels.txt", "overview.svg"].iter().try_for_each(|file| made(file, &all))
}

fn write(out: &Path, name: &str, bytes: impl AsRef<[u8]>) -> Result<(), String> {
    let path = out.join(name);
    fs::write(&path, bytes).map_err(|error| format!("cannot write {}: {error}", path.display()))
}

/// `SHA256SUMS`, as `sha256sum -c` reads it.
fn sums(out: &Path) -> Result<(), String> {
    let mut files = Vec::new();
    collect(out, out, &mut files).map_err(|error| format!("cannot read {}: {error}", out.display()))?;
    files.sort();
    let mut sums = String::new();
    for file in files.iter().filter(|file| *file != Path::new("SHA256SUMS")) {
        let path = out.join(file);
        let bytes = fs::read(&path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
        let hash: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        // Writing to a string cannot fail.
        let _ = writeln!(sums, "{hash}  {}", file.display());
    }
    write(out, "SHA256SUMS", sums)
}

fn collect(folder: &Path, out: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, out, files)?;
        } else if let Ok(file) = path.strip_prefix(out) {
            files.push(file.to_owned());
        }
    }
    Ok(())
}

fn readme(timeline: &Timeline) -> String {
    let Range { start, end } = timeline.range;
    let mut text = format!(
        "{}: {:.3} s from room sample {start} on, at 48000 samples a second.\n\n\
         mix.*          what one hears of all voices, limited to -1 dBTP\n\
         stems/NAME.*   one voice, with its gain and pan, from where it came in\n\
         timeline.otio  OpenTimelineIO: opens in what reads .otio\n\
         session.rpp    Reaper; the mix is there, muted\n\
         labels.txt     Audacity (File, Import, Labels): who speaks when, and what happened\n\
         overview.svg   the session at a glance\n\
         peaks/         waveforms for players (audiowaveform's format, 256 samples a pixel)\n\
         session.json   the recording's manifest: gaps and their causes, consent, clocks\n\
         SHA256SUMS     `sha256sum -c SHA256SUMS` says whether all is whole\n\n\
         WAV files say where they begin (bext, samples since midnight UTC, or since the room opened if the day is not\n\
         known). Where an editor knows none of this, put each stem at:\n\n",
        timeline.name,
        (end - start) as f64 / 48_000.0,
    );
    for clip in &timeline.stems {
        let at = clip.span.start - start;
        let _ = writeln!(text, "  {:<32} sample {at:>12}  {:>15.9} s", clip.file, at as f64 / 48_000.0);
    }
    text
}

fn summary(out: &Path, timeline: &Timeline, took_s: f64) -> String {
    let mut text = format!("{:<18} {:>14} {:>14}\n", "stem", "from sample", "to sample");
    for clip in &timeline.stems {
        let _ = writeln!(text, "{:<18} {:>14} {:>14}", clip.name, clip.span.start, clip.span.end);
    }
    let lasts_s = (timeline.range.end - timeline.range.start) as f64 / 48_000.0;
    let _ = writeln!(
        text,
        "\n{lasts_s:.1} s of {} voices rendered in {took_s:.2} s ({:.0} x real time).\n{}: README.txt tells what is what.",
        timeline.stems.len(),
        lasts_s / took_s.max(1e-9),
        out.display()
    );
    text
}

/// Draws on standard error, and only if that is a terminal.
fn bar() -> ProgressBar {
    let style =
        ProgressStyle::with_template("{bar:50} {percent} %").unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(1000).with_style(style)
}

#[expect(clippy::disallowed_methods, reason = "how long a render takes is for people to know")]
fn now() -> Instant {
    Instant::now()
}
