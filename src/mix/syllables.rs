//! Is it talk or music? The levels of frames come in; syllables are told by how fast sound falls.
//!
//! Talk falls by 10 dB within a frame or two several times a second, where lips and tongue close (its envelope's spectrum
//! peaks at some 4 Hz: T. Houtgast, H. Steeneken, "A review of the MTF concept", JASA 77, 1985); strings, keys and held
//! notes ring on.

use super::Db;
use crate::time::{RATE_HZ, Samples};

/// What falls more slowly than this rings: 60 dB a second is a reverberation time of 1 s.
const RINGING_DB_PER_S: f32 = 60.0;
/// So far below that a level must fall. Over 80 s each of three voices and of guitar, keys and bass: talk does within
/// any 1.5 s of 99 % of its time, the music of 2 %.
const FALL_DB: f32 = 10.0;
const MEMORY: Samples = Samples::from_ms(1500);

/// Follows the level of one voice.
#[derive(Clone, Debug)]
pub(super) struct Syllables {
    /// The last peak, as it would ring on.
    ringing: Db,
    /// Since the last fall; none has been heard yet at the beginning.
    since: Samples,
}

impl Default for Syllables {
    fn default() -> Self {
        Self { ringing: Db::SILENCE, since: MEMORY }
    }
}

impl Syllables {
    /// Hears the next frame.
    ///
    /// # Real-time
    /// Safe.
    pub(super) fn hear(&mut self, rms: Db, length: Samples) {
        let fallen = self.ringing.0 - RINGING_DB_PER_S * length.count() as f32 / RATE_HZ as f32;
        self.ringing = Db(rms.0.max(fallen));
        let falls = rms.0 < self.ringing.0 - FALL_DB;
        self.since = if falls { Samples::ZERO } else { (self.since + length).min(MEMORY) };
    }

    /// Was there a syllable's end lately?
    ///
    /// # Real-time
    /// Safe.
    pub(super) fn are_heard(&self) -> bool {
        self.since < MEMORY
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hears levels given every 20 ms.
    fn heard(levels: impl IntoIterator<Item = f32>) -> bool {
        let mut syllables = Syllables::default();
        levels.into_iter().for_each(|rms| syllables.hear(Db(rms), Samples::from_ms(20)));
        syllables.are_heard()
    }

    #[test]
    fn closing_lips_are_syllables_for_a_second_and_a_half() {
        let word = [-30.0, -22.0, -20.0, -21.0, -38.0];
        assert!(heard(word));
        assert!(heard(word.into_iter().chain([-20.0; 74])));
        assert!(!heard(word.into_iter().chain([-20.0; 76])));
    }

    #[test]
    fn notes_that_ring_are_none_however_often_they_are_struck() {
        // Struck twice a second, falling by 20 dB between.
        assert!(!heard((0..500).map(|at| -20.0 - (at % 25) as f32 * 0.8)));
        assert!(!heard([-20.0; 500]));
    }

    #[test]
    fn nothing_is_heard_before_anything_fell() {
        assert!(!heard([]));
        assert!(!heard([-127.0, -60.0, -20.0, -10.0]));
    }
}
