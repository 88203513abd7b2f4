//! Cross-fades: a stretch of sound loses or repeats `lag` samples without a click.
//!
//! All positions count frames of `width` interleaved samples.

/// 5 ms: long enough to hide the seam in a pause.
const FADE: usize = 240;
/// 2.5 ms: below this a seam is not worth making.
const SHORTEST_FADE: usize = 120;

/// Takes up to `wanted` out of `sound`; how much went. What is left stands at its front.
pub(super) fn shorten(sound: &mut [f32], width: usize, wanted: usize) -> usize {
    let length = sound.len() / width;
    let lag = wanted.min(length.saturating_sub(SHORTEST_FADE));
    if lag == 0 {
        return 0;
    }
    let fade = FADE.min(length - lag);
    for at in 0..fade * width {
        let weight = weight(at / width, fade);
        sound[at] += (sound[at + lag * width] - sound[at]) * weight;
    }
    sound.copy_within((lag + fade) * width..length * width, fade * width);
    lag
}

/// Repeats up to `wanted` of the first `used` samples of `room` behind them; how much came.
pub(super) fn lengthen(room: &mut [f32], used: usize, width: usize, wanted: usize) -> usize {
    let (length, most) = (used / width, room.len() / width);
    let lag = wanted.min(length.saturating_sub(SHORTEST_FADE)).min(most - length);
    if lag == 0 {
        return 0;
    }
    let fade = FADE.min(length - lag);
    room.copy_within((length - lag) * width..length * width, length * width);
    // Backwards, so that what is read has not been faded yet.
    for at in (0..fade * width).rev() {
        let (weight, to) = (weight(at / width, fade), at + (length - fade) * width);
        room[to] += (room[to - lag * width] - room[to]) * weight;
    }
    lag
}

/// From just above 0 to just below 1.
fn weight(at: usize, fade: usize) -> f32 {
    (at + 1) as f32 / (fade + 1) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The largest step between neighbours: a click shows as a large one.
    fn steepest(sound: &[f32]) -> f32 {
        sound.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f32::max)
    }

    fn hum(length: usize) -> Vec<f32> {
        (0..length).map(|i| (i as f32 * 0.01).sin()).collect()
    }

    #[test]
    fn shortening_keeps_both_ends_and_makes_no_click() {
        for wanted in [1, 120, 480, 840, 5000] {
            let original = hum(960);
            let mut sound = original.clone();
            let lag = shorten(&mut sound, 1, wanted);
            sound.truncate(960 - lag);
            assert_eq!(lag, wanted.min(840));
            // At most one step of the shortest fade away, 2/121.
            assert!((sound.last().unwrap() - original.last().unwrap()).abs() < 0.017);
            assert!((sound[0] - original[0]).abs() < 0.017);
            // A cross-fade over 120 samples between values in −1…1 adds at most 2/121 to the hum's own 0.01 a sample.
            assert!(steepest(&sound) < 0.03, "lag {lag}: {}", steepest(&sound));
        }
    }

    #[test]
    fn lengthening_keeps_both_ends_and_makes_no_click() {
        for wanted in [1, 120, 480, 840, 5000] {
            let mut room = hum(960);
            let last = room[959];
            room.resize(2400, 9.0);
            let lag = lengthen(&mut room, 960, 1, wanted);
            assert_eq!(lag, wanted.min(840));
            room.truncate(960 + lag);
            assert!((room[959 + lag] - last).abs() < 1e-6);
            assert!(steepest(&room) < 0.03, "lag {lag}: {}", steepest(&room));
        }
    }

    #[test]
    fn channels_do_not_mix() {
        let mut sound: Vec<f32> = (0..1920).map(|i| if i % 2 == 0 { 1.0 } else { -1.0 }).collect();
        shorten(&mut sound, 2, 480);
        sound.resize(3840, 0.0);
        lengthen(&mut sound, 960, 2, 240);
        assert!(sound[..1440].chunks(2).all(|pair| pair == [1.0, -1.0]));
    }

    #[test]
    fn too_short_a_stretch_is_left_alone() {
        let mut sound = hum(100);
        assert_eq!(shorten(&mut sound, 1, 50), 0);
        assert_eq!(sound, hum(100));
        assert_eq!(lengthen(&mut sound, 100, 1, 50), 0);
    }
}
