//! One voice: packets wait until no straggler can come before them, then each is written on its room sample or left
//! out, and every stretch between is filled and told.

use super::{
    clock::{Clock, Standing, Verdict},
    clock_map::{self, ClockPoint},
    drift::Knot,
    fill::{self, LATTICE, LONGEST_DTX},
    gap::{Cause, Gap, Gaps},
    gate::Gates,
    memory::EncoderMemory,
    tape::Tape,
    toc::Toc,
    waiting::{Queue, Run, Waiting},
};
use crate::{
    speaker::VoicePacket,
    time::{SampleTime, Samples},
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, io};

/// How far a run's first packet may be behind its quickest, beyond the repair window.
const SLACK: Samples = Samples::from_ms(100);

/// Places follow a drift in steps of the file's lattice, where nobody speaks. In speech too, before it is off by 10 ms.
const FORCE: u64 = 384;

/// How many packets went where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// All that came; the other three make this up.
    pub received: u64,
    /// Into the file.
    pub recorded: u64,
    /// Left out behind a shut gate.
    pub gated: u64,
    /// Left out without a place.
    pub refused: u64,
}

/// The packet before, recorded or not.
#[derive(Debug)]
struct Before {
    run: Run,
    transit: i64,
    sequence: u64,
    samples: u64,
}

/// One voice's recording.
#[derive(Debug)]
pub(super) struct Track {
    pub(super) gates: Gates,
    pub(super) tape: Tape,
    repair: Samples,
    stay: u32,
    clocks: BTreeMap<Run, Clock>,
    waiting: Queue,
    /// Nothing is placed before this any more.
    settled: u64,
    /// Up to here it is written down what there is and what there is not.
    told: u64,
    before: Option<Before>,
    memory: EncoderMemory,
    counts: Counts,
    gaps: Gaps,
    late: Vec<Gap>,
    /// Where the clocks of runs that are over stood.
    past: BTreeMap<Run, Vec<Knot>>,
}

impl Track {
    pub(super) fn new(tape: Tape, gates: Gates, repair: Samples) -> Self {
        Self {
            gates,
            tape,
            repair,
            stay: 0,
            clocks: BTreeMap::new(),
            waiting: Queue::default(),
            settled: 0,
            told: 0,
            before: None,
            memory: EncoderMemory::default(),
            counts: Counts::default(),
            gaps: Gaps::default(),
            late: Vec::new(),
            past: BTreeMap::new(),
        }
    }

    /// The speaker comes in; the number of this stay.
    pub(super) fn join(&mut self, at: u64) -> u32 {
        self.stay += 1;
        self.gates.join(at);
        self.stay
    }

    pub(super) fn stay(&self) -> u32 {
        self.stay
    }

    pub(super) fn settled(&self) -> u64 {
        self.settled
    }

    pub(super) fn counts(&self) -> Counts {
        self.counts
    }

    /// Takes a packet of one of the speaker's stays.
    pub(super) fn packet(&mut self, stay: u32, packet: VoicePacket<'_>) {
        self.counts.received += 1;
        match Waiting::new(stay, packet).filter(|it| !self.is_forgotten(it.run)) {
            Some(packet) => self.receive(packet),
            None => self.counts.refused += 1,
        }
    }

    fn is_forgotten(&self, run: Run) -> bool {
        !self.clocks.contains_key(&run) && self.clocks.range(run..).any(|(other, _)| other.0 == run.0)
    }

    fn receive(&mut self, packet: Waiting) {
        let clock = self.clocks.entry(packet.run).or_default();
        match clock.hear(&packet, self.settled) {
            Standing::Doubtful => clock.doubt(packet),
            Standing::Late(transit) => self.place(packet, transit),
            Standing::Punctual(transit) => {
                for straggler in clock.confirm() {
                    self.place(straggler, transit);
                }
                self.place(packet, transit);
            }
        }
    }

    /// Puts a packet where its clock says, if that is not settled yet.
    fn place(&mut self, packet: Waiting, transit: i64) {
        match u64::try_from(packet.at(transit)) {
            Ok(at) if at >= self.settled => {
                let placed = at >= self.told && self.waiting.insert(at, packet, transit);
                self.counts.refused += u64::from(!placed);
            }
            _ => self.too_late(&packet, transit),
        }
    }

    fn too_late(&mut self, packet: &Waiting, transit: i64) {
        let from_sample = packet.at(transit).max(0) as u64;
        let late = Gap { from_sample, to_sample: from_sample + packet.samples, cause: Cause::Late };
        if self.gates.refuses(late.from_sample, late.to_sample).is_some() {
            self.counts.gated += 1;
            return;
        }
        self.counts.refused += 1;
        self.gaps.raise(late);
        self.late.push(late);
    }

    /// Room time has come to `now`: writes what is settled.
    pub(super) fn advance(&mut self, now: SampleTime) -> io::Result<()> {
        self.judge_clocks(now);
        let waits = self.clocks.values().filter_map(|clock| clock.waits_since(self.repair)).min();
        let settled = now.before(self.repair + SLACK);
        self.settled = self.settled.max(waits.map_or(settled, |since| since.min(settled)).samples());
        self.lay_settled()?;
        self.forget_clocks(now);
        self.fill_settled()
    }

    fn judge_clocks(&mut self, now: SampleTime) {
        let verdicts: Vec<Verdict> =
            self.clocks.values_mut().filter_map(|clock| clock.judge(now, self.repair)).collect();
        for Verdict { packets, transit } in verdicts {
            packets.into_iter().for_each(|packet| self.place(packet, transit));
        }
    }

    fn lay_settled(&mut self) -> io::Result<()> {
        while self.waiting.first().is_some_and(|(at, ..)| at < self.settled) {
            self.steer();
            if let Some((at, packet, transit)) = self.waiting.take_before(self.settled) {
                self.lay(at, packet, transit)?;
            }
        }
        Ok(())
    }

    /// Lets the places of the next packet's run follow its clock, if they may here: in a gap, where it is quiet, or
    /// because the track would be off by too much.
    fn steer(&mut self) {
        let Some((at, packet, _)) = self.waiting.first() else { return };
        let Some(clock) = self.clocks.get(&packet.run) else { return };
        let (run, samples, error) = (packet.run, packet.samples, clock.error(packet.media_sample()));
        let (late, gap) = (error.unsigned_abs() / LATTICE * LATTICE, at.saturating_sub(self.told));
        let may = gap > 0 || packet.is_quiet() || error.unsigned_abs() >= FORCE;
        if late == 0 || !may {
            return;
        }
        if error > 0 {
            if gap == 0 {
                self.tell(at + late, Cause::Drift);
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
        let Some((at, packet, transit)) = self.waiting.take_before(u64::MAX) else { return };
        let gate = self.gates.refuses(at, at + packet.samples);
        let Waiting { sequence, samples, .. } = packet;
        self.before = Some(Before { run, transit, sequence, samples });
        self.leave_out(at + samples - late, gate.or(Some(Cause::Drift)));
        self.shift(run, -(late as i64));
    }

    fn shift(&mut self, run: Run, by: i64) {
        let Some(transit) = self.clocks.get_mut(&run).and_then(|clock| clock.shift(by)) else { return };
        self.counts.refused += self.waiting.shift(run, transit, by);
        if let Some(before) = self.before.as_mut().filter(|it| it.run == run && it.transit == transit) {
            before.transit = transit.saturating_add(by);
        }
    }

    /// The next packet of all: written or left out, and what lies before it is filled and told.
    fn lay(&mut self, at: u64, packet: Waiting, transit: i64) -> io::Result<()> {
        let (lost, rest) = self.missing(at, &packet, transit);
        let concealable = self.concealable(lost, at);
        let gate = self.gates.refuses(at, at + packet.samples);
        if gate.is_some() || self.gates.was_shut(self.told, at) {
            self.memory.shut();
        }
        self.tell(self.told + lost, Cause::Loss);
        self.tell(at, rest);
        let Waiting { run, sequence, samples, .. } = packet;
        self.before = Some(Before { run, transit, sequence, samples });
        match (gate, packet.toc) {
            (None, Some(toc)) => {
                self.tape.align(at, || toc.is_stereo() || self.waiting.any_stereo())?;
                self.tape.fill_before(at, concealable)?;
                self.keep(at, packet, toc, transit)
            }
            (gate, _) => {
                self.tape.fill_before(at, concealable)?;
                self.leave_out(at + samples, gate);
                Ok(())
            }
        }
    }

    fn keep(&mut self, at: u64, mut packet: Waiting, toc: Toc, transit: i64) -> io::Result<()> {
        self.counts.recorded += 1;
        self.told = at + packet.samples;
        self.memory.keep(&mut packet);
        self.tape.push(packet, toc, transit)
    }

    fn leave_out(&mut self, to: u64, gate: Option<Cause>) {
        let gated = gate.is_some_and(|cause| cause != Cause::Drift);
        *if gated { &mut self.counts.gated } else { &mut self.counts.refused } += 1;
        self.tell(to, gate.unwrap_or(Cause::Undecodable));
    }

    /// How much of the gap before `packet` was sent and lost, and why there is nothing in the rest. Sequence numbers
    /// that run on say that nothing was sent.
    fn missing(&self, at: u64, packet: &Waiting, transit: i64) -> (u64, Cause) {
        match &self.before {
            Some(before) if before.run == packet.run && before.transit == transit => {
                let numbers = packet.sequence.saturating_sub(before.sequence.saturating_add(1));
                let lost = numbers.saturating_mul(before.samples.max(packet.samples));
                (lost.min(at - self.told), Cause::Dtx)
            }
            Some(before) if before.run == packet.run => (0, Cause::Stall),
            _ => (0, Cause::Dtx),
        }
    }

    /// How much of the gap up to `to` decoders may make up: never anything behind a shut gate.
    fn concealable(&self, lost: u64, to: u64) -> u64 {
        let open_to = self.gates.shut(self.told, to).map(|gap| gap.from_sample).min().unwrap_or(to);
        fill::concealable(lost, to - self.told).min(open_to - self.told)
    }

    /// Tells the gap from all that is told up to `to`.
    fn tell(&mut self, to: u64, cause: Cause) {
        let gap = Gap { from_sample: self.told, to_sample: to, cause };
        tell(&mut self.gaps, gap, &self.gates, &self.late);
        self.told = to;
        self.late.retain(|late| late.to_sample > to);
    }

    /// A gap is filled when its other end is settled, or when it is too long for comfort noise.
    fn fill_settled(&mut self) -> io::Result<()> {
        if self.tape.ends_in_sound() && self.settled.saturating_sub(self.told) <= LONGEST_DTX {
            return Ok(());
        }
        let first = self.waiting.first();
        let lost = first.map_or(0, |(at, packet, transit)| self.missing(at, packet, transit).0);
        self.tape.fill(self.settled, self.concealable(lost, self.settled.max(self.told)))
    }

    /// A clock is kept while packets may come that need it: always the newest of a stay.
    fn forget_clocks(&mut self, now: SampleTime) {
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
    pub(super) fn clock(&self) -> Vec<ClockPoint> {
        let mut knots = self.past.clone();
        knots.extend(self.clocks.iter().map(|(run, clock)| (*run, clock.knots().collect())));
        clock_map::draw(self.tape.places(), self.tape.samples(), &knots)
    }

    /// All gaps up to `end`, as far as they are known.
    pub(super) fn gaps(&self, end: u64) -> Vec<Gap> {
        let mut gaps = self.gaps.clone();
        let open = Gap { from_sample: self.told, to_sample: end, cause: Cause::Dtx };
        tell(&mut gaps, open, &self.gates, &self.late);
        gaps.merged(end)
    }

    /// Writes all that waits and closes the file at `end`: the room's length, not before anything settled.
    pub(super) fn finish(&mut self, end: u64) -> io::Result<()> {
        self.judge_clocks(SampleTime::from_samples(u64::MAX));
        self.settled = end;
        self.lay_settled()?;
        self.counts.refused += self.waiting.len();
        self.tape.finish(end)
    }
}

fn tell(gaps: &mut Gaps, gap: Gap, gates: &Gates, late: &[Gap]) {
    gaps.push(gap);
    late.iter().for_each(|late| gaps.raise(*late));
    gates.shut(gap.from_sample, gap.to_sample).for_each(|shut| gaps.raise(shut));
}
