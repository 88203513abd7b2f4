//! The seam between invented sound and real: in goes what was invented but not played, as codecs invent in steps longer
//! than a hole needs; out of it the next real sound grows without a jump.

use crate::{codec::CONCEAL_WHOLE, frame::Channels, time::Samples};

/// 1.25 ms. Over real voices at 24 and 32 kbit/s the jump is gone from 60 samples on (its sharpest bend falls from two to
/// seven times the voice's own to below one), and with every further millisecond two voices out of step sound more like
/// two.
const FADE: usize = 60;

/// What would have been played next, had the hole gone on.
#[derive(Debug)]
pub struct Overhang {
    rest: Box<[f32]>,
    start: usize,
    end: usize,
    width: usize,
}

impl Overhang {
    /// Nothing has been invented yet.
    ///
    /// # Real-time
    /// Allocates.
    #[must_use]
    pub fn new(channels: Channels) -> Self {
        let width = channels.count();
        Self { rest: vec![0.0; CONCEAL_WHOLE * width].into_boxed_slice(), start: 0, end: 0, width }
    }

    /// How much has been invented and not been played.
    #[must_use]
    pub fn len(&self) -> Samples {
        Samples::new(((self.end - self.start) / self.width) as u64)
    }

    /// Is there nothing left to play or to fade from?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// `rest` goes on where the sound played last ends; of more than [`CONCEAL_WHOLE`] the front is kept.
    ///
    /// # Real-time
    /// Safe.
    pub fn keep(&mut self, rest: &[f32]) {
        let count = rest.len().min(self.rest.len());
        (self.start, self.end) = (0, count);
        if let (Some(place), Some(front)) = (self.rest.get_mut(..count), rest.get(..count)) {
            place.copy_from_slice(front);
        }
    }

    /// For want of a rest: the last of what was `played` stands still. For codecs without memory, and where something was
    /// left out; a codec that has invented up to the last sample makes its own seam.
    ///
    /// # Real-time
    /// Safe.
    pub fn hold(&mut self, played: &[f32]) {
        let Some(last) = played.rchunks_exact(self.width).next() else { return };
        (self.start, self.end) = (0, (FADE * self.width).min(self.rest.len()));
        for (to, from) in self.rest.iter_mut().zip(last.iter().cycle()).take(self.end) {
            *to = *from;
        }
    }

    /// Moves the front of the rest to the front of `out`, to be played before anything new is invented; how much.
    ///
    /// # Real-time
    /// Safe.
    pub fn take(&mut self, out: &mut [f32]) -> Samples {
        let count = out.len().min(self.end - self.start) / self.width * self.width;
        let rest = self.rest.get(self.start..self.start + count).unwrap_or_default();
        out.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
        self.start += count;
        Samples::new((count / self.width) as u64)
    }

    /// Real sound comes back: its first 1.25 ms grow out of the rest, as loud as that is played (`gain`, of the fade that
    /// treats invented sound). What follows stays as it is; the rest is spent.
    ///
    /// # Real-time
    /// Safe.
    pub fn join(&mut self, real: &mut [f32], gain: f32) {
        let rest = self.rest.get(self.start..self.end).unwrap_or_default();
        let fade = (rest.len().min(real.len()) / self.width).min(FADE);
        let (olds, news) = (rest.chunks_exact(self.width), real.chunks_exact_mut(self.width));
        for (at, (new, old)) in news.zip(olds).take(fade).enumerate() {
            let weight = (at + 1) as f32 / (fade + 1) as f32;
            new.iter_mut().zip(old).for_each(|(new, old)| *new = old * gain + (*new - old * gain) * weight);
        }
        self.forget();
    }

    /// What was invented is of no use any more: the voice begins anew.
    pub fn forget(&mut self) {
        (self.start, self.end) = (0, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A voice-like hum, `shift` samples out of step.
    fn hum(length: usize, shift: usize) -> Vec<f32> {
        let wave = |phase: f32| phase.sin() + 0.5 * (2.0 * phase).sin() + 0.3 * (5.0 * phase).cos();
        (0..length).map(|at| 0.2 * wave((at + shift) as f32 * 0.02)).collect()
    }

    /// The sharpest bend: the largest second difference.
    fn bend(sound: &[f32]) -> f32 {
        sound.windows(3).map(|three| (three[2] - 2.0 * three[1] + three[0]).abs()).fold(0.0, f32::max)
    }

    #[test]
    fn a_voice_out_of_step_comes_back_without_a_jump() {
        for shift in [40, 100, 157, 250] {
            let (invented, real) = (hum(480, 0), hum(960, 120 + shift));
            let (played, rest) = invented.split_at(120);
            let mut seam = Overhang::new(Channels::Mono);
            seam.keep(rest);
            let mut joined = real.clone();
            seam.join(&mut joined, 1.0);
            assert!(bend(&[played, &real].concat()) > 0.05, "there is a jump to be hidden");
            // The fade's own ends bend by at most 1/61 of the distance of two sounds below 0.36.
            let bent = bend(&[played, &joined].concat());
            assert!(bent < bend(&real) + 0.72 / 61.0, "shift {shift}: {bent}");
            assert_eq!(joined[FADE..], real[FADE..], "bit by bit");
            assert!(seam.is_empty());
        }
    }

    #[test]
    fn what_was_invented_too_much_is_played_first() {
        let mut seam = Overhang::new(Channels::Mono);
        seam.keep(&hum(360, 0));
        let mut out = [9.0; 240];
        assert_eq!(seam.take(&mut out), Samples::new(240));
        assert_eq!((&out[..], seam.len()), (&hum(240, 0)[..], Samples::new(120)));
        assert_eq!(seam.take(&mut out), Samples::new(120));
        assert_eq!((&out[..120], seam.is_empty()), (&hum(120, 240)[..], true));
        assert_eq!(seam.take(&mut out), Samples::ZERO);
    }

    #[test]
    fn without_a_rest_real_sound_stays_as_it_is() {
        let mut real = hum(480, 7);
        Overhang::new(Channels::Mono).join(&mut real, 1.0);
        assert_eq!(real, hum(480, 7));
    }

    #[test]
    fn a_rest_shorter_than_the_fade_does_too() {
        for length in [1, 30, 59] {
            let (mut seam, mut real) = (Overhang::new(Channels::Mono), vec![1.0; 480]);
            seam.keep(&vec![0.0; length]);
            seam.join(&mut real, 1.0);
            assert!(real[..length].windows(2).all(|pair| pair[0] < pair[1]) && real[0] > 0.0);
            assert_eq!(real[length..], vec![1.0; 480 - length]);
        }
    }

    #[test]
    fn a_rest_that_has_faded_half_is_left_from_half() {
        let (mut seam, mut real) = (Overhang::new(Channels::Mono), [0.0; 480]);
        seam.keep(&[1.0; 480]);
        seam.join(&mut real, 0.5);
        assert!((real[0] - 0.5).abs() < 0.01 && real[59] < 0.01 && real[60..] == [0.0; 420]);
    }

    #[test]
    fn channels_do_not_mix() {
        let (mut seam, mut real) = (Overhang::new(Channels::Stereo), [1.0, -1.0].repeat(480));
        seam.keep(&[1.0, -1.0].repeat(240));
        seam.join(&mut real, 1.0);
        assert_eq!(real, [1.0, -1.0].repeat(480));
        seam.hold(&[5.0, 5.0, 0.5, -0.5]);
        seam.join(&mut real, 1.0);
        let (left, right): (Vec<f32>, Vec<f32>) = real.chunks(2).map(|pair| (pair[0], -pair[1])).unzip();
        assert_eq!(left, right);
        assert!(left[0] < 0.52 && left[60..] == [1.0; 420]);
    }

    #[test]
    fn more_than_can_be_kept_is_cut_and_nothing_can_be_held() {
        let mut seam = Overhang::new(Channels::Mono);
        seam.keep(&[1.0; 9999]);
        assert_eq!(seam.len(), Samples::new(CONCEAL_WHOLE as u64));
        seam.forget();
        seam.hold(&[]);
        assert!(seam.is_empty());
    }
}
