//! Neural networks for the lanes of one room: the memory they share to read deep redundancy, and how much of it and of
//! neural concealment a tick may cost.

use crate::{
    codec::{Decoder, DeepScratch},
    time::Samples,
};

/// Packets synthesised, or steps concealed, in one tick: about a millisecond each where a hole begins, a quarter of that
/// later.
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
        let affords = self.affords();
        let Some(scratch) = self.scratch.as_mut().filter(|_| affords) else { return false };
        decoder.recover_deep(payload, back, out, scratch).is_ok()
    }

    /// Is there time for one more in this tick? Then it is taken.
    pub(super) fn affords(&mut self) -> bool {
        let affords = self.left > 0;
        self.left = self.left.saturating_sub(1);
        affords
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tick_affords_four_and_the_next_one_as_many() {
        let mut deep = Deep::new();
        for _ in 0..2 {
            let afforded = (0..9).filter(|_| deep.affords()).count();
            assert_eq!(afforded, PACKETS_PER_TICK as usize);
            deep.turn();
        }
        deep.allow(false);
        deep.turn();
        assert!(!deep.affords());
    }
}
