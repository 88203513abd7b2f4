//! What cannot be heard is made exact silence, so that who is heard is a plain fact: a set.
//!
//! The gate opens with the first sample above −120 dBFS and closes 400 ms after the last, at that very sample, whatever
//! the block length: mixes do not split and join in every breath, and equal sets mean equal mixes.

use crate::time::{SampleTime, Samples};

/// Softer than this nothing is heard: −120 dBFS.
const AUDIBLE: f32 = 1e-6;
/// So long after its last sound a voice is still heard.
const HANGOVER: Samples = Samples::from_ms(400);

/// Whether one voice is heard.
#[derive(Clone, Copy, Debug, Default)]
pub struct Gate {
    open_until: SampleTime,
}

impl Gate {
    /// Silences what of `frame`, which begins at `at`, is not heard; whether anything is.
    ///
    /// # Real-time
    /// Safe.
    pub fn pass(&mut self, at: SampleTime, width: usize, frame: &mut [f32]) -> bool {
        let open_for = (self.open_until.since(at).len() * width).min(frame.len());
        if is_silent(frame) {
            frame[open_for..].fill(0.0);
            return open_for > 0;
        }
        let sound = frame.iter().position(is_audible).map_or(frame.len(), |at| at / width * width);
        // The hangover is longer than any frame: what comes after a sound is heard to the frame's end.
        if open_for < sound {
            frame[open_for..sound].fill(0.0);
        }
        let last = frame[sound..].iter().rposition(is_audible).map(|last| (sound + last) / width + 1);
        if let Some(end) = last {
            self.open_until = at + Samples::new(end as u64) + HANGOVER;
        }
        open_for > 0 || last.is_some()
    }

    /// Something is heard up to `end` that does not pass here.
    ///
    /// # Real-time
    /// Safe.
    pub fn hold(&mut self, end: SampleTime) {
        self.open_until = self.open_until.max(end + HANGOVER);
    }

    /// Is it open at `at`?
    #[must_use]
    pub fn is_open(&self, at: SampleTime) -> bool {
        at < self.open_until
    }
}

/// Without a way out in the middle, so that it is done many samples at a time.
fn is_silent(frame: &[f32]) -> bool {
    !frame.iter().fold(false, |heard, sample| heard | is_audible(sample))
}

fn is_audible(sample: &f32) -> bool {
    sample.abs() > AUDIBLE
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Sample by sample: what the gate is meant to do.
    fn naive(sound: &[f32]) -> Vec<f32> {
        let mut last = None;
        let open = |last: Option<usize>, at: usize| last.is_some_and(|last| at - last <= HANGOVER.len());
        let pass = |(at, sample): (usize, &f32)| {
            if is_audible(sample) {
                last = Some(at);
            }
            if open(last, at) { *sample } else { 0.0 }
        };
        sound.iter().enumerate().map(pass).collect()
    }

    proptest! {
        #[test]
        fn it_opens_and_closes_at_the_sample_whatever_the_block_length(
            sounds in prop::collection::vec((0_usize..60_000, 1e-7_f32..1e-2), 0..12),
        ) {
            let mut sound = vec![3e-7; 60_000];
            sounds.iter().for_each(|(at, level)| sound[*at] = *level);
            let expected = naive(&sound);
            for block in [120, 240, 480, 960] {
                let (mut gate, mut passed) = (Gate::default(), sound.clone());
                for (n, frame) in passed.chunks_mut(block).enumerate() {
                    let heard = gate.pass(SampleTime::from_samples((n * block) as u64), 1, frame);
                    prop_assert_eq!(heard, frame.iter().any(|sample| *sample != 0.0));
                }
                prop_assert!(passed == expected, "blocks of {}", block);
            }
        }
    }

    #[test]
    fn channels_open_together() {
        let mut frame = [0.0; 240];
        frame[101] = 0.5;
        frame[100] = 1e-9;
        assert!(Gate::default().pass(SampleTime::ZERO, 2, &mut frame));
        assert_eq!((frame[100], frame[101]), (1e-9, 0.5));
    }
}
