//! When a voice may be kept: spans of the room clock in which one of a track's gates is shut. What a packet that lies in
//! the open may still tell of the time behind a gate is judged in `memory.rs`.

use super::gap::{Cause, Gap};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::ops::Range;

/// A stretch of the room clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// First sample.
    #[serde(rename = "from_sample")]
    pub from: u64,
    /// First sample after it; `u64::MAX`, in the file none, while it lasts.
    #[serde(rename = "to_sample", with = "none_while_it_lasts")]
    pub to: u64,
}

mod none_while_it_lasts {
    use super::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(to: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        (*to != u64::MAX).then_some(*to).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        Option::deserialize(deserializer).map(|to| to.unwrap_or(u64::MAX))
    }
}

/// Spans in order, the last perhaps without an end.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spans(Vec<Span>);

impl Spans {
    /// Each, in order.
    pub fn iter(&self) -> impl Iterator<Item = Span> + '_ {
        self.0.iter().copied()
    }

    /// Does `sample` lie in one of them?
    #[must_use]
    pub fn contains(&self, sample: u64) -> bool {
        self.overlapping(sample, sample.saturating_add(1)).next().is_some()
    }

    /// What of them lies in `range`, counted from its start.
    pub(super) fn within(&self, range: &Range<u64>) -> Self {
        let cut = |span: Span| Span {
            from: span.from.max(range.start) - range.start,
            to: if span.to < range.end { span.to - range.start } else { u64::MAX },
        };
        Self(self.overlapping(range.start, range.end).map(cut).collect())
    }

    /// Is each after the one before, and none empty?
    pub(super) fn are_in_order(&self) -> bool {
        self.0.iter().all(|span| span.from < span.to)
            && self.0.windows(2).all(|pair| pair[0].to <= pair[1].from)
    }

    /// One span of everything.
    fn always() -> Self {
        Self(vec![Span { from: 0, to: u64::MAX }])
    }

    /// A span begins at `at`, or one that reaches there already goes on.
    pub(super) fn begin(&mut self, at: u64) {
        let mut from = at;
        while let Some(last) = self.0.pop_if(|last| at <= last.to) {
            from = from.min(last.from);
        }
        self.0.push(Span { from, to: u64::MAX });
    }

    /// The last span ends at `at` at the latest.
    pub(super) fn end(&mut self, at: u64) {
        if let Some(last) = self.0.last_mut() {
            last.to = last.to.min(at.max(last.from));
            if last.to == last.from {
                self.0.pop();
            }
        }
    }

    /// All before `at` is in a span, too.
    pub(super) fn cover_before(&mut self, at: u64) {
        if at == 0 {
            return;
        }
        let covered = self.0.partition_point(|span| span.from <= at);
        let to = self.0.drain(..covered).map(|span| span.to).fold(at, u64::max);
        self.0.insert(0, Span { from: 0, to });
    }

    /// Where the span that holds sample 0 ends; 0 if there is none.
    fn first_end(&self) -> u64 {
        self.0.first().filter(|span| span.from == 0).map_or(0, |span| span.to)
    }

    fn overlapping(&self, from: u64, to: u64) -> impl Iterator<Item = Span> + '_ {
        let first = self.0.partition_point(|span| span.to <= from);
        self.0[first..].iter().copied().take_while(move |span| span.from < to)
    }

    /// What lies between the spans.
    pub(super) fn between(&self) -> Self {
        let starts = self.0.iter().map(|span| span.to).filter(|to| *to != u64::MAX);
        let opens_free = self.0.first().is_none_or(|span| span.from > 0);
        let starts = opens_free.then_some(0).into_iter().chain(starts);
        let ends = self.0.iter().map(|span| span.from).filter(|from| *from > 0).chain([u64::MAX]);
        Self(starts.zip(ends).map(|(from, to)| Span { from, to }).collect())
    }
}

/// One track's gates. A packet is kept only if all are open for the whole of it.
#[derive(Debug)]
pub(super) struct Gates {
    absent: Spans,
    refused: Spans,
    paused: Spans,
    muted: Spans,
    given: Spans,
    joined: Option<u64>,
}

impl Gates {
    /// Nobody there, nothing agreed; `paused` when the session was.
    pub(super) fn new(paused: Spans) -> Self {
        Self {
            absent: Spans::always(),
            refused: Spans::always(),
            paused,
            muted: Spans::default(),
            given: Spans::default(),
            joined: None,
        }
    }

    pub(super) fn join(&mut self, at: u64) {
        self.absent.end(at);
        self.joined = Some(at);
    }

    /// Shuts all: whoever comes back has to agree again.
    pub(super) fn leave(&mut self, at: u64) {
        self.close(at);
        self.muted.end(at);
        self.absent.begin(at);
        self.joined = None;
    }

    /// Consent from `from` on; without effect for somebody who is not there.
    pub(super) fn open(&mut self, from: u64) {
        if let Some(joined) = self.joined {
            self.refused.end(from.max(joined));
            self.given.begin(from.max(joined));
        }
    }

    pub(super) fn close(&mut self, at: u64) {
        self.refused.begin(at);
        self.given.end(at);
    }

    pub(super) fn mute(&mut self, at: u64) {
        self.muted.begin(at);
    }

    pub(super) fn unmute(&mut self, at: u64) {
        self.muted.end(at);
    }

    pub(super) fn pause(&mut self, at: u64) {
        self.paused.begin(at);
    }

    pub(super) fn resume(&mut self, at: u64) {
        self.paused.end(at);
    }

    pub(super) fn keep_nothing_before(&mut self, at: u64) {
        self.paused.cover_before(at);
    }

    /// Every shut stretch in `from..to`, in no order.
    pub(super) fn shut(&self, from: u64, to: u64) -> impl Iterator<Item = Gap> + '_ {
        let gates = [
            (&self.absent, Cause::NotJoined),
            (&self.refused, Cause::Gate),
            (&self.paused, Cause::Gate),
            (&self.muted, Cause::Mute),
        ];
        gates.into_iter().flat_map(move |(spans, cause)| {
            spans.overlapping(from, to).map(move |span| Gap {
                from_sample: span.from.max(from),
                to_sample: span.to.min(to),
                cause,
            })
        })
    }

    /// The gate that was shut anywhere in `from..to`. The time before the speaker first came does not count: nobody had
    /// said anything yet.
    pub(super) fn was_shut(&self, from: u64, to: u64) -> Option<Cause> {
        self.refuses(from.max(self.absent.first_end()), to)
    }

    /// Why nothing that was said in `from..to` may be kept.
    pub(super) fn refuses(&self, from: u64, to: u64) -> Option<Cause> {
        self.shut(from, to).map(|gap| gap.cause).max_by_key(|cause| cause.weight())
    }

    pub(super) fn is_present(&self) -> bool {
        self.joined.is_some()
    }

    /// When there was consent.
    pub(super) fn given(&self) -> &Spans {
        &self.given
    }

    pub(super) fn muted(&self) -> &Spans {
        &self.muted
    }

    /// When the speaker was there.
    pub(super) fn present(&self) -> Spans {
        self.absent.between()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agreed_at(from: u64) -> Gates {
        let mut gates = Gates::new(Spans::default());
        gates.join(1_000);
        gates.open(from);
        gates
    }

    #[test]
    fn what_is_told_out_of_order_leaves_spans_in_order() {
        let mut gates = agreed_at(1_000);
        gates.close(3_000);
        gates.open(3_001);
        gates.open(0);
        assert_eq!(gates.given().0, [Span { from: 1_000, to: u64::MAX }]);
        gates.mute(5_000);
        gates.unmute(6_000);
        gates.mute(7_000);
        gates.unmute(8_000);
        gates.mute(5_500);
        assert_eq!(gates.muted().0, [Span { from: 5_000, to: u64::MAX }]);
    }

    #[test]
    fn nothing_is_kept_before_consent() {
        let mut gates = Gates::new(Spans::default());
        assert_eq!(gates.refuses(0, 960), Some(Cause::NotJoined));
        gates.join(0);
        assert_eq!(gates.refuses(0, 960), Some(Cause::Gate));
    }

    #[test]
    fn consent_at_the_door_holds_from_the_first_sample() {
        let gates = agreed_at(1_000);
        assert_eq!(gates.refuses(999, 1_959), Some(Cause::NotJoined));
        assert_eq!(gates.refuses(1_000, 1_960), None);
    }

    #[test]
    fn later_consent_opens_at_its_sample() {
        let gates = agreed_at(5_000);
        assert_eq!(gates.refuses(4_999, 5_959), Some(Cause::Gate));
        assert_eq!(gates.refuses(5_000, 5_960), None);
        assert_eq!(gates.given().0, [Span { from: 5_000, to: u64::MAX }]);
    }

    #[test]
    fn withdrawal_shuts_at_its_sample() {
        let mut gates = agreed_at(1_000);
        gates.close(3_000);
        assert_eq!(gates.refuses(2_040, 3_000), None);
        assert_eq!(gates.refuses(2_041, 3_001), Some(Cause::Gate));
    }

    #[test]
    fn who_comes_back_has_to_agree_again() {
        let mut gates = agreed_at(1_000);
        gates.leave(10_000);
        gates.open(11_000);
        gates.join(20_000);
        assert_eq!(gates.refuses(20_000, 20_960), Some(Cause::Gate));
        assert_eq!(
            gates.present().0,
            [Span { from: 1_000, to: 10_000 }, Span { from: 20_000, to: u64::MAX }]
        );
    }

    #[test]
    fn a_pause_shuts_and_opens_at_its_samples() {
        let mut gates = agreed_at(1_000);
        gates.pause(2_000);
        gates.resume(4_000);
        assert_eq!(gates.refuses(1_040, 2_000), None);
        assert_eq!(gates.refuses(3_999, 4_959), Some(Cause::Gate));
        assert_eq!(gates.refuses(4_000, 4_960), None);
    }

    #[test]
    fn only_the_time_before_the_first_stay_is_no_shut_gate() {
        let mut gates = agreed_at(1_000);
        assert_eq!(gates.was_shut(0, 5_000), None);
        gates.mute(6_000);
        gates.unmute(6_001);
        assert_eq!(gates.was_shut(5_000, 6_001), Some(Cause::Mute));
        assert_eq!(gates.was_shut(6_001, 9_000), None);
        gates.leave(10_000);
        gates.join(20_000);
        gates.open(20_000);
        assert_eq!(gates.was_shut(19_999, 21_000), Some(Cause::NotJoined));
        assert_eq!(gates.was_shut(20_000, 21_000), None);
        assert_eq!(agreed_at(5_000).was_shut(0, 8_000), Some(Cause::Gate), "consent that came later");
    }

    #[test]
    fn who_agrees_and_withdraws_at_once_has_not_agreed() {
        let mut gates = agreed_at(5_000);
        gates.close(5_000);
        assert_eq!(gates.refused.0, [Span { from: 0, to: u64::MAX }]);
        assert_eq!(gates.given().0, []);
    }

    #[test]
    fn what_lies_before_is_covered_and_what_was_there_stays() {
        let cover = |spans: &[(u64, u64)], at| {
            let mut spans = Spans(spans.iter().map(|&(from, to)| Span { from, to }).collect());
            spans.cover_before(at);
            assert!(spans.are_in_order());
            spans.0.iter().map(|span| (span.from, span.to)).collect::<Vec<_>>()
        };
        assert_eq!(cover(&[], 5), [(0, 5)]);
        assert_eq!(cover(&[], 0), []);
        assert_eq!(cover(&[(7, 9)], 5), [(0, 5), (7, 9)]);
        assert_eq!(cover(&[(5, 9)], 5), [(0, 9)]);
        assert_eq!(cover(&[(1, 2), (3, u64::MAX)], 5), [(0, u64::MAX)]);
        assert_eq!(cover(&[(1, 2), (3, 4), (6, 8)], 5), [(0, 5), (6, 8)]);
    }

    #[test]
    fn between_is_the_complement() {
        let mut spans = Spans::default();
        assert_eq!(spans.between(), Spans::always());
        spans.begin(5);
        spans.end(9);
        spans.begin(12);
        assert_eq!(spans.between().0, [Span { from: 0, to: 5 }, Span { from: 9, to: 12 }]);
        assert_eq!(Spans::always().between(), Spans::default());
    }
}
