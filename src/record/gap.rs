//! Where a track is not the speaker's own sound, and why: stretches in order, the weightier cause where two apply.

use serde::{Deserialize, Serialize};

/// A stretch without the speaker's own sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// First sample.
    pub from_sample: u64,
    /// First sample after it.
    pub to_sample: u64,
    /// Why.
    pub cause: Cause,
}

/// Why a track has a gap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// Never arrived.
    Loss,
    /// Arrived after the repair window.
    Late,
    /// Muted.
    Mute,
    /// The sender sent nothing.
    Dtx,
    /// No consent, or the recording was paused.
    Gate,
    /// The sender's clock stood still.
    Stall,
    /// The codec could not read it.
    Undecodable,
    /// Not in the room.
    NotJoined,
    /// Put in or left out where nobody spoke, because the sender's clock runs slower or faster than the room's.
    Drift,
    /// The disk could not take it.
    Storage,
    /// It was on its way to the disk when the recorder died.
    Crash,
    /// The speaker took it back.
    Revoked,
}

impl Cause {
    /// Its name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Loss => "loss",
            Self::Late => "late",
            Self::Mute => "mute",
            Self::Dtx => "dtx",
            Self::Gate => "gate",
            Self::Stall => "stall",
            Self::Undecodable => "undecodable",
            Self::NotJoined => "not_joined",
            Self::Drift => "drift",
            Self::Storage => "storage",
            Self::Crash => "crash",
            Self::Revoked => "revoked",
        }
    }

    /// Where several causes apply, the highest is told.
    pub(super) const fn weight(self) -> u8 {
        match self {
            Self::Loss | Self::Dtx | Self::Stall | Self::Drift => 0,
            Self::Late => 1,
            Self::Undecodable => 2,
            Self::Storage | Self::Crash => 3,
            Self::Mute => 4,
            Self::Gate => 5,
            Self::NotJoined => 6,
            Self::Revoked => 7,
        }
    }
}

impl Gap {
    /// `gaps` and this one, which is told where none of them is; neighbours of one cause made one.
    pub(super) fn beside(self, gaps: &[Self]) -> Vec<Self> {
        let mut from = self.from_sample;
        let mut all = Gaps::default();
        for gap in gaps {
            let to = gap.from_sample.min(self.to_sample);
            all.push(Self { from_sample: from, to_sample: to, ..self });
            all.push(*gap);
            from = from.max(gap.to_sample);
        }
        all.push(Self { from_sample: from, ..self });
        all.merged(u64::MAX)
    }

    /// What of it lies in `from..to`.
    pub(super) fn within(self, from: u64, to: u64) -> Option<Self> {
        let (from_sample, to_sample) = (self.from_sample.max(from), self.to_sample.min(to));
        (from_sample < to_sample).then_some(Self { from_sample, to_sample, ..self })
    }

    /// This gap with `over`'s cause where both lie and `over` weighs more: up to three pieces, in order.
    fn under(self, over: Self) -> impl Iterator<Item = Self> {
        let heavier = over.cause.weight() > self.cause.weight();
        let from = over.from_sample.clamp(self.from_sample, self.to_sample);
        let to = over.to_sample.clamp(from, self.to_sample);
        let cause = if heavier { over.cause } else { self.cause };
        [(self.from_sample, from, self.cause), (from, to, cause), (to, self.to_sample, self.cause)]
            .into_iter()
            .map(|(from_sample, to_sample, cause)| Self { from_sample, to_sample, cause })
            .filter(|piece| piece.from_sample < piece.to_sample)
    }
}

/// How a list of gaps grew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Told {
    /// One more.
    Gap(Gap),
    /// A weightier cause for what is there already.
    Raise(Gap),
    /// Another cause for all that is there, were it sound.
    Cover(Gap),
}

/// A track's gaps so far, in order and without overlap.
#[derive(Clone, Debug, Default)]
pub(super) struct Gaps {
    list: Vec<Gap>,
    /// What nobody has been told yet.
    fresh: Vec<Told>,
}

impl Gaps {
    /// Adds a gap behind all others.
    pub(super) fn push(&mut self, gap: Gap) {
        if gap.from_sample < gap.to_sample {
            self.list.push(gap);
            self.fresh.push(Told::Gap(gap));
        }
    }

    /// What is in `over` is gone, whatever was told of it; what was nobody's to keep stays so.
    pub(super) fn cover(&mut self, over: Gap) {
        if over.from_sample >= over.to_sample {
            return;
        }
        let old = std::mem::take(&mut self.list);
        let before = old.iter().filter_map(|gap| gap.within(0, over.from_sample));
        let behind = old.iter().filter_map(|gap| gap.within(over.to_sample, u64::MAX));
        self.list = before.chain([over]).chain(behind).collect();
        let told = self.fresh.len();
        old.into_iter().for_each(|gap| self.raise(gap));
        self.fresh.truncate(told);
        self.fresh.push(Told::Cover(over));
    }

    /// Nothing is told from `end` on.
    pub(super) fn cut(&mut self, end: u64) {
        self.list = self.list.iter().filter_map(|gap| gap.within(0, end)).collect();
    }

    /// What is new since the last question.
    pub(super) fn take_fresh(&mut self) -> Vec<Told> {
        std::mem::take(&mut self.fresh)
    }

    /// Tells all of it once more.
    pub(super) fn tell_again(&mut self) {
        self.fresh = self.list.iter().map(|gap| Told::Gap(*gap)).collect();
    }

    /// Grows as another list did.
    pub(super) fn hear(&mut self, told: Told) {
        match told {
            Told::Gap(gap) => self.push(gap),
            Told::Raise(gap) => self.raise(gap),
            Told::Cover(gap) => self.cover(gap),
        }
    }

    /// Tells `over`'s cause where there is a gap already for a lesser one.
    pub(super) fn raise(&mut self, over: Gap) {
        let first = self.list.partition_point(|gap| gap.to_sample <= over.from_sample);
        let end = self.list.partition_point(|gap| gap.from_sample < over.to_sample);
        if first < end {
            let pieces: Vec<Gap> = self.list[first..end].iter().flat_map(|gap| gap.under(over)).collect();
            self.list.splice(first..end, pieces);
            self.fresh.push(Told::Raise(over));
        }
    }

    /// The gaps with neighbours of one cause made one, none beyond `end`.
    pub(super) fn merged(&self, end: u64) -> Vec<Gap> {
        let mut merged: Vec<Gap> = Vec::new();
        for gap in self.list.iter().filter(|gap| gap.from_sample < end) {
            let gap = Gap { to_sample: gap.to_sample.min(end), ..*gap };
            match merged.last_mut() {
                Some(last) if last.to_sample == gap.from_sample && last.cause == gap.cause => {
                    last.to_sample = gap.to_sample;
                }
                _ => merged.push(gap),
            }
        }
        merged
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gap(from_sample: u64, to_sample: u64, cause: Cause) -> Gap {
        Gap { from_sample, to_sample, cause }
    }

    #[test]
    fn the_weightier_cause_is_told_and_neighbours_are_one() {
        let mut gaps = Gaps::default();
        gaps.push(gap(0, 10, Cause::Loss));
        gaps.push(gap(10, 20, Cause::Loss));
        gaps.push(gap(30, 40, Cause::Mute));
        gaps.raise(gap(15, 35, Cause::Late));
        assert_eq!(
            gaps.merged(u64::MAX),
            [gap(0, 15, Cause::Loss), gap(15, 20, Cause::Late), gap(30, 40, Cause::Mute)]
        );
        gaps.raise(gap(5, 32, Cause::NotJoined));
        assert_eq!(
            gaps.merged(38),
            [
                gap(0, 5, Cause::Loss),
                gap(5, 20, Cause::NotJoined),
                gap(30, 32, Cause::NotJoined),
                gap(32, 38, Cause::Mute)
            ]
        );
    }

    #[test]
    fn raising_agrees_with_painting_sample_by_sample() {
        let causes = [Cause::Loss, Cause::Late, Cause::Mute, Cause::NotJoined];
        let (mut gaps, mut painted) = (Gaps::default(), vec![None; 100]);
        for (from, to) in [(0, 7), (9, 30), (30, 55), (60, 99)] {
            gaps.push(gap(from, to, Cause::Dtx));
            painted[from as usize..to as usize].fill(Some(Cause::Dtx));
        }
        for step in 0..60_u64 {
            let (from, cause) = (step * 37 % 90, causes[(step * 7 % 4) as usize]);
            gaps.raise(gap(from, from + step % 9, cause));
            for slot in painted[from as usize..(from + step % 9) as usize].iter_mut().flatten() {
                *slot = if cause.weight() > slot.weight() { cause } else { *slot };
            }
        }
        gaps.cover(gap(20, 70, Cause::Storage));
        for slot in &mut painted[20..70] {
            *slot = slot.filter(|cause| cause.weight() > Cause::Storage.weight()).or(Some(Cause::Storage));
        }
        let mut again = Gaps::default();
        gaps.take_fresh().into_iter().for_each(|told| again.hear(told));
        assert_eq!(again.merged(u64::MAX), gaps.merged(u64::MAX));
        gaps.cut(90);
        painted[90..].fill(None);
        let mut told = vec![None; 100];
        for gap in gaps.merged(u64::MAX) {
            told[gap.from_sample as usize..gap.to_sample as usize].fill(Some(gap.cause));
        }
        assert_eq!(told, painted);
    }
}
