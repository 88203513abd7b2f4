//! Invented sound may not go on for ever: after 60 ms it fades, after 120 ms it is half as loud as its codec makes it, after
//! 180 ms gone, and comes back within 5 ms. Where it was, its background goes on for some seconds, and then there is silence.

use super::noise::Background;

/// Samples that are concealed at full level: 60 ms.
const HOLD: u32 = 2880;
/// Steps down to silence, 120 ms. Codecs let their inventions fade by themselves; to be quicker than they are is heard in
/// holes of 80 to 200 ms.
const FULL: u32 = 5760;
/// Of it, so much comes back with each sample: 5 ms.
const RISE: u32 = FULL / 240;
/// How long the background goes on, 3 s, and how long it takes to fade then, 1 s.
const LINGER: u32 = 3 * 48_000;
const FAREWELL: u32 = 48_000;

/// The level of a voice around a concealment, and of its background.
#[derive(Clone, Copy, Debug)]
pub struct Fade {
    hold: u32,
    /// How much is left of the voice, of [`FULL`].
    level: u32,
    /// Of the background, before it is gone.
    left: u32,
    background: Background,
}

impl Default for Fade {
    fn default() -> Self {
        Self { hold: HOLD, level: FULL, left: LINGER + FAREWELL, background: Background::default() }
    }
}

impl Fade {
    /// Treats invented sound.
    ///
    /// # Real-time
    /// Safe.
    pub fn invented(&mut self, sound: &mut [f32], width: usize) {
        let level = self.background.level();
        for frame in sound.chunks_exact_mut(width) {
            if self.hold > 0 {
                self.hold -= 1;
                continue;
            }
            self.level = self.level.saturating_sub(1);
            self.left = self.left.saturating_sub(1);
            self.mix(frame, level);
        }
    }

    /// Has the voice faded away altogether? Nothing need be invented any more.
    #[must_use]
    pub fn is_silent(&self) -> bool {
        self.level == 0
    }

    /// Has its background faded away too? What is invented from here on is silence.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.is_silent() && self.left == 0
    }

    /// How loud invented sound is played.
    #[must_use]
    pub fn gain(&self) -> f32 {
        self.level as f32 / FULL as f32
    }

    /// Treats real sound: untouched, unless it follows a fade.
    ///
    /// # Real-time
    /// Safe.
    pub fn real(&mut self, sound: &mut [f32], width: usize) {
        self.background.hear(sound, width);
        self.hold = HOLD;
        let level = self.background.level();
        for frame in sound.chunks_exact_mut(width) {
            if self.level >= FULL {
                break;
            }
            self.level = (self.level + RISE).min(FULL);
            self.mix(frame, level);
        }
        self.left = LINGER + FAREWELL;
    }

    /// The voice as loud as it is now, and its background in place of what is missing of it.
    fn mix(&mut self, frame: &mut [f32], level: f32) {
        let gain = self.gain();
        frame.iter_mut().for_each(|sample| *sample *= gain);
        let farewell = (self.left as f32 / FAREWELL as f32).min(1.0);
        let level = level * (1.0 - gain) * farewell;
        if level > 0.0 {
            self.background.add(frame, level);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invented_sound_is_gone_after_180_ms() {
        let mut fade = Fade::default();
        let mut sound = vec![1.0; 9600];
        fade.invented(&mut sound, 1);
        assert_eq!((sound[0], sound[2879]), (1.0, 1.0));
        assert!(sound[2880] < 1.0 && sound[5760] > 0.4 && sound[5761] <= 0.5);
        assert!(sound[8640..].iter().all(|sample| *sample == 0.0));
    }

    #[test]
    fn the_voice_comes_back_within_5_ms_and_then_untouched() {
        let mut fade = Fade::default();
        fade.invented(&mut vec![1.0; 9600], 1);
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

    /// A fade that has heard 6 s of faint noise, −56 dBFS.
    fn in_a_room() -> Fade {
        let mut fade = Fade::default();
        let mut noise = Background::default();
        for _ in 0..600 {
            let mut sound = [0.0; 480];
            sound.iter_mut().for_each(|sample| noise.add(std::slice::from_mut(sample), 1.6e-3));
            fade.real(&mut sound, 1);
        }
        fade
    }

    fn level_db(sound: &[f32]) -> f32 {
        10.0 * (sound.iter().map(|sample| sample * sample).sum::<f32>() / sound.len() as f32).log10()
    }

    #[test]
    fn a_lost_voice_leaves_its_background_for_some_seconds() {
        let mut fade = in_a_room();
        let mut sound = vec![0.0; 5 * 48_000];
        fade.invented(&mut sound, 1);
        assert!(sound[..2880].iter().all(|sample| *sample == 0.0));
        let second = |at: usize| level_db(&sound[at * 24_000..][..24_000]);
        for half in 1..6 {
            // As in `noise`: the quietest moments are taken for the background.
            assert!((-63.0..-55.0).contains(&second(half)), "{half}: {}", second(half));
        }
        assert!(second(7) < second(6) && second(6) < second(5));
        assert!(sound[48_000 * 4 + 2880..].iter().all(|sample| *sample == 0.0));
        assert!(fade.is_silent());
    }

    #[test]
    fn the_background_is_there_again_after_the_next_loss() {
        let (mut fade, mut sound) = (in_a_room(), vec![0.0; 5 * 48_000]);
        fade.invented(&mut sound, 1);
        let mut voice = vec![0.1; 960];
        fade.real(&mut voice, 1);
        assert_eq!(voice[240..], [0.1; 720], "5 ms after it came back the voice is alone");
        sound.fill(0.0);
        fade.invented(&mut sound, 1);
        assert!(level_db(&sound[24_000..48_000]) > -63.0);
    }
}
