//! The delay that NetEq aims at (libwebrtc, `modules/audio_coding/neteq`, 2026): relative delays of arrivals come in, the
//! target leaves. A quantile of the largest delay of each half second, or more where reordering pays.

use crate::{measure::FRAME_MS, trace::Trace};
use std::collections::BTreeMap;

/// Histograms have 100 buckets of 20 ms (`underrun_optimizer.cc`, `reorder_optimizer.cc`).
const BUCKETS: usize = 100;
const BUCKET_MS: f64 = 20.0;
/// The weight of the first samples (`delay_manager.h`).
const START_WEIGHT: f64 = 2.0;
/// Before anything is known (`delay_manager.cc`).
const START_MS: f64 = 80.0;
/// What arrivals are compared with (`decision_logic.cc`).
const HISTORY_MS: f64 = 2000.0;
/// What the reorder optimizer lets one percent of loss cost (`delay_manager.h`).
const MS_PER_LOSS_PERCENT: f64 = 20.0;
const REORDER_FORGET: f64 = 0.9993;
const UNDERRUN_FORGET: f64 = 0.983;
/// Three quarters of the packet buffer (`delay_constraints.cc`).
const LARGEST_MS: f64 = 0.75 * 200.0 * FRAME_MS;

/// What can be set from outside, by field trial.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tuning {
    pub(crate) quantile: f64,
    pub(crate) resample_ms: f64,
    /// Does the largest delay of the last two seconds widen the range in which nothing is sped up?
    pub(crate) has_dead_zone: bool,
}

impl Default for Tuning {
    fn default() -> Self {
        Self { quantile: 0.95, resample_ms: 500.0, has_dead_zone: true }
    }
}

#[derive(Debug)]
pub(super) struct Target {
    pub(super) tuning: Tuning,
    pub(super) arrivals: Arrivals,
    underrun: Histogram,
    reorder: Histogram,
    interval_began_ms: Option<f64>,
    interval_max_ms: f64,
    underrun_ms: f64,
    target_ms: f64,
}

impl Target {
    pub(super) fn new(tuning: Tuning) -> Self {
        Self {
            tuning,
            arrivals: Arrivals::default(),
            underrun: Histogram::new(UNDERRUN_FORGET),
            reorder: Histogram::new(REORDER_FORGET),
            interval_began_ms: None,
            interval_max_ms: 0.0,
            underrun_ms: START_MS,
            target_ms: START_MS,
        }
    }

    pub(super) fn ms(&self) -> f64 {
        self.target_ms.min(LARGEST_MS)
    }

    /// A frame arrived within the tick that began at `tick_ms`.
    pub(super) fn arrived(&mut self, frame: usize, tick_ms: f64) {
        let is_reordered = self.arrivals.newest().is_some_and(|newest| frame < newest);
        if !self.arrivals.insert(frame, tick_ms) || self.arrivals.count() < 2 {
            return;
        }
        let late_ms = self.arrivals.late_ms(Trace::media_ms(frame), tick_ms);
        if !is_reordered {
            self.in_order(late_ms, tick_ms);
        }
        self.reorder.add(if is_reordered { bucket(late_ms) } else { 0 });
        self.target_ms = self.underrun_ms.max(self.reorder_ms());
    }

    fn in_order(&mut self, late_ms: f64, tick_ms: f64) {
        let began_ms = *self.interval_began_ms.get_or_insert(tick_ms);
        if tick_ms - began_ms > self.tuning.resample_ms {
            self.underrun.add(bucket(self.interval_max_ms));
            self.underrun_ms = BUCKET_MS * (1 + self.underrun.quantile(self.tuning.quantile)) as f64;
            self.interval_began_ms = Some(tick_ms);
            self.interval_max_ms = 0.0;
        }
        self.interval_max_ms = self.interval_max_ms.max(late_ms);
    }

    /// The delay that is cheapest when each percent of reordered packets that come too late costs 20 ms.
    fn reorder_ms(&self) -> f64 {
        let (mut loss, mut best) = (1.0, (f64::INFINITY, 0));
        for (place, share) in self.reorder.shares.iter().enumerate() {
            loss -= share;
            let delay_ms = (place as f64 * BUCKET_MS - self.underrun_ms).max(0.0);
            let cost = delay_ms + 100.0 * MS_PER_LOSS_PERCENT * loss;
            if cost < best.0 - 1e-9 {
                best = (cost, place);
            }
        }
        BUCKET_MS * (1 + best.1) as f64
    }
}

fn bucket(late_ms: f64) -> usize {
    (late_ms / BUCKET_MS) as usize
}

/// Shares that sum to 1 and fade geometrically (`histogram.cc`).
#[derive(Clone, Debug)]
struct Histogram {
    shares: [f64; BUCKETS],
    forget: f64,
    added: u32,
}

impl Histogram {
    fn new(forget: f64) -> Self {
        Self { shares: [0.0; BUCKETS], forget, added: 0 }
    }

    /// What lies beyond the last bucket is not counted at all.
    fn add(&mut self, bucket: usize) {
        if bucket >= BUCKETS {
            return;
        }
        let early = 1.0 - START_WEIGHT / f64::from(self.added + 1);
        let keep = early.clamp(0.0, self.forget);
        self.shares.iter_mut().for_each(|share| *share *= keep);
        self.shares[bucket] += 1.0 - keep;
        self.added += 1;
    }

    fn quantile(&self, quantile: f64) -> usize {
        let mut left = 1.0;
        let above = |share: &f64| {
            left -= share;
            left <= 1.0 - quantile + 1e-9
        };
        self.shares.iter().position(above).unwrap_or(BUCKETS - 1)
    }
}

/// When the frames of the last two seconds of media came (`packet_arrival_history.cc`).
#[derive(Clone, Debug, Default)]
pub(super) struct Arrivals {
    offsets_ms: BTreeMap<usize, f64>,
}

impl Arrivals {
    fn newest(&self) -> Option<usize> {
        self.offsets_ms.last_key_value().map(|(frame, _)| *frame)
    }

    fn count(&self) -> usize {
        self.offsets_ms.len()
    }

    /// Frames that are known already, or too old, do not count.
    fn insert(&mut self, frame: usize, tick_ms: f64) -> bool {
        let oldest = self.newest().map_or(0, |newest| newest.max(frame).saturating_sub(window()));
        if frame < oldest || self.offsets_ms.contains_key(&frame) {
            return false;
        }
        self.offsets_ms.insert(frame, tick_ms - Trace::media_ms(frame));
        self.offsets_ms = self.offsets_ms.split_off(&oldest);
        true
    }

    /// How late media of this time is if it comes now, compared with the quickest.
    pub(super) fn late_ms(&self, media_ms: f64, now_ms: f64) -> f64 {
        let quickest = self.offsets_ms.values().copied().fold(f64::INFINITY, f64::min);
        (now_ms - media_ms - quickest).max(0.0)
    }

    pub(super) fn latest_ms(&self) -> f64 {
        let offsets = self.offsets_ms.values().copied();
        let (low, high) = offsets.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), ms| {
            (f64::min(low, ms), f64::max(high, ms))
        });
        (high - low).max(0.0)
    }
}

fn window() -> usize {
    (HISTORY_MS / FRAME_MS) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_histogram_forgets_what_it_began_with_and_then_slowly() {
        let mut histogram = Histogram::new(0.983);
        histogram.add(7);
        assert_eq!(histogram.quantile(0.95), 7);
        (0..500).for_each(|_| histogram.add(1));
        assert_eq!(histogram.quantile(0.95), 1);
        // A twentieth of all samples stands at the quantile: 3 of .017 each are just more than that.
        (0..2).for_each(|_| histogram.add(9));
        assert_eq!(histogram.quantile(0.95), 1);
        histogram.add(9);
        assert_eq!(histogram.quantile(0.95), 9);
        assert!((histogram.shares.iter().sum::<f64>() - 1.0).abs() < 1e-9);
    }

    #[test]
    fn a_steady_network_has_the_smallest_target() {
        let mut target = Target::new(Tuning::default());
        assert!((target.ms() - 80.0).abs() < 1e-9);
        (0..100).for_each(|frame| target.arrived(frame, Trace::media_ms(frame)));
        assert!((target.ms() - 20.0).abs() < 1e-9);
    }

    #[test]
    fn reordering_is_paid_for_where_it_is_worth_it() {
        let mut target = Target::new(Tuning::default());
        for frame in (1..1000).filter(|frame| frame % 10 != 0) {
            target.arrived(frame, Trace::media_ms(frame));
            // Every tenth comes after the three that follow it: 60 ms late.
            if frame % 10 == 3 && frame > 10 {
                target.arrived(frame - 3, Trace::media_ms(frame));
            }
        }
        assert!((target.ms() - 80.0).abs() < 1e-9, "{}", target.ms());
    }

    #[test]
    fn arrivals_are_compared_with_the_quickest_of_two_seconds() {
        let mut arrivals = Arrivals::default();
        assert!(arrivals.insert(0, 0.0) && !arrivals.insert(0, 5.0));
        assert!(arrivals.insert(1, 50.0));
        assert!((arrivals.latest_ms() - 30.0).abs() < 1e-9);
        assert!((arrivals.late_ms(40.0, 90.0) - 50.0).abs() < 1e-9);
        // 101 frames on, the first has gone, and the second is the quickest.
        assert!(arrivals.insert(101, 2060.0));
        assert!((arrivals.late_ms(40.0, 90.0) - 20.0).abs() < 1e-9);
        assert!(!arrivals.insert(0, 2060.0));
    }
}
