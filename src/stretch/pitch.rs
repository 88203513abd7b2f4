//! Where sound repeats itself, and after how long: [`Low`] sound comes in, a lag and a place leave.
//!
//! Two stretches, a lag apart, are as alike as what differs between them is weak: 1 − |x − y|² / (|x|² + |y|² + floor).
//! That is the normalised cross-correlation for stretches of the same energy and less for others, so an onset is no
//! match; the floor makes all that is quiet alike. Each lag of 2.5 to 15 ms is tried at each millisecond, as in WSOLA (W.
//! Verhelst, M. Roelands, ICASSP 1993).

use super::low::{LENGTH, Low};

/// Lags at 8 kHz: 2.5 ms …
pub(super) const SHORTEST: usize = 20;
/// … to 15 ms.
pub(super) const LONGEST: usize = 120;
/// One more, to tell a peak from a slope.
const LAST: usize = LONGEST + 1;
/// As many, rounded up to whole lanes.
const LAGS: usize = (LAST - SHORTEST + 1).next_multiple_of(LANES);
const LANES: usize = 8;
/// 1 ms.
const HOP: usize = 8;
/// 10 ms are compared.
pub(super) const WINDOW: usize = WINDOW_HOPS * HOP;
const WINDOW_HOPS: usize = 10;
/// 2.5 ms: no cross-fade is shorter.
pub(super) const SHORTEST_FADE: usize = 20;
/// So much less alike may a longer lag be that is taken because one long seam is better than two short ones.
const NEARLY: f32 = 0.02;

/// What is to happen to time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    Faster,
    Slower,
}

/// What a search may choose from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) change: Change,
    /// Where sound begins that may be changed; what is before can be looked at.
    pub(super) start: usize,
    pub(super) longest: usize,
    /// The mean square of what is too quiet to matter.
    pub(super) floor: f32,
}

/// Two stretches that are alike: one ends at `end`, the other `lag` before it. All at 8 kHz.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Match {
    pub(super) end: usize,
    pub(super) lag: usize,
    pub(super) likeness: f32,
}

/// One value for each lag, the longest lag first: as the samples lie that it leads to.
type Row = [f32; LAGS];

/// The best match within `limits`, the longest of those that are nearly as good.
///
/// # Real-time
/// Safe.
pub(super) fn search(low: &Low, limits: Limits) -> Option<Match> {
    let energies = running_energy(&low.samples);
    let mut best = Best { likeness: [0.0; LAGS], end: [0; LAGS] };
    let (mut sums, mut hops) = ([0.0; LAGS], [[0.0; LAGS]; WINDOW_HOPS]);
    let from = (limits.start + SHORTEST_FADE).saturating_sub(WINDOW).max(LAST).div_ceil(HOP);
    for hop in from..LENGTH / HOP {
        advance(&mut sums, &mut hops[hop % WINDOW_HOPS], &low.samples, hop * HOP);
        if hop + 1 >= from + WINDOW_HOPS {
            let end = (hop + 1) * HOP;
            best.rate(&sums, &energies, end, limits.longest_at(end, low.first), limits.floor);
        }
    }
    best.longest(limits.longest.min(LONGEST))
}

/// Before each sample, the energy of all that came before.
fn running_energy(samples: &[f32; LENGTH]) -> [f32; LENGTH + 1] {
    let mut energies = [0.0; LENGTH + 1];
    let mut sum = 0.0;
    for (energy, sample) in energies[1..].iter_mut().zip(samples) {
        sum += sample * sample;
        *energy = sum;
    }
    energies
}

/// Moves the window over which products are summed by a hop, to end at `from + HOP`.
fn advance(sums: &mut Row, oldest: &mut Row, samples: &[f32; LENGTH], from: usize) {
    let past = &samples[from - LAST..][..LAGS + HOP];
    let present = &samples[from..from + HOP];
    let rows = sums.chunks_exact_mut(LANES).zip(oldest.chunks_exact_mut(LANES));
    for (group, (sums, oldest)) in rows.enumerate() {
        let mut newest = [0.0; LANES];
        for (sample, past) in present.iter().zip(past[group * LANES..].windows(LANES)) {
            for lane in 0..LANES {
                newest[lane] += sample * past[lane];
            }
        }
        for lane in 0..LANES {
            sums[lane] += newest[lane] - oldest[lane];
        }
        oldest.copy_from_slice(&newest);
    }
}

/// How alike the best place of each lag is, and where its windows end.
struct Best {
    likeness: Row,
    end: [u32; LAGS],
}

impl Best {
    /// Notes for each lag up to `longest` whether it fits better with windows that end at `end` than anywhere before.
    fn rate(&mut self, sums: &Row, energies: &[f32; LENGTH + 1], end: usize, longest: usize, floor: f32) {
        if longest < SHORTEST {
            return;
        }
        let (rows, past_end) = (LAST - longest..LAST - SHORTEST + 1, end - longest);
        // 1 − |x − y|² / (|x|² + |y|² + quiet) = (quiet + 2 x·y) / (|x|² + |y|² + quiet)
        let quiet = 2.0 * WINDOW as f32 * floor;
        let all = quiet + energies[end] - energies[end - WINDOW];
        let past = energies[past_end..].iter().zip(&energies[past_end - WINDOW..]);
        let end = end as u32;
        let best = self.likeness[rows.clone()].iter_mut().zip(&mut self.end[rows.clone()]);
        for (((likeness, best_end), sum), (until, from)) in best.zip(&sums[rows]).zip(past) {
            let now = (quiet + 2.0 * sum) / (all + (until - from));
            // Bits instead of a branch, so that four lags go at once.
            let better = u32::from(now > *likeness).wrapping_neg();
            *best_end = (end & better) | (*best_end & !better);
            *likeness = likeness.max(now);
        }
    }

    /// The best up to `longest`, or the longest that is nearly as good; a peak in any case.
    fn longest(&self, longest: usize) -> Option<Match> {
        let of =
            |lag: usize| LAST.checked_sub(lag).and_then(|row| self.likeness.get(row)).copied().unwrap_or(0.0);
        let is_peak = |lag: &usize| of(*lag) >= of(lag - 1) && of(*lag) >= of(lag + 1);
        let peaks = || (SHORTEST..=longest).rev().filter(is_peak);
        let top = peaks().map(of).fold(0.0, f32::max);
        let lag = peaks().find(|lag| of(*lag) >= top - NEARLY)?;
        let end = self.end.get(LAST - lag).map_or(0, |end| *end as usize);
        (of(lag) > 0.0).then_some(Match { end, lag, likeness: of(lag) })
    }
}

impl Limits {
    /// The longest lag whose cross-fade finds room before `end`, and one more than is wanted.
    fn longest_at(self, end: usize, first: usize) -> usize {
        let begin = match self.change {
            Change::Faster => self.start.max(first),
            Change::Slower if end < self.start + SHORTEST_FADE => return 0,
            Change::Slower => first,
        };
        // The windows too must lie within what was filtered.
        let most = end.saturating_sub(begin + SHORTEST_FADE).min(end.saturating_sub(WINDOW));
        most.min(self.longest + 1).min(LAST)
    }
}
