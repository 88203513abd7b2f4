//! The background of a voice, heard while it speaks and made while it is missing, so that a loss does not sound like a dead
//! line: soft noise at the level of its quietest moments.

/// The quietest moment is looked for in two stretches of 3 s: the one before, and this one.
const STRETCH: u32 = 3 * 48_000;
/// The length of a moment: 10 ms.
const MOMENT: usize = 480;
/// −90 dBFS: who is quieter than this has no background worth making. A studio's −75 dBFS is: where even that stops, the
/// line sounds dead (0.2 to 0.3 points of PLCMOS over seconds with holes of 400 ms).
const QUIETEST: f32 = 3.162e-5;
/// −50 dBFS: nor is any made that is louder.
const LOUDEST: f32 = 3.162e-3;
/// −35 dBFS: what never falls below is no background but music, and not made at all.
const NO_BACKGROUND: f32 = 1.778e-2;
/// A low-pass of one pole at some 2 kHz takes the hiss out.
const SOFTNESS: f32 = 0.25;
/// White noise between −1 and 1 has an RMS of √⅓, and the low-pass leaves √(a / (2 − a)) of it.
const UNIT: f32 = 4.582_576;

/// Hears a voice's background, and makes it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Background {
    /// The RMS of the quietest moment of this stretch and of the one before.
    quietest: f32,
    before: Option<f32>,
    heard: u32,
    seed: u32,
    low: [f32; 2],
}

impl Default for Background {
    fn default() -> Self {
        Self { quietest: f32::MAX, before: None, heard: 0, seed: 1, low: [0.0; 2] }
    }
}

impl Background {
    /// Hears real sound.
    pub(super) fn hear(&mut self, sound: &[f32], width: usize) {
        for moment in sound.chunks_exact(MOMENT * width) {
            self.quietest = self.quietest.min(rms(moment));
            self.heard += MOMENT as u32;
        }
        if self.heard >= STRETCH {
            *self = Self { quietest: f32::MAX, before: Some(self.quietest), heard: 0, ..*self };
        }
    }

    /// The RMS that its noise has; 0 as long as nothing is known.
    pub(super) fn level(&self) -> f32 {
        match self.before.map(|before| before.min(self.quietest)) {
            Some(level) if (QUIETEST..NO_BACKGROUND).contains(&level) => level.min(LOUDEST),
            _ => 0.0,
        }
    }

    /// Adds the next frame of noise of this level.
    pub(super) fn add(&mut self, frame: &mut [f32], level: f32) {
        for (sample, low) in frame.iter_mut().zip(&mut self.low) {
            self.seed = self.seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let white = (self.seed >> 8) as f32 / (1 << 23) as f32 - 1.0;
            *low += SOFTNESS * (white - *low);
            *sample += level * UNIT * *low;
        }
    }
}

fn rms(moment: &[f32]) -> f32 {
    let mut sums = [0.0; 8];
    for part in moment.chunks(8) {
        sums.iter_mut().zip(part).for_each(|(sum, sample)| *sum += sample * sample);
    }
    (sums.iter().sum::<f32>() / moment.len() as f32).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `seconds` of noise of this RMS, with a loud second in the middle of each three.
    fn talk(background: &mut Background, seconds: usize, level: f32) {
        for second in 0..seconds {
            let level = if second % 3 == 1 { 0.1 } else { level };
            let mut sound = vec![0.0; 48_000];
            let mut source = Background::default();
            sound.iter_mut().for_each(|sample| source.add(std::slice::from_mut(sample), level));
            sound.chunks(960).for_each(|frame| background.hear(frame, 1));
        }
    }

    fn made(background: &mut Background) -> f32 {
        let mut sound = vec![0.0; 48_000];
        let level = background.level();
        sound.iter_mut().for_each(|sample| background.add(std::slice::from_mut(sample), level));
        rms(&sound)
    }

    #[test]
    fn noise_is_as_loud_as_the_quietest_moments() {
        for level in [5e-4, 1e-3, 3e-3] {
            let mut background = Background::default();
            talk(&mut background, 6, level);
            let made = made(&mut background);
            // Ten milliseconds of low-passed noise scatter by some 20 %, and the quietest of hundreds is taken.
            assert!(made > 0.4 * level && made <= 1.05 * level, "{made} for {level}");
        }
    }

    #[test]
    fn a_silent_a_loud_and_an_unknown_background_are_not_made() {
        for (seconds, level) in [(6, 1e-5), (6, 0.05), (2, 1e-3)] {
            let mut background = Background::default();
            talk(&mut background, seconds, level);
            assert!(made(&mut background) <= 0.0, "{seconds} s of {level}");
        }
    }

    #[test]
    fn it_is_never_louder_than_50_dbfs() {
        let mut background = Background::default();
        talk(&mut background, 6, 0.01);
        assert!((made(&mut background) / LOUDEST - 1.0).abs() < 0.05);
    }

    #[test]
    fn a_background_that_changed_is_known_within_two_stretches() {
        let mut background = Background::default();
        talk(&mut background, 6, 5e-4);
        talk(&mut background, 6, 2e-3);
        assert!(made(&mut background) > 0.8e-3);
        talk(&mut background, 1, 0.0);
        assert!(made(&mut background) <= 0.0);
    }
}
