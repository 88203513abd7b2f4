//! One pitch period more or less: decoded sound comes in, the best [`Seam`] in it leaves, or none where a seam would be
//! heard.

use super::{
    hiss::is_hiss,
    low::{LENGTH, Low, STEP},
    pitch::{self, Change, LONGEST, Limits, Match, SHORTEST, SHORTEST_FADE, WINDOW},
    seam::{LONGEST_FADE, Seam},
};

/// 15 ms: the longest that goes or comes.
pub(super) const LONGEST_LAG: usize = LONGEST * STEP;
const SHORTEST_LAG: usize = SHORTEST * STEP;
// No more is cross-faded than was compared.
const _: () = assert!(LONGEST_FADE <= WINDOW * STEP);
const SHORTEST_FADE_48: usize = SHORTEST_FADE * STEP;

/// Under 2 kHz, where a voice repeats itself, two stretches must be this much alike …
const ALIKE_LOW: f32 = 0.9;
/// … and this much as a whole, as breath does not repeat itself.
const ALIKE: f32 = 0.8;
/// Sound that is quiet is alike enough whatever it is: x / (x + 1) is then [`ALIKE_LOW`].
const QUIET_WEIGHT: f32 = ALIKE_LOW / (1.0 - ALIKE_LOW);

/// Where the newest of a stretch of sound may be changed, and how.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wish {
    pub(super) change: Change,
    /// Frames from here on may be changed; those before may be looked at.
    pub(super) start: usize,
    /// The most that may go or come, in frames.
    pub(super) at_most: usize,
    /// The mean square under which nothing matters.
    pub(super) quiet: f32,
}

/// The best seam in interleaved `sound`, if it is good enough.
///
/// # Real-time
/// Safe.
pub(super) fn seam(sound: &[f32], width: usize, wish: Wish) -> Option<Seam> {
    let length = sound.len() / width;
    let reach = (length.saturating_sub(wish.start) / STEP).min(LENGTH);
    let low = Low::of(sound, width, reach + LONGEST + WINDOW);
    let limits = Limits {
        change: wish.change,
        start: LENGTH - reach,
        // So that the lag can still be refined both ways.
        longest: wish.at_most.saturating_sub(STEP / 2) / STEP,
        floor: wish.quiet * QUIET_WEIGHT,
    };
    let found = pitch::search(&low, limits)?;
    let seam = refined(sound, width, found, wish)?;
    let is_period = found.likeness >= ALIKE_LOW && seam.likeness >= ALIKE;
    (is_period || joins_hiss(sound, width, seam, &low, found))
        .then_some(Seam { likeness: seam.likeness.clamp(0.0, 1.0), ..seam })
}

/// Is all that the seam touches hiss?
fn joins_hiss(sound: &[f32], width: usize, seam: Seam, low: &Low, found: Match) -> bool {
    let touched = &sound[(seam.end - seam.lag - seam.fade) * width..seam.end * width];
    is_hiss(touched, width, low.power(found.end - found.lag - WINDOW, found.end))
}

/// The same place at 48 kHz and the best lag near the one found.
fn refined(sound: &[f32], width: usize, found: Match, wish: Wish) -> Option<Seam> {
    let end = (sound.len() / width).checked_sub((LENGTH - found.end) * STEP)?;
    let lag = found.lag * STEP;
    let shortest = (lag - STEP / 2).max(SHORTEST_LAG);
    let longest = (lag + STEP / 2).min(wish.at_most).min(LONGEST_LAG);
    let mut best: Option<Seam> = None;
    for lag in (shortest..=longest).rev() {
        let Some(fade) = fade(end, lag, wish) else { continue };
        let likeness = likeness(sound, width, (end, lag, fade), wish.quiet * QUIET_WEIGHT);
        if best.is_none_or(|best| likeness > best.likeness) {
            best = Some(Seam { end, lag, fade, likeness });
        }
    }
    best
}

/// How long a cross-fade may be: a period, as far as there is room.
fn fade(end: usize, lag: usize, wish: Wish) -> Option<usize> {
    let room = match wish.change {
        Change::Faster => end.checked_sub(lag)?.checked_sub(wish.start)?,
        Change::Slower => end.checked_sub(wish.start)?.min(end.checked_sub(lag)?),
    };
    let fade = room.min(lag).min(LONGEST_FADE);
    (fade >= SHORTEST_FADE_48).then_some(fade)
}

/// As in [`pitch`], of all channels and the whole band, over the cross-fade alone. Eight sums side by side, what is left
/// over is left out.
fn likeness(sound: &[f32], width: usize, (end, lag, fade): (usize, usize, usize), floor: f32) -> f32 {
    let late = &sound[(end - fade) * width..end * width];
    let early = &sound[(end - lag - fade) * width..(end - lag) * width];
    let (mut apart, mut both) = ([0.0; 8], [0.0; 8]);
    for (early, late) in early.chunks_exact(8).zip(late.chunks_exact(8)) {
        for lane in 0..8 {
            let (early, late) = (early[lane], late[lane]);
            apart[lane] += (early - late) * (early - late);
            both[lane] += early * early + late * late;
        }
    }
    let floor = 2.0 * (fade * width) as f32 * floor;
    1.0 - apart.iter().sum::<f32>() / (both.iter().sum::<f32>() + floor)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::f32::consts::TAU;

    /// A voice: all harmonics up to 3.5 kHz, weaker as they rise, with phases that make it peaky.
    fn vowel(pitch_hz: f32, length: usize) -> Vec<f32> {
        let harmonics = (3500.0 / pitch_hz) as usize;
        let at = |i: usize, k: usize| (TAU * pitch_hz * k as f32 * i as f32 / 48_000.0).cos() / k as f32;
        (0..length).map(|i| 0.1 * (1..=harmonics).map(|k| at(i, k)).sum::<f32>()).collect()
    }

    fn tones(hz: &[f32], length: usize) -> Vec<f32> {
        let at = |i: usize, hz: f32| 0.1 * (TAU * hz * i as f32 / 48_000.0).sin();
        (0..length).map(|i| hz.iter().map(|hz| at(i, *hz)).sum()).collect()
    }

    fn noise(length: usize) -> Vec<f32> {
        let mut state = 1_u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 23) as f32 - 1.0
        };
        (0..length).map(|_| 0.1 * next()).collect()
    }

    /// 20 ms that have been played, 20 ms that may be changed.
    const HISTORY: usize = 960;
    const LENGTH_48: usize = 1920;

    fn wish(change: Change) -> Wish {
        Wish { change, start: HISTORY, at_most: LONGEST_LAG, quiet: 1e-5 }
    }

    const BOTH: [Change; 2] = [Change::Faster, Change::Slower];

    /// What comes out, and by which seam.
    fn changed(sound: &[f32], width: usize, wish: Wish) -> Option<(Vec<f32>, Seam)> {
        let seam = seam(sound, width, wish)?;
        let (mut out, length) = (sound.to_vec(), sound.len() / width);
        match wish.change {
            Change::Faster => {
                seam.cut(&mut out, width);
                out.truncate((length - seam.lag) * width);
            }
            Change::Slower => {
                out.resize((length + seam.lag) * width, f32::NAN);
                seam.repeat(&mut out, length, width);
            }
        }
        Some((out, seam))
    }

    /// The sharpest bend: a click shows as one that was not there before.
    fn sharpest(sound: &[f32]) -> f32 {
        sound.windows(3).map(|at| (at[0] - 2.0 * at[1] + at[2]).abs()).fold(0.0, f32::max)
    }

    fn assert_whole_periods_without_a_click(sound: &[f32], hz: f32, change: Change) {
        let (out, seam) = changed(sound, 1, wish(change)).unwrap_or_else(|| panic!("{hz} Hz, {change:?}"));
        let period = 48_000.0 / hz;
        let periods = (seam.lag as f32 / period).round();
        // The nearest whole lag is half a sample away at most; its neighbour can be as good where the sound is smooth.
        assert!((seam.lag as f32 - periods * period).abs() <= 1.0, "{hz} Hz, {change:?}: {seam:?}");
        // Half a sample of misfit, blended in, bends no sharper than the sound itself; 5 % for the gain of the blend.
        assert!(sharpest(&out) <= 1.05 * sharpest(sound), "{hz} Hz, {change:?}: {seam:?}");
    }

    #[test]
    fn whole_periods_of_any_voice_go_and_come_without_a_click() {
        for hz in (70..=400).step_by(7).map(|hz| hz as f32) {
            for change in BOTH {
                assert_whole_periods_without_a_click(&vowel(hz, LENGTH_48), hz, change);
                assert_whole_periods_without_a_click(&tones(&[hz], LENGTH_48), hz, change);
            }
        }
    }

    #[test]
    fn no_more_goes_or_comes_than_is_tolerable() {
        for change in BOTH {
            for at_most in 0..LONGEST_LAG {
                let seam = seam(&vowel(250.0, LENGTH_48), 1, Wish { at_most, ..wish(change) });
                assert_eq!(seam.is_some(), at_most >= 195, "at most {at_most}");
                assert!(seam.is_none_or(|seam| seam.lag <= at_most && at_most < seam.lag + 195));
            }
        }
    }

    #[test]
    fn what_surrounds_the_seam_stays_bit_by_bit() {
        let sound = vowel(123.0, LENGTH_48);
        for change in BOTH {
            let (out, seam) = changed(&sound, 1, wish(change)).unwrap();
            let (before, after) = match change {
                Change::Faster => (seam.end - seam.lag - seam.fade, seam.end),
                Change::Slower => (seam.end - seam.fade, seam.end - seam.lag),
            };
            assert!(before >= HISTORY);
            assert_eq!(out[..before], sound[..before]);
            assert_eq!(out[before + seam.fade..], sound[after..]);
        }
    }

    #[test]
    fn a_chord_without_a_common_period_is_left_alone() {
        let chords = [
            [440.0, 587.0, 701.0],
            [523.0, 659.3, 831.0],
            [352.0, 467.0, 557.0],
            [329.0, 437.0, 587.0],
            [293.0, 419.0, 631.0],
            [233.0, 401.0, 503.0],
        ];
        for chord in chords {
            for change in BOTH {
                let seam = seam(&tones(&chord, LENGTH_48), 1, wish(change));
                assert_eq!(seam, None, "{chord:?} {change:?}");
            }
        }
    }

    #[test]
    fn high_tones_are_no_hiss() {
        for change in BOTH {
            let sound = tones(&[3010.0, 4130.0, 5570.0], LENGTH_48);
            let seam = seam(&sound, 1, wish(change));
            assert!(seam.is_none_or(|seam| seam.likeness > ALIKE));
        }
    }

    #[test]
    fn hiss_is_changed_at_the_same_loudness_and_without_a_click() {
        let sound = noise(LENGTH_48);
        for change in BOTH {
            let (out, seam) = changed(&sound, 1, wish(change)).expect("noise is no period, but hiss");
            // Midway both are weighted 0.71: their peaks add up to 1.42 of one's at most.
            assert!(sharpest(&out) <= 1.42 * sharpest(&sound));
            let from = if change == Change::Faster { seam.end - seam.lag } else { seam.end } - seam.fade;
            let power = |sound: &[f32]| sound.iter().map(|s| s * s).sum::<f32>() / sound.len() as f32;
            let ratio = power(&out[from..from + seam.fade]) / power(&sound);
            // White noise of 480 samples has its power to ±13 % (two sigma).
            assert!((ratio - 1.0).abs() < 0.15, "{ratio} {seam:?}");
        }
    }

    #[test]
    fn a_burst_is_not_touched() {
        // Silence, and 12 ms before the end a loud noise.
        let mut sound = noise(LENGTH_48);
        sound[..LENGTH_48 - 576].iter_mut().for_each(|sample| *sample *= 1e-4);
        for change in BOTH {
            let seam = seam(&sound, 1, wish(change));
            let touched = seam.map_or(0, |seam| seam.end);
            // The low-pass looks half a millisecond around: as much of the burst may go unseen in the last, faintest part.
            assert!(touched <= LENGTH_48 - 576 + 24, "{change:?}: {seam:?}");
        }
    }

    #[test]
    fn an_onset_is_refused() {
        // A voice that begins 8 ms before the end, with nothing to match it but itself for less than a fade.
        let mut sound = vowel(90.0, LENGTH_48);
        sound[..LENGTH_48 - 384].fill(0.01);
        sound[..HISTORY].iter_mut().zip(vowel(143.0, HISTORY)).for_each(|(to, voice)| *to = voice);
        let seam = seam(&sound, 1, Wish { start: LENGTH_48 - 480, ..wish(Change::Slower) });
        assert_eq!(seam, None);
    }

    #[test]
    fn silence_and_what_is_quiet_give_all_that_is_asked() {
        for change in BOTH {
            let seam_of =
                |sound: &[f32], quiet| seam(sound, 1, Wish { quiet, ..wish(change) }).map(|s| s.lag);
            assert_eq!(seam_of(&[0.0; LENGTH_48], 1e-5), Some(LONGEST_LAG - STEP / 2));
            // −52 dBFS of anything, and 32 dB under a loud voice.
            let chord = tones(&[261.0, 329.6, 415.3], LENGTH_48);
            let scaled = |gain: f32| chord.iter().map(|sample| sample * gain).collect::<Vec<_>>();
            assert!(seam_of(&scaled(0.02), 1e-5).is_some());
            assert!(seam_of(&scaled(0.1), 0.25e-3).is_some());
        }
    }

    #[test]
    fn both_channels_lose_the_same_period() {
        let (left, right) = (vowel(150.0, LENGTH_48), vowel(300.0, LENGTH_48));
        let sound: Vec<f32> = left.iter().zip(&right).flat_map(|(l, r)| [*l, 0.5 * *r]).collect();
        for change in BOTH {
            let (out, seam) = changed(&sound, 2, wish(change)).unwrap();
            assert!(seam.lag.abs_diff(320) <= 1 || seam.lag.abs_diff(640) <= 1, "{seam:?}");
            let each = |side: usize| out.iter().skip(side).step_by(2).copied().collect::<Vec<_>>();
            assert!(sharpest(&each(0)) <= 1.05 * sharpest(&left));
            assert!(sharpest(&each(1)) <= 1.05 * 0.5 * sharpest(&right));
        }
    }

    fn any_sample() -> impl Strategy<Value = f32> {
        prop_oneof![4 => -1.0..1.0_f32, 1 => any::<f32>(), 1 => Just(f32::NAN), 1 => Just(1e-40)]
    }

    proptest! {
        #[test]
        fn whatever_comes_in_lengths_add_up(
            pattern in prop::collection::vec(any_sample(), 1..200),
            length in 0..4000_usize,
            start in 0..4000_usize,
            at_most in 0..2000_usize,
            width in 1..=2_usize,
            change in prop_oneof![Just(Change::Faster), Just(Change::Slower)],
        ) {
            let sound: Vec<f32> = pattern.iter().cycle().take(length * width).copied().collect();
            if let Some((out, seam)) = changed(&sound, width, Wish { change, start, at_most, quiet: 1e-5 }) {
                prop_assert!((SHORTEST_LAG..=at_most.min(LONGEST_LAG)).contains(&seam.lag));
                prop_assert_eq!(out.len() / width, if change == Change::Faster { length - seam.lag } else { length + seam.lag });
                let bits = |sound: &[f32]| sound.iter().map(|s| s.to_bits()).collect::<Vec<_>>();
                let played = start.min(length) * width;
                prop_assert_eq!(bits(&out[..played]), bits(&sound[..played]));
            }
        }
    }
}
