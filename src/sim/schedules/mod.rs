//! Random lives of voices before the recorder: people join, agree, withdraw, mute, leave; recordings pause; senders sleep
//! and begin anew; networks lose, delay and reorder. What stands in the tracks is held against a naive oracle, packet by
//! packet. Nothing is decoded, so that a million schedules can be told in minutes.
//!
//! One schedule is one stay of one voice in the room. A session holds [`PER_SESSION`] of them.

mod life;
mod oracle;
mod verdict;

use super::Rng;
use crate::{
    consent::Recordable,
    record::{Limits, RecordError, Recorder, RecorderConfig, Rotation},
    speaker::{SpeakerId, VoicePacket},
    time::{MediaTime, SampleTime, Samples},
};
use life::{Act, Life, Sent};
use std::{error::Error, fmt, path::Path};
pub use verdict::Tally;

/// Voices of one session.
const VOICES: u16 = 8;
/// Stays of one voice in it.
const STAYS: u32 = 20;
/// How many schedules one session holds.
pub const PER_SESSION: u64 = VOICES as u64 * STAYS as u64;

const CONFIG: RecorderConfig = RecorderConfig {
    repair: Samples::from_ms(400),
    epoch_unix_ms: None,
    sync: None,
    limits: Limits::NONE,
    rotation: Rotation { every: None, bytes: None },
};

/// Why a run of schedules ended early.
#[derive(Debug)]
pub enum Breach {
    /// A track holds what it should not, or lacks what it should hold: which session, whose, what.
    Track(String),
    /// The disk refused.
    Record(RecordError),
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Track(what) => f.write_str(what),
            Self::Record(error) => error.fmt(f),
        }
    }
}

impl Error for Breach {}

impl From<RecordError> for Breach {
    fn from(error: RecordError) -> Self {
        Self::Record(error)
    }
}

/// Lives the schedules of one seed in `dir`, whose recordings are replaced, and holds the tracks against the oracle.
///
/// # Errors
/// The first track that is not as it should be.
pub fn check_schedules(seed: u64, dir: &Path) -> Result<Tally, Breach> {
    let mut rng = Rng::new(seed);
    let pauses = life::pauses(&mut rng);
    let lives: Vec<Life> = (0..VOICES).map(|_| Life::draw(STAYS, &mut rng)).collect();
    live(&lives, &pauses, dir)?;
    let mut tally = Tally::default();
    for (life, name) in lives.iter().zip(NAMES) {
        tally += verdict::judge(life, &pauses, dir, name)
            .map_err(|what| Breach::Track(format!("seed {seed}, {name}: {what}")))?;
    }
    Ok(tally)
}

const NAMES: [&str; VOICES as usize] = ["ada", "ben", "cleo", "dan", "eve", "finn", "gala", "hugo"];

/// Something that is told to the recorder.
enum Step<'a> {
    Act(u16, Act),
    Packet(u16, u32, &'a Sent),
}

/// Tells the recorder all lives at once, each step at its sample.
fn live(lives: &[Life], pauses: &[(u64, Act)], dir: &Path) -> Result<(), RecordError> {
    let mut steps: Vec<(u64, Step<'_>)> = pauses.iter().map(|(at, act)| (*at, Step::Act(0, *act))).collect();
    for (life, voice) in lives.iter().zip(0..) {
        steps.extend(life.acts.iter().map(|(at, act)| (*at, Step::Act(voice, *act))));
        let packets = life.sent.iter().filter(|sent| sent.arrived.is_some());
        steps.extend(packets.map(|sent| (sent.arrived.unwrap_or(0), Step::Packet(voice, sent.epoch, sent))));
    }
    steps.sort_by_key(|(at, step)| (*at, matches!(step, Step::Packet(..))));
    let (mut recorder, mut advanced) = (Recorder::create(dir, CONFIG)?, 0);
    for (at, step) in steps {
        if at >= advanced + ADVANCE {
            advanced = at;
            recorder.advance(SampleTime::from_samples(at))?;
        }
        tell(&mut recorder, at, step)?;
    }
    let end = lives.iter().map(Life::end).max().unwrap_or(0);
    recorder.finish(SampleTime::from_samples(end)).map(|_| ())
}

/// Room time goes on in steps of half a second.
const ADVANCE: u64 = 24_000;

fn tell(recorder: &mut Recorder, at: u64, step: Step<'_>) -> Result<(), RecordError> {
    let at = SampleTime::from_samples(at);
    match step {
        Step::Act(voice, act) => {
            let speaker = SpeakerId(voice);
            match act {
                Act::Join => return recorder.join(speaker, NAMES[usize::from(voice)], at),
                Act::Leave => recorder.leave(speaker, at),
                Act::Grant => recorder.open(Recordable::dangerously_without_consent(speaker, at)),
                Act::Withdraw => recorder.close(speaker, at),
                Act::Mute => recorder.mute(speaker, at),
                Act::Unmute => recorder.unmute(speaker, at),
                Act::Pause => recorder.pause(at),
                Act::Resume => recorder.resume(at),
            }
        }
        Step::Packet(voice, epoch, sent) => recorder.packet(VoicePacket {
            speaker: SpeakerId(voice),
            epoch,
            sequence: sent.number,
            media: MediaTime::ORIGIN + Samples::new(sent.media),
            arrived: at,
            duration: Samples::new(sent.samples),
            marker: false,
            payload: &sent.payload,
        }),
    }
    Ok(())
}
