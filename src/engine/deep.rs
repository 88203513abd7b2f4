//! Deep redundancy for the lanes of one room: the memory they share to read it, and how much of it a tick may cost.

use crate::{
    codec::{Decoder, DeepScratch},
    time::Samples,
};

/// Packets synthesised in one tick: about a millisecond each where a hole begins, a quarter of that later.
const PACKETS_PER_TICK: u32 = 4;

#[derive(Debug)]
pub(super) struct Deep {
    /// None where libopus was built without it.
    scratch: Option<DeepScratch>,
    left: u32,
    per_tick: u32,
}

impl Deep {
    pub(super) fn new() -> Self {
        Self { scratch: DeepScratch::new().ok(), left: PACKETS_PER_TICK, per_tick: PACKETS_PER_TICK }
    }

    /// A new tick begins.
    pub(super) fn turn(&mut self) {
        self.left = self.per_tick;
    }

    /// May it be used from the next tick on?
    pub(super) fn allow(&mut self, allowed: bool) {
        self.per_tick = if allowed { PACKETS_PER_TICK } else { 0 };
    }

    /// How far back before `payload` its redundancy reaches.
    pub(super) fn reach(&mut self, decoder: &Decoder, payload: &[u8]) -> Samples {
        self.scratch.as_mut().map_or(Samples::ZERO, |scratch| decoder.deep_reach(payload, scratch).back)
    }

    /// Fills `out` with the sound that begins `back` before `payload`; whether there was any, and time for it.
    pub(super) fn recover(
        &mut self,
        decoder: &mut Decoder,
        payload: &[u8],
        back: Samples,
        out: &mut [f32],
    ) -> bool {
        let Some(scratch) = self.scratch.as_mut().filter(|_| self.left > 0) else { return false };
        self.left -= 1;
        decoder.recover_deep(payload, back, out, scratch).is_ok()
    }
}
