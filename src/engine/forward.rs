//! What is known of a voice whose own packets are sent: those that were played last, where a bus's packets with the same sound begin,
//! and how many were lost between them.

use super::event::{Playout, Source};
use crate::{
    jitter::{JitterBuffer, Slot},
    speaker::SpeakerId,
    time::{SampleTime, Samples},
};

/// By how much an encoder's packets lie behind their sound (libopus at 48 kHz).
const ENCODER_LOOKAHEAD: Samples = Samples::new(312);
/// So many packets of a voice alone are encoded before its own are sent: what a decoder remembers is then the sound that they were made to
/// follow. Without that the first 5 ms of a word are off by up to 8 dB.
const LEAD_IN: u32 = 3;
/// After so many relayed packets a bus does without its mix: the way back costs as much as encoding four.
const SETTLED: u32 = 10;
/// More than this is no loss but another beginning.
const MOST_LOST: u64 = 64;

/// What becomes of the sound of one packet.
#[derive(Clone, Copy, Debug)]
pub(super) enum Way<'a> {
    /// It is encoded.
    Encode,
    /// This, from which it was decoded, is sent.
    Forward(Forward<'a>),
    /// Nothing is sent, as its sender sends nothing, or as it was lost.
    Rest,
}

/// Whose packets a bus sends in place of its mix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Relay {
    pub(super) speaker: SpeakerId,
    /// So many of its packets were encoded alone before.
    led_in: u32,
    /// So many in a row were sent as they are.
    forwarded: u32,
    /// The number of the last of them.
    newest: u64,
}

impl Relay {
    pub(super) fn of(speaker: SpeakerId) -> Self {
        Self { speaker, led_in: 0, forwarded: 0, newest: 0 }
    }

    pub(super) fn is_settled(&self) -> bool {
        self.forwarded >= SETTLED
    }

    pub(super) fn has_begun(&self) -> bool {
        self.forwarded > 0
    }

    /// Do those who hear it know the voice well enough to be sent its own packets?
    pub(super) fn is_led_in(&self) -> bool {
        self.has_begun() || self.led_in >= LEAD_IN
    }

    /// In a pause of the voice, packets begin elsewhere.
    pub(super) fn begins_anew(&mut self) {
        self.led_in = 0;
    }

    /// A packet went this way.
    pub(super) fn went(&mut self, way: &Way<'_>) {
        match way {
            Way::Forward(forward) => {
                self.forwarded = self.forwarded.saturating_add(1);
                self.newest = forward.number;
            }
            Way::Encode => {
                self.led_in = self.led_in.saturating_add(1);
                self.forwarded = 0;
            }
            Way::Rest => {}
        }
    }

    /// The packet of `play` with its `payload`, behind those that were sent so far.
    pub(super) fn forward<'a>(&self, play: &Play, payload: &'a [u8]) -> Forward<'a> {
        Forward { payload, number: play.number, lost: self.lost_before(play) }
    }

    fn lost_before(&self, play: &Play) -> u16 {
        let lost = play.number.saturating_sub(self.newest + 1);
        if self.has_begun() && lost <= MOST_LOST { lost as u16 } else { 0 }
    }
}

/// A voice's packet that is sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Forward<'a> {
    pub(super) payload: &'a [u8],
    /// Among those of its sender that were played or lost.
    number: u64,
    /// So many were lost before it.
    pub(super) lost: u16,
}

/// The packets of one voice that were played last.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Plays {
    plays: [Option<Play>; 4],
    /// How many there were, and how many were lost.
    number: u64,
    /// The sequence number of the last that had its turn.
    last: Option<u64>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Play {
    pub(super) slot: Slot,
    number: u64,
    /// Where the packet of a bus begins that holds its sound.
    pub(super) begins: SampleTime,
    /// Nobody spoke before it, or nothing was there.
    pub(super) after_pause: bool,
}

impl Plays {
    /// Notes what had its turn in a tick. What was dropped is no loss.
    pub(super) fn note(&mut self, playouts: &[Playout], jitter: &JitterBuffer) {
        for playout in playouts {
            match playout.source {
                Source::Primary | Source::Red => self.play(playout, jitter),
                Source::Skipped => self.last = Some(playout.sequence),
                Source::Fec | Source::Dred | Source::Unmixed => {}
            }
        }
    }

    fn play(&mut self, playout: &Playout, jitter: &JitterBuffer) {
        self.number += self.last.map_or(1, |last| playout.sequence.saturating_sub(last).max(1));
        self.last = Some(playout.sequence);
        let Some(slot) = jitter.slot(playout.sequence) else { return };
        let begins = playout.at + ENCODER_LOOKAHEAD;
        let goes_on = |before: &Play| {
            before.begins + before.slot.duration == begins
                && before.slot.speech.is_none_or(|speech| speech.voice)
        };
        let after_pause = !self.plays[0].as_ref().is_some_and(goes_on);
        self.plays.rotate_right(1);
        self.plays[0] = Some(Play { slot, number: self.number, begins, after_pause });
    }

    /// The first that begins at `begins` or behind.
    pub(super) fn next(&self, begins: SampleTime) -> Option<&Play> {
        self.plays.iter().flatten().filter(|play| play.begins >= begins).min_by_key(|play| play.begins)
    }
}
