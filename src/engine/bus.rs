//! One output's way out: the mix of its members → limiter → encoder → RTP.

use super::{
    coder::{Coder, Completed},
    config::{BuildError, BusConfig, RoomConfig, StreamConfig},
    forward::{Relay, Way},
};
use crate::{
    codec::EncoderConfig,
    mix::Limiter,
    packet::RtpStream,
    speaker::{BusId, SpeakerSet},
    time::{SampleTime, Samples},
};

/// One output. Built on the control side, moved into the engine as a box.
#[derive(Debug)]
pub struct Bus {
    pub(super) id: BusId,
    pub(super) members: SpeakerSet,
    pub(super) coding: Option<EncoderConfig>,
    pub(super) role: Role,
    pub(super) chain: Chain,
    /// Whose packets are sent in place of the mix.
    pub(super) relay: Option<Relay>,
    /// Are those all that it wants in this tick?
    pub(super) spared: bool,
    /// Does it wait to share another's mix, or another to share its?
    pub(super) meets: bool,
    stream: RtpStream,
    /// Beginning and header of the packet completed in this tick.
    pub(super) completed: Option<(SampleTime, [u8; 12])>,
}

/// Does an output make its own mix, or does it share another's?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Just opened: has sent nothing yet.
    New,
    /// Its own chain is at work.
    Leads,
    /// Its chain rests; what this one makes is its too.
    Follows(BusId),
}

impl Bus {
    /// Builds an output for a room of this shape.
    ///
    /// # Errors
    /// A place outside the room, a packet that is no multiple of the quantum, or what the codec refuses.
    ///
    /// # Real-time
    /// Allocates.
    pub fn new(config: &BusConfig, room: &RoomConfig) -> Result<Self, BuildError> {
        if config.bus.index() >= usize::from(room.max_buses) {
            return Err(BuildError::Place { got: config.bus.0, places: room.max_buses });
        }
        let StreamConfig { ssrc, payload_type, first_sequence, first_timestamp } = config.stream;
        Ok(Self {
            id: config.bus,
            members: config.members,
            coding: config.encoder,
            role: Role::New,
            chain: Chain::new(config.encoder, room)?,
            relay: None,
            spared: false,
            meets: false,
            stream: RtpStream::new(ssrc, payload_type, first_sequence, first_timestamp),
            completed: None,
        })
    }

    /// Which it is.
    #[must_use]
    pub fn id(&self) -> BusId {
        self.id
    }

    /// Can it share the mix that `other` makes?
    pub(super) fn can_share(&self, other: &Self) -> bool {
        self.coding.is_none() || self.coding == other.coding
    }

    /// Notes the packet that this tick completed, if it did: where it begins, and how many were lost before it.
    pub(super) fn stamp(&mut self, completed: Option<(SampleTime, u16)>) {
        self.completed = completed.map(|(begins, lost)| {
            self.stream.lose(lost);
            (begins, self.stream.header(begins, false))
        });
    }
}

/// The machinery behind one distinct mix.
#[derive(Debug)]
pub(super) struct Chain {
    /// This quantum, summed and then limited.
    pub(super) mix: Box<[f32]>,
    pub(super) limiter: Limiter,
    pub(super) coder: Option<Coder>,
}

impl Chain {
    fn new(coding: Option<EncoderConfig>, room: &RoomConfig) -> Result<Self, BuildError> {
        Ok(Self {
            mix: vec![0.0; room.frame_len()].into_boxed_slice(),
            limiter: Limiter::new(room.channels),
            coder: coding.map(|coding| Coder::new(&coding, room)).transpose()?,
        })
    }

    /// Limits the mix of the quantum at `at` and goes the `way` of the packet that it completes, if it does; how often the
    /// encoder was at work.
    pub(super) fn run(&mut self, at: SampleTime, way: Way<'_>) -> u32 {
        self.limiter.process(&mut self.mix);
        self.coder.as_mut().map_or(0, |coder| coder.gather(at, &self.mix, way))
    }

    /// Lets the quantum at `at` pass without its mix: of the packet that it completes, if it does, the `way` is known.
    pub(super) fn pass(&mut self, at: SampleTime, quantum: Samples, way: Way<'_>) {
        if !self.is_asleep() {
            self.mix.fill(0.0);
            self.limiter.process(&mut self.mix);
            self.mix.fill(0.0);
        }
        if let Some(coder) = &mut self.coder {
            coder.pass(at, quantum, way);
        }
    }

    /// Does it let its mix pass unmade?
    pub(super) fn is_asleep(&self) -> bool {
        self.coder.as_ref().is_some_and(Coder::is_asleep)
    }

    /// Hears after all what it has let pass: `past` ends at `at`.
    pub(super) fn recall(&mut self, at: SampleTime, past: &[f32]) {
        let Some(coder) = &mut self.coder else { return };
        for part in past.chunks(self.mix.len()) {
            let mix = &mut self.mix[..part.len()];
            mix.copy_from_slice(part);
            self.limiter.process(mix);
            coder.remember(mix);
        }
        coder.wake(at);
    }

    /// A quantum of silence, which nobody is sent. What was gathered of a packet is lost.
    pub(super) fn hush(&mut self) {
        self.mix.fill(0.0);
        self.limiter.process(&mut self.mix);
        self.mix.fill(0.0);
        if let Some(coder) = &mut self.coder {
            coder.hush();
        }
    }

    /// Goes on where `other` stands, as if it had made the same mix all along.
    pub(super) fn copy_from(&mut self, other: &Self) {
        self.limiter.copy_from(&other.limiter);
        if let (Some(mine), Some(theirs)) = (&mut self.coder, &other.coder) {
            mine.copy_from(theirs);
        }
    }

    pub(super) fn set_complexity(&mut self, complexity: u8) {
        if let Some(coder) = &mut self.coder {
            coder.set_complexity(complexity);
        }
    }

    /// Will the quantum at `at` complete a packet?
    pub(super) fn completes_a_packet(&self, at: SampleTime, quantum: Samples) -> bool {
        self.coder.as_ref().is_some_and(|coder| coder.is_completed_by(at, quantum))
    }

    /// Can it go over to what `leader` makes from the quantum at `at` on, without a seam? Both are at the same packet, and of it
    /// nothing is gathered but what both have heard the `quantum` before; or neither has anything to say.
    pub(super) fn can_join(&self, leader: &Self, at: SampleTime, quantum: Samples) -> bool {
        let (Some(mine), Some(theirs)) = (&self.coder, &leader.coder) else { return true };
        let (begins, begun) = (theirs.begins_at(at), mine.begins_at(at));
        let together = begins == begun && at.since(begins) < quantum;
        together || mine.is_silent() && theirs.is_silent() && begins >= begun
    }

    /// The packet completed in this tick.
    pub(super) fn completed(&self) -> Option<Completed<'_>> {
        self.coder.as_ref()?.completed()
    }
}
