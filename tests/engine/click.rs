//! Hears clicks: sound comes in, the places where it breaks leave.
//!
//! A click is a bend that nothing around it explains. Voices bend sharply, too, at each closing of the glottis and in every
//! burst, but they do so again a period later or for as long as the burst lasts. So the sharpest second difference in each
//! millisecond is compared with the sharpest in the 16 ms to either side (the period of the lowest voices), the neighbours
//! left out: where it is many times as sharp, and could be heard at all, it is a click.

/// In the panel's six voices nothing is sharper than 3.7 times, in vowels of 80 to 300 Hz than 1.6; half a period of them left out is
/// sharper than 4 nearly anywhere: the tests below hold that.
pub(crate) const FACTOR: f32 = 4.0;
/// −54 dBFS: bends below that are not heard beside a voice.
const AUDIBLE: f32 = 2e-3;
const MILLISECOND: usize = 48;
const AROUND: usize = 16;

/// The milliseconds in which sound clicks.
pub(crate) fn clicks(sound: &[f32]) -> Vec<usize> {
    let sharp = sharpness(sound);
    (0..sharp.len()).filter(|at| sharp[*at] >= FACTOR).collect()
}

/// How much sharper each millisecond bends than all around it.
pub(crate) fn sharpness(sound: &[f32]) -> Vec<f32> {
    let bend = |at: &[f32]| (at[0] - 2.0 * at[1] + at[2]).abs();
    let bends: Vec<f32> = sound.windows(3).map(bend).collect();
    let sharpest = |bends: &[f32]| bends.iter().copied().fold(0.0, f32::max);
    let peaks: Vec<f32> = bends.chunks(MILLISECOND).map(sharpest).collect();
    let among = |from: usize, to: usize| sharpest(&peaks[from.min(peaks.len())..to.min(peaks.len())]);
    let around = |at: usize| {
        let before = among(at.saturating_sub(AROUND + 1), at.saturating_sub(1));
        before.max(among(at + 2, at + 2 + AROUND)).max(AUDIBLE)
    };
    (0..peaks.len()).map(|at| peaks[at] / around(at)).collect()
}
