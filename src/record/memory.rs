//! What a sender's encoder may still know of the time behind a shut gate: deep redundancy (DRED) repeats in each packet
//! what was said up to a second before. In come a voice's packets in order, kept or not; out comes whether a packet is
//! free of all that, and else the packet without it.

use super::waiting::{Run, Waiting};
use crate::{packet::without_padding, time::Samples};

/// How much an encoder has to take in until it knows of nothing earlier. libopus keeps features of 1040 ms
/// (`DRED_MAX_LATENTS` chunks of 40 ms); they may end up to 12.5 ms before the packet (what does not fill 20 ms waits)
/// and are computed from windows of 20 ms, behind 6.5 ms of look-ahead: 1079 ms, and some more.
const FORGETS: Samples = Samples::from_ms(1_100);

/// One voice's encoder, judged by what is kept of it.
///
/// It forgets by what it takes in, not by the clock: one that stood still tells a minute later what was said before. So
/// it is packets that are counted; those that were lost are not, nor those of another run of the sender's clock.
#[derive(Debug, Default)]
pub(super) struct EncoderMemory {
    /// What was kept since the gate, in samples; none if no gate was ever shut.
    since: Option<u64>,
    run: Run,
}

impl EncoderMemory {
    /// A gate was shut, for however short a time.
    pub(super) fn shut(&mut self) {
        self.since = Some(0);
    }

    /// A packet is to be kept: takes away its redundancy if that may tell of what is behind a gate.
    pub(super) fn keep(&mut self, packet: &mut Waiting) {
        let another = std::mem::replace(&mut self.run, packet.run) != packet.run;
        let Some(since) = &mut self.since else { return };
        if another {
            *since = 0;
        }
        if *since < FORGETS.count() {
            strip(&mut packet.payload);
        }
        *since = since.saturating_add(packet.samples);
    }
}

/// Redundancy lies in the padding; other extensions that lie there go with it. The frames stay as they are.
fn strip(payload: &mut Vec<u8>) {
    if let Some((head, frames)) = without_padding(payload) {
        *payload = [&head[..], frames].concat();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        speaker::{SpeakerId, VoicePacket},
        time::{MediaTime, SampleTime},
    };

    /// Does it keep its padding?
    fn keeps_padding(memory: &mut EncoderMemory, epoch: u32) -> bool {
        let padded = [0x7B, 64 | 1, 2, 9, 9, 0, 0];
        let packet = VoicePacket {
            speaker: SpeakerId(0),
            epoch,
            sequence: 0,
            media: MediaTime::ORIGIN,
            arrived: SampleTime::ZERO,
            duration: Samples::from_ms(20),
            payload: &padded,
        };
        let mut packet = Waiting::new(0, packet).unwrap();
        memory.keep(&mut packet);
        let whole = packet.payload == padded;
        assert!(whole || packet.payload == [0x7B, 1, 9, 9]);
        whole
    }

    fn stripped_in_a_row(memory: &mut EncoderMemory, epoch: u32) -> usize {
        (0..200).take_while(|_| !keeps_padding(memory, epoch)).count()
    }

    #[test]
    fn without_a_gate_nothing_is_taken() {
        let mut memory = EncoderMemory::default();
        for epoch in [0, 1, 7] {
            assert_eq!(stripped_in_a_row(&mut memory, epoch), 0);
        }
    }

    #[test]
    fn behind_a_gate_it_takes_1100_ms_to_forget() {
        let mut memory = EncoderMemory::default();
        memory.shut();
        assert_eq!(stripped_in_a_row(&mut memory, 0), 55);
        memory.shut();
        assert!(!keeps_padding(&mut memory, 0));
        memory.shut();
        assert_eq!(stripped_in_a_row(&mut memory, 0), 55);
    }

    #[test]
    fn what_one_run_has_forgotten_another_may_know() {
        let mut memory = EncoderMemory::default();
        memory.shut();
        assert_eq!(stripped_in_a_row(&mut memory, 0), 55);
        assert_eq!(stripped_in_a_row(&mut memory, 1), 55);
    }
}
