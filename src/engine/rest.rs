//! Time that passes without a sound: in a room at rest all at once, and behind a stall tick by tick, unheard.

use super::{Engine, Tick, ears::Hearing};
use crate::{speaker::SpeakerSet, time::Samples};

impl Engine {
    /// Is there nothing to hear, and will there be nothing until a packet or a command comes? All lanes sleep, and nothing is
    /// left in a limiter.
    ///
    /// # Real-time
    /// Safe: looks at each bus.
    #[must_use]
    pub fn is_at_rest(&self) -> bool {
        self.awake.is_empty()
            && self.audible.is_empty()
            && self.before.is_empty()
            && self.buses.iter().flatten().all(|bus| bus.chain.limiter.is_idle())
    }

    /// Lets `ticks` quanta pass in a room at rest. Lanes, counters and mixes are as if each had been ticked; no packet is
    /// sent meanwhile, so that the streams of its buses have a pause, as discontinuous transmission has them (RFC 7587 §3.1.3).
    ///
    /// # Real-time
    /// Safe: an addition, however many they are.
    pub fn rest(&mut self, ticks: u64) {
        debug_assert!(self.is_at_rest(), "only what rests may be left alone");
        self.now += Samples::new(ticks * self.quantum.count());
    }

    /// A tick that nobody hears, for a room that has fallen behind: voices go on as ever, but nothing is decoded, mixed,
    /// encoded or sent. Mixes are silent. Who speaks is warmed up before it is heard again.
    ///
    /// # Real-time
    /// Safe.
    #[cfg_attr(rtsan, sanitize(realtime = "nonblocking"))]
    pub fn pass(&mut self) -> Tick<'_> {
        let at = self.now;
        self.log.turn();
        self.choose_heard(at);
        self.heard = SpeakerSet::NOBODY;
        self.pull_lanes(at, Hearing::NOTHING);
        for bus in self.buses.iter_mut().flatten() {
            bus.chain.hush();
            bus.stamp(None);
        }
        self.regroup = true;
        self.now = at + self.quantum;
        Tick { engine: self, at }
    }
}
