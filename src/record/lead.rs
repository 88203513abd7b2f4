//! The end of a file, kept if another may have to begin with it: a decoder goes on from there.

use super::fill::Coded;
use std::collections::VecDeque;

/// What a decoder hears before it is to be heard (RFC 7845 §4.6): 80 ms.
const PRE_ROLL: u64 = 3_840;

/// The last packets behind the last silence; nothing if no other file follows.
#[derive(Debug, Default)]
pub(super) struct Lead(Option<VecDeque<Coded>>);

impl Lead {
    /// One that is kept.
    pub(super) fn kept() -> Self {
        Self(Some(VecDeque::new()))
    }

    /// A packet was written.
    pub(super) fn remember(&mut self, packet: &Coded) {
        let Some(recent) = &mut self.0 else { return };
        recent.push_back(packet.clone());
        let mut samples: u64 = recent.iter().map(|packet| packet.1).sum();
        while let Some(first) = recent.front().filter(|first| samples - first.1 >= PRE_ROLL) {
            samples -= first.1;
            recent.pop_front();
        }
    }

    /// Behind silence a decoder begins anew.
    pub(super) fn forget(&mut self) {
        self.0.iter_mut().for_each(VecDeque::clear);
    }

    /// What the next file begins with.
    pub(super) fn take(&mut self) -> VecDeque<Coded> {
        self.0.as_mut().map(std::mem::take).unwrap_or_default()
    }
}
