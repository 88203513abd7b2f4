//! `SCENARIO.toml`: a room, its speakers and what happens in it. Unknown keys are errors; every error names its line.
//!
//! `[room]` also takes `max_mixed`, how many voices are heard at once (0: all), `relay = true`, by which a lone
//! voice's own packets make `mix.opus`, and `channels = 1` or `2`. Without it a room is stereo as soon as a pan or a stereo file asks for it.
//! A `[[speaker]]` with `sender_reports = true` reports of its clock each five seconds (RTCP).

use super::error::Invalid;
use crate::{
    frame::Channels,
    speaker::{MAX_SPEAKERS, SpeakerId},
    time::{Quantum, SampleTime, Samples},
};
use serde::Deserialize;
use std::{
    fs,
    ops::{Range, RangeInclusive},
    path::{Path, PathBuf},
};
use toml::Spanned;

/// A checked scenario. The place of a speaker in the list is its [`SpeakerId`].
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    /// Where it was read from.
    pub file: PathBuf,
    /// The block the room advances by, if it says so.
    pub quantum: Option<Quantum>,
    /// The room's length; without it the last speaker's trace or file decides.
    pub duration: Option<Samples>,
    /// Mono or stereo; without it pans and files decide.
    pub channels: Option<Channels>,
    /// So many voices are heard at once, all if 0; the engine's default otherwise.
    pub max_mixed: Option<u16>,
    /// Are a lone voice's own packets sent in place of its mix?
    pub relay: bool,
    /// Who speaks, at least one.
    pub speakers: Vec<ScenarioSpeaker>,
    /// What happens, earliest first; at the same sample in the file's order.
    pub events: Vec<ScenarioEvent>,
}

/// One voice.
#[derive(Clone, Debug, PartialEq)]
pub struct ScenarioSpeaker {
    /// Unique, `[a-z0-9_-]+`.
    pub name: String,
    /// Its microphone: an Ogg Opus file.
    pub opus: PathBuf,
    /// Its network; without it packets arrive the moment they are sent.
    pub trace: Option<PathBuf>,
    /// When it joins; its trace counts from then.
    pub start: SampleTime,
    /// Without a trace: begin the file again until the room ends.
    pub repeat: bool,
    /// Its gain from the start.
    pub gain_db: f32,
    /// Its place from the start, −1 left … 1 right.
    pub pan: f32,
    /// Is deep redundancy used, where its file carries it?
    pub dred: bool,
    /// Does it report of its clock each five seconds (RTCP sender reports)?
    pub sender_reports: bool,
    /// May it be recorded?
    pub consent: Consent,
    /// Where the scenario names it, counted from 1.
    pub line: usize,
}

/// May a voice be recorded?
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Consent {
    /// Yes, from the start.
    #[default]
    Given,
    /// No; a later `grant` still opens its track.
    Refused,
    /// Not asked yet.
    Unknown,
}

/// Something that happens at exactly this sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScenarioEvent {
    /// When.
    pub at: SampleTime,
    /// What.
    pub action: Action,
    /// Where the scenario says so, counted from 1.
    pub line: usize,
}

/// What can happen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Action {
    /// A voice falls silent.
    Mute(SpeakerId),
    /// A voice is heard again.
    Unmute(SpeakerId),
    /// A voice ramps to a gain, in this many samples.
    Gain(SpeakerId, f32, Samples),
    /// A voice moves.
    Pan(SpeakerId, f32),
    /// A voice may be recorded from here on.
    Grant(SpeakerId),
    /// A voice may not be recorded any more.
    Withdraw(SpeakerId),
    /// A speaker leaves the room.
    Leave(SpeakerId),
    /// A speaker comes back.
    Join(SpeakerId),
    /// Recording begins or goes on.
    Record,
    /// Recording stops.
    Stop,
}

impl Scenario {
    /// Reads and checks a scenario; audio and traces are found relative to it.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn read(file: &Path) -> Result<Self, Invalid> {
        let text = fs::read_to_string(file).map_err(|error| Invalid::unreadable(file, &error))?;
        Self::parse(file, &text)
    }

    fn parse(file: &Path, text: &str) -> Result<Self, Invalid> {
        let check = Check { file, text };
        let raw: RawScenario = toml::from_str(text).map_err(|error| {
            let message = error.message().replace('\n', " ");
            check.wrong(error.span(), format!("expected a scenario: {message}"))
        })?;
        if raw.speaker.is_empty() || raw.speaker.len() > MAX_SPEAKERS {
            return Err(check.wrong(None, format!("expected 1 to {MAX_SPEAKERS} [[speaker]] tables")));
        }
        let mut speakers: Vec<ScenarioSpeaker> = Vec::with_capacity(raw.speaker.len());
        for speaker in raw.speaker {
            let speaker = check.speaker(speaker, &speakers)?;
            speakers.push(speaker);
        }
        let mut events =
            raw.event.iter().map(|event| check.event(event, &speakers)).collect::<Result<Vec<_>, _>>()?;
        events.sort_by_key(|event| event.at);
        Ok(Self {
            file: file.to_owned(),
            quantum: raw.room.quantum_ms.map(|ms| check.quantum(&ms)).transpose()?,
            duration: raw.room.duration_s.map(|s| check.duration(&s)).transpose()?,
            channels: raw.room.channels.map(|channels| check.channels(&channels)).transpose()?,
            relay: raw.room.relay,
            max_mixed: raw.room.max_mixed.map(|places| check.max_mixed(&places)).transpose()?,
            speakers,
            events,
        })
    }
}

/// A room's length has to fit a WAV file of two float channels.
pub(super) const LONGEST_S: f64 = 10_800.0;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawScenario {
    #[serde(default)]
    room: RawRoom,
    #[serde(default)]
    speaker: Vec<RawSpeaker>,
    #[serde(default)]
    event: Vec<Spanned<RawEvent>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRoom {
    quantum_ms: Option<Spanned<f64>>,
    duration_s: Option<Spanned<f64>>,
    channels: Option<Spanned<u8>>,
    max_mixed: Option<Spanned<i64>>,
    #[serde(default)]
    relay: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSpeaker {
    name: Spanned<String>,
    opus: PathBuf,
    trace: Option<PathBuf>,
    start_ms: Option<Spanned<f64>>,
    #[serde(default, rename = "loop")]
    repeat: bool,
    gain_db: Option<Spanned<f64>>,
    pan: Option<Spanned<f64>>,
    #[serde(default)]
    consent: Consent,
    #[serde(default)]
    dred: bool,
    #[serde(default)]
    sender_reports: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawEvent {
    at_sample: u64,
    #[serde(rename = "do")]
    what: Spanned<String>,
    speaker: Option<Spanned<String>>,
    db: Option<Spanned<f64>>,
    over_samples: Option<Spanned<u64>>,
    pan: Option<Spanned<f64>>,
}

/// Turns what was read into what is meant, or into an error with its line.
struct Check<'a> {
    file: &'a Path,
    text: &'a str,
}

impl Check<'_> {
    fn line(&self, at: usize) -> usize {
        1 + self.text.as_bytes().iter().take(at).filter(|byte| **byte == b'\n').count()
    }

    fn wrong(&self, span: Option<Range<usize>>, expected: impl Into<String>) -> Invalid {
        Invalid::new(self.file, span.map(|span| self.line(span.start)), expected)
    }

    fn quantum(&self, ms: &Spanned<f64>) -> Result<Quantum, Invalid> {
        let expected = || format!("expected quantum_ms 2.5, 5, 10 or 20, found {}", ms.as_ref());
        Quantum::from_ms(*ms.as_ref()).ok_or_else(|| self.wrong(Some(ms.span()), expected()))
    }

    fn duration(&self, s: &Spanned<f64>) -> Result<Samples, Invalid> {
        let seconds = self.number("duration_s", s, 0.0..=LONGEST_S)?;
        let samples = SampleTime::from_ms(seconds * 1000.0).since(SampleTime::ZERO);
        let expected = "expected duration_s above 0, found 0";
        if samples.is_empty() { Err(self.wrong(Some(s.span()), expected)) } else { Ok(samples) }
    }

    fn channels(&self, channels: &Spanned<u8>) -> Result<Channels, Invalid> {
        match channels.as_ref() {
            1 => Ok(Channels::Mono),
            2 => Ok(Channels::Stereo),
            n => Err(self.wrong(Some(channels.span()), format!("expected channels 1 or 2, found {n}"))),
        }
    }

    fn max_mixed(&self, places: &Spanned<i64>) -> Result<u16, Invalid> {
        let fitting =
            u16::try_from(*places.as_ref()).ok().filter(|places| usize::from(*places) <= MAX_SPEAKERS);
        let expected =
            || format!("expected max_mixed 0 (no bound) to {MAX_SPEAKERS}, found {}", places.as_ref());
        fitting.ok_or_else(|| self.wrong(Some(places.span()), expected()))
    }

    fn speaker(&self, raw: RawSpeaker, others: &[ScenarioSpeaker]) -> Result<ScenarioSpeaker, Invalid> {
        let folder = self.file.parent().unwrap_or_else(|| Path::new(""));
        let line = self.line(raw.name.span().start);
        let start_ms = self.number_or_zero("start_ms", raw.start_ms.as_ref(), 0.0..=LONGEST_S * 1000.0)?;
        Ok(ScenarioSpeaker {
            name: self.name(raw.name, others)?,
            opus: folder.join(raw.opus),
            trace: raw.trace.map(|trace| folder.join(trace)),
            start: SampleTime::from_ms(start_ms),
            repeat: raw.repeat,
            gain_db: self.number_or_zero("gain_db", raw.gain_db.as_ref(), GAIN_DB)? as f32,
            pan: self.number_or_zero("pan", raw.pan.as_ref(), PAN)? as f32,
            consent: raw.consent,
            dred: raw.dred,
            sender_reports: raw.sender_reports,
            line,
        })
    }

    fn name(&self, raw: Spanned<String>, others: &[ScenarioSpeaker]) -> Result<String, Invalid> {
        let (span, name) = (raw.span(), raw.into_inner());
        let allowed = |c: char| matches!(c, 'a'..='z' | '0'..='9' | '_' | '-');
        if name.is_empty() || !name.chars().all(allowed) {
            return Err(
                self.wrong(Some(span), format!("expected a name of a-z, 0-9, _ and -, found {name:?}"))
            );
        }
        if others.iter().any(|other| other.name == name) {
            return Err(self.wrong(Some(span), format!("expected unique names, found {name:?} again")));
        }
        Ok(name)
    }

    fn event(&self, raw: &Spanned<RawEvent>, speakers: &[ScenarioSpeaker]) -> Result<ScenarioEvent, Invalid> {
        let event = raw.as_ref();
        let who = || self.who(raw, speakers);
        let action = match event.what.as_ref().as_str() {
            "mute" => Action::Mute(who()?),
            "unmute" => Action::Unmute(who()?),
            "gain" => Action::Gain(who()?, self.needed(raw, "db", event.db.as_ref(), GAIN_DB)?, event.over()),
            "pan" => Action::Pan(who()?, self.needed(raw, "pan", event.pan.as_ref(), PAN)?),
            "grant" => Action::Grant(who()?),
            "withdraw" => Action::Withdraw(who()?),
            "leave" => Action::Leave(who()?),
            "join" => Action::Join(who()?),
            "record" => Action::Record,
            "stop" => Action::Stop,
            other => {
                let expected = format!("expected do to be one of {ACTIONS}, found {other:?}");
                return Err(self.wrong(Some(event.what.span()), expected));
            }
        };
        self.no_stray_keys(event)?;
        let line = self.line(event.what.span().start);
        Ok(ScenarioEvent { at: SampleTime::from_samples(event.at_sample), action, line })
    }

    fn who(&self, event: &Spanned<RawEvent>, speakers: &[ScenarioSpeaker]) -> Result<SpeakerId, Invalid> {
        let Some(name) = &event.as_ref().speaker else {
            let what = event.as_ref().what.as_ref();
            return Err(self.wrong(Some(event.span()), format!("expected {what} with the key speaker")));
        };
        let place = speakers.iter().position(|speaker| speaker.name == *name.as_ref());
        let unknown = || format!("expected a speaker of this room, found {:?}", name.as_ref());
        place.map(|at| SpeakerId(at as u16)).ok_or_else(|| self.wrong(Some(name.span()), unknown()))
    }

    fn needed(
        &self,
        event: &Spanned<RawEvent>,
        key: &str,
        found: Option<&Spanned<f64>>,
        range: RangeInclusive<f64>,
    ) -> Result<f32, Invalid> {
        let what = event.as_ref().what.as_ref();
        let missing = || self.wrong(Some(event.span()), format!("expected {what} with the key {key}"));
        Ok(self.number(key, found.ok_or_else(missing)?, range)? as f32)
    }

    /// A key that the event's verb does not take is more likely a mistake than a wish.
    fn no_stray_keys(&self, event: &RawEvent) -> Result<(), Invalid> {
        let what = event.what.as_ref().as_str();
        let keys = [
            ("speaker", event.speaker.as_ref().map(Spanned::span), !matches!(what, "record" | "stop")),
            ("db", event.db.as_ref().map(Spanned::span), what == "gain"),
            ("over_samples", event.over_samples.as_ref().map(Spanned::span), what == "gain"),
            ("pan", event.pan.as_ref().map(Spanned::span), what == "pan"),
        ];
        let stray = keys.into_iter().find(|(_, span, fits)| span.is_some() && !fits);
        stray.map_or(Ok(()), |(key, span, _)| {
            Err(self.wrong(span, format!("expected {what} without the key {key}")))
        })
    }

    fn number_or_zero(
        &self,
        key: &str,
        found: Option<&Spanned<f64>>,
        range: RangeInclusive<f64>,
    ) -> Result<f64, Invalid> {
        found.map_or(Ok(0.0), |found| self.number(key, found, range))
    }

    fn number(&self, key: &str, found: &Spanned<f64>, range: RangeInclusive<f64>) -> Result<f64, Invalid> {
        let value = *found.as_ref();
        if range.contains(&value) {
            return Ok(value);
        }
        let expected = format!("expected {key} from {} to {}, found {value}", range.start(), range.end());
        Err(self.wrong(Some(found.span()), expected))
    }
}

impl RawEvent {
    fn over(&self) -> Samples {
        self.over_samples.as_ref().map_or(Samples::ZERO, |over| Samples::new(*over.as_ref()))
    }
}

const ACTIONS: &str = "mute, unmute, gain, pan, grant, withdraw, leave, join, record, stop";

/// The factor at the upper end is 1,000; the lower end is silence in `f32`.
const GAIN_DB: RangeInclusive<f64> = -1000.0..=60.0;

const PAN: RangeInclusive<f64> = -1.0..=1.0;

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Scenario, String> {
        Scenario::parse(Path::new("s/room.toml"), text).map_err(|error| error.to_string())
    }

    const MARA: &str = "[[speaker]]\nname = \"mara\"\nopus = \"mara.opus\"\n";

    #[test]
    fn a_full_scenario_is_read() {
        let scenario = parse(
            "[room]\nquantum_ms = 2.5\nduration_s = 1.5\nchannels = 2\n\
             [[speaker]]\nname = 'a'\nopus = 'x/a.opus'\ntrace = 't.csv'\nstart_ms = 2.5\nloop = true\n\
             gain_db = -6\npan = -1\nconsent = 'unknown'\ndred = true\n\
             [[event]]\nat_sample = 9\ndo = 'gain'\nspeaker = 'a'\ndb = 3\nover_samples = 480\n\
             [[event]]\nat_sample = 7\ndo = 'stop'\n",
        )
        .unwrap();
        assert_eq!((scenario.quantum, scenario.duration), (Some(Quantum::Ms2_5), Some(Samples::new(72_000))));
        let a = &scenario.speakers[0];
        assert_eq!((&a.opus, a.start.samples(), a.repeat), (&PathBuf::from("s/x/a.opus"), 120, true));
        assert_eq!((a.gain_db, a.pan, a.consent), (-6.0, -1.0, Consent::Unknown));
        let events: Vec<_> = scenario.events.iter().map(|event| (event.at.samples(), event.action)).collect();
        assert_eq!(events, [(7, Action::Stop), (9, Action::Gain(SpeakerId(0), 3.0, Samples::new(480)))]);
        assert_eq!(scenario.events[0].line, 23);
    }

    #[test]
    fn what_is_left_out_has_its_default() {
        let scenario = parse(MARA).unwrap();
        assert_eq!((scenario.quantum, scenario.duration, scenario.channels), (None, None, None));
        let mara = &scenario.speakers[0];
        assert_eq!((mara.repeat, mara.gain_db, mara.consent), (false, 0.0, Consent::Given));
    }

    #[test]
    fn every_mistake_is_named_by_its_line() {
        let expect = |text: &str, error: &str| assert_eq!(parse(text).unwrap_err(), error, "{text}");
        expect("", "s/room.toml: expected 1 to 1024 [[speaker]] tables");
        expect("[room]\nquantum_ms = 3\n", "s/room.toml: expected 1 to 1024 [[speaker]] tables");
        let with = |more: &str, error: &str| expect(&format!("{MARA}{more}"), error);
        with("pan = 1.5", "s/room.toml:4: expected pan from -1 to 1, found 1.5");
        with("gain_db = inf", "s/room.toml:4: expected gain_db from -1000 to 60, found inf");
        with("start_ms = -1", "s/room.toml:4: expected start_ms from 0 to 10800000, found -1");
        with("[room]\nquantum_ms = 3", "s/room.toml:5: expected quantum_ms 2.5, 5, 10 or 20, found 3");
        with("[room]\nduration_s = 0", "s/room.toml:5: expected duration_s above 0, found 0");
        with(
            "[room]\nduration_s = 1e9",
            "s/room.toml:5: expected duration_s from 0 to 10800, found 1000000000",
        );
        with("[room]\nchannels = 3", "s/room.toml:5: expected channels 1 or 2, found 3");
        with(MARA, "s/room.toml:5: expected unique names, found \"mara\" again");
        with(
            "[[speaker]]\nname = 'Mara'\nopus = ''",
            "s/room.toml:5: expected a name of a-z, 0-9, _ and -, found \"Mara\"",
        );
        let event = |text: &str, error: &str| with(&format!("[[event]]\nat_sample = 1\n{text}"), error);
        event("do = 'mute'", "s/room.toml:4: expected mute with the key speaker");
        event("do = 'mute'\nspeaker = 'x'", "s/room.toml:7: expected a speaker of this room, found \"x\"");
        event("do = 'gain'\nspeaker = 'mara'", "s/room.toml:4: expected gain with the key db");
        event("do = 'pan'\nspeaker = 'mara'\npan = 2", "s/room.toml:8: expected pan from -1 to 1, found 2");
        event("do = 'stop'\nspeaker = 'mara'", "s/room.toml:7: expected stop without the key speaker");
        event("do = 'sing'", &format!("s/room.toml:6: expected do to be one of {ACTIONS}, found \"sing\""));
    }

    #[test]
    fn what_toml_refuses_is_one_line_too() {
        for text in ["[room", "[room]\nsize = 3", "[[event]]\nat_sample = -1\ndo = 'stop'", "speaker = 3"] {
            let error = parse(text).unwrap_err();
            assert!(error.starts_with("s/room.toml:") && !error.contains('\n'), "{error}");
        }
        assert!(
            parse("[room]\nsize = 3").unwrap_err().starts_with("s/room.toml:2: expected a scenario: unknown")
        );
    }
}
