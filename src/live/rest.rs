//! A room in which nothing can be heard stops ticking. It is woken by a datagram, by an order, or when its buses should
//! show that they are still there; the time that has passed is made up for at once, and the clock is exact.

use super::room::{LOOK, Room};
use crate::time::{SampleTime, Samples};
use std::time::Instant;

/// A bus at rest sends a packet this often: less than that, and the way through a NAT may close (RFC 6263 §4.6, RFC 4787
/// REQ-5).
const KEEPALIVE: Samples = Samples::from_ms(15_000);
/// Woken this long before all packets end, each bus has one to send; what precedes it in longer ones is silence too.
const PACKET: Samples = Samples::from_ms(20);

impl Room {
    pub(super) fn is_resting(&self) -> bool {
        self.rest.until.is_some()
    }

    /// Wakes a room at rest: its next tick is the first that is not over, or the first that hears what has arrived.
    pub(super) fn wake(&mut self, now: Instant) {
        if self.rest.until.take().is_none() {
            return;
        }
        self.front.door.open();
        let arrivals = self.inlets.iter_mut().flatten().filter_map(|inlet| inlet.next_arrival());
        let until = arrivals.fold(self.pace.sample_at(now), SampleTime::min);
        let ticks = self.pace.due_before(until);
        self.engine.rest(ticks);
        self.pace.rested(ticks);
    }

    /// Goes to rest after a tick, if there was nothing to hear for long enough.
    pub(super) fn rest_if_silent(&mut self) {
        let Some(patience) = self.rest.patience else { return };
        if !self.pace.next().samples().is_multiple_of(LOOK.count()) {
            return;
        }
        self.rest.silent = if self.may_rest() { self.rest.silent + 1 } else { 0 };
        if self.rest.silent <= patience {
            return;
        }
        self.front.door.shut();
        if self.inlets.iter_mut().flatten().all(|inlet| inlet.next_arrival().is_none()) {
            let wake = self.pace.next() + (KEEPALIVE - PACKET);
            self.rest.until = Some(self.pace.instant_of(wake));
            self.costs_nothing();
        } else {
            self.front.door.open();
        }
    }

    /// Is there nothing to hear, nothing to write, and nobody who counts on each quantum?
    fn may_rest(&self) -> bool {
        let heard_as_pcm = self.outlets.iter().flatten().any(|outlet| outlet.is_pcm());
        !heard_as_pcm && self.tape.is_none() && self.asked.is_none() && self.engine.is_at_rest()
    }
}
