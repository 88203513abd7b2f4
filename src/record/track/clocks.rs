//! A track follows its sender's clock in steps of 2.5 ms, where nobody hears it: in gaps, in what is quiet, and in speech only
//! where it would be off by too much.

use super::{
    super::{
        clock::Clock,
        clock_map::{self, ClockPoint},
        fill::LATTICE,
        gap::Cause,
        pace::Pace,
        waiting::{Run, Waiting},
    },
    Before, SLACK, Track,
};
use crate::{speaker::VoiceReport, time::SampleTime};
use std::collections::BTreeMap;

/// Places follow a drift in steps of the file's lattice, where nobody speaks. In speech too, before it is off by 10 ms.
const FORCE: u64 = 384;

/// A run whose beginning seems to lie on the end of the one before by no more than this lies behind it: 10 ms.
const OVERLAP: i64 = 480;

/// The clock of a run; a new one is taken to go as the one before it did.
pub(super) fn entry(clocks: &mut BTreeMap<Run, Clock>, run: Run) -> &mut Clock {
    let before = clocks.range(..run).next_back().map_or_else(Pace::default, |(_, before)| before.pace());
    clocks.entry(run).or_insert_with(|| Clock::of_pace(before))
}

impl Track {
    /// Does a run begin with this packet, for sure, and can nothing of another come before it?
    pub(super) fn begins_with(&self, packet: &Waiting) -> bool {
        let on_trial = |clock: &Clock| clock.waits_since(self.repair).is_some();
        let others = self.clocks.iter().any(|(run, clock)| *run != packet.run && on_trial(clock));
        let begins = self.clocks.get(&packet.run).is_some_and(|it| it.begins_with(packet.sequence));
        begins && !others
    }

    /// What the sender says of its clock, if that run is known.
    pub(in crate::record) fn report(&mut self, stay: u32, report: &VoiceReport) {
        if let Some(clock) = self.clocks.get_mut(&(stay, report.epoch)) {
            clock.report(report);
        }
    }

    /// The first sample behind the last of its packets in this stay, if that is known.
    pub(in crate::record) fn sound_end(&self) -> Option<u64> {
        self.clocks.last_key_value().filter(|(run, _)| run.0 == self.stay).and_then(|(_, it)| it.end())
    }

    /// Lets the places of the next packet's run follow its clock, if they may here: in a gap, where it is quiet, or
    /// because the track would be off by too much.
    pub(super) fn steer(&mut self) {
        let Some((at, packet, put)) = self.waiting.first() else { return };
        let Some(clock) = self.clocks.get(&packet.run) else { return };
        if clock.transit() != Some(put) {
            return;
        }
        let (run, samples, error) = (packet.run, packet.samples, clock.error(packet.media_sample()));
        let (late, gap) = (error.unsigned_abs() / LATTICE * LATTICE, at.saturating_sub(self.told));
        let may = gap > 0 || packet.is_quiet() || error.unsigned_abs() >= FORCE;
        if late == 0 || !may {
            return;
        }
        if error > 0 {
            // A pause is as long as it is; of a loss it is known how long it was.
            if gap == 0 || self.missing(at, packet, put).0 > 0 {
                self.tell(self.told + late, Cause::Drift);
            }
            self.shift(run, late as i64);
        } else if gap >= late {
            self.shift(run, -(late as i64));
        } else if gap == 0 {
            self.cut(late.min(samples / LATTICE * LATTICE), run);
        }
    }

    /// Leaves out the next packet, and puts silence in its place that is shorter by `late`.
    fn cut(&mut self, late: u64, run: Run) {
        let Some((at, mut packet, transit)) = self.waiting.take_first() else { return };
        let gate = self.gate(at, &mut packet);
        let Waiting { sequence, samples, is_copy, .. } = packet;
        self.before = Some(Before { run, transit, sequence, samples });
        self.leave_out(is_copy, at + samples - late, gate.unwrap_or(Cause::Drift));
        self.shift(run, -(late as i64));
    }

    fn shift(&mut self, run: Run, by: i64) {
        let Some(transit) = self.clocks.get_mut(&run).and_then(|clock| clock.shift(by)) else { return };
        self.counts.refused += self.waiting.shift(run, transit, by);
        if let Some(before) = self.before.as_mut().filter(|it| it.run == run && it.transit == transit) {
            before.transit = transit.saturating_add(by);
        }
    }

    /// Places what was on trial, where that is over.
    pub(super) fn judge_clocks(&mut self, now: SampleTime) {
        let judged = self.clocks.iter_mut().map(|(run, clock)| (*run, clock.judge(now, self.repair)));
        let judged: Vec<_> = judged.filter(|(_, packets)| !packets.is_empty()).collect();
        for (run, packets) in judged {
            let by = self.reaches_back(&packets);
            if by > 0 {
                self.clocks.get_mut(&run).and_then(|clock| clock.shift(by));
            }
            packets.into_iter().for_each(|(packet, transit)| self.place(packet, transit.saturating_add(by)));
        }
    }

    /// How far a run that begins reaches back over the end of the one before it, where that is no more than jitter can
    /// make of two that follow one another.
    fn reaches_back(&self, judged: &[(Waiting, i64)]) -> i64 {
        let Some((first, transit)) = judged.iter().min_by_key(|(packet, _)| packet.sequence) else {
            return 0;
        };
        let at = first.at(*transit);
        let written = self.before.as_ref().filter(|it| it.run != first.run).map(|_| self.told);
        let end = self.waiting.end_before(first.run, at.saturating_add(OVERLAP)).max(written).unwrap_or(0);
        Some((end as i64).saturating_sub(at)).filter(|by| (1..=OVERLAP).contains(by)).unwrap_or(0)
    }

    /// A clock is kept while packets may come that need it: always the newest of a stay.
    pub(super) fn forget_clocks(&mut self, now: SampleTime) {
        if self.clocks.len() < 2 {
            return;
        }
        let runs: Vec<Run> = self.clocks.keys().copied().collect();
        let is_newest = |run: &Run| !runs.iter().any(|other| other.0 == run.0 && other.1 > run.1);
        let repair = self.repair + SLACK;
        for run in runs.iter().filter(|run| !is_newest(run)) {
            if let Some(clock) = self.clocks.remove(run) {
                if clock.is_needed(now, repair) {
                    self.clocks.insert(*run, clock);
                } else {
                    self.past.insert(*run, clock.knots().collect());
                }
            }
        }
    }

    /// Where what stands in the track was said on the room clock.
    pub(in crate::record) fn clock(&self) -> Vec<ClockPoint> {
        let mut knots = self.past.clone();
        knots.extend(self.clocks.iter().map(|(run, clock)| (*run, clock.knots().collect())));
        clock_map::draw(self.tape.places(), self.tape.samples(), &knots)
    }
}
