//! Where a lane made sound of its own: its counters, read after every tick, come in; spans of the mix leave. Kept only for
//! whoever asks ([`super::Options::history`]), since the report and `playout.csv` do not need it.

use super::span::Span;
use crate::{
    engine::SampleCounts,
    time::{SampleTime, Samples},
};

/// What one voice's jitter buffer did to its sound, in spans of the room clock, earliest first. A span ends with the tick
/// in which it was counted and is as long as what was counted, so all spans of a kind add up to the counter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// Invented.
    pub concealed: Vec<Span>,
    /// Made longer, by as much as the span is long.
    pub inserted: Vec<Span>,
    /// Made shorter, by as much as the span is long.
    pub removed: Vec<Span>,
}

/// A history in the making.
#[derive(Debug, Default)]
pub(super) struct Historian {
    history: History,
    counted: SampleCounts,
}

impl Historian {
    /// A new lane counts from nothing.
    pub(super) fn begin(&mut self) {
        self.counted = SampleCounts::default();
    }

    /// These are the lane's counters after the tick whose last sample stands before `end` in the mixes.
    pub(super) fn take(&mut self, counts: &SampleCounts, end: SampleTime) {
        let before = std::mem::replace(&mut self.counted, *counts);
        note(&mut self.history.concealed, before.concealed, counts.concealed, end);
        note(&mut self.history.inserted, before.inserted, counts.inserted, end);
        note(&mut self.history.removed, before.removed, counts.removed, end);
    }

    pub(super) fn finish(self) -> History {
        self.history
    }
}

fn note(spans: &mut Vec<Span>, before: u64, counted: u64, end: SampleTime) {
    if counted > before {
        lengthen(spans, end, Samples::new(counted - before));
    } else {
        shorten(spans, Samples::new(before - counted));
    }
}

/// What was counted late, a hole that only the next packet showed to be a loss, reaches back behind what is there.
fn lengthen(spans: &mut Vec<Span>, end: SampleTime, mut samples: Samples) {
    while let Some(last) = spans.pop_if(|last| last.to >= end.before(samples)) {
        samples += last.to.since(last.from);
    }
    spans.push(Span { from: end.before(samples), to: end });
}

/// What was taken for a loss was a pause, if the next packet says so: the last that was counted goes.
fn shorten(spans: &mut Vec<Span>, mut samples: Samples) {
    while let Some(last) = spans.pop_if(|_| !samples.is_empty()) {
        let length = last.to.since(last.from);
        if length > samples {
            return spans.push(Span { to: last.to.before(samples), ..last });
        }
        samples = samples - length;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn span(from: u64, to: u64) -> Span {
        Span { from: SampleTime::from_samples(from), to: SampleTime::from_samples(to) }
    }

    fn concealed(counters: &[u64]) -> Vec<Span> {
        let mut historian = Historian::default();
        for (tick, concealed) in (1..).zip(counters) {
            let counts = SampleCounts { concealed: *concealed, ..SampleCounts::default() };
            historian.take(&counts, SampleTime::from_samples(1000 + tick * 480));
        }
        historian.finish().concealed
    }

    #[test]
    fn ticks_in_a_row_make_one_span_and_quiet_ones_part_them() {
        assert_eq!(concealed(&[0, 480, 960, 960, 1200]), [span(1480, 2440), span(3160, 3400)]);
    }

    #[test]
    fn a_hole_that_proves_to_be_a_pause_was_not_concealed() {
        assert_eq!(concealed(&[480, 960, 0]), []);
        assert_eq!(concealed(&[480, 480, 960, 240]), [span(1000, 1240)]);
    }

    #[test]
    fn a_silence_that_proves_to_be_a_loss_reaches_back() {
        assert_eq!(concealed(&[480, 480, 480, 480 + 960]), [span(1000, 1480), span(1960, 2920)]);
        assert_eq!(concealed(&[480, 480 + 960]), [span(1960 - 1440, 1960)]);
    }

    #[test]
    fn a_new_lane_begins_at_nothing() {
        let mut historian = Historian::default();
        let counts = SampleCounts { removed: 300, ..SampleCounts::default() };
        historian.take(&counts, SampleTime::from_samples(5000));
        historian.begin();
        historian.take(&counts, SampleTime::from_samples(9000));
        assert_eq!(historian.finish().removed, [span(4700, 5000), span(8700, 9000)]);
    }

    proptest! {
        #[test]
        fn spans_are_in_order_and_add_up_to_the_counter(counters in prop::collection::vec(0_u64..1000, 1..60)) {
            // Far enough from the room's opening that what reaches back finds room.
            let at = |tick: usize| SampleTime::from_samples(100_000 + 480 * tick as u64);
            let mut historian = Historian::default();
            for (tick, concealed) in counters.iter().enumerate() {
                historian.take(&SampleCounts { concealed: *concealed, ..SampleCounts::default() }, at(tick));
            }
            let spans = historian.finish().concealed;
            prop_assert!(spans.iter().all(|span| span.from < span.to));
            prop_assert!(spans.windows(2).all(|two| two[0].to < two[1].from));
            let total: u64 = spans.iter().map(|span| span.to.since(span.from).count()).sum();
            prop_assert_eq!(total, *counters.last().unwrap());
        }
    }
}
