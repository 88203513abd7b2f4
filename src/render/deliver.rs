//! Renders into files, several at once: the mix, the plain sum, stems, in any format, each with its own span of time.

use super::{
    Block, RenderError, What,
    flac::Flac,
    opus::OpusFile,
    render,
    wav::{Bext, Depth, Wav},
};
use crate::{
    frame::Channels,
    record::{Derived, Manifest, Recording},
};
use std::{
    borrow::Cow,
    io,
    ops::Range,
    panic::resume_unwind,
    path::PathBuf,
    thread::{self, ScopedJoinHandle},
};

/// One file to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Of what.
    pub of: Of,
    /// Which part of the room's time, within [`What::range`]; all of that if it is not told.
    pub span: Option<Range<u64>>,
    /// How it is coded.
    pub format: Format,
    /// Where it goes.
    pub path: PathBuf,
}

/// What is in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Of {
    /// What one hears, limited to −1 dBTP.
    Mix,
    /// The stems' sum, before the limiter.
    Sum,
    /// One voice with its gain and pan.
    Stem(String),
}

/// How a file is coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// WAV, 32-bit float, with the time of its first sample.
    WavFloat,
    /// WAV, 24-bit, with the time of its first sample.
    Wav24,
    /// FLAC, 24-bit.
    Flac,
    /// Ogg Opus.
    Opus {
        /// The bit rate aimed at.
        bitrate_bps: u32,
    },
}

/// Renders once and writes all that is ordered; `watch` sees each block once it is written. Each file is noted in the session's
/// list of what was made of it ([`Derived`]) before it is begun, so that it goes when a voice in it is taken back.
///
/// # Errors
/// See [`RenderError`]; a list that cannot be written is one.
pub fn deliver(
    recording: &Recording,
    what: &What,
    orders: &[Order],
    watch: &mut dyn FnMut(&Block<'_>),
) -> Result<(), RenderError> {
    let manifest = recording.manifest();
    let range = what.range.clone().unwrap_or(0..manifest.samples);
    orders.iter().try_for_each(|order| check(order, what, &range, manifest))?;
    orders.iter().try_for_each(|order| order.note(what, &range, recording))?;
    let mut files: Vec<(&Order, Option<Sink>)> = orders.iter().map(|order| (order, None)).collect();
    let share = files.len().div_ceil(what.threads()).max(1);
    render(recording, what, &mut |block| {
        thread::scope(|scope| {
            let range = &range;
            let begin = |part| scope.spawn(move || write(part, block, range, manifest));
            let threads: Vec<_> = files.chunks_mut(share).map(begin).collect();
            let end =
                |thread: ScopedJoinHandle<'_, _>| thread.join().unwrap_or_else(|panic| resume_unwind(panic));
            threads.into_iter().try_for_each(end)
        })?;
        watch(block);
        Ok(())
    })?;
    files
        .into_iter()
        .filter_map(|(order, sink)| Some((order, sink?)))
        .try_for_each(|(order, sink)| sink.finish(order))
}

fn check(order: &Order, what: &What, range: &Range<u64>, manifest: &Manifest) -> Result<(), RenderError> {
    let span = order.span(range);
    if span.start >= span.end || span.start < range.start || span.end > range.end {
        let path = order.path.display();
        return Err(RenderError::What(format!("{path}: expected a span within {range:?}, found {span:?}")));
    }
    match &order.of {
        Of::Stem(name)
            if !manifest.speakers.contains_key(name)
                || what.voices.as_ref().is_some_and(|voices| !voices.contains(name)) =>
        {
            Err(RenderError::What(format!(
                "{}: expected a voice of the render, found {name}",
                order.path.display()
            )))
        }
        _ => Ok(()),
    }
}

fn write(
    files: &mut [(&Order, Option<Sink>)],
    block: &Block<'_>,
    range: &Range<u64>,
    manifest: &Manifest,
) -> Result<(), RenderError> {
    for (order, sink) in files {
        let Range { start, end } = order.span(range);
        let from = start.clamp(block.at, block.at + block.samples());
        let to = end.clamp(from, block.at + block.samples());
        if from < to {
            let sink = match sink {
                Some(sink) => sink,
                None => sink.insert(Sink::create(order, block.channels, start, manifest)?),
            };
            let part = [from, to].map(|at| (at - block.at) as usize * block.channels.count());
            sink.write(order, &order.of.samples(block)[part[0]..part[1]])?;
        }
    }
    Ok(())
}

impl Order {
    fn span(&self, range: &Range<u64>) -> Range<u64> {
        self.span.clone().unwrap_or_else(|| range.clone())
    }

    fn note(&self, what: &What, range: &Range<u64>, recording: &Recording) -> Result<(), RenderError> {
        let span = self.span(range);
        let everybody = recording.manifest().speakers.keys();
        let is_in = |name: &&String| match &self.of {
            Of::Stem(stem) => stem == *name,
            Of::Mix | Of::Sum => what.voices.as_ref().is_none_or(|voices| voices.contains(*name)),
        };
        let made = Derived {
            path: std::path::absolute(&self.path).map_err(|error| self.failed(error))?,
            kind: if matches!(self.of, Of::Stem(_)) { "stem".into() } else { "mix".into() },
            from_sample: span.start,
            to_sample: span.end,
            speakers: everybody.filter(is_in).cloned().collect(),
            recipients: Vec::new(),
        };
        Ok(made.note(recording.dir())?)
    }

    fn failed(&self, error: io::Error) -> RenderError {
        RenderError::Write(self.path.clone(), error)
    }
}

impl Of {
    fn samples<'a>(&self, block: &Block<'a>) -> Cow<'a, [f32]> {
        match self {
            Self::Mix => block.mix.into(),
            Self::Sum => block.sum.into(),
            Self::Stem(name) => {
                block.stem(name).map_or_else(|| vec![0.0; block.sum.len()].into(), Cow::Borrowed)
            }
        }
    }

    fn title(&self) -> &str {
        match self {
            Self::Mix => "mix",
            Self::Sum => "sum",
            Self::Stem(name) => name,
        }
    }
}

/// A file in the making.
enum Sink {
    Wav(Wav),
    Flac(Box<Flac>),
    Opus(Box<OpusFile>),
}

impl Sink {
    fn create(
        order: &Order,
        channels: Channels,
        start: u64,
        manifest: &Manifest,
    ) -> Result<Self, RenderError> {
        let wav = |depth| {
            let bext = bext(order.of.title(), start, manifest.epoch_unix_ms);
            Wav::create(&order.path, depth, channels, &bext)
                .map(Self::Wav)
                .map_err(|error| order.failed(error))
        };
        match order.format {
            Format::WavFloat => wav(Depth::Float),
            Format::Wav24 => wav(Depth::Bits24),
            Format::Flac => Flac::create(&order.path, channels).map(|flac| Self::Flac(Box::new(flac))),
            Format::Opus { bitrate_bps } => {
                OpusFile::create(&order.path, channels, bitrate_bps).map(|opus| Self::Opus(Box::new(opus)))
            }
        }
    }

    fn write(&mut self, order: &Order, samples: &[f32]) -> Result<(), RenderError> {
        match self {
            Self::Wav(wav) => wav.write(samples).map_err(|error| order.failed(error)),
            Self::Flac(flac) => flac.write(samples),
            Self::Opus(opus) => opus.write(samples),
        }
    }

    fn finish(self, order: &Order) -> Result<(), RenderError> {
        match self {
            Self::Wav(wav) => wav.finish().map_err(|error| order.failed(error)),
            Self::Flac(flac) => flac.finish(),
            Self::Opus(opus) => opus.finish(),
        }
    }
}

const DAY_MS: u64 = 86_400_000;

/// Where a file begins: by the day's clock (UTC) if the room's opening is known.
fn bext(title: &str, start: u64, epoch_unix_ms: Option<u64>) -> Bext {
    let began_ms = epoch_unix_ms.map(|epoch| epoch + start / 48);
    Bext {
        description: format!("tertulia: {title}"),
        date: began_ms.map(|ms| date(ms / DAY_MS)).unwrap_or_default(),
        time: began_ms.map(|ms| time(ms % DAY_MS / 1000)).unwrap_or_default(),
        time_reference: epoch_unix_ms.unwrap_or(0) % DAY_MS * 48 + start,
    }
}

fn time(seconds: u64) -> String {
    format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// The civil date of a day since 1970 (H. Hinnant, "chrono-compatible low-level date algorithms").
fn date(day: u64) -> String {
    let shifted = day + 719_468;
    let (era, of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let (day, month) = (of_year - (153 * from_march + 2) / 5 + 1, (from_march + 2) % 12 + 1);
    format!("{:04}-{month:02}-{day:02}", era * 400 + year_of_era + u64::from(month <= 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_have_their_dates() {
        let dates = [0, 59, 60, 11_016, 19_782, 20_783].map(date);
        assert_eq!(
            dates,
            ["1970-01-01", "1970-03-01", "1970-03-02", "2000-02-29", "2024-02-29", "2026-11-26"]
        );
        assert_eq!(time(86_399), "23:59:59");
    }

    #[test]
    fn a_file_counts_from_midnight_if_the_day_is_known() {
        let noon_ms = 20_783 * DAY_MS + 43_200_000;
        let bext = bext("mara", 7 + 48_000, Some(noon_ms));
        assert_eq!((bext.date.as_str(), bext.time.as_str()), ("2026-11-26", "12:00:01"));
        assert_eq!(bext.time_reference, 43_200 * 48_000 + 48_007);
        assert_eq!(super::bext("mara", 7, None).time_reference, 7);
    }
}
