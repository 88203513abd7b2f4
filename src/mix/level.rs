//! How loud a frame is, and whether it is a pause. Decoded frames come in, in the lengths packets have.

use super::{Db, syllables::Syllables, true_peak::peak_of};
use crate::{
    frame::Channels,
    time::{RATE_HZ, Samples},
};

/// How loud a frame is, in dBFS: a square wave at full scale has 0 dB of either.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Level {
    /// The highest sample.
    pub peak: Db,
    /// The root of the mean square, over all channels.
    pub rms: Db,
}

impl Level {
    /// Measures a frame; an empty one is silent.
    ///
    /// # Real-time
    /// Safe.
    #[must_use]
    pub fn of(frame: &[f32]) -> Self {
        Self { peak: Db::from_linear(peak_of(frame)), rms: rms_of(frame) }
    }
}

fn rms_of(frame: &[f32]) -> Db {
    Db::from_linear((energy(frame) / frame.len().max(1) as f32).sqrt())
}

/// The level of the loudest 5 ms.
fn loudest_part(channels: Channels, frame: &[f32]) -> Db {
    let part = PART * channels.count();
    let power = |part: &[f32]| energy(part) / part.len() as f32;
    Db::from_linear(frame.chunks(part).map(power).fold(0.0, f32::max).sqrt())
}

/// The sum of squares, eight side by side.
fn energy(frame: &[f32]) -> f32 {
    let mut sums = [0.0; 8];
    for part in frame.chunks(8) {
        sums.iter_mut().zip(part).for_each(|(sum, sample)| *sum += sample * sample);
    }
    sums.iter().sum()
}

/// Tells pauses from voice by following the background noise at its lowest (minimum statistics: R. Martin, "Noise power
/// spectral density estimation based on optimal smoothing and minimum statistics", IEEE Trans. SAP 9, 2001; here of the
/// whole band and without the smoothing). Steady sound that is loud, as music is, is no pause. And talk from what is
/// neither: talk pauses, and has syllables.
#[derive(Clone, Debug)]
pub struct Activity {
    floor: Db,
    /// What is left of the time after speech that is no pause yet.
    hang_over: Samples,
    since_pause: Samples,
    syllables: Syllables,
}

impl Activity {
    /// Nothing heard yet: the background is assumed to be silent, so that nothing soft is taken for a pause.
    ///
    /// # Real-time
    /// Safe.
    #[must_use]
    pub fn new() -> Self {
        Self {
            floor: LOWEST_FLOOR,
            hang_over: Samples::ZERO,
            since_pause: Samples::ZERO,
            syllables: Syllables::default(),
        }
    }

    /// Hears the next frame: is it a pause? One that is `voiced`, as its codec says, is none.
    ///
    /// # Real-time
    /// Safe.
    pub fn is_pause(&mut self, channels: Channels, frame: &[f32], voiced: bool) -> bool {
        let length = Samples::new((frame.len() / channels.count()) as u64);
        let rms = rms_of(frame);
        self.syllables.hear(rms, length);
        let pause = self.hear(rms, loudest_part(channels, frame), voiced, length);
        self.since_pause = if pause { Samples::ZERO } else { self.since_pause + length };
        pause
    }

    /// Was what was heard last part of a talk? It had a syllable's end in the last 1.5 s and a pause in the last 5.
    ///
    /// # Real-time
    /// Safe.
    #[must_use]
    pub fn is_talk(&self) -> bool {
        self.since_pause < LONGEST_SENTENCE && self.syllables.are_heard()
    }

    /// A frame is as loud as its loudest part: an onset in its last milliseconds is no pause.
    fn hear(&mut self, rms: Db, loudest: Db, voiced: bool, length: Samples) -> bool {
        if rms <= Db::SILENCE {
            self.hang_over = Samples::ZERO;
            return true;
        }
        self.follow(rms, length);
        if voiced || !self.is_quiet(loudest) {
            self.hang_over = HANG_OVER;
            return false;
        }
        let over = self.hang_over.is_empty();
        self.hang_over = self.hang_over - length;
        over
    }

    /// The background noise, as far as known.
    ///
    /// # Real-time
    /// Safe.
    #[must_use]
    pub fn floor(&self) -> Db {
        self.floor
    }

    /// Falls to a lower level at once, rises towards a higher one slowly.
    fn follow(&mut self, rms: Db, length: Samples) {
        let risen = self.floor.0 + RISE_DB_PER_S * length.count() as f32 / RATE_HZ as f32;
        self.floor = Db(rms.0.min(risen).max(LOWEST_FLOOR.0));
    }

    fn is_quiet(&self, rms: Db) -> bool {
        rms < QUIET || (rms.0 < self.floor.0 + MARGIN_DB && rms < LOUD)
    }
}

impl Default for Activity {
    fn default() -> Self {
        Self::new()
    }
}

/// Softer than this is a pause in any room.
const QUIET: Db = Db(-60.0);
/// Louder than this is never a pause, however steady.
const LOUD: Db = Db(-35.0);
/// How far above the background a pause may be, in each of its parts: noise scatters by 2 dB in 5 ms, and the background is
/// its lowest frame.
const MARGIN_DB: f32 = 7.0;
/// 5 ms.
const PART: usize = 240;
/// So slow that a sentence without a breath does not pass for background, so fast that a fan that starts does in seconds.
const RISE_DB_PER_S: f32 = 3.0;
/// Below this a floor would not count, [`QUIET`] does; but to rise from there again would take long.
const LOWEST_FLOOR: Db = Db(QUIET.0 - MARGIN_DB);
/// Words have gaps (stops last up to some 60 ms) and soft ends; a pause is longer.
const HANG_OVER: Samples = Samples::from_ms(100);
/// Voices pause at least this often; what goes on for longer is taken for music: 5 s.
const LONGEST_SENTENCE: Samples = Samples::from_ms(5000);

#[cfg(test)]
mod tests {
    use super::*;
    use std::f32::consts::TAU;

    struct Noise(u32);

    impl Noise {
        /// White, with the RMS level given.
        fn next(&mut self, rms: Db) -> f32 {
            self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            3_f32.sqrt() * rms.to_linear() * ((self.0 >> 8) as f32 / (1 << 23) as f32 - 1.0)
        }
    }

    /// Is second `t` within a word? Words of 0.7 s, breaks of 0.5 s.
    fn speaks(t: f32) -> bool {
        t % 1.2 < 0.7
    }

    /// Twenty seconds of words over noise: a buzz of 150 Hz in syllables, four a second, that fall by 20 dB between.
    fn speech(voice: Db, noise: Db) -> Vec<f32> {
        let mut hiss = Noise(1);
        let word = |t: f32| {
            let syllable = 0.1 + 0.9 * (TAU * 2.0 * t).sin().abs();
            let buzz: f32 = (1..9).map(|k| (TAU * 150.0 * k as f32 * t).sin()).sum();
            voice.to_linear() * syllable * buzz / 2.0
        };
        (0..960_000)
            .map(|n| n as f32 / 48_000.0)
            .map(|t| if speaks(t) { word(t) } else { 0.0 } + hiss.next(noise))
            .collect()
    }

    /// The share of frames that are pauses, of those within words and of those in breaks (beyond the hang-over and a
    /// frame), from the tenth second on.
    fn shares(signal: &[f32], frame: usize) -> (f32, f32) {
        let mut activity = Activity::new();
        let (mut words, mut breaks) = ((0.0, 0.0_f32), (0.0, 0.0_f32));
        for (index, samples) in signal.chunks_exact(frame).enumerate() {
            let pause = f32::from(u8::from(activity.is_pause(Channels::Mono, samples, false)));
            let (start, end) = ((index * frame) as f32 / 48_000.0, ((index + 1) * frame) as f32 / 48_000.0);
            let hung = start - 0.1 - frame as f32 / 48_000.0;
            if start < 10.0 {
            } else if speaks(start) && speaks(end) {
                words = (words.0 + pause, words.1 + 1.0);
            } else if !speaks(start) && !speaks(end) && !speaks(hung) {
                breaks = (breaks.0 + pause, breaks.1 + 1.0);
            }
        }
        (words.0 / words.1, breaks.0 / breaks.1)
    }

    #[test]
    fn words_over_noise_are_told_from_breaks() {
        for (voice, noise) in [(-20.0, -75.0), (-20.0, -50.0), (-30.0, -60.0), (-18.0, -42.0), (-34.0, -64.0)]
        {
            let signal = speech(Db(voice), Db(noise));
            for frame in [120, 480, 960, 2880] {
                let (words, breaks) = shares(&signal, frame);
                // The soft ends of words may pass for pauses, and 2.5 ms of noise scatter by ±1 dB.
                assert!(
                    words < 0.05,
                    "voice {voice}, noise {noise}, frame {frame}: {words} of the words lost"
                );
                assert!(
                    breaks > 0.9,
                    "voice {voice}, noise {noise}, frame {frame}: {breaks} of the breaks found"
                );
            }
        }
    }

    #[test]
    fn steady_music_is_no_pause() {
        let chord = |n: i32| [220.0, 277.2, 329.6].map(|hz| (TAU * hz * n as f32 / 48_000.0).sin() * 0.05);
        let music: Vec<f32> = (0..960_000).map(|n| chord(n).iter().sum()).collect();
        let mut activity = Activity::new();
        assert!(!music.chunks(960).any(|frame| activity.is_pause(Channels::Mono, frame, false)));
        assert!(activity.floor() > LOUD);
    }

    #[test]
    fn digital_silence_is_a_pause_at_once() {
        let mut activity = Activity::new();
        assert!(!activity.is_pause(Channels::Mono, &[0.3; 960], false));
        assert!(activity.is_pause(Channels::Mono, &[0.0; 120], false));
        assert!(activity.is_pause(Channels::Mono, &[], false));
    }

    #[test]
    fn a_gap_within_a_word_is_no_pause() {
        let mut activity = Activity::new();
        activity.is_pause(Channels::Stereo, &[0.3; 2 * 960], false);
        let soft = [1e-4; 2 * 960];
        let heard: Vec<bool> = (0..7).map(|_| activity.is_pause(Channels::Stereo, &soft, false)).collect();
        assert_eq!(heard, [false, false, false, false, false, true, true]);
    }

    #[test]
    fn an_onset_at_a_frames_end_is_no_pause_nor_is_what_the_codec_calls_a_voice() {
        let mut activity = Activity::new();
        let (soft, mut onset) = ([1e-4; 960], [1e-4; 960]);
        assert!(activity.is_pause(Channels::Mono, &soft, false));
        // 2.5 ms of −54 dBFS are −63 dBFS over the frame: a quiet one as a whole.
        onset[840..].fill(2e-3);
        assert!(!activity.clone().is_pause(Channels::Mono, &onset, false));
        assert!(!activity.is_pause(Channels::Mono, &soft, true));
    }

    #[test]
    fn words_are_talk_soon_and_music_never() {
        let (mut talk, mut music) = (Activity::new(), Activity::new());
        let words = speech(Db(-20.0), Db(-60.0));
        let chord = |n: i32| [220.0, 277.2, 329.6].map(|hz| (TAU * hz * n as f32 / 48_000.0).sin() * 0.05);
        let chords: Vec<f32> = (0..960_000).map(|n| chord(n).iter().sum()).collect();
        let mut talks = 0;
        for (word, chord) in words.chunks(960).zip(chords.chunks(960)) {
            talk.is_pause(Channels::Mono, word, false);
            music.is_pause(Channels::Mono, chord, false);
            talks += u32::from(talk.is_talk());
            assert!(!music.is_talk());
        }
        assert!(talks > 1000 - 50, "all but the first second: {talks}");
    }

    #[test]
    fn the_floor_falls_at_once_and_rises_slowly() {
        let mut activity = Activity::new();
        let mut noise = Noise(3);
        let mut second = |activity: &mut Activity, rms| {
            for _ in 0..50 {
                let frame: Vec<f32> = (0..960).map(|_| noise.next(Db(rms))).collect();
                activity.is_pause(Channels::Mono, &frame, false);
            }
            activity.floor().0
        };
        assert!((second(&mut activity, -40.0) + 64.0).abs() < 0.1);
        for _ in 0..9 {
            second(&mut activity, -40.0);
        }
        assert!((activity.floor().0 + 40.0).abs() < 1.0);
        assert!((second(&mut activity, -58.0) + 58.0).abs() < 1.0);
    }

    #[test]
    fn a_level_is_in_decibels_below_full_scale() {
        let level = Level::of(&[0.5, -0.5, 0.5, -0.5, 0.5]);
        assert!((level.rms.0 + 6.02).abs() < 0.01 && (level.peak.0 + 6.02).abs() < 0.01);
        assert_eq!(Level::of(&[]).rms, Db::SILENCE);
    }
}
