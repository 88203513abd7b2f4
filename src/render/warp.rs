//! From a track to the room: the sender's clock ran a little faster or slower, and the track follows it in steps. In come
//! the manifest's clock points, out come samples that stand where they were said.
//!
//! A sample is the value, between the track's samples, at one moment that follows from the map alone: a resampler that
//! keeps its phase would make a range's samples depend on where the range began.

use crate::record::ClockPoint;
use std::{f64::consts::PI, ops::Range, sync::LazyLock};

/// A jump of the map by less is rounding: room samples are whole in it.
const ROUNDING: f64 = 1.5;

/// A stretch of the track with one clock.
#[derive(Clone, Copy, Debug)]
struct Piece {
    track: Range64,
    room: f64,
    /// Track samples for each room sample.
    pace: f64,
}

#[derive(Clone, Copy, Debug)]
struct Range64 {
    from: f64,
    to: f64,
}

/// A track's map.
#[derive(Clone, Debug)]
pub(super) struct Warp(Vec<Piece>);

impl Warp {
    pub(super) fn new(points: &[ClockPoint]) -> Self {
        let next = points.iter().skip(1).map(Some).chain([None]);
        Self(points.iter().zip(next).map(|(point, next)| piece(point, next)).collect())
    }

    /// Is every sample of the track where it was said?
    pub(super) fn is_straight(&self) -> bool {
        let straight = |piece: &Piece| {
            piece.pace.to_bits() == 1_f64.to_bits() && piece.track.from.to_bits() == piece.room.to_bits()
        };
        self.0.iter().all(straight)
    }

    /// What of the track is needed for `range` of the room.
    pub(super) fn needed(&self, range: &Range<u64>) -> Range<u64> {
        let reach = REACH as f64;
        let ends = [range.start, range.end - 1].map(|at| self.place(self.piece(at), at));
        let inside =
            self.0.iter().filter(|piece| (range.start as f64..range.end as f64).contains(&piece.room));
        let places =
            inside.flat_map(|piece| [piece.track.from, piece.track.from - (ROUNDING + 1.0)]).chain(ends);
        let (low, high) =
            places.fold((f64::MAX, 0.0_f64), |(low, high), place| (low.min(place), high.max(place)));
        let longest = high.max(low + (range.end - range.start) as f64 * 1.001);
        (low - reach).max(0.0) as u64..(longest + reach).max(0.0) as u64 + 1
    }

    /// `range` of the room from `sound`, the track's samples from `from` on; `width` channels.
    pub(super) fn apply(&self, sound: &[f32], from: u64, range: Range<u64>, width: usize) -> Vec<f32> {
        let mut out = vec![0.0; (range.end - range.start) as usize * width];
        let mut number = self.piece(range.start);
        for (at, frame) in range.zip(out.chunks_exact_mut(width)) {
            while self.0.get(number + 1).is_some_and(|next| next.room <= at as f64) {
                number += 1;
            }
            let place = self.place(number, at);
            if self.0.get(number).is_none_or(|piece| place < piece.track.to) {
                interpolate(sound, place - from as f64, frame);
            }
        }
        out
    }

    /// The last piece that begins at room sample `at` or before; the first before that.
    fn piece(&self, at: u64) -> usize {
        self.0.partition_point(|piece| piece.room <= at as f64).saturating_sub(1)
    }

    fn place(&self, number: usize, at: u64) -> f64 {
        self.0.get(number).map_or(at as f64, |piece| piece.track.from + (at as f64 - piece.room) * piece.pace)
    }
}

/// A piece leads to the next point, unless that is a jump.
fn piece(point: &ClockPoint, next: Option<&ClockPoint>) -> Piece {
    let (track, room) = (point.track_sample as f64, point.room_sample as f64);
    let told = 1.0 + point.ppm / 1e6;
    let to = next.map_or(f64::INFINITY, |next| next.track_sample as f64);
    let joined = next.filter(|next| (room + (to - track) * told - next.room_sample as f64).abs() < ROUNDING);
    let pace = match joined {
        Some(next) if next.room_sample > point.room_sample => {
            (to - track) / (next.room_sample - point.room_sample) as f64
        }
        _ => 1.0 / told,
    };
    // Rounding may not make a hole.
    let to = if joined.is_some() { to + 1.0 } else { to };
    Piece { track: Range64 { from: track, to }, room, pace }
}

/// How many samples on each side have a say: with so many and the window below, what is under 20 kHz is exact to −90 dB.
const REACH: usize = 32;
const PHASES: usize = 512;

/// A windowed sinc at each 512th of a sample.
static KERNELS: LazyLock<Vec<[f32; 2 * REACH]>> = LazyLock::new(|| (0..=PHASES).map(kernel).collect());

fn kernel(phase: usize) -> [f32; 2 * REACH] {
    let late = phase as f64 / PHASES as f64;
    let taps: [f64; 2 * REACH] = std::array::from_fn(|tap| sinc(tap as f64 - (REACH - 1) as f64 - late));
    let sum: f64 = taps.iter().sum();
    taps.map(|tap| (tap / sum) as f32)
}

/// A sinc in a window of cosines (Blackman and Harris, 4 terms, −92 dB).
fn sinc(at: f64) -> f64 {
    let turn = PI * (at / REACH as f64 + 1.0);
    if !(0.0..=2.0 * PI).contains(&turn) {
        return 0.0;
    }
    let window =
        0.358_75 - 0.488_29 * turn.cos() + 0.141_28 * (2.0 * turn).cos() - 0.011_68 * (3.0 * turn).cos();
    if at == 0.0 { 1.0 } else { (PI * at).sin() / (PI * at) * window }
}

/// The value of each channel at `place`, between the samples of `sound`; 0 beyond its ends.
fn interpolate(sound: &[f32], place: f64, out: &mut [f32]) {
    let (whole, width) = (place.floor(), out.len());
    let phase = (place - whole) * PHASES as f64;
    let (kernel, part) = (phase as usize, (phase - phase.floor()) as f32);
    let first = whole as i64 - (REACH as i64 - 1);
    let (near, far) = (&KERNELS[kernel], &KERNELS[(kernel + 1).min(PHASES)]);
    let skipped = (-first).clamp(0, 2 * REACH as i64) as usize;
    let from = sound.get((first.max(0) as usize).saturating_mul(width)..).unwrap_or_default();
    out.fill(0.0);
    let taps = near[skipped..].iter().zip(&far[skipped..]);
    for (frame, (near, far)) in from.chunks_exact(width).zip(taps) {
        let weight = near + (far - near) * part;
        out.iter_mut().zip(frame).for_each(|(out, sample)| *out += weight * sample);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(track_sample: u64, room_sample: i64, ppm: f64) -> ClockPoint {
        ClockPoint { track_sample, media_sample: 0, room_sample, ppm }
    }

    /// A tone of 1 kHz and one of 15 kHz.
    fn tones(at: f64) -> f32 {
        let tone = |hz: f64| (2.0 * PI * hz * at / 48_000.0).sin();
        (0.3 * tone(1_000.0) + 0.3 * tone(15_000.0)) as f32
    }

    #[test]
    fn a_clock_that_is_right_changes_no_bit() {
        let sound: Vec<f32> = (0..9_600).map(|at| tones(at as f64)).collect();
        let warp = Warp::new(&[point(100, 100, 0.0)]);
        assert!(warp.is_straight() && !Warp::new(&[point(100, 101, 0.0)]).is_straight());
        let out = warp.apply(&sound, 0, 1_000..8_000, 1);
        let off = out.iter().zip(&sound[1_000..]).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(off < 1e-6, "{off}");
    }

    #[test]
    fn a_clock_that_runs_fast_is_slowed_down_and_every_range_is_the_same() {
        // The room's clock goes 200 ppm faster: a minute of the sender's is 12 ms longer here.
        let warp = Warp::new(&[point(480, 500, 200.0), point(48_480, 48_510, 200.0)]);
        let said = |room: u64| 480.0 + (room as f64 - 500.0) / 1.0002;
        let needed = warp.needed(&(20_000..80_000));
        assert!(needed.start < said(20_000) as u64 - 31 && needed.end > said(79_999) as u64 + 32);
        let sound: Vec<f32> = needed.clone().map(|at| tones(at as f64)).collect();
        let out = warp.apply(&sound, needed.start, 20_000..80_000, 1);
        let off =
            (20_000..).zip(&out).map(|(room, sample)| (sample - tones(said(room))).abs()).fold(0.0, f32::max);
        // The second point is rounded by 0.4 of a sample over 48,000: 15 kHz is off by as much of its turn.
        assert!(off < 0.3, "{off}");
        let part = warp.needed(&(47_000..50_000));
        let again = warp.apply(&sound[(part.start - needed.start) as usize..], part.start, 47_000..50_000, 1);
        assert!(again == out[27_000..30_000]);
    }

    #[test]
    fn between_samples_a_wave_is_met_to_90_db() {
        let sound: Vec<f32> = (0..4_000).map(|at| tones(at as f64)).collect();
        let warp = Warp::new(&[point(0, 0, 37.0)]);
        let out = warp.apply(&sound, 0, 100..3_800, 1);
        let told = |room: usize| tones(room as f64 / (1.0 + 37e-6));
        let off =
            out.iter().enumerate().map(|(at, sample)| (sample - told(at + 100)).abs()).fold(0.0, f32::max);
        assert!(20.0 * off.log10() < -90.0, "{} dB", 20.0 * off.log10());
    }
}
