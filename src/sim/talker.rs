//! A seeded, speech-like voice: harmonics of a wandering pitch under syllables, words and pauses, as samples or as Opus.

use super::{Rng, opus_file::PACKET};
use crate::time::RATE_HZ;
use std::f32::consts::TAU;

const HARMONICS: usize = 12;

/// One voice that never ends.
#[derive(Clone, Debug)]
pub struct Talker {
    rng: Rng,
    pitch_hz: f32,
    phase: f32,
    /// What it does now: a syllable of this height, or a pause at 0.
    height: f32,
    length: u32,
    at: u32,
}

impl Talker {
    /// The voice of this seed, before its first word.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let pitch_hz = rng.between(95.0, 230.0) as f32;
        Self { rng, pitch_hz, phase: 0.0, height: 0.0, length: RATE_HZ / 10, at: 0 }
    }

    /// Speaks on, peaks below 0.3 of full scale.
    pub fn speak(&mut self, out: &mut [f32]) {
        for sample in out {
            if self.at == self.length {
                self.next_syllable();
            }
            let envelope = self.height * (self.at as f32 / self.length as f32 * TAU / 2.0).sin();
            self.phase = (self.phase + self.pitch_hz / RATE_HZ as f32).fract();
            *sample = if envelope > 0.0 { envelope * voiced(self.phase) } else { 0.0 };
            self.at += 1;
        }
    }

    /// Speaks on in Opus packets of 20 ms: mono, 32 kb/s, in-band FEC for 10 % loss.
    ///
    /// # Panics
    /// When libopus has no memory for an encoder.
    pub fn packets(mut self) -> impl Iterator<Item = Box<[u8]>> {
        let mut encoder = encoder().expect("libopus builds a voice encoder");
        let mut pcm = vec![0.0; PACKET.len()];
        std::iter::from_fn(move || {
            self.speak(&mut pcm);
            encoder.encode_vec_float(&pcm, 1275).ok().map(Vec::into_boxed_slice)
        })
    }

    fn next_syllable(&mut self) {
        let pause = self.rng.chance(0.15);
        let (shortest_ms, longest_ms) = if pause { (150.0, 900.0) } else { (90.0, 260.0) };
        self.length = (self.rng.between(shortest_ms, longest_ms) * 48.0) as u32;
        self.height = if pause { 0.0 } else { self.rng.between(0.08, 0.25) as f32 };
        self.pitch_hz = (self.pitch_hz * self.rng.between(0.92, 1.09) as f32).clamp(80.0, 300.0);
        self.at = 0;
    }
}

/// One period of a buzz whose harmonics fall by 6 dB an octave, as a voice's do at the lips; peak near 1.
fn voiced(phase: f32) -> f32 {
    let sum: f32 = (1..=HARMONICS).map(|n| (TAU * phase * n as f32).sin() / n as f32).sum();
    sum / 1.9
}

fn encoder() -> Result<opus::Encoder, opus::Error> {
    let mut encoder = opus::Encoder::new(RATE_HZ, opus::Channels::Mono, opus::Application::Voip)?;
    encoder.set_bitrate(opus::Bitrate::Bits(32_000))?;
    encoder.set_complexity(5)?;
    encoder.set_inband_fec(true)?;
    encoder.set_packet_loss_perc(10)?;
    Ok(encoder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_voice_speaks_and_pauses_and_stays_below_its_peak() {
        let mut pcm = vec![0.0; 10 * RATE_HZ as usize];
        Talker::new(7).speak(&mut pcm);
        assert!(pcm.iter().all(|sample| sample.abs() < 0.3));
        let silent = pcm.iter().filter(|sample| **sample == 0.0).count();
        assert!(silent > pcm.len() / 20 && silent < pcm.len() * 2 / 3, "{silent}");
    }

    #[test]
    fn a_seed_is_a_voice() {
        let speech = |seed| Talker::new(seed).packets().take(50).collect::<Vec<_>>();
        assert_eq!(speech(1), speech(1));
        assert_ne!(speech(1), speech(2));
    }
}
