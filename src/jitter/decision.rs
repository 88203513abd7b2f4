//! What a jitter buffer answers: to a packet that comes, and to a pull.

use super::slots::Slot;
use crate::time::Samples;

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
    /// Decode the in-band copy of the packet before this one.
    Recover(Slot),
    /// Synthesise the sound from `back` before this one on, from its deep redundancy.
    RecoverDeep {
        /// The packet that carries it.
        slot: Slot,
        /// How far before it.
        back: Samples,
        /// How much: a packet, or its end where the redundancy does not reach its begin.
        length: Samples,
    },
    /// Leave this packet out, to catch up.
    Skip(Slot),
    /// Nothing to play yet.
    Conceal,
}
