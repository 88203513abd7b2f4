//! The jitter buffer of one lane: packets in, in any order; one decision a pull out.

use super::{
    delay::{DelayConfig, DelayEstimator},
    slots::{Slot, Slots},
};
use crate::time::{MediaTime, Quantum, SampleTime, Samples};

/// Delay beyond this above the target is caught up by dropping packets, as far as concealment has paid for them:
/// 200 ms.
const DROP_ABOVE: i64 = 9600;

/// What became of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Insert {
    /// It waits for its turn.
    Queued,
    /// Its turn is over.
    Late,
}

/// What to play next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Nothing has ever come.
    Wait,
    /// Decode this packet. `pause` is how long the sender had sent nothing before it.
    Play {
        /// The packet.
        slot: Slot,
        /// Sound that was never sent.
        pause: Samples,
    },
    /// Decode the spare copy of the packet before this one.
    Recover(Slot),
    /// Leave this packet out, to catch up.
    Skip(Slot),
    /// Nothing to play yet.
    Conceal,
}

#[derive(Clone, Copy, Debug)]
struct Cursor {
    sequence: u64,
    media: MediaTime,
}

/// Packets of one lane between network and decoder. Time is an argument; memory is fixed.
#[derive(Debug)]
pub struct JitterBuffer {
    slots: Slots,
    delay: DelayEstimator,
    next: Option<Cursor>,
    /// Newest sequence number that counted for the delay estimate.
    learnt: Option<u64>,
    copies: [u64; 64],
    newest: Option<Slot>,
    wait: u32,
    allowance: i64,
    /// Sound concealed so far, less sound never played: what may be dropped without a loss.
    debt: i64,
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
            next: None,
            learnt: None,
            copies: [u64::MAX; 64],
            newest: None,
            wait: 0,
            allowance: 48 * 400,
            debt: 0,
        }
    }

    /// Takes a packet that reached the machine at `arrived`. The caller has sorted out duplicates.
    ///
    /// # Real-time
    /// Safe.
    pub fn insert(&mut self, packet: Slot, payload: &[u8], arrived: SampleTime) -> Insert {
        self.learn(&packet, arrived);
        let late = self.next.is_some_and(|next| packet.sequence < next.sequence);
        if !late && self.slots.put(packet, payload) { Insert::Queued } else { Insert::Late }
    }

    /// Describes a packet for [`JitterBuffer::insert`].
    #[must_use]
    pub fn describe(sequence: u64, media: MediaTime, duration: Samples, fec: bool, dtx: bool) -> Slot {
        Slots::describe(sequence, media, duration, fec, dtx)
    }

    /// What counts is when sound became available: by the packet itself or by a spare copy in the one behind it, whichever
    /// came first.
    fn learn(&mut self, packet: &Slot, arrived: SampleTime) {
        let (transit, length) = (packet.media.transit(arrived), packet.duration.count() as i64);
        let phase = -(packet.media.samples() as i64);
        if let Some(newest) = self.learnt.filter(|newest| *newest < packet.sequence) {
            self.delay.learn_gap(packet.sequence - newest - 1);
        }
        if packet.fec && let Some(before) = packet.sequence.checked_sub(1) {
            let missing = self.learnt.is_some_and(|newest| newest < before) || super::knob(12, 1) == 1 && self.learnt.is_some() && self.slots.at(before).is_none() && self.next.is_some_and(|n| n.sequence <= before);
            if missing {
                self.delay.learn(transit + length, phase, packet.duration);
                self.copies[(before % 64) as usize] = before;
            }
        }
        if super::knob(12, 1) == 0 || self.copies[(packet.sequence % 64) as usize] != packet.sequence {
            self.delay.learn(transit, phase, packet.duration);
        }
        if self.newest.is_none_or(|newest| newest.sequence < packet.sequence) {
            self.newest = Some(*packet);
        }
        self.learnt = self.learnt.max(Some(packet.sequence));
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
        let next = *self.next.get_or_insert(Cursor { sequence: head.sequence, media: head.media });
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
        if self.is_worth_dropping(&head, at) {
            self.debt -= head.duration.count() as i64;
            self.advance(&head);
            return Decision::Skip(head);
        }
        self.advance(&head);
        Decision::Play { slot: head, pause }
    }

    /// What is missing is waited for until the packet behind it is due; then it is lost, save for a spare copy.
    fn after_a_loss(&mut self, head: Slot, next: Cursor, at: SampleTime) -> Decision {
        let missing = head.media.since(next.media);
        let spare = head.fec && missing >= head.duration;
        let resume = if spare { next.media + (missing - head.duration) } else { next.media + missing };
        let elastic = Samples::new(if self.debt > 0 { super::knob(9, 480) as u64 } else { 0 });
        if resume > next.media && !self.is_due(resume, at + elastic) {
            return Decision::Conceal;
        }
        self.debt -= resume.since(next.media).count() as i64;
        if spare {
            self.next = Some(Cursor { sequence: head.sequence, media: head.media });
            return Decision::Recover(head);
        }
        self.advance(&head);
        Decision::Play { slot: head, pause: Samples::ZERO }
    }

    fn advance(&mut self, played: &Slot) {
        self.next = Some(Cursor { sequence: played.sequence + 1, media: played.media + played.duration });
    }

    /// Has the moment come that the target sets for sound at `media`? Beyond the largest delay it is not waited for.
    fn is_due(&self, media: MediaTime, at: SampleTime) -> bool {
        let wait = self.delay.target() - media.transit(at);
        wait <= 0 || wait > self.delay.ceiling() - self.delay.floor()
    }

    fn is_worth_dropping(&self, head: &Slot, at: SampleTime) -> bool {
        let offset = head.media.transit(at);
        let paid = self.debt >= head.duration.count() as i64;
        let tolerated = offset - self.delay.target() < DROP_ABOVE;
        let another = self.slots.at(head.sequence + 1).is_some();
        another && (offset > self.delay.ceiling() || paid && !tolerated)
    }

    /// `samples` were concealed for want of anything better.
    pub fn concealed(&mut self, samples: Samples) {
        self.debt += samples.count() as i64;
    }

    /// Of what was concealed, `samples` turned out to be a pause of the sender.
    pub fn was_pause(&mut self, samples: Samples) {
        self.debt -= samples.count() as i64;
    }

    /// How far playout is behind the target (negative: ahead of it), with `held` samples still to be heard at `now`.
    #[must_use]
    pub fn excess(&self, now: SampleTime, held: Samples) -> i64 {
        self.next.map_or(0, |next| next.media.transit(now + held) - self.delay.target())
    }

    /// How far to move playout after a packet was decoded at `now` and `held` samples wait.
    pub fn steer(&mut self, now: SampleTime, held: Samples, pause: bool) -> i64 {
        use super::knob;
        let Some((next, newest)) = self.next.zip(self.newest) else { return 0 };
        self.wait = self.wait.saturating_sub(1);
        self.allowance = (self.allowance + knob(15, 15)).min(48 * knob(16, 400));
        let offset = next.media.transit(now + held);
        let mut e = offset - self.delay.target();
        if e < 48 * knob(2, 300) && !newest.dtx && knob(3, 1) == 1 && self.debt >= knob(11, -1_000_000_000) {
            let so_far = (newest.media + newest.duration).transit(now);
            let h = self.delay.hazard(so_far, offset) as i64;
            if pause && h > knob(4, 8) {
                e = e.min(-960);
            } else if !pause && h > knob(5, 6) {
                e = e.min(-480);
            } else if h > knob(6, 4) && e > 0 {
                return 0;
            }
        }
        if pause {
            return if e > 0 && (self.has_next() || e < 960) { e.min(864) } else { e.clamp(-960, 0) };
        }
        if e.abs() < 48 * knob(7, 3) || e > 0 && e < 48 * knob(18, 0) || self.allowance < 0 || self.wait > 0 || (e > 0 && !(self.has_next() || e < 960)) {
            return 0;
        }
        e
    }

    /// Nothing later waits.
    pub fn not_lost(&self) -> bool {
        self.next.is_some_and(|next| self.slots.first_from(next.sequence).is_none())
    }

    /// In speech so much was moved.
    pub fn steered(&mut self, moved: Samples) {
        self.wait = if !moved.is_empty() { super::knob(10, 3) as u32 } else { 1 };
        self.allowance -= moved.count() as i64;
    }

    /// Would shortening what was just decoded leave something to play?
    #[must_use]
    pub fn has_next(&self) -> bool {
        self.next.is_some_and(|next| self.slots.at(next.sequence).is_some())
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

#[cfg(test)]
mod tests;
