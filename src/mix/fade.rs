//! A voice in the midst of its sound that joins a mix or leaves it does so within 5 ms, so that nothing clicks.

use super::Fader;

/// Lets a frame begin from nothing.
///
/// # Real-time
/// Safe.
pub fn rise(frame: &mut [f32], width: usize) {
    scale(frame, width, |step| step);
}

/// Lets a frame end in nothing; beyond the fade it is silent.
///
/// # Real-time
/// Safe.
pub fn fall(frame: &mut [f32], width: usize) {
    scale(frame, width, |step| 1.0 - step);
}

/// `gain` of how much of the fade has passed; shorter frames fade over their whole length.
fn scale(frame: &mut [f32], width: usize, gain: impl Fn(f32) -> f32) {
    let length = Fader::FADE.len().min(frame.len() / width);
    for (at, samples) in frame.chunks_mut(width).enumerate() {
        let gain = gain(((at + 1) as f32 / length as f32).min(1.0));
        samples.iter_mut().for_each(|sample| *sample *= gain);
    }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "what is tested is exact")]
mod tests {
    use super::*;

    #[test]
    fn fades_take_5_ms_or_the_whole_frame() {
        for (length, fade) in [(480, 240), (240, 240), (120, 120)] {
            let (mut up, mut down) = (vec![1.0; 2 * length], vec![1.0; 2 * length]);
            rise(&mut up, 2);
            fall(&mut down, 2);
            assert_eq!((up[0], up[1], down[2 * fade - 1]), (1.0 / fade as f32, 1.0 / fade as f32, 0.0));
            assert!(up[2 * fade - 2..].iter().all(|sample| *sample == 1.0));
            assert!(down[2 * fade - 2..].iter().all(|sample| *sample == 0.0));
            assert!(up.windows(2).all(|pair| pair[1] >= pair[0]));
        }
    }
}
