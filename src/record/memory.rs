//! What a sender's encoder may still know of the time behind a shut gate. In come a voice's packets that lie in the open,
//! in order; out comes whether a packet is free of all that, and its deep redundancy (DRED) taken away while it is not.
//!
//! - *Smear.* The encoder's look-ahead puts 6.5 ms of what was said before into its next frame; its prediction and its
//!   high-pass filter carry a fading rest on.
//! - *In-band FEC* repeats the frame before, up to 60 ms, and so whatever was smeared into that.
//! - *Deep redundancy* repeats what was said up to a second before.

use super::{gap::Cause, toc::Toc, waiting::Run};
use crate::packet::without_padding;

/// How long an encoder smears: two frames of 20 ms. What begins later holds less than −90 dBFS of a loud voice that broke
/// off, measured through all modes in `tests/record/leaks.rs`.
const SMEARS: u64 = 1_920;

/// How long in SILK frames of 10 ms, which are coded more coarsely: 100 ms.
const SHORT_SMEARS: u64 = 4_800;

/// How long in CELT behind a gate of consent: 300 ms. It codes the offset that the 3 Hz high-pass filter of an encoder
/// for music leaves of such a voice for all its fading. That is no voice, and a mute does not wait for it.
const CELT_SMEARS: u64 = 14_400;

/// The shortest copy that is reckoned with: a frame of 20 ms.
const COPY: u64 = 960;

/// How much an encoder has to take in until its deep redundancy knows of nothing earlier. libopus keeps features of
/// 1040 ms (`DRED_MAX_LATENTS` chunks of 40 ms); they may end up to 12.5 ms before the packet (what does not fill 20 ms
/// waits) and are computed from windows of 20 ms, behind 6.5 ms of look-ahead: 1079 ms, and some more.
pub(super) const FORGETS: u64 = 52_800;

/// One voice's encoder, judged by what has come from it in the open.
///
/// It forgets by what it takes in, not by the clock: one that stood still tells a minute later what was said before. So
/// it is packets that are counted; those that were lost are not, nor those of another run of the sender's clock.
#[derive(Debug, Default)]
pub(super) struct EncoderMemory {
    /// None if no gate was ever shut.
    behind: Option<Behind>,
    run: Run,
}

/// A gate that was shut, and what the encoder has taken in since it opened.
#[derive(Debug)]
struct Behind {
    cause: Cause,
    taken_in: u64,
    /// The last frame's length: the next packet may hold a copy of that frame.
    frame: u64,
}

impl EncoderMemory {
    /// A gate was shut, for however short a time. A mute changes nothing about a refusal that is not forgotten yet.
    pub(super) fn shut(&mut self, cause: Cause) {
        let refused = self.behind.as_ref().is_some_and(Behind::is_refused);
        let cause = if cause == Cause::Mute && !refused { Cause::Mute } else { Cause::Gate };
        self.behind = Some(Behind { cause, taken_in: 0, frame: 0 });
    }

    /// A packet from the open, of so many samples: says why it may not be kept, if what it tells may have been said behind
    /// a gate.
    pub(super) fn hear(&mut self, run: Run, samples: u64, payload: &mut Vec<u8>) -> Option<Cause> {
        let another = std::mem::replace(&mut self.run, run) != run;
        let (behind, toc) = self.behind.as_mut().zip(Toc::of(payload))?;
        if another {
            behind.taken_in = 0;
        }
        if behind.taken_in < FORGETS {
            strip(payload);
        }
        behind.take_in(samples, toc)
    }
}

impl Behind {
    fn is_refused(&self) -> bool {
        self.cause == Cause::Gate && self.taken_in < CELT_SMEARS
    }

    /// The gate's cause, if the frames that follow may hold something from behind it.
    fn take_in(&mut self, samples: u64, toc: Toc) -> Option<Cause> {
        let smears = match toc.frame_samples() {
            _ if toc.is_celt() && self.cause == Cause::Gate => CELT_SMEARS,
            ..COPY if !toc.is_celt() => SHORT_SMEARS,
            _ => SMEARS + self.frame.max(COPY),
        };
        let smeared = self.taken_in < smears;
        self.taken_in = self.taken_in.saturating_add(samples);
        self.frame = toc.frame_samples();
        smeared.then_some(self.cause)
    }
}

/// Redundancy lies in the padding; other extensions that lie there go with it. The frames stay as they are.
pub(super) fn strip(payload: &mut Vec<u8>) {
    if let Some((head, frames)) = without_padding(payload) {
        *payload = [&head[..], frames].concat();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PADDED: [u8; 7] = [0x7B, 64 | 1, 2, 9, 9, 0, 0];

    /// Hears a packet of 20 ms; what is left of it.
    fn hear(memory: &mut EncoderMemory, epoch: u32) -> (Option<Cause>, Vec<u8>) {
        let mut payload = PADDED.to_vec();
        (memory.hear((1, epoch), 960, &mut payload), payload)
    }

    /// Of 200 packets of one run in a row: how many are left out, and how many then lose their padding.
    fn taken_away(memory: &mut EncoderMemory, epoch: u32) -> (usize, usize) {
        let (mut left_out, mut stripped) = (0, 0);
        for _ in 0..200 {
            match hear(memory, epoch) {
                (Some(cause), _) => {
                    assert_eq!((stripped, cause), (0, Cause::Gate));
                    left_out += 1;
                }
                (None, payload) => stripped += usize::from(payload == [0x7B, 1, 9, 9]),
            }
        }
        (left_out, stripped)
    }

    #[test]
    fn without_a_gate_nothing_is_taken() {
        let mut memory = EncoderMemory::default();
        for epoch in [0, 1, 7] {
            assert_eq!(taken_away(&mut memory, epoch), (0, 0));
        }
    }

    #[test]
    fn behind_a_gate_it_takes_3_frames_and_1100_ms_to_forget() {
        let mut memory = EncoderMemory::default();
        memory.shut(Cause::Gate);
        assert_eq!(taken_away(&mut memory, 0), (3, 52));
        memory.shut(Cause::NotJoined);
        assert!(hear(&mut memory, 0).0.is_some());
        memory.shut(Cause::Gate);
        assert_eq!(taken_away(&mut memory, 0), (3, 52));
    }

    #[test]
    fn what_one_run_has_forgotten_another_may_know() {
        let mut memory = EncoderMemory::default();
        memory.shut(Cause::Gate);
        assert_eq!(taken_away(&mut memory, 0), (3, 52));
        assert_eq!(taken_away(&mut memory, 1), (3, 52));
    }

    #[test]
    fn a_mute_waits_for_the_voice_alone() {
        for (toc, left_out) in [(0x08, 3), (0xF8, 3)] {
            let mut memory = EncoderMemory::default();
            memory.shut(Cause::Mute);
            let causes: Vec<_> = (0..9).map_while(|_| memory.hear((1, 0), 960, &mut vec![toc])).collect();
            assert_eq!(causes, vec![Cause::Mute; left_out], "{toc}");
        }
    }

    #[test]
    fn what_is_smeared_and_its_copy_are_left_out_however_long_the_frame() {
        // SILK of 10, 20, 40 and 60 ms, two frames of 60 ms; CELT of 5 and 20 ms.
        for (payload, ms, left_out) in [
            (&[0x00][..], 10, 10),
            (&[0x08], 20, 3),
            (&[0x10], 40, 2),
            (&[0x18], 60, 2),
            (&[0x19], 120, 1),
            (&[0xE8], 5, 60),
            (&[0xF8], 20, 15),
        ] {
            let mut memory = EncoderMemory::default();
            memory.shut(Cause::Gate);
            memory.shut(Cause::Mute);
            let mut hear = || memory.hear((1, 0), 48 * ms, &mut payload.to_vec());
            let causes: Vec<_> = (0..99).map_while(|_| hear()).collect();
            assert_eq!(causes, vec![Cause::Gate; left_out], "{ms} ms");
        }
    }
}
