//! One evening: what is decided about a voice, and what is kept of it.

use super::speech::{self, FRAME, Sent};
use std::{error::Error, ops::Range, path::Path};
use tertulia::{
    consent::{Recordable, Transcribable},
    frame::Channels,
    record::{Cuttable, Recorder, RecorderConfig, Recording, cut, redact},
    render::{Format, Of, Order, What, deliver},
    sim::{OpusFile, Overheard, Rng, SILENCE_DBFS, loudest_dbfs, overhear, scribe, take_said, write_down},
    speaker::SpeakerId,
    time::{SampleTime, Samples},
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
        let sent = speech::speak(std::slice::from_ref(&spoken), &asleep, END, rng)?;
        let mut recorder = Recorder::create(&dir, RecorderConfig::default())?;
        self.play(&mut recorder, &sent, self.decisions(shut, open, record))?;
        recorder.finish(END_OF_ROOM)?;
        let armed = folder.path().join("armed");
        self.remember(&armed, &sent, self.decisions(shut, open, record))?;
        let mut transcript = self.write_down(&sent, self.decisions(shut, open, transcribe))?;
        if self == Self::Redacted {
            redact(&dir, NAME, spoken.clone())?;
            redact(&armed, NAME, spoken)?;
            // What was written down of it before is dropped with everything that was made of the session.
            transcript = Overheard::NOTHING;
        }
        Artefacts::of(folder.path(), shut..open, transcript)
    }

    /// What was sent arrives, and what is decided is done at its sample.
    fn play(self, recorder: &mut Recorder, sent: &[Sent], decisions: Vec<(SampleTime, Decision)>) -> Done {
        recorder.join(VOICE, NAME, SampleTime::ZERO)?;
        let mut decisions = decisions.into_iter().peekable();
        for sent in sent {
            while let Some((_, decide)) = decisions.next_if(|(at, _)| *at <= sent.arrived()) {
                decide(recorder)?;
            }
            recorder.advance(sent.arrived())?;
            recorder.packet(sent.packet(VOICE));
        }
        decisions.try_for_each(|(_, decide)| decide(recorder))
    }

    /// The evening is in memory alone, until somebody wants all of it recorded after all.
    fn remember(self, into: &Path, sent: &[Sent], decisions: Vec<(SampleTime, Decision)>) -> Done {
        let mut recorder = Recorder::arm(RecorderConfig::default(), Samples::new(2 * END));
        self.play(&mut recorder, sent, decisions)?;
        recorder.begin(into, SampleTime::ZERO)?;
        recorder.finish(END_OF_ROOM)?;
        Ok(())
    }

    /// What a transcript is made of.
    fn write_down(
        self,
        sent: &[Sent],
        decisions: Vec<(SampleTime, Decision)>,
    ) -> Result<Overheard, Box<dyn Error>> {
        let mut recorder = scribe(RecorderConfig::default());
        self.play(&mut recorder, sent, decisions)?;
        recorder.advance(END_OF_ROOM + Samples::new(END))?;
        Ok(overhear(&take_said(&mut recorder), Channels::Mono, 0.0)?)
    }

    fn decisions(self, shut: u64, open: u64, agree: Agree) -> Vec<(SampleTime, Decision)> {
        let (zero, shut, open) =
            (SampleTime::ZERO, SampleTime::from_samples(shut), SampleTime::from_samples(open));
        let grant = |at| (at, decision(move |recorder| agree(recorder, at)));
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
    /// The mix that is rendered of it.
    pub(super) mix_dbfs: f64,
    /// That mix as it is exported, in Opus.
    pub(super) export: Overheard,
    /// What a transcript is made of.
    pub(super) transcript: Overheard,
    /// A recording that began in the past, out of memory.
    pub(super) armed: Overheard,
}

impl Artefacts {
    pub(super) const NOTHING: Self = Self {
        track: Overheard::NOTHING,
        clip: Overheard::NOTHING,
        mix_dbfs: SILENCE_DBFS,
        export: Overheard::NOTHING,
        transcript: Overheard::NOTHING,
        armed: Overheard::NOTHING,
    };

    fn of(folder: &Path, stretch: Range<u64>, transcript: Overheard) -> Result<Self, Box<dyn Error>> {
        let (clip, export) = (folder.join("clip"), folder.join("mix.opus"));
        let recording = Recording::open(&folder.join("session"))?;
        let voice = Cuttable { speaker: NAME.into(), span: 0..END };
        cut(&recording, stretch.start - 48_000..stretch.end + 48_000, &[voice], &clip)?;
        let mut mix_dbfs = SILENCE_DBFS;
        let (of, format) = (Of::Mix, Format::Opus { bitrate_bps: 96_000 });
        let order = Order { of, format, span: None, path: export.clone() };
        deliver(&recording, &What::default(), &[order], &mut |block| {
            mix_dbfs = mix_dbfs.max(loudest_dbfs(block.mix, block.channels));
        })?;
        let exported: Vec<Vec<u8>> = OpusFile::read(&export)?.packets.into_iter().map(Vec::from).collect();
        Ok(Self {
            track: hear(&recording)?,
            clip: hear(&Recording::open(&clip)?)?,
            mix_dbfs,
            export: overhear(&exported, Channels::Mono, 0.0)?,
            transcript,
            armed: hear(&Recording::open(&folder.join("armed"))?)?,
        })
    }

    pub(super) fn max(self, other: Self) -> Self {
        Self {
            track: louder(self.track, other.track),
            clip: louder(self.clip, other.clip),
            mix_dbfs: self.mix_dbfs.max(other.mix_dbfs),
            export: louder(self.export, other.export),
            transcript: louder(self.transcript, other.transcript),
            armed: louder(self.armed, other.armed),
        }
    }

    /// The track, in each way to decode it.
    pub(super) fn track_dbfs(&self) -> [f64; 4] {
        let Overheard { played_dbfs, copied_dbfs, deep_dbfs, invented_dbfs } = self.track;
        [played_dbfs, copied_dbfs, deep_dbfs, invented_dbfs]
    }

    /// The loudest of all.
    pub(super) fn worst_dbfs(&self) -> f64 {
        self.others_dbfs().into_iter().fold(self.track.worst_dbfs(), f64::max)
    }

    /// Each but the track, which is told way by way.
    pub(super) fn others_dbfs(&self) -> [f64; 5] {
        let Self { clip, mix_dbfs, export, transcript, armed, .. } = self;
        let [clip, export, transcript, armed] = [clip, export, transcript, armed].map(Overheard::worst_dbfs);
        [clip, *mix_dbfs, export, transcript, armed]
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

type Done = Result<(), Box<dyn Error>>;

/// A yes to what is made here.
type Agree = fn(&mut Recorder, SampleTime);

fn record(recorder: &mut Recorder, from: SampleTime) {
    recorder.open(Recordable::dangerously_without_consent(VOICE, from));
}

fn transcribe(scribe: &mut Recorder, from: SampleTime) {
    write_down(scribe, &Transcribable::dangerously_without_consent(VOICE, from));
}

const VOICE: SpeakerId = SpeakerId(0);
const NAME: &str = "voice";

/// Five seconds.
const END: u64 = 250 * FRAME;
const END_OF_ROOM: SampleTime = SampleTime::from_samples(END);
