//! Whether somebody speaks, told by one packet undecoded: in come the sender's own measure (RFC 6464) and what its encoder
//! heard (RFC 6716 §4.2.3), out comes one answer for all senders.

use super::AudioLevel;

/// What one packet tells of its sender's voice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Speech {
    /// Somebody speaks in it.
    pub voice: bool,
    /// Decibels below the loudest possible, as in RFC 6464: 127 is silence.
    pub dbov: u8,
}

/// The usual level of speech, for packets that tell of a voice and not of its level.
const USUAL: u8 = 30;
/// The same for background noise.
const BACKGROUND: u8 = 70;
/// Louder than this is no background, whatever made it: for senders that give a level and detect no voice.
const LOUD: u8 = 45;

impl Speech {
    /// A sender that has nothing to say.
    pub const NONE: Self = Self { voice: false, dbov: 127 };

    /// What a packet tells by its level, its encoder's voice detector and its being a mere sign of life; nothing if it has
    /// none of these.
    ///
    /// # Real-time
    /// Safe.
    #[must_use]
    pub fn told(level: Option<AudioLevel>, detected: Option<bool>, dtx: bool) -> Option<Self> {
        if dtx {
            return Some(Self::NONE);
        }
        if let Some(AudioLevel { voice, dbov }) = level {
            let voice = voice || dbov < BACKGROUND && detected.unwrap_or(dbov < LOUD);
            return Some(Self { voice, dbov });
        }
        detected.map(|voice| Self { voice, dbov: if voice { USUAL } else { BACKGROUND } })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_goes_before_the_encoders_own_bits() {
        let level = |voice, dbov| Some(AudioLevel { voice, dbov });
        let told = |level, detected| Speech::told(level, detected, false).map(|s| (s.voice, s.dbov));
        assert_eq!(told(level(true, 20), Some(false)), Some((true, 20)));
        assert_eq!(told(level(false, 20), Some(true)), Some((true, 20)));
        assert_eq!(told(level(false, 20), Some(false)), Some((false, 20)));
        assert_eq!(told(level(false, 20), None), Some((true, 20)), "loud, and nobody says what it is");
        assert_eq!(told(level(false, 60), None), Some((false, 60)));
        assert_eq!(told(level(false, 127), Some(true)), Some((false, 127)), "an encoder that has just begun");
        assert_eq!(told(None, Some(true)), Some((true, USUAL)));
        assert_eq!(told(None, None), None);
        assert_eq!(Speech::told(level(true, 0), Some(true), true), Some(Speech::NONE));
    }
}
