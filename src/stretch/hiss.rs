//! Is this the hiss of an unvoiced sound (s, f, sh)? A cross-fade of noise with noise is noise: no period is needed.

/// 2.5 ms.
const BLOCK: usize = 120;
/// Blocks of noise that is 2 kHz wide differ by less; a burst by more: 8 dB.
const STEADY: f32 = 6.3;
/// Of a hiss at most this part of the energy lies under 2 kHz: a voice has nearly all there.
const LOW_PART: f32 = 0.3;
/// 5 ms are compared with what was before at lags that grow by steps that no period fits.
const WINDOW: usize = 240;
const LAG_STEP: usize = 41;
/// The mean of the squared correlations: 1/2n for n tones, 1/(2 · width in Hz · 5 ms) for noise, 0.05 at 2 kHz.
const TONAL: f32 = 0.09;

/// Is interleaved `sound`, whose mean square under 2 kHz is `low`, hiss, and a steady one?
///
/// # Real-time
/// Safe.
pub(super) fn is_hiss(sound: &[f32], width: usize, low: f32) -> bool {
    let power = energy(sound) / (sound.len() / width).max(1) as f32;
    low * width as f32 <= LOW_PART * power && is_steady(sound, width) && is_noise(sound, width)
}

fn is_steady(sound: &[f32], width: usize) -> bool {
    let blocks = sound.rchunks_exact(BLOCK * width).map(energy);
    let (least, most) = blocks.fold((f32::MAX, 0.0_f32), |(least, most), e| (least.min(e), most.max(e)));
    most <= least * STEADY
}

fn is_noise(sound: &[f32], width: usize) -> bool {
    let lags = (sound.len() / width).saturating_sub(WINDOW) / LAG_STEP;
    let newest = &sound[sound.len().saturating_sub(WINDOW * width)..];
    let squared_correlation = |lag: usize| {
        let past = &sound[sound.len() - (lag * LAG_STEP + WINDOW) * width..][..WINDOW * width];
        dot(newest, past).powi(2) / (energy(newest) * energy(past))
    };
    let sum: f32 = (1..=lags).map(squared_correlation).sum();
    lags > 0 && sum <= TONAL * lags as f32
}

/// The sum of squares.
fn energy(sound: &[f32]) -> f32 {
    dot(sound, sound)
}

/// Eight sums side by side.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0; 8];
    for (a, b) in a.chunks_exact(8).zip(b.chunks_exact(8)) {
        for lane in 0..8 {
            sums[lane] += a[lane] * b[lane];
        }
    }
    sums.iter().sum()
}
