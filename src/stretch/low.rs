//! Sound for the search of a pitch: the newest stretch, its channels added, what is under 2 kHz of it, at 8 kHz.

/// 48 kHz over 8 kHz.
pub(super) const STEP: usize = 6;
/// 66 ms: the longest reach, the longest lag before it, and a window.
pub(super) const LENGTH: usize = 528;

/// A raised cosine, its sum 1. It halves at 2 kHz, is zero at 4 kHz where aliasing begins, and stays below −31 dB from
/// there on.
const KERNEL: [f32; TAPS] = [
    0.000_356, 0.003_172, 0.008_61, 0.016_302, 0.025_722, 0.036_228, 0.047_105, 0.057_612, 0.067_032,
    0.074_723, 0.080_162, 0.082_977, 0.082_977, 0.080_162, 0.074_723, 0.067_032, 0.057_612, 0.047_105,
    0.036_228, 0.025_722, 0.016_302, 0.008_61, 0.003_172, 0.000_356,
];
const TAPS: usize = 24;

/// The end of a stretch of sound at 8 kHz. What lies before its beginning is silence.
#[derive(Debug)]
pub(super) struct Low {
    pub(super) samples: [f32; LENGTH],
    /// Where the sound begins.
    pub(super) first: usize,
}

impl Low {
    /// The newest `wanted` samples (at 8 kHz) of interleaved `sound`.
    ///
    /// # Real-time
    /// Safe.
    pub(super) fn of(sound: &[f32], width: usize, wanted: usize) -> Self {
        let frames = (sound.len() / width).min(wanted.min(LENGTH) * STEP + TAPS);
        let newest = &sound[sound.len() - frames * width..];
        match width {
            1 => Self::of_mono(newest),
            _ => Self::of_mono(&added(newest, width)[LENGTH * STEP + TAPS - frames..]),
        }
    }

    fn of_mono(sound: &[f32]) -> Self {
        let mut samples = [0.0; LENGTH];
        let count = (sound.len().saturating_sub(TAPS) / STEP).min(LENGTH);
        let sound = &sound[sound.len() - (count * STEP + TAPS).min(sound.len())..];
        // Each window begins a step after the one before; the last one ends with the sound.
        let windows = sound.windows(TAPS).skip(STEP).step_by(STEP);
        for (to, window) in samples[LENGTH - count..].iter_mut().zip(windows) {
            *to = filtered(window);
        }
        Self { samples, first: LENGTH - count }
    }
}

impl Low {
    /// The mean square between two places.
    ///
    /// # Real-time
    /// Safe.
    pub(super) fn power(&self, from: usize, to: usize) -> f32 {
        let part = self.samples.get(from..to).unwrap_or_default();
        part.iter().map(|sample| sample * sample).sum::<f32>() / part.len().max(1) as f32
    }
}

/// The channels' mean, at the end of the room.
fn added(sound: &[f32], width: usize) -> [f32; LENGTH * STEP + TAPS] {
    let mut one = [0.0; LENGTH * STEP + TAPS];
    for (to, frame) in one.iter_mut().rev().zip(sound.rchunks_exact(width)) {
        *to = frame.iter().sum::<f32>() / width as f32;
    }
    one
}

/// Eight sums side by side.
fn filtered(sound: &[f32]) -> f32 {
    let mut sums = [0.0; 8];
    for (sound, kernel) in sound.chunks_exact(8).zip(KERNEL.chunks_exact(8)) {
        for lane in 0..8 {
            sums[lane] += sound[lane] * kernel[lane];
        }
    }
    let [a, b, c, d, e, f, g, h] = sums;
    ((a + e) + (b + f)) + ((c + g) + (d + h))
}
