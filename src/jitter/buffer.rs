//! The jitter buffer of one lane: packets in, in any order; one decision a pull out.

use super::{
    copies::{self, Copies},
    decision::{Decision, Insert},
    delay::{DelayConfig, DelayEstimator},
    slots::{Slot, Slots},
    steer::{self, Move, Sound, Stand, Steering},
};
use crate::time::{MediaTime, Quantum, SampleTime, Samples};

/// What is gone for so long is an outage: nobody waits for what was said meanwhile. 600 ms…
const OUTAGE: Samples = Samples::from_ms(600);
/// …and it is caught up with at once, down to this much above the target: 20 ms.
const AFTER_AN_OUTAGE: i64 = 960;
/// A loss may shorten the sound by up to this much, where concealment has paid for it: 60 ms.
const ELASTIC: Samples = Samples::from_ms(60);
/// Deep redundancy is synthesised in steps of 10 ms.
const DEEP_STEP: u64 = 480;

#[derive(Clone, Copy, Debug)]
struct Cursor {
    sequence: u64,
    media: MediaTime,
    /// The sound before it was made from redundancy; which packets that stands for is not known for certain.
    mended: bool,
}

/// Packets of one lane between network and decoder. Time is an argument; memory is fixed.
#[derive(Debug)]
pub struct JitterBuffer {
    slots: Slots,
    delay: DelayEstimator,
    steering: Steering,
    next: Option<Cursor>,
    /// The packet with the highest sequence number.
    newest: Option<Slot>,
    /// Whose sound became available before they came.
    copies: Copies,
    /// Sound concealed so far, less sound never played: what may be dropped without a loss.
    debt: i64,
    /// Concealed at a stretch.
    hole: Samples,
    /// There was an outage that has not been caught up with.
    was_away: bool,
}

impl JitterBuffer {
    /// An empty buffer for a room of this quantum.
    ///
    /// # Real-time
    /// Allocates.
    #[must_use]
    pub fn new(config: DelayConfig, quantum: Quantum) -> Self {
        Self {
            slots: Slots::new(),
            delay: DelayEstimator::new(config, quantum),
            steering: Steering::new(),
            next: None,
            newest: None,
            copies: Copies::default(),
            debt: 0,
            hole: Samples::ZERO,
            was_away: false,
        }
    }

    /// Takes a packet that reached the machine at `arrived`. The caller has sorted out duplicates.
    ///
    /// # Real-time
    /// Safe.
    pub fn insert(&mut self, packet: Slot, payload: &[u8], arrived: SampleTime) -> Insert {
        self.learn(&packet, arrived);
        if !self.is_over(&packet) && self.slots.put(packet, payload) {
            return Insert::Queued;
        }
        if !self.copies.contains(packet.sequence) {
            self.delay.learn_late(packet.duration);
        }
        Insert::Late
    }

    /// Takes a copy of a packet (RFC 2198) that came with a later one, if it is of use; to be called before
    /// [`JitterBuffer::insert`] for that one. The packet itself, should it still come, takes its place.
    ///
    /// # Real-time
    /// Safe.
    pub fn insert_copy(&mut self, packet: Slot, payload: &[u8], arrived: SampleTime) {
        if self.is_missing(packet.sequence) && !self.is_over(&packet) && self.slots.put(packet, payload) {
            self.learn_copy(&packet, packet.sequence, packet.media.transit(arrived));
        }
    }

    /// Is this packet yet to come, though a later one may be here?
    ///
    /// # Real-time
    /// Safe.
    #[must_use]
    pub fn is_missing(&self, sequence: u64) -> bool {
        let ahead = self.newest.is_some_and(|newest| newest.sequence < sequence);
        let to_play = self.next.is_some_and(|next| next.sequence <= sequence);
        ahead || to_play && self.slots.at(sequence).is_none()
    }

    /// Has something else been played in its place?
    fn is_over(&self, packet: &Slot) -> bool {
        self.next
            .is_some_and(|next| packet.sequence < next.sequence || next.mended && packet.media < next.media)
    }

    /// What counts is when sound became available: by the packet itself or by a copy of it in a later one, whichever
    /// came first.
    fn learn(&mut self, packet: &Slot, arrived: SampleTime) {
        let transit = packet.media.transit(arrived);
        let newest = self.newest.map(|newest| newest.sequence);
        if let Some(newest) = newest.filter(|newest| *newest < packet.sequence) {
            self.delay.learn_gap(packet.sequence - newest - 1);
        }
        let (reach, duration) = (packet.reach().count(), packet.duration.count().max(1));
        for before in 1..=reach.div_ceil(duration).min(packet.sequence).min(copies::REMEMBERED) {
            let sequence = packet.sequence - before;
            if self.is_missing(sequence) {
                let later = (before * duration).min(reach) as i64;
                self.learn_copy(packet, sequence, transit + later);
            }
        }
        if !self.copies.contains(packet.sequence) {
            self.delay.learn(transit, phase(packet), packet.duration);
        }
        if newest.is_none_or(|newest| newest < packet.sequence) {
            self.newest = Some(*packet);
        }
    }

    fn learn_copy(&mut self, carrier: &Slot, sequence: u64, transit: i64) {
        if !self.copies.contains(sequence) {
            self.delay.learn(transit, phase(carrier), carrier.duration);
            self.copies.insert(sequence);
        }
    }

    /// What to play behind `held` samples that still wait to be heard, at room time `now`. The buffer counts on being
    /// obeyed.
    ///
    /// # Real-time
    /// Safe.
    pub fn decide(&mut self, now: SampleTime, held: Samples) -> Decision {
        let Some(head) = self.slots.first_from(self.next.map_or(0, |next| next.sequence)) else {
            return if self.next.is_some() { Decision::Conceal } else { Decision::Wait };
        };
        let next =
            *self.next.get_or_insert(Cursor { sequence: head.sequence, media: head.media, mended: false });
        let at = now + held;
        if head.sequence == next.sequence {
            self.in_sequence(head, next, at)
        } else {
            self.after_a_loss(head, next, at)
        }
    }

    fn in_sequence(&mut self, head: Slot, next: Cursor, at: SampleTime) -> Decision {
        let pause = head.media.since(next.media);
        if !pause.is_empty() && !self.is_due(head.media, at) {
            return Decision::Conceal;
        }
        if self.is_worth_dropping(head.media, &head, at) {
            self.debt -= head.duration.count() as i64;
            self.advance(&head);
            return Decision::Skip(head);
        }
        self.play(head, pause, at)
    }

    /// What is missing is waited for until what is there is due; then it is lost, save for copies of it. Of a pause that
    /// lies there, too, nothing is made anew.
    fn after_a_loss(&mut self, head: Slot, next: Cursor, at: SampleTime) -> Decision {
        let missing = head.media.since(next.media);
        let sent = Samples::new((head.sequence - next.sequence).saturating_mul(head.duration.count()));
        let back = self.copies_worth_playing(&head, missing.min(sent), at);
        let hole = missing - back;
        let owes = self.debt > 0;
        let soon = if owes { at + hole.min(ELASTIC) } else { at };
        if !hole.is_empty() && !self.is_due(next.media + hole, soon) {
            return Decision::Conceal;
        }
        let lost = hole.min(sent - back);
        if !lost.is_empty() {
            self.delay.learn_loss(lost, owes);
        }
        self.debt -= lost.count() as i64;
        if back.is_empty() {
            return self.play(head, hole - lost, at);
        }
        self.mend(head, back, next.media + hole)
    }

    /// The sound from `back` before `head` on, which begins at `media`: as much of it as one packet holds.
    fn mend(&mut self, head: Slot, back: Samples, media: MediaTime) -> Decision {
        let duration = head.duration.count().max(1);
        let length = Samples::new((back.count() - 1) % duration + 1);
        let sequence = head.sequence - (back - length).count() / duration;
        self.next = Some(Cursor { sequence, media: media + length, mended: true });
        if head.fec && back == head.duration {
            Decision::Recover(head)
        } else {
            Decision::RecoverDeep { slot: head, back, length }
        }
    }

    /// How much of what was lost before it this packet can stand in for; nothing where it would only have to be caught up
    /// with.
    fn copies_worth_playing(&self, head: &Slot, lost: Samples, at: SampleTime) -> Samples {
        let back = copies_of(head, lost);
        if self.is_worth_dropping(head.media - back, head, at) { Samples::ZERO } else { back }
    }

    fn play(&mut self, slot: Slot, pause: Samples, at: SampleTime) -> Decision {
        self.advance(&slot);
        self.hole = Samples::ZERO;
        self.was_away &= slot.media.transit(at) - self.delay.target() >= AFTER_AN_OUTAGE;
        Decision::Play { slot, pause }
    }

    fn advance(&mut self, played: &Slot) {
        let (sequence, media) = (played.sequence + 1, played.media + played.duration);
        self.next = Some(Cursor { sequence, media, mended: false });
    }

    /// Has the moment come that the target sets for sound at `media`? Beyond the largest delay it is not waited for.
    fn is_due(&self, media: MediaTime, at: SampleTime) -> bool {
        let wait = self.delay.target() - media.transit(at);
        wait <= 0 || wait > self.delay.ceiling() - self.delay.floor()
    }

    /// Has anything been played yet?
    #[must_use]
    pub fn has_begun(&self) -> bool {
        self.next.is_some()
    }

    /// Does no packet wait?
    #[must_use]
    pub fn is_drained(&self) -> bool {
        self.upcoming().is_none()
    }

    /// The first packet that waits.
    ///
    /// # Real-time
    /// Safe.
    #[must_use]
    pub fn upcoming(&self) -> Option<Slot> {
        self.slots.first_from(self.next.map_or(0, |next| next.sequence))
    }

    /// The packet with this number, if it came and its bytes are still there, played or not.
    ///
    /// # Real-time
    /// Safe.
    #[must_use]
    pub fn slot(&self, sequence: u64) -> Option<Slot> {
        self.slots.at(sequence)
    }

    /// The packet `back` before the one that is to be played next, if it came and its bytes are still there.
    ///
    /// # Real-time
    /// Safe.
    #[must_use]
    pub fn played(&self, back: u64) -> Option<Slot> {
        self.slots.at(self.next?.sequence.checked_sub(back)?)
    }

    /// Is sound at `media`, of `head` or before it, above the largest delay, though the newest packet is not; or far above
    /// the target, and concealment has paid for it? What has come late for good, as after a capture that stood still, is
    /// no backlog.
    fn is_worth_dropping(&self, media: MediaTime, head: &Slot, at: SampleTime) -> bool {
        let Some(newest) = self.newest.filter(|newest| newest.sequence > head.sequence) else { return false };
        let offset = media.transit(at);
        let (ceiling, length) = (self.delay.ceiling(), head.duration.count() as i64);
        if offset - length > ceiling && newest.media.transit(at) <= ceiling {
            return true;
        }
        let backlog = newest.media.since(media).count() as i64;
        let most = if self.was_away { AFTER_AN_OUTAGE } else { self.delay.drop_above() };
        self.debt >= length && backlog.min(offset - self.delay.target()) >= most
    }

    /// `samples` were concealed for want of anything better.
    pub fn concealed(&mut self, samples: Samples) {
        self.debt += samples.count() as i64;
        self.hole += samples;
        self.was_away |= self.hole >= OUTAGE;
    }

    /// Of what was concealed, `samples` turned out to be a pause of the sender.
    pub fn was_pause(&mut self, samples: Samples) {
        self.debt -= samples.count() as i64;
    }

    /// How to go on after `length` of `sound` was decoded at `now`, with `held` samples still to be heard.
    ///
    /// # Real-time
    /// Safe.
    pub fn steer(&mut self, now: SampleTime, held: Samples, sound: Sound, length: Samples) -> Move {
        let Some(next) = self.next else { return Move::Stay };
        let offset = next.media.transit(now + held);
        let hazard = self.hazard(now, offset);
        let stand = Stand {
            excess: offset - self.delay.target(),
            hazard,
            rise: if hazard > steer::RISE_IN_PAUSE { self.rise(now, offset) } else { 0 },
            next_is_here: self.slots.at(next.sequence).is_some(),
        };
        self.steering.choose(stand, sound, length)
    }

    /// Of `sound`, so much was stretched.
    pub fn stretched(&mut self, sound: Sound, by: Samples) {
        self.steering.stretched(sound, by);
    }

    /// Where more was lost than concealed, concealment is not to be feared; and behind the last packet before a rest
    /// nothing is overdue.
    fn hazard(&self, now: SampleTime, deadline: i64) -> u64 {
        match self.newest.filter(|newest| !newest.dtx && self.debt >= 0) {
            Some(newest) => {
                let so_far = (newest.media + newest.duration).transit(now);
                self.delay.hazard(so_far, deadline, newest.duration)
            }
            None => 0,
        }
    }

    /// How far a pause is lengthened for an overdue packet: until more of it is not worth it for long enough.
    fn rise(&self, now: SampleTime, deadline: i64) -> i64 {
        let is_worth_more = |rise: &i64| self.hazard(now, deadline + rise) > steer::RISE_FURTHER;
        let rises = (steer::LEAST_RISE..steer::MOST_RISE).step_by(steer::RISE_STEP);
        let worth_more = rises.take_while(is_worth_more).count();
        steer::LEAST_RISE + (worth_more * steer::RISE_STEP) as i64
    }

    /// The delay of sound at `media` that plays at `at`, over the quickest transit lately.
    #[must_use]
    pub fn delay_of(&self, media: MediaTime, at: SampleTime) -> Samples {
        Samples::new((media.transit(at) - self.delay.floor()).max(0) as u64)
    }

    /// The delay aimed at, over the quickest transit lately.
    #[must_use]
    pub fn target(&self) -> Samples {
        Samples::new((self.delay.target() - self.delay.floor()).max(0) as u64)
    }

    /// A waiting packet's bytes; nothing if they had to make way.
    #[must_use]
    pub fn payload(&self, slot: &Slot) -> &[u8] {
        self.slots.payload(slot)
    }
}

/// Of what was `lost` before `head`, how much it holds copies of.
fn copies_of(head: &Slot, lost: Samples) -> Samples {
    let deep = Samples::new(head.deep.min(lost).count() / DEEP_STEP * DEEP_STEP);
    if head.fec && head.duration <= lost { deep.max(head.duration) } else { deep }
}

/// Where pulls lie in transits of this packet's lane.
fn phase(packet: &Slot) -> i64 {
    -(packet.media.samples() as i64)
}

#[cfg(test)]
mod tests;
