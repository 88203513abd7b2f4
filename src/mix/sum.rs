//! Sums of frames: plain, and all but one for every one ("mix-minus").
//!
//! A voice's own mix is never `total − self`: where one voice is loud and the others are soft, that leaves rounding
//! errors of the loud one in the ears of whoever spoke. It is the sum of the voices before it and the sum of those
//! after it, both gathered in two passes over the frames, so that what is left out was never in.

/// Adds `from` to `into`, sample by sample; the shorter one decides.
///
/// # Real-time
/// Safe.
pub fn add(into: &mut [f32], from: &[f32]) {
    for (sum, sample) in into.iter_mut().zip(from) {
        *sum += sample;
    }
}

/// The sum of some frames, and for each of them the sum of all the others.
#[derive(Clone, Debug)]
pub struct MixMinus {
    frame_len: usize,
    total: Vec<f32>,
    /// While loading: the sum of the frames behind the current one.
    behind: Vec<f32>,
    /// One frame a voice: everybody else.
    others: Vec<f32>,
    /// How many of them are loaded.
    voices: usize,
}

impl MixMinus {
    /// Room for `max_voices` frames of `frame_len` samples, all channels counted.
    ///
    /// # Real-time
    /// Allocates.
    #[must_use]
    pub fn new(max_voices: usize, frame_len: usize) -> Self {
        let frame_len = frame_len.max(1);
        Self {
            frame_len,
            total: vec![0.0; frame_len],
            behind: vec![0.0; frame_len],
            others: vec![0.0; frame_len * max_voices],
            voices: 0,
        }
    }

    /// Sums `frames`, which are walked through forwards and backwards. What does not fit is left out: voices beyond
    /// the room for them, samples beyond the frame's length.
    ///
    /// # Real-time
    /// Safe.
    pub fn load<'a, Frames>(&mut self, frames: Frames)
    where
        Frames: DoubleEndedIterator<Item = &'a [f32]> + Clone,
    {
        let offered = frames.clone().count();
        self.voices = offered.min(self.others.len() / self.frame_len);
        let excess = offered - self.voices;
        self.total.fill(0.0);
        for (others, frame) in self.others.chunks_exact_mut(self.frame_len).zip(frames.clone()) {
            others.copy_from_slice(&self.total);
            add(&mut self.total, frame);
        }
        self.behind.fill(0.0);
        let loaded = self.others.chunks_exact_mut(self.frame_len).take(self.voices);
        for (others, frame) in loaded.rev().zip(frames.rev().skip(excess)) {
            add(others, &self.behind);
            add(&mut self.behind, frame);
        }
    }

    /// Sums `frames` where nobody is to be left out: a third of the work.
    ///
    /// # Real-time
    /// Safe.
    pub fn sum<'a>(&mut self, frames: impl Iterator<Item = &'a [f32]>) {
        self.voices = 0;
        self.total.fill(0.0);
        frames.for_each(|frame| add(&mut self.total, frame));
    }

    /// The sum of all that were loaded.
    ///
    /// # Real-time
    /// Safe.
    #[must_use]
    pub fn total(&self) -> &[f32] {
        &self.total
    }

    /// Copies the sum of all but the `voice`-th of those loaded; the total for a voice that was not.
    ///
    /// # Real-time
    /// Safe.
    pub fn without(&self, voice: usize, out: &mut [f32]) {
        let mut loaded = self.others.chunks_exact(self.frame_len).take(self.voices);
        let sum = loaded.nth(voice).unwrap_or(&self.total);
        for (sample, summed) in out.iter_mut().zip(sum) {
            *sample = *summed;
        }
    }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "what is tested is exact")]
mod tests {
    use super::*;
    use crate::mix::Db;
    use proptest::prelude::*;

    const FRAME: usize = 480;

    /// `voices` frames of white noise, each with its own peak.
    fn noise(peaks: &[f32]) -> Vec<Vec<f32>> {
        let mut state = 1_u32;
        let mut draw = move || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 23) as f32 - 1.0
        };
        peaks.iter().map(|peak| (0..FRAME).map(|_| peak * draw()).collect()).collect()
    }

    fn loaded(frames: &[Vec<f32>]) -> MixMinus {
        let mut mix = MixMinus::new(frames.len(), FRAME);
        mix.load(frames.iter().map(Vec::as_slice));
        mix
    }

    /// The RMS level of `mix` minus the exact sum of the frames that `wanted` picks.
    fn residue(mix: &[f32], frames: &[Vec<f32>], wanted: impl Fn(usize) -> bool) -> Db {
        let exact = |at: usize| -> f64 {
            frames.iter().enumerate().filter(|(k, _)| wanted(*k)).map(|(_, f)| f64::from(f[at])).sum()
        };
        let power: f64 = mix.iter().enumerate().map(|(at, &got)| (f64::from(got) - exact(at)).powi(2)).sum();
        Db((10.0 * (power / FRAME as f64).log10()) as f32)
    }

    #[test]
    fn the_plain_sum_is_the_total() {
        let frames = noise(&[0.3, 0.2, 0.1]);
        let mut plain = MixMinus::new(3, FRAME);
        plain.sum(frames.iter().map(Vec::as_slice));
        assert_eq!(plain.total(), loaded(&frames).total());
    }

    #[test]
    fn sums_are_exact_to_120_db_below_full_scale() {
        for voices in [1, 2, 8, 64, 1024] {
            // As loud as voices can be before their sum is limited: together at full scale.
            let frames = noise(&vec![1.0 / (voices as f32).sqrt(); voices]);
            let (mix, mut own) = (loaded(&frames), vec![0.0; FRAME]);
            assert!(residue(mix.total(), &frames, |_| true).0 < -120.0, "{voices} voices");
            for k in [0, voices / 2, voices - 1] {
                mix.without(k, &mut own);
                assert!(residue(&own, &frames, |j| j != k).0 < -120.0, "{voices} voices without {k}");
            }
        }
    }

    #[test]
    fn nothing_of_a_loud_voice_is_left_in_its_own_mix() {
        let mut peaks = [Db(-60.0).to_linear(); 12];
        peaks[5] = 1.0;
        let frames = noise(&peaks);
        let (mix, mut own) = (loaded(&frames), vec![0.0; FRAME]);
        mix.without(5, &mut own);
        // Eleven voices at −60 dB add up to a few thousandths, where rounding is below −190 dB; `total − self` leaves
        // the rounding of full scale, −155 dB.
        assert!(residue(&own, &frames, |k| k != 5).0 < -185.0);
        let mut softer = frames;
        softer[5].fill(0.25);
        let mut same = vec![0.0; FRAME];
        loaded(&softer).without(5, &mut same);
        assert_eq!(own, same);
    }

    #[test]
    fn a_voice_alone_hears_zeros() {
        let frames = noise(&[1.0]);
        let mut own = vec![1.0; FRAME];
        loaded(&frames).without(0, &mut own);
        assert_eq!(own, vec![0.0; FRAME]);
    }

    #[test]
    fn what_does_not_fit_is_left_out() {
        let frames = noise(&[0.5, 0.25, 0.125]);
        let mut mix = MixMinus::new(2, FRAME);
        mix.load(frames.iter().map(Vec::as_slice));
        let mut own = vec![0.0; FRAME];
        mix.without(0, &mut own);
        assert_eq!(own, frames[1]);
        mix.without(2, &mut own);
        assert_eq!(own, mix.total());
    }

    proptest! {
        #[test]
        fn small_integers_sum_exactly(frames in prop::collection::vec(prop::collection::vec(-9..9_i8, 8), 0..20)) {
            let frames: Vec<Vec<f32>> = frames.iter().map(|f| f.iter().map(|&x| f32::from(x)).collect()).collect();
            let mut mix = MixMinus::new(20, 8);
            mix.load(frames.iter().map(Vec::as_slice));
            for k in 0..frames.len() {
                let mut own = [0.0; 8];
                mix.without(k, &mut own);
                for at in 0..8 {
                    let others: f32 = (0..frames.len()).filter(|j| *j != k).map(|j| frames[j][at]).sum();
                    prop_assert_eq!(own[at], others);
                }
            }
        }
    }
}
