//! A lane's sound: decoded, recovered or invented, shortened or lengthened in pauses, waiting to be played.

use super::{
    event::{Playout, Source},
    log::Log,
    stats::LaneStats,
};
use crate::{
    codec::{CONCEAL_STEP, CONCEAL_WHOLE, Codec, CodecError, Decoder, MAX_PACKET_SAMPLES},
    frame::Channels,
    jitter::{Decision, JitterBuffer, Slot},
    mix::{Activity, Limiter},
    speaker::SpeakerId,
    stretch::{Fade, Overhang, Pending},
    time::{MediaTime, SampleTime, Samples},
};

const STEP: u64 = CONCEAL_STEP as u64;
/// The most that one pause frame is lengthened by: 20 ms.
const MAX_LENGTHENING: i64 = 960;

#[derive(Debug)]
pub(super) struct Voice {
    pub(super) decoder: Decoder,
    pub(super) pending: Pending,
    /// How often the decoder was at work since it was last asked for.
    pub(super) decodes: u32,
    channels: Channels,
    fade: Fade,
    overhang: Overhang,
    activity: Activity,
    /// What has been made since the last packet was played.
    hole: Hole,
    /// The last packet said that the sender falls silent.
    resting: bool,
    cushion: u64,
}

/// Sound made for want of packets. Whether it hides a loss or a pause only the next packet tells; until then what can be
/// heard of it counts as concealed, and the silence after that as silence.
#[derive(Clone, Copy, Debug, Default)]
struct Hole {
    concealed: u64,
    silent: u64,
}

/// What one pull of a lane works with.
pub(super) struct Pull<'a> {
    pub(super) speaker: SpeakerId,
    pub(super) now: SampleTime,
    pub(super) jitter: &'a mut JitterBuffer,
    pub(super) stats: &'a mut LaneStats,
    pub(super) log: &'a mut Log,
}

impl Voice {
    pub(super) fn new(codec: Codec, channels: Channels) -> Result<Self, CodecError> {
        Ok(Self {
            decoder: Decoder::new(codec, channels)?,
            pending: Pending::new(channels),
            decodes: 0,
            channels,
            fade: Fade::default(),
            overhang: Overhang::new(channels),
            activity: Activity::new(),
            hole: Hole::default(),
            resting: false,
            cushion: 0,
        })
    }

    /// Sees to it that a quantum is there to be played, if there ever was anything.
    pub(super) fn fill(&mut self, quantum: Samples, mut pull: Pull<'_>) {
        while self.pending.len() < quantum {
            let missing = quantum - self.pending.len();
            match pull.jitter.decide(pull.now, self.pending.len()) {
                Decision::Wait => return pull.stats.samples.silence += missing.count(),
                Decision::Play { slot, pause } => self.play(&slot, pause, &mut pull),
                Decision::Recover(next) => self.recover(&next, &mut pull),
                Decision::Skip(slot) => {
                    pull.report(self.pending.len(), slot.sequence, slot.media, Source::Skipped)
                }
                Decision::Conceal => self.conceal(missing, &mut pull),
            }
        }
    }

    fn play(&mut self, slot: &Slot, pause: Samples, pull: &mut Pull<'_>) {
        self.settle(pause, pull);
        let space = self.pending.space(Samples::new(MAX_PACKET_SAMPLES as u64));
        self.decodes += 1;
        let Ok(decoded) = self.decoder.decode(pull.jitter.payload(slot), space) else {
            pull.report(self.pending.len(), slot.sequence, slot.media, Source::Skipped);
            return self.conceal(slot.duration, pull);
        };
        pull.report(self.pending.len(), slot.sequence, slot.media, Source::Primary);
        let is_pause = self.resume(Samples::new(decoded as u64));
        self.resting = slot.dtx;
        pull.stats.samples.played += decoded as u64;
        self.cushion = if is_pause { crate::jitter::knob(14, 0) as u64 } else { 0 };
        self.approach_target(decoded as u64, is_pause, pull);
    }

    fn recover(&mut self, next: &Slot, pull: &mut Pull<'_>) {
        self.settle(Samples::ZERO, pull);
        let payload = pull.jitter.payload(next);
        self.decodes += 1;
        if self.decoder.recover(payload, self.pending.space(next.duration)).is_err() {
            return self.conceal(next.duration, pull);
        }
        let (sequence, media) = (next.sequence.saturating_sub(1), next.media - next.duration);
        pull.report(self.pending.len(), sequence, media, Source::Fec);
        self.resume(next.duration);
        self.resting = false;
        pull.stats.samples.fec += next.duration.count();
    }

    /// A sender that rests gets comfort noise from its codec; a voice that breaks off is carried on for a moment.
    fn conceal(&mut self, missing: Samples, pull: &mut Pull<'_>) {
        let faded = self.fade.is_silent();
        self.invent(missing, faded);
        if self.resting {
            pull.stats.samples.silence += missing.count();
            return;
        }
        if self.cushion > 0 && pull.jitter.not_lost() {
            self.cushion = self.cushion.saturating_sub(missing.count());
            pull.stats.samples.inserted += missing.count();
            return;
        }
        pull.jitter.concealed(missing);
        let (counted, noted) = match faded {
            false => (&mut pull.stats.samples.concealed, &mut self.hole.concealed),
            true => (&mut pull.stats.samples.silence, &mut self.hole.silent),
        };
        *counted += missing.count();
        *noted += missing.count();
    }

    /// Fills a hole: first with what is left of the last invention, as the codec invents in steps of its own.
    fn invent(&mut self, missing: Samples, faded: bool) {
        let width = self.channels.count();
        let space = self.pending.space(missing + Samples::new(CONCEAL_WHOLE as u64));
        let (hole, _) = space.split_at_mut((missing.len() * width).min(space.len()));
        let ready = self.overhang.take(hole);
        let whole = (missing - ready).len().next_multiple_of(CONCEAL_WHOLE);
        if faded {
            hole.fill(0.0);
            self.overhang.forget();
        } else if whole > 0 {
            self.decodes += 1;
            let until = (ready.len() + whole) * width;
            self.decoder.conceal(&mut space[ready.len() * width..until]);
            self.overhang.keep(&space[missing.len() * width..until]);
        }
        let sound = self.pending.push(missing);
        if !self.resting {
            self.fade.invented(sound, width);
        }
    }

    /// Real sound is here again.
    fn resume(&mut self, length: Samples) -> bool {
        let width = self.channels.count();
        let gain = self.fade.gain();
        let sound = self.pending.push(length);
        self.fade.real(sound, width);
        self.overhang.join(sound, gain);
        self.activity.is_pause(self.channels, sound)
    }

    /// Now that the next packet is here: of the hole before it, what the sender never sent was silence, and the rest
    /// concealed.
    fn settle(&mut self, pause: Samples, pull: &mut Pull<'_>) {
        let Hole { concealed, silent } = std::mem::take(&mut self.hole);
        let rest = pause.count().min(concealed + silent);
        let samples = &mut pull.stats.samples;
        samples.concealed = samples.concealed - concealed + (concealed + silent - rest);
        samples.silence = samples.silence - silent + rest;
        pull.jitter.was_pause(Samples::new(rest));
    }

    /// In a pause nobody hears time pass faster or slower.
    fn approach_target(&mut self, decoded: u64, pause: bool, pull: &mut Pull<'_>) {
        let excess = pull.jitter.steer(pull.now, self.pending.len(), pause);
        if excess == 0 {
            return;
        }
        let wanted = Samples::new(excess.unsigned_abs().min(decoded) / STEP * STEP);
        let stretch = Samples::new(decoded);
        if pause {
            if excess < 0 {
                pull.stats.samples.inserted += self.pending.lengthen(stretch, wanted).count();
            } else {
                pull.stats.samples.removed += self.pending.shorten(stretch, wanted).count();
            }
            return;
        }
        let asked = Samples::new(excess.unsigned_abs());
        let moved = if excess < 0 {
            let added = self.pending.slow(stretch, asked.max(Samples::new(480)) + Samples::new(96));
            pull.stats.samples.inserted += added.count();
            added
        } else {
            let removed = self.pending.hasten(stretch, asked + Samples::new(48));
            pull.stats.samples.removed += removed.count();
            removed
        };
        pull.jitter.steered(moved);
    }
}

impl Pull<'_> {
    fn report(&mut self, held: Samples, sequence: u64, media: MediaTime, source: Source) {
        let delay = self.jitter.delay_of(media, self.now + held);
        match source {
            Source::Primary => self.stats.packets.heard += 1,
            Source::Skipped => self.stats.packets.skipped += 1,
            Source::Fec => {}
        }
        if source != Source::Skipped {
            self.stats.delay = delay;
        }
        let at = self.now + held + Limiter::LOOKAHEAD;
        self.log.playout(Playout { speaker: self.speaker, sequence, media, at, delay, source });
    }
}
