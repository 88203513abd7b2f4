//! What a sender's own reports tell of its clock (RTCP, RFC 3550 §6.4.1). In come moments of its media clock and of its wall
//! clock; out comes how fast the two part, and whether the media clock stood still. No network has a hand in that; but
//! wall clocks are set, and senders err, so what is absurd is forgotten.

use std::collections::VecDeque;

/// So many are remembered: of five seconds each, some minutes.
const REMEMBERED: usize = 32;

/// Two clocks that part by more than a minute between two reports: one was set.
const SET: i64 = 60 * 48_000;

/// A pace is told by no less than four seconds.
const BASELINE: i64 = 4 * 48_000;

/// Crystals differ by some 100 ppm, reports are good to a millisecond.
const STEEPEST: f64 = 500e-6;
const ROUGH: f64 = 48.0;

/// One sender's reports of one run.
#[derive(Clone, Debug, Default)]
pub(super) struct Reports(VecDeque<Report>);

#[derive(Clone, Copy, Debug)]
struct Report {
    media: i64,
    wall: i64,
}

impl Report {
    /// By how much the wall clock gained on the media clock since `before`.
    fn gained(self, before: Self) -> i64 {
        self.wall.saturating_sub(before.wall).saturating_sub(self.media.saturating_sub(before.media))
    }

    fn since(self, before: Self) -> i64 {
        self.media.saturating_sub(before.media)
    }

    /// May the media clock have run through since `before`?
    fn runs_on_from(self, before: Self) -> bool {
        (self.gained(before) as f64).abs() <= STEEPEST * self.since(before) as f64 + ROUGH
    }
}

impl Reports {
    /// At this media sample the sender's wall clock stood there, in samples.
    pub(super) fn hear(&mut self, media: i64, wall: i64) {
        let report = Report { media, wall };
        if let Some(newest) = self.0.back().copied() {
            if media <= newest.media {
                return;
            }
            if wall <= newest.wall || report.gained(newest).saturating_abs() > SET {
                self.0.clear();
            }
        }
        self.0.push_back(report);
        self.0.drain(..self.0.len().saturating_sub(REMEMBERED));
    }

    /// They do not agree with what is seen: forgets them.
    pub(super) fn forget(&mut self) {
        self.0.clear();
    }

    /// How much the wall clock gains with each media sample, since the media clock last stood still.
    pub(super) fn pace(&self) -> Option<f64> {
        let newest = *self.0.back()?;
        let pairs = self.0.iter().rev().zip(self.0.iter().rev().skip(1));
        let through = pairs.take_while(|(report, before)| report.runs_on_from(**before));
        let first = *through.last()?.1;
        let pace = newest.gained(first) as f64 / newest.since(first).max(1) as f64;
        (newest.since(first) >= BASELINE && pace.abs() <= STEEPEST).then_some(pace)
    }

    /// For how long the media clock stood still somewhere between the reports around this media sample, if there are some.
    pub(super) fn stood_at(&self, media: i64) -> Option<i64> {
        let before = self.0.iter().rev().find(|report| report.media < media)?;
        let behind = self.0.iter().find(|report| report.media >= media)?;
        let drift = self.pace().unwrap_or(0.0) * behind.since(*before) as f64;
        Some(behind.gained(*before).saturating_sub(drift.round() as i64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A report every five seconds; the wall clock gains 100 ppm, and the media clock stood still before 22 s for a tenth.
    fn reports(seconds: i64) -> Reports {
        let mut reports = Reports::default();
        for at in (0..seconds).step_by(5) {
            let stood = if at > 22 { 4_800 } else { 0 };
            reports.hear(at * 48_000, 1_000_000 + at * 48_000 + at * 48 / 10 + stood);
        }
        reports
    }

    #[test]
    fn a_pace_is_known_with_the_second_report_and_again_behind_a_stall() {
        assert_eq!(reports(5).pace(), None);
        let pace = |seconds| reports(seconds).pace().map(|pace| (pace * 1e6).round());
        assert_eq!((pace(10), pace(25), pace(26), pace(35)), (Some(100.0), Some(100.0), None, Some(100.0)));
    }

    #[test]
    fn a_clock_that_stood_still_is_told_by_the_reports_around() {
        let reports = reports(60);
        assert_eq!(reports.stood_at(22 * 48_000), Some(4_800));
        assert_eq!(reports.stood_at(12 * 48_000), Some(0));
        assert_eq!(reports.stood_at(57 * 48_000), None);
    }

    #[test]
    fn a_wall_clock_that_is_set_is_forgotten() {
        let mut reports = reports(20);
        reports.hear(20 * 48_000, 5);
        assert_eq!((reports.pace(), reports.0.len()), (None, 1));
        reports.hear(25 * 48_000, 200 * 48_000);
        assert_eq!(reports.0.len(), 1);
    }

    proptest! {
        #[test]
        fn whatever_is_reported_a_pace_is_one_of_crystals(told in proptest::collection::vec(any::<(i64, i64)>(), 0..40)) {
            let mut reports = Reports::default();
            for (media, wall) in told {
                reports.hear(media, wall);
                prop_assert!(reports.pace().is_none_or(|pace| pace.abs() <= STEEPEST));
                let _ = reports.stood_at(media / 2);
                prop_assert!(reports.0.len() <= REMEMBERED);
            }
        }
    }
}
