//! The click: a short burst high above a voice, and how it is found again in what came back.

use std::f32::consts::TAU;

/// 4 ms.
pub(crate) const LENGTH: usize = 192;
const TONE_HZ: f32 = 3500.0;
const PEAK: f32 = 0.5;

/// Sample `at` of the click.
fn sample(at: usize) -> (f32, f32) {
    let window = (at as f32 / LENGTH as f32 * TAU / 2.0).sin().powi(2);
    let (sin, cos) = (at as f32 * TONE_HZ / 48_000.0 * TAU).sin_cos();
    (window * cos, window * sin)
}

/// Puts a click into `sound`, from `at` on; what does not fit is left out.
pub(crate) fn put(sound: &mut [f32], at: usize) {
    let room = sound.iter_mut().skip(at).take(LENGTH);
    room.enumerate().for_each(|(n, to)| *to += PEAK * sample(n).0);
}

/// How much of a click begins at the front of `sound`, whatever its phase: 1 for one as loud as it was put in.
fn likeness(sound: &[f32]) -> f32 {
    let (mut re, mut im) = (0.0, 0.0);
    for (n, value) in sound.iter().take(LENGTH).enumerate() {
        let (cos, sin) = sample(n);
        re += value * cos;
        im += value * sin;
    }
    // The squared window's mean is 3/8, and a tone is half itself and half its mirror.
    re.hypot(im) / (PEAK * LENGTH as f32 * 3.0 / 16.0)
}

/// Where in `sound` the loudest click begins, if there is one.
pub(crate) fn find(sound: &[f32]) -> Option<usize> {
    let places = sound.len().checked_sub(LENGTH)?;
    let at = |place: usize| (place, likeness(&sound[place..]));
    let loudest = |a: &(usize, f32), b: &(usize, f32)| a.1.total_cmp(&b.1);
    let coarse = (0..=places).step_by(8).map(at).max_by(loudest)?;
    let near = coarse.0.saturating_sub(8)..=(coarse.0 + 8).min(places);
    near.map(at).max_by(loudest).filter(|(_, likeness)| *likeness > 0.25).map(|(place, _)| place)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tertulia::sim::Talker;

    #[test]
    fn a_click_is_found_under_a_voice_to_the_sample() {
        let mut sound = vec![0.0; 48_000];
        Talker::new(3).speak(&mut sound);
        assert_eq!(find(&sound), None);
        put(&mut sound, 31_234);
        assert!(find(&sound).is_some_and(|at| at.abs_diff(31_234) < 8), "{:?}", find(&sound));
    }
}
