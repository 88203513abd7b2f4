//! What is heard while a packet is missing, and what it counts as.

use super::stats::SampleCounts;
use crate::{
    codec::{CONCEAL_WHOLE, Decoder},
    frame::Channels,
    jitter::JitterBuffer,
    stretch::{Fade, Overhang, Pending},
    time::Samples,
};

/// Sound made for want of packets. Whether it hides a loss or a pause only the next packet tells; until then what can be
/// heard of it counts as concealed, and the silence after that as silence.
#[derive(Debug)]
pub(super) struct Hole {
    fade: Fade,
    overhang: Overhang,
    /// The last packet said that the sender falls silent.
    pub(super) resting: bool,
    /// And that it left digital silence.
    silent_rest: bool,
    concealed: Samples,
    silent: Samples,
}

impl Hole {
    pub(super) fn new(channels: Channels) -> Self {
        Self {
            fade: Fade::default(),
            overhang: Overhang::new(channels),
            resting: false,
            silent_rest: false,
            concealed: Samples::ZERO,
            silent: Samples::ZERO,
        }
    }

    /// Whether the packet that was played last says that the sender falls silent, and whether it leaves digital silence.
    pub(super) fn rests(&mut self, resting: bool, silent: bool) {
        (self.resting, self.silent_rest) = (resting, resting && silent);
    }

    /// Real sound is here again, the newest `sound`: it grows out of what was invented.
    pub(super) fn close(&mut self, sound: &mut [f32], width: usize) {
        let gain = self.fade.gain();
        self.fade.real(sound, width);
        self.overhang.join(sound, gain);
    }

    /// Fills what is `missing`: first with what is left of the last invention, as a codec invents in steps of its own.
    /// Whether the decoder was at work.
    pub(super) fn fill(
        &mut self,
        missing: Samples,
        width: usize,
        decoder: &mut Decoder,
        pending: &mut Pending,
    ) -> bool {
        let space = pending.space(missing + Samples::new(CONCEAL_WHOLE as u64));
        let (hole, _) = space.split_at_mut((missing.len() * width).min(space.len()));
        let ready = self.overhang.take(hole).len();
        let whole = missing.len().saturating_sub(ready).next_multiple_of(CONCEAL_WHOLE);
        let until = ((ready + whole) * width).min(space.len());
        let silent = self.fade.is_silent() || self.silent_rest;
        let invents = !silent && whole > 0;
        if silent {
            space.fill(0.0);
            self.overhang.forget();
        } else if invents {
            decoder.conceal(&mut space[(ready * width).min(until)..until]);
            self.overhang.keep(&space[(missing.len() * width).min(until)..until]);
        }
        let sound = pending.push(missing);
        if !self.resting {
            self.fade.invented(sound, width);
        }
        invents
    }

    /// Counts what [`Hole::fill`] made: a sender that rests gets comfort noise, everything else is concealed.
    pub(super) fn count(
        &mut self,
        missing: Samples,
        audible: bool,
        jitter: &mut JitterBuffer,
        samples: &mut SampleCounts,
    ) {
        if self.resting {
            samples.silence += missing.count();
        } else {
            jitter.concealed(missing);
            let (counted, noted) = match audible {
                true => (&mut samples.concealed, &mut self.concealed),
                false => (&mut samples.silence, &mut self.silent),
            };
            *counted += missing.count();
            *noted += missing;
        }
    }

    /// Can the voice still be heard in it?
    pub(super) fn is_audible(&self) -> bool {
        !self.fade.is_silent()
    }

    /// How long it is so far; nothing where the sender rests.
    pub(super) fn length(&self) -> Samples {
        self.concealed + self.silent
    }

    /// Has the sender fallen silent, and does its codec make the background meanwhile?
    pub(super) fn has_background(&self) -> bool {
        self.resting && !self.silent_rest
    }

    /// Is nothing but silence left to fill it with?
    pub(super) fn is_over(&self) -> bool {
        self.silent_rest || self.fade.is_over()
    }

    /// Now that the next packet is here: of the hole before it, what the sender never sent (`pause`) was silence, and the
    /// rest concealed.
    pub(super) fn settle(&mut self, pause: Samples, jitter: &mut JitterBuffer, samples: &mut SampleCounts) {
        let concealed = std::mem::take(&mut self.concealed);
        let silent = std::mem::take(&mut self.silent);
        let rest = pause.min(concealed + silent);
        samples.concealed = samples.concealed - concealed.count() + (concealed + silent - rest).count();
        samples.silence = samples.silence - silent.count() + rest.count();
        jitter.was_pause(rest);
    }
}
