//! The command line.

use lexopt::prelude::*;
use std::{collections::BTreeSet, path::PathBuf};
use tertulia::{
    frame::Channels,
    render::{Automation, Format},
    time::SampleTime,
};

pub(crate) const HELP: &str = "\
Makes a bundle of a recording that editors open: stems and mix, a timeline for each kind of editor, waveforms, checksums.

Usage: export RECORDING --out DIR [options]

  --out DIR            where the bundle goes
  --format NAME        of the stems and the mix: wav24 (default), wav (32-bit float), flac or opus
  --voices A,B,..      only these (default: all)
  --from S, --to S     only this part, in seconds of the room's clock
  --channels N         1 or 2 (default: as many as are needed)
  --flat               every voice at unity in the middle, not as the faders were
  --sum                also write sum.wav (32-bit float): the stems' sum before the limiter, to check against
  --full-length        every stem as long as the part, not only where its voice was in the room
  --keys DIR           the keys of sealed tracks
  --threads N          how many decode (default: one for each core)
  --help               this text
";

pub(crate) enum Call {
    Help,
    Export(Box<Arguments>),
}

#[derive(Debug)]
pub(crate) struct Arguments {
    pub(crate) recording: PathBuf,
    pub(crate) out: PathBuf,
    pub(crate) format: Format,
    pub(crate) voices: Option<BTreeSet<String>>,
    pub(crate) from: Option<u64>,
    pub(crate) to: Option<u64>,
    pub(crate) channels: Option<Channels>,
    pub(crate) automation: Automation,
    pub(crate) sum: bool,
    pub(crate) full_length: bool,
    pub(crate) threads: Option<usize>,
    pub(crate) keys: Option<PathBuf>,
}

pub(crate) fn parse(mut parser: lexopt::Parser) -> Result<Call, String> {
    let (mut recording, mut out) = (None, None);
    let mut arguments = Arguments {
        recording: PathBuf::new(),
        out: PathBuf::new(),
        format: Format::Wav24,
        voices: None,
        from: None,
        to: None,
        channels: None,
        automation: Automation::AsItHappened,
        sum: false,
        full_length: false,
        threads: None,
        keys: None,
    };
    while let Some(argument) = parser.next().map_err(one_line)? {
        match argument {
            Long("help") | Short('h') => return Ok(Call::Help),
            Long("out") => out = Some(PathBuf::from(parser.value().map_err(one_line)?)),
            Long("format") => arguments.format = format(&text(&mut parser, "--format")?)?,
            Long("voices") => {
                let names = text(&mut parser, "--voices")?;
                arguments.voices = Some(names.split(',').map(str::to_owned).collect());
            }
            Long("from") => arguments.from = Some(seconds(&mut parser, "--from")?),
            Long("to") => arguments.to = Some(seconds(&mut parser, "--to")?),
            Long("channels") => arguments.channels = Some(channels(&text(&mut parser, "--channels")?)?),
            Long("flat") => arguments.automation = Automation::Flat,
            Long("sum") => arguments.sum = true,
            Long("full-length") => arguments.full_length = true,
            Long("threads") => arguments.threads = Some(threads(&text(&mut parser, "--threads")?)?),
            Long("keys") => arguments.keys = Some(PathBuf::from(parser.value().map_err(one_line)?)),
            Value(folder) if recording.is_none() => recording = Some(PathBuf::from(folder)),
            other => return Err(one_line(other.unexpected())),
        }
    }
    arguments.recording = recording.ok_or("expected a recording's folder, see --help")?;
    arguments.out = out.ok_or("expected --out DIR, see --help")?;
    Ok(Call::Export(Box::new(arguments)))
}

fn text(parser: &mut lexopt::Parser, name: &str) -> Result<String, String> {
    let value = parser.value().map_err(one_line)?;
    value.into_string().map_err(|value| format!("{name}: expected text, found {value:?}"))
}

fn format(name: &str) -> Result<Format, String> {
    match name {
        "wav24" => Ok(Format::Wav24),
        "wav" => Ok(Format::WavFloat),
        "flac" => Ok(Format::Flac),
        "opus" => Ok(Format::Opus { bitrate_bps: 96_000 }),
        _ => Err(format!("--format: expected wav24, wav, flac or opus, found {name}")),
    }
}

fn seconds(parser: &mut lexopt::Parser, name: &str) -> Result<u64, String> {
    let value = text(parser, name)?;
    let number = value.parse::<f64>().ok().filter(|s| (0.0..1e9).contains(s));
    let seconds = number.ok_or_else(|| format!("{name}: expected seconds, 0 or more, found {value}"))?;
    Ok(SampleTime::from_ms(1000.0 * seconds).samples())
}

fn channels(value: &str) -> Result<Channels, String> {
    match value {
        "1" => Ok(Channels::Mono),
        "2" => Ok(Channels::Stereo),
        _ => Err(format!("--channels: expected 1 or 2, found {value}")),
    }
}

fn threads(value: &str) -> Result<usize, String> {
    let number = value.parse().ok().filter(|threads| (1..=256).contains(threads));
    number.ok_or_else(|| format!("--threads: expected 1 to 256, found {value}"))
}

#[expect(clippy::needless_pass_by_value, reason = "it is made for map_err")]
fn one_line(error: lexopt::Error) -> String {
    format!("{error}, see --help")
}
