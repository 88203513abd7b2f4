//! One evening: what is decided about a voice, and what is kept of it.

use super::speech::{self, FRAME};
use std::{error::Error, ops::Range, path::Path};
use tertulia::{
    consent::Recordable,
    frame::Channels,
    record::{Cuttable, Recorder, RecorderConfig, Recording, cut, redact},
    sim::{Overheard, Rng, SILENCE_DBFS, overhear},
    speaker::SpeakerId,
    time::SampleTime,
};

/// What is decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Evening {
    /// Yes all the time: shows that these ears hear.
    Kept,
    Refused,
    Granted,
    Withdrawn,
    /// Withdrawn, and given once more.
    Regranted,
    /// Given while the sender's encoder stood still, full of what was said before.
    SleptThrough,
    Muted,
    Paused,
    Absent,
    /// Kept first, and taken back when all was over.
    Redacted,
}

impl Evening {
    pub(super) const ALL: [Self; 10] = [
        Self::Kept,
        Self::Refused,
        Self::Granted,
        Self::Withdrawn,
        Self::Regranted,
        Self::SleptThrough,
        Self::Muted,
        Self::Paused,
        Self::Absent,
        Self::Redacted,
    ];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Kept => "kept (control)",
            Self::Refused => "refuse",
            Self::Granted => "grant",
            Self::Withdrawn => "withdraw",
            Self::Regranted => "withdraw, grant",
            Self::SleptThrough => "grant to a sleeper",
            Self::Muted => "mute",
            Self::Paused => "pause",
            Self::Absent => "leave, come back",
            Self::Redacted => "revoke later",
        }
    }

    /// May anything be heard?
    pub(super) const fn is_kept(self) -> bool {
        !matches!(self, Self::Kept)
    }

    /// Where the voice speaks: only where it may not be kept.
    fn spoken(self, shut: u64, open: u64) -> Range<u64> {
        match self {
            Self::Refused => 0..END,
            Self::Granted | Self::SleptThrough => 0..open,
            Self::Withdrawn => shut..END,
            _ => shut..open,
        }
    }

    /// Records it with edges at random samples, and listens to everything that was kept.
    pub(super) fn record(self, rng: &mut Rng) -> Result<Artefacts, Box<dyn Error>> {
        let shut = 72_000 + rng.bits() % 24_000;
        let open = shut + 24_000 + rng.bits() % 24_000;
        let spoken = self.spoken(shut, open);
        let asleep = if self == Self::SleptThrough { open - 20_000..open + 48_000 } else { 0..0 };
        let folder = tempfile::tempdir()?;
        let dir = folder.path().join("session");
        let mut recorder = Recorder::create(&dir, RecorderConfig::default())?;
        recorder.join(VOICE, NAME, SampleTime::ZERO)?;
        let mut decisions = self.decisions(shut, open).into_iter().peekable();
        for sent in speech::speak(std::slice::from_ref(&spoken), &asleep, END, rng)? {
            while let Some((_, decide)) = decisions.next_if(|(at, _)| *at <= sent.arrived()) {
                decide(&mut recorder)?;
            }
            recorder.advance(sent.arrived())?;
            recorder.packet(sent.packet(VOICE));
        }
        decisions.try_for_each(|(_, decide)| decide(&mut recorder))?;
        recorder.finish(SampleTime::from_samples(END))?;
        if self == Self::Redacted {
            redact(&dir, NAME, spoken)?;
        }
        Artefacts::of(&dir, shut..open, &folder.path().join("clip"))
    }

    fn decisions(self, shut: u64, open: u64) -> Vec<(SampleTime, Decision)> {
        let (zero, shut, open) =
            (SampleTime::ZERO, SampleTime::from_samples(shut), SampleTime::from_samples(open));
        let grant = |at| (at, decision(move |recorder| recorder.open(proof(at))));
        let withdraw = (shut, decision(move |recorder| recorder.close(VOICE, shut)));
        let shutting =
            |act: fn(&mut Recorder, SampleTime), at| (at, decision(move |recorder| act(recorder, at)));
        match self {
            Self::Refused => Vec::new(),
            Self::Granted | Self::SleptThrough => vec![grant(open)],
            Self::Withdrawn => vec![grant(zero), withdraw],
            Self::Regranted => vec![grant(zero), withdraw, grant(open)],
            Self::Muted => {
                let mute = shutting(|recorder, at| recorder.mute(VOICE, at), shut);
                vec![grant(zero), mute, shutting(|recorder, at| recorder.unmute(VOICE, at), open)]
            }
            Self::Paused => {
                vec![grant(zero), shutting(Recorder::pause, shut), shutting(Recorder::resume, open)]
            }
            Self::Absent => {
                let leave = shutting(|recorder, at| recorder.leave(VOICE, at), shut);
                let back: Decision = Box::new(move |recorder| Ok(recorder.join(VOICE, NAME, open)?));
                vec![grant(zero), leave, (open, back), grant(open)]
            }
            Self::Kept | Self::Redacted => vec![grant(zero)],
        }
    }
}

/// How loud the voice is in each thing that was kept.
#[derive(Clone, Copy, Debug)]
pub(super) struct Artefacts {
    /// The track.
    pub(super) track: Overheard,
    /// A clip of the stretch and a second around it.
    pub(super) clip: Overheard,
}

impl Artefacts {
    pub(super) const NOTHING: Self = Self { track: Overheard::NOTHING, clip: Overheard::NOTHING };

    fn of(dir: &Path, stretch: Range<u64>, into: &Path) -> Result<Self, Box<dyn Error>> {
        let recording = Recording::open(dir)?;
        let voice = Cuttable { speaker: NAME.into(), span: 0..END };
        cut(&recording, stretch.start - 48_000..stretch.end + 48_000, &[voice], into)?;
        Ok(Self { track: hear(&recording)?, clip: hear(&Recording::open(into)?)? })
    }

    pub(super) fn max(self, other: Self) -> Self {
        Self { track: louder(self.track, other.track), clip: louder(self.clip, other.clip) }
    }

    pub(super) fn worst_dbfs(&self) -> f64 {
        self.track.worst_dbfs().max(self.clip.worst_dbfs())
    }
}

fn hear(recording: &Recording) -> Result<Overheard, Box<dyn Error>> {
    let mut track = recording.track(NAME)?;
    let packets = track.packets(0..u64::MAX).map(|packet| packet.map(|it| it.payload));
    Ok(overhear(&packets.collect::<Result<Vec<_>, _>>()?, Channels::Mono, 0.0)?)
}

fn louder(a: Overheard, b: Overheard) -> Overheard {
    Overheard {
        played_dbfs: a.played_dbfs.max(b.played_dbfs).max(SILENCE_DBFS),
        copied_dbfs: a.copied_dbfs.max(b.copied_dbfs),
        deep_dbfs: a.deep_dbfs.max(b.deep_dbfs),
        invented_dbfs: a.invented_dbfs.max(b.invented_dbfs),
    }
}

type Decision = Box<dyn Fn(&mut Recorder) -> Result<(), Box<dyn Error>>>;

fn decision(act: impl Fn(&mut Recorder) + 'static) -> Decision {
    Box::new(move |recorder| {
        act(recorder);
        Ok(())
    })
}

fn proof(from: SampleTime) -> Recordable {
    Recordable::dangerously_without_consent(VOICE, from)
}

const VOICE: SpeakerId = SpeakerId(0);
const NAME: &str = "voice";

/// Five seconds.
const END: u64 = 250 * FRAME;
