//! Invented sound may not go on for ever: after 60 ms it fades, after 120 ms it is silence, and the voice comes back
//! within 5 ms.

/// Samples that are concealed at full level: 60 ms.
const HOLD: u32 = 2880;
/// Steps down to silence, 60 ms more.
const FALL: u32 = 2880;
/// Steps up again: 5 ms.
const RISE: u32 = 240;

/// The level of a voice around a concealment.
#[derive(Clone, Copy, Debug)]
pub struct Fade {
    hold: u32,
    gain: f32,
}

impl Default for Fade {
    fn default() -> Self {
        Self { hold: HOLD, gain: 1.0 }
    }
}

impl Fade {
    /// Treats invented sound.
    ///
    /// # Real-time
    /// Safe.
    pub fn invented(&mut self, sound: &mut [f32], width: usize) {
        for frame in sound.chunks_exact_mut(width) {
            if self.hold > 0 {
                self.hold -= 1;
            } else {
                self.gain = (self.gain - 1.0 / FALL as f32).max(0.0);
            }
            frame.iter_mut().for_each(|sample| *sample *= self.gain);
        }
    }

    /// Has it faded away altogether?
    #[must_use]
    pub fn is_silent(&self) -> bool {
        self.gain <= 0.0
    }

    /// Treats real sound: untouched, unless it follows a fade.
    ///
    /// # Real-time
    /// Safe.
    pub fn real(&mut self, sound: &mut [f32], width: usize) {
        self.hold = HOLD;
        for frame in sound.chunks_exact_mut(width) {
            if self.gain >= 1.0 {
                return;
            }
            self.gain = (self.gain + 1.0 / RISE as f32).min(1.0);
            frame.iter_mut().for_each(|sample| *sample *= self.gain);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invented_sound_is_gone_after_120_ms() {
        let mut fade = Fade::default();
        let mut sound = vec![1.0; 6000];
        fade.invented(&mut sound, 1);
        assert_eq!((sound[0], sound[2879]), (1.0, 1.0));
        assert!(sound[2880] < 1.0 && sound[4320] > 0.4);
        assert!(sound[5765..].iter().all(|sample| *sample == 0.0));
    }

    #[test]
    fn the_voice_comes_back_within_5_ms_and_then_untouched() {
        let mut fade = Fade::default();
        fade.invented(&mut vec![1.0; 6000], 1);
        let mut sound = vec![1.0; 480];
        fade.real(&mut sound, 1);
        assert!(sound[0] > 0.0 && sound[0] < 0.01);
        assert_eq!(sound[241..], [1.0; 239]);
    }

    #[test]
    fn real_sound_passes_bit_by_bit() {
        let mut sound: Vec<f32> = (0..480).map(|i| i as f32 * 1e-3).collect();
        let before = sound.clone();
        Fade::default().real(&mut sound, 2);
        assert_eq!(sound, before);
    }
}
