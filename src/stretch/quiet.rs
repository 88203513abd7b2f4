//! What is too quiet to matter: a voice's sound comes in, a mean square leaves.

/// −50 dBFS: quiet in any room.
const ALWAYS: f32 = 1e-5;
/// 30 dB under the voice's own level: quiet beside it.
const BESIDE: f32 = 1e-3;
/// The level is forgotten at this pace, 2 s.
const FORGET: f32 = 96_000.0;

/// How loud a voice is when it speaks: rises at once, falls slowly.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Quiet {
    /// A mean square, at most that of full scale.
    loudness: f32,
}

impl Quiet {
    /// Hears what is spoken next.
    ///
    /// # Real-time
    /// Safe.
    pub(super) fn hear(&mut self, sound: &[f32], width: usize) {
        let mut sums = [0.0; 8];
        for part in sound.chunks(8) {
            sums.iter_mut().zip(part).for_each(|(sum, sample)| *sum += sample * sample);
        }
        let power = sums.iter().sum::<f32>() / sound.len().max(1) as f32;
        let left = (1.0 - (sound.len() / width) as f32 / FORGET).max(0.0);
        // The larger of the two; what is not a number is never that.
        self.loudness = (self.loudness * left).max(power).min(1.0);
    }

    /// The mean square under which nothing matters.
    pub(super) fn power(self) -> f32 {
        (self.loudness * BESIDE).max(ALWAYS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loud_voice_makes_more_of_it_quiet_and_is_forgotten() {
        let mut quiet = Quiet::default();
        assert!(quiet.power() <= ALWAYS);
        quiet.hear(&[0.5; 960], 1);
        assert!((quiet.power() - 0.25 * BESIDE).abs() < 1e-9);
        (0..600).for_each(|_| quiet.hear(&[0.0; 960], 1));
        assert!(quiet.power() <= ALWAYS);
    }

    #[test]
    fn what_is_no_sound_does_no_harm() {
        let mut quiet = Quiet::default();
        quiet.hear(&[f32::NAN, 1.0], 2);
        quiet.hear(&[f32::INFINITY, f32::MAX], 1);
        assert!(quiet.power() <= BESIDE);
        quiet.hear(&[], 1);
        assert!(quiet.power() > 0.0);
    }
}
