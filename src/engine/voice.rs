//! A lane's sound: decoded, recovered or invented, made shorter or longer, waiting to be played.

use super::{
    deep::Deep,
    event::{Playout, Source},
    hole::Hole,
    log::Log,
    stats::LaneStats,
};
use crate::{
    codec::{Codec, CodecError, Decoder, MAX_PACKET_SAMPLES},
    frame::Channels,
    jitter::{Decision, JitterBuffer, Move, Slot, Sound},
    mix::{Activity, Limiter},
    speaker::SpeakerId,
    stretch::Pending,
    time::{MediaTime, SampleTime, Samples},
};

/// What comes back of a voice.
#[derive(Clone, Copy, Debug, Default)]
struct Heard {
    length: Samples,
    /// Its codec calls it a voice.
    voiced: bool,
    /// The sender falls silent after it…
    resting: bool,
    /// …and leaves digital silence.
    silent: bool,
}

#[derive(Debug)]
pub(super) struct Voice {
    pub(super) decoder: Decoder,
    pub(super) pending: Pending,
    /// How often the decoder was at work since it was last asked for.
    pub(super) decodes: u32,
    /// Is its speech to be left as long as it is?
    pub(super) steady: bool,
    /// Is what nothing tells about invented by a network, where a tick has time for it?
    deep_plc: bool,
    /// Of what passes unheard, what still lies ahead.
    pub(super) passing: Samples,
    pub(super) channels: Channels,
    activity: Activity,
    pub(super) hole: Hole,
}

/// What one pull of a lane works with.
pub(super) struct Pull<'a> {
    pub(super) speaker: SpeakerId,
    pub(super) now: SampleTime,
    pub(super) jitter: &'a mut JitterBuffer,
    pub(super) deep: &'a mut Deep,
    pub(super) stats: &'a mut LaneStats,
    pub(super) log: &'a mut Log,
}

impl Voice {
    pub(super) fn new(codec: Codec, deep_plc: bool, channels: Channels) -> Result<Self, CodecError> {
        Ok(Self {
            decoder: Decoder::new(codec, channels)?,
            deep_plc,
            pending: Pending::new(channels),
            decodes: 0,
            steady: false,
            passing: Samples::ZERO,
            channels,
            activity: Activity::new(),
            hole: Hole::new(channels),
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
                Decision::RecoverDeep { slot, back, length } => {
                    self.recover_deep(&slot, back, length, &mut pull)
                }
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
        let payload = pull.jitter.payload(slot);
        let voiced = self.decoder.voice_active(payload) == Some(true);
        let silent = slot.dtx && self.decoder.is_silence(payload);
        let Ok(decoded) = self.decoder.decode(payload, space) else {
            pull.report(self.pending.len(), slot.sequence, slot.media, Source::Skipped);
            return self.conceal(slot.duration, pull);
        };
        let source = if slot.red { Source::Red } else { Source::Primary };
        pull.report(self.pending.len(), slot.sequence, slot.media, source);
        pull.stats.samples.played += decoded as u64;
        self.resume(Heard { length: Samples::new(decoded as u64), voiced, resting: slot.dtx, silent }, pull);
    }

    fn recover(&mut self, next: &Slot, pull: &mut Pull<'_>) {
        self.settle(Samples::ZERO, pull);
        self.decodes += 1;
        let space = self.pending.space(next.duration);
        if self.decoder.recover(pull.jitter.payload(next), space).is_err() {
            return self.conceal(next.duration, pull);
        }
        let (sequence, media) = (next.sequence.saturating_sub(1), next.media - next.duration);
        pull.report(self.pending.len(), sequence, media, Source::Fec);
        pull.stats.samples.fec += next.duration.count();
        // Encoders spare themselves the copy of what is no voice.
        self.resume(Heard { length: next.duration, voiced: true, ..Heard::default() }, pull);
    }

    fn recover_deep(&mut self, carrier: &Slot, back: Samples, length: Samples, pull: &mut Pull<'_>) {
        self.settle(Samples::ZERO, pull);
        self.decodes += 1;
        let payload = pull.jitter.payload(carrier);
        let space = self.pending.space(length);
        if !pull.deep.recover(&mut self.decoder, payload, back, space) {
            return self.conceal(length, pull);
        }
        let packets = back.count().div_ceil(carrier.duration.count().max(1));
        let (sequence, media) = (carrier.sequence.saturating_sub(packets), carrier.media - back);
        pull.report(self.pending.len(), sequence, media, Source::Dred);
        pull.stats.samples.dred += length.count();
        self.resume(Heard { length, ..Heard::default() }, pull);
    }

    /// Real sound has been written behind what waits.
    fn resume(&mut self, heard: Heard, pull: &mut Pull<'_>) {
        let sound = self.pending.push(heard.length);
        self.hole.close(sound, self.channels.count());
        let pause = self.activity.is_pause(self.channels, sound, heard.voiced);
        self.hole.rests(heard.resting, heard.silent);
        let sound = match pause {
            true => Sound::Pause,
            false if self.activity.is_talk() => Sound::Speech,
            false => Sound::Music,
        };
        self.steer(sound, heard.length, pull);
    }

    /// A sender that rests gets comfort noise from its codec; a voice that breaks off is carried on for a moment.
    fn conceal(&mut self, missing: Samples, pull: &mut Pull<'_>) {
        let audible = self.hole.is_audible();
        let width = self.channels.count();
        if self.deep_plc && audible {
            self.decoder.deep_plc(pull.deep.affords());
        }
        self.decodes += u32::from(self.hole.fill(missing, width, &mut self.decoder, &mut self.pending));
        self.hole.count(missing, audible, pull.jitter, &mut pull.stats.samples);
    }

    pub(super) fn settle(&mut self, pause: Samples, pull: &mut Pull<'_>) {
        self.hole.settle(pause, pull.jitter, &mut pull.stats.samples);
    }

    /// Playout follows its target: in a pause nobody hears time pass faster or slower, in speech it goes by periods.
    fn steer(&mut self, sound: Sound, length: Samples, pull: &mut Pull<'_>) {
        let held = self.pending.len();
        let sound = if self.steady && sound == Sound::Speech { Sound::Music } else { sound };
        let (pause, pending) = (sound == Sound::Pause, &mut self.pending);
        let samples = &mut pull.stats.samples;
        let moved = match pull.jitter.steer(pull.now, held, sound, length) {
            Move::Stay => return,
            Move::Faster(by) => {
                let removed = if pause { pending.shorten(length, by) } else { pending.hasten(length, by) };
                samples.removed += removed.count();
                removed
            }
            Move::Slower(by) => {
                let added = if pause { lengthened(pending, length, by) } else { pending.slow(length, by) };
                samples.inserted += added.count();
                added
            }
        };
        pull.jitter.stretched(sound, moved);
    }
}

/// A pause can be lengthened by more than it is long, a part at a time.
fn lengthened(pending: &mut Pending, length: Samples, by: Samples) -> Samples {
    let mut added = Samples::ZERO;
    while added < by {
        let part = pending.lengthen(length + added, by - added);
        if part.is_empty() {
            break;
        }
        added += part;
    }
    added
}

impl Pull<'_> {
    pub(super) fn report(&mut self, held: Samples, sequence: u64, media: MediaTime, source: Source) {
        let delay = self.jitter.delay_of(media, self.now + held);
        match source {
            Source::Primary => self.stats.packets.heard += 1,
            Source::Skipped => self.stats.packets.skipped += 1,
            Source::Unmixed => self.stats.packets.unmixed += 1,
            Source::Fec | Source::Red | Source::Dred => {}
        }
        if source != Source::Skipped {
            self.stats.delay = delay;
        }
        let at = self.now + held + Limiter::LOOKAHEAD;
        self.log.playout(Playout { speaker: self.speaker, sequence, media, at, delay, source });
    }
}
