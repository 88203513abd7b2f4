//! What a room does without when the machine cannot keep up, in a fixed order.

use super::{Bus, Engine, Event};
use crate::mix::Limiter;

/// How much is shed: each step includes those before it. The caller decides when, by what a tick costs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Shed {
    /// All is well.
    #[default]
    Nothing,
    /// Neural concealment and deep redundancy: holes are filled the classic way.
    Neural,
    /// The encoders' thoroughness: [`Shed::COMPLEXITY`].
    Complexity,
    /// Voices: at most [`Shed::VOICES`] are decoded and mixed.
    Voices,
}

impl Shed {
    /// The steps, in the order in which they are taken.
    pub const ALL: [Self; 4] = [Self::Nothing, Self::Neural, Self::Complexity, Self::Voices];
    /// The encoders' complexity from [`Shed::Complexity`] on, the least there is: a third of the cost of 4, at which speech
    /// is a little rougher.
    pub const COMPLEXITY: u8 = 0;
    /// How many voices are left at [`Shed::Voices`]: who talks, who interrupts, and one more.
    pub const VOICES: u16 = 3;

    /// May neural networks be at work?
    pub(super) fn allows_neural(self) -> bool {
        self < Self::Neural
    }

    /// How thorough an encoder that was set up for `complexity` may be.
    pub(super) fn complexity(self, complexity: u8) -> u8 {
        if self < Self::Complexity { complexity } else { Self::COMPLEXITY }
    }

    /// How many voices may be heard where the room's own bound is `bound`.
    pub(super) fn max_mixed(self, bound: Option<u16>) -> Option<u16> {
        match self {
            Self::Voices => Some(bound.map_or(Self::VOICES, |bound| bound.min(Self::VOICES))),
            _ => bound,
        }
    }
}

impl Engine {
    /// How much is shed.
    #[must_use]
    pub fn shed(&self) -> Shed {
        self.shed
    }

    pub(super) fn set_shed(&mut self, shed: Shed) {
        if self.shed == shed {
            return;
        }
        self.shed = shed;
        self.deep.allow(shed.allows_neural());
        self.buses.iter_mut().flatten().for_each(|bus| bus.heed(shed));
        self.log.event(Event::Shed { shed, at: self.now + Limiter::LOOKAHEAD });
    }
}

impl Bus {
    pub(super) fn heed(&mut self, shed: Shed) {
        if let Some(coding) = &self.coding {
            self.chain.set_complexity(shed.complexity(coding.complexity));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_step_includes_those_before_it() {
        let what = |shed: Shed| (shed.allows_neural(), shed.complexity(5), shed.max_mixed(Some(12)));
        assert_eq!(
            Shed::ALL.map(what),
            [(true, 5, Some(12)), (false, 5, Some(12)), (false, 0, Some(12)), (false, 0, Some(3))]
        );
        assert_eq!((Shed::Voices.max_mixed(None), Shed::Voices.max_mixed(Some(2))), (Some(3), Some(2)));
    }
}
