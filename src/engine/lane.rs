//! One speaker's way in: packets → jitter buffer → decoder → frame.

use super::{
    attention::Attention,
    config::{BuildError, LaneConfig, RoomConfig},
    deep::Deep,
    ears::Ears,
    forward::Plays,
    log::Log,
    stats::LaneStats,
    voice::{Pull, Voice},
};
use crate::{
    codec::Codec,
    frame::Channels,
    jitter::{DelayConfig, JitterBuffer},
    mix::{Fader, Gate, Limiter, fade},
    packet::{Seen, SenderClock},
    speaker::SpeakerId,
    time::{SampleTime, Samples},
};

/// One speaker's way in. Built on the control side, moved into the engine as a box.
#[derive(Debug)]
pub struct Lane {
    pub(super) speaker: SpeakerId,
    pub(super) payload_type: u8,
    pub(super) red_payload_type: Option<u8>,
    pub(super) level_extension: Option<u8>,
    pub(super) deep_redundancy: bool,
    pub(super) clock: SenderClock,
    pub(super) seen: Seen,
    pub(super) jitter: JitterBuffer,
    pub(super) voice: Voice,
    pub(super) fader: Fader,
    pub(super) stats: LaneStats,
    pub(super) epoch: u32,
    pub(super) restarted: bool,
    pub(super) attention: Attention,
    pub(super) plays: Plays,
    /// Are its packets Opus?
    pub(super) sends_opus: bool,
    /// Is it one of those that have a place in the mixes?
    pub(super) heard: bool,
    /// Who hears it.
    pub(super) ears: Ears,
    /// Since when nothing is to be done for it.
    pub(super) asleep: Option<SampleTime>,
    frame: Box<[f32]>,
    channels: Channels,
    gate: Gate,
}

impl Lane {
    /// Builds a lane for a room of this shape.
    ///
    /// # Errors
    /// What the codec refuses, or a place outside the room.
    ///
    /// # Real-time
    /// Allocates.
    pub fn new(config: LaneConfig, room: &RoomConfig) -> Result<Self, BuildError> {
        if config.speaker.index() >= usize::from(room.max_lanes) {
            return Err(BuildError::Place { got: config.speaker.0, places: room.max_lanes });
        }
        let LaneConfig { ms_per_percent, min_delay, max_delay, .. } = config;
        Ok(Self {
            speaker: config.speaker,
            payload_type: config.payload_type,
            red_payload_type: config.red_payload_type,
            level_extension: config.level_extension,
            deep_redundancy: config.deep_redundancy,
            clock: SenderClock::default(),
            seen: Seen::default(),
            jitter: JitterBuffer::new(DelayConfig { ms_per_percent, min_delay, max_delay }, room.quantum),
            voice: Voice::new(config.codec, config.deep_plc, room.channels)?,
            fader: Fader::new(),
            stats: LaneStats::default(),
            epoch: 0,
            restarted: false,
            attention: Attention::default(),
            plays: Plays::default(),
            sends_opus: config.codec != Codec::Pcm,
            heard: true,
            ears: Ears::Mixes,
            asleep: None,
            frame: vec![0.0; room.frame_len()].into_boxed_slice(),
            channels: room.channels,
            gate: Gate::default(),
        })
    }

    /// Whose it is.
    #[must_use]
    pub fn speaker(&self) -> SpeakerId {
        self.speaker
    }

    /// What it has done so far.
    #[must_use]
    pub fn stats(&self) -> &LaneStats {
        &self.stats
    }

    /// Makes the frame that stands in the mixes from `now` + look-ahead on, if its `ears` are mixes, and lets it pass otherwise;
    /// whether anything is to be heard of it. Behind a relay, `past` becomes what was heard of it last.
    pub(super) fn pull(
        &mut self,
        now: SampleTime,
        ears: Ears,
        past: &mut [f32],
        deep: &mut Deep,
        log: &mut Log,
    ) -> bool {
        let before = std::mem::replace(&mut self.ears, ears);
        let audible = match (before, ears) {
            (Ears::Mixes, Ears::Mixes) => self.play(now, deep, log, None),
            (Ears::Relay, Ears::Mixes) => {
                self.voice.recall(&self.jitter, past);
                self.play(now, deep, log, None)
            }
            (Ears::Nobody, Ears::Mixes) => {
                self.voice.warm_up(&self.jitter);
                let enters = self.attention.has_begun().then_some(Turn::Enters);
                self.play(now, deep, log, enters)
            }
            (Ears::Mixes, Ears::Nobody) => {
                let audible = self.play(now, deep, log, Some(Turn::Leaves));
                self.voice.step_back();
                audible
            }
            (Ears::Mixes, Ears::Relay) => {
                self.voice.step_back();
                self.let_pass(now, deep, log)
            }
            (Ears::Relay | Ears::Nobody, Ears::Relay | Ears::Nobody) => self.let_pass(now, deep, log),
        };
        self.stats.target = self.jitter.target();
        audible
    }

    fn play(&mut self, now: SampleTime, deep: &mut Deep, log: &mut Log, turn: Option<Turn>) -> bool {
        let (quantum, width) = (self.quantum(), self.channels.count());
        let (speaker, jitter, stats) = (self.speaker, &mut self.jitter, &mut self.stats);
        let told = log.playouts.len();
        self.voice.fill(quantum, Pull { speaker, now, jitter, deep, stats, log: &mut *log });
        self.plays.note(&log.playouts[told..], &self.jitter);
        self.voice.pending.pop(&mut self.frame);
        self.attention.measure(&self.frame);
        self.fader.apply(now + Limiter::LOOKAHEAD, self.channels, &mut self.frame);
        match turn {
            Some(Turn::Enters) => fade::rise(&mut self.frame, width),
            Some(Turn::Leaves) => fade::fall(&mut self.frame, width),
            None => {}
        }
        self.gate.pass(now, width, &mut self.frame)
    }

    /// Whether who is sent its packets hears anything.
    fn let_pass(&mut self, now: SampleTime, deep: &mut Deep, log: &mut Log) -> bool {
        let (quantum, ears) = (self.quantum(), self.ears);
        let (speaker, jitter, stats) = (self.speaker, &mut self.jitter, &mut self.stats);
        let told = log.playouts.len();
        self.voice.pass(quantum, ears, Pull { speaker, now, jitter, deep, stats, log: &mut *log });
        self.fader.skip(now + Limiter::LOOKAHEAD, quantum);
        if ears == Ears::Nobody {
            return false;
        }
        self.plays.note(&log.playouts[told..], &self.jitter);
        if !self.voice.passes_silence() {
            self.gate.hold(now + quantum);
        }
        self.gate.is_open(now)
    }

    fn quantum(&self) -> Samples {
        Samples::new((self.frame.len() / self.channels.count()) as u64)
    }

    /// How often the decoder was at work since the last question.
    pub(super) fn take_decodes(&mut self) -> u32 {
        std::mem::take(&mut self.voice.decodes)
    }

    pub(super) fn frame(&self) -> &[f32] {
        &self.frame
    }
}

/// A voice in the midst of its sound comes or goes without a click.
enum Turn {
    Enters,
    Leaves,
}
