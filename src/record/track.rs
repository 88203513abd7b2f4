//! One voice: packets wait until no straggler can come before them, then each is written on its room sample or left
//! out, and every stretch between is filled and told.

mod clocks;
mod files;
mod journalled;

use super::{
    clock::{Clock, Standing},
    counts::Counts,
    drift::Knot,
    fill::{self, LONGEST_DTX},
    gap::{Cause, Gap, Gaps},
    gate::Gates,
    memory::EncoderMemory,
    parts::TrackPart,
    tape::Tape,
    toc::Toc,
    waiting::{Queue, Run, Waiting},
};
use crate::{
    speaker::VoicePacket,
    time::{SampleTime, Samples},
};
use std::collections::BTreeMap;

/// How far a run's first packet may be behind its quickest, beyond the repair window.
pub(super) const SLACK: Samples = Samples::from_ms(100);

/// A packet belongs where it came, or this much before.
const MISSED_FOR: u64 = 24_000;

/// A packet is held back this long, so that a gate that shut a moment ago still shuts it out.
pub(super) const HELD: Samples = Samples::from_ms(250);

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
    /// Where it is to go on in another file, and in which.
    cut: Option<(u64, String)>,
    /// The files before.
    files: Vec<TrackPart>,
    repair: Samples,
    stay: u32,
    clocks: BTreeMap<Run, Clock>,
    waiting: Queue,
    /// Nothing is placed before this any more.
    settled: u64,
    /// Up to here it is written down what there is and what there is not.
    told: u64,
    before: Option<Before>,
    /// Does the sender say where it speaks again?
    marks: bool,
    memory: EncoderMemory,
    counts: Counts,
    gaps: Gaps,
    late: Vec<Gap>,
    /// Where the clocks of runs that are over stood.
    past: BTreeMap<Run, Vec<Knot>>,
    /// When packets could not be taken: where they belong is not known, but it is not after that.
    missed: Vec<(u64, u64)>,
    /// How many places and knots are in the journal.
    journalled: (usize, usize),
    /// How lines lie there that no knot is tied of as yet.
    loose: Vec<(Run, Knot)>,
}

impl Track {
    pub(super) fn new(tape: Tape, gates: Gates, repair: Samples) -> Self {
        let settled = tape.from();
        Self {
            gates,
            tape,
            cut: None,
            files: Vec::new(),
            repair,
            stay: 0,
            clocks: BTreeMap::new(),
            waiting: Queue::default(),
            settled,
            told: 0,
            before: None,
            marks: false,
            memory: EncoderMemory::default(),
            counts: Counts::default(),
            gaps: Gaps::default(),
            late: Vec::new(),
            past: BTreeMap::new(),
            missed: Vec::new(),
            journalled: (0, 0),
            loose: Vec::new(),
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

    pub(super) fn counts(&self) -> Counts {
        self.counts
    }

    /// Counts packets that never came, as a fault would.
    #[cfg(test)]
    pub(crate) fn miscount(&mut self, packets: u64) {
        self.counts.received += packets;
    }

    /// Takes a packet of one of the speaker's stays.
    pub(super) fn packet(&mut self, stay: u32, packet: VoicePacket<'_>) {
        self.counts.received += 1;
        match Waiting::new(stay, packet).filter(|it| !self.is_forgotten(it.run)) {
            Some(packet) => self.receive(packet),
            None => self.counts.refused += 1,
        }
    }

    /// Takes a copy of a packet that may never have come, if the sender's clock is known and the place is free.
    pub(super) fn copy(&mut self, stay: u32, copy: VoicePacket<'_>) {
        let Some(mut copy) = Waiting::new(stay, copy) else { return };
        copy.is_copy = true;
        if let Some(transit) = self.clocks.get(&copy.run).and_then(|it| it.transit_of(copy.sequence))
            && let Ok(at) = u64::try_from(copy.at(transit))
            && at >= self.reached()
            && copy.toc.is_some()
        {
            self.waiting.insert(at, copy, transit);
        }
    }

    fn is_forgotten(&self, run: Run) -> bool {
        !self.clocks.contains_key(&run) && self.clocks.range(run..).any(|(other, _)| other.0 == run.0)
    }

    fn receive(&mut self, packet: Waiting) {
        let clock = clocks::entry(&mut self.clocks, packet.run);
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
    pub(super) fn advance(&mut self, now: SampleTime) {
        self.judge_clocks(now);
        let waits = self.clocks.values().filter_map(|clock| clock.waits_since(self.repair)).min();
        let settled = now.before(self.repair + SLACK);
        self.settled = self.settled.max(waits.map_or(settled, |since| since.min(settled)).samples());
        let held = now.before(HELD).samples();
        while self.may_lay(held) {
            self.lay_first();
        }
        self.forget_clocks(now);
        self.turn_at(self.settled);
        self.fill_settled();
    }

    /// May the next packet be laid? What is settled may; and so may what was held back long enough behind no hole.
    fn may_lay(&self, held: u64) -> bool {
        self.waiting.first().is_some_and(|(at, packet, transit)| {
            at < self.settled || at + packet.samples <= held && self.is_whole_up_to(packet, transit)
        })
    }

    /// Is nothing missing before `packet`?
    fn is_whole_up_to(&self, packet: &Waiting, transit: i64) -> bool {
        match self.before.as_ref().filter(|before| before.run.0 == packet.run.0) {
            // Numbers count on through restarts.
            Some(before) if packet.sequence > before.sequence.saturating_add(1) => false,
            Some(before) if before.run == packet.run => before.transit == transit,
            _ => self.begins_with(packet),
        }
    }

    /// Room time has come to `now`, and nothing is written: what was said before `past` is forgotten.
    pub(super) fn forget(&mut self, past: SampleTime, now: SampleTime) {
        self.judge_clocks(now);
        self.forget_clocks(now);
        let is_past = |(at, packet, _): (u64, &Waiting, i64)| at + packet.samples <= past.samples();
        while self.waiting.first().is_some_and(is_past) {
            let forgotten = self.waiting.take_first();
            self.counts.gated += forgotten.map_or(0, |(_, packet, _)| u64::from(!packet.is_copy));
        }
    }

    fn lay_first(&mut self) {
        self.steer();
        self.turn_at(self.waiting.first().map_or(0, |(at, ..)| at));
        match self.waiting.take_first() {
            Some((at, packet, transit)) if at >= self.told => self.lay(at, packet, transit),
            // Where it belonged, another run's packets have been put since.
            taken => self.counts.refused += taken.map_or(0, |(_, packet, _)| u64::from(!packet.is_copy)),
        }
        self.turn_at(self.told);
    }

    /// The next packet of all: written or left out, and what lies before it is filled and told.
    fn lay(&mut self, at: u64, mut packet: Waiting, transit: i64) {
        let (lost, rest) = self.missing(at, &packet, transit);
        let concealable = self.concealable(lost, at);
        let cause = if self.was_missed(at) { Cause::Storage } else { Cause::Loss };
        self.tell(self.told + lost, cause);
        self.tell(at, rest);
        let gate = self.gate(at, &mut packet);
        let Waiting { run, sequence, samples, is_copy, .. } = packet;
        self.marks |= packet.marker && self.before.is_some();
        self.before = Some(Before { run, transit, sequence, samples });
        match (gate, packet.toc) {
            (None, Some(toc)) => {
                self.tape.align(at, || toc.is_stereo() || self.waiting.any_stereo());
                self.tape.fill_before(at, concealable);
                self.keep(at, packet, toc, transit);
            }
            (gate, _) => {
                self.tape.fill_before(at, concealable);
                self.leave_out(is_copy, at + samples, gate.unwrap_or(Cause::Undecodable));
            }
        }
    }

    /// Why the next packet may not be kept: a gate that was shut when it was said, or one that its encoder may still
    /// remember. What arrived was said before that, wherever its clock puts it.
    fn gate(&mut self, at: u64, packet: &mut Waiting) -> Option<Cause> {
        let shut = self.gates.refuses(at.min(packet.arrived.samples()), at + packet.samples);
        if let Some(cause) = shut {
            self.memory.shut(cause);
        } else if packet.toc.is_some() {
            return self.memory.hear(packet.run, packet.samples, &mut packet.payload);
        }
        shut
    }

    fn keep(&mut self, at: u64, packet: Waiting, toc: Toc, transit: i64) {
        let (to, copied) = (at + packet.samples, packet.is_copy);
        if self.tape.push(packet, toc, transit) {
            *if copied { &mut self.counts.repaired } else { &mut self.counts.recorded } += 1;
            self.told = to;
        } else {
            self.leave_out(copied, to, Cause::Storage);
        }
    }

    /// Tells why a packet is not in the track, and counts it, unless it is a mere copy.
    fn leave_out(&mut self, copied: bool, to: u64, cause: Cause) {
        let gated = matches!(cause, Cause::Gate | Cause::Mute | Cause::NotJoined);
        *if gated { &mut self.counts.gated } else { &mut self.counts.refused } += u64::from(!copied);
        self.tell(to, cause);
    }

    /// Packets of this time could not be taken.
    pub(super) fn missed(&mut self, from: u64, to: u64) {
        self.missed.push((from, to));
    }

    /// May what is missing up to `to` be what could not be taken?
    fn was_missed(&mut self, to: u64) -> bool {
        let told = self.told;
        self.missed.retain(|(_, until)| until + MISSED_FOR > told);
        self.missed.iter().any(|(from, until)| told <= *until && *from < to + MISSED_FOR)
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
            Some(before) if before.run == packet.run => {
                let numbers = packet.sequence.saturating_sub(before.sequence.saturating_add(1));
                // The packet that would have said so may be among the lost.
                let spoke_again = packet.marker || self.marks && numbers > 0;
                let lost = numbers.saturating_mul(before.samples).min(at - self.told);
                (lost, if spoke_again { Cause::Dtx } else { Cause::Stall })
            }
            _ => (0, Cause::Dtx),
        }
    }

    /// How much of the gap up to `to` decoders may make up: never anything behind a shut gate.
    fn concealable(&self, lost: u64, to: u64) -> u64 {
        let open_to = self.gates.shut(self.told, to).map(|gap| gap.from_sample).min().unwrap_or(to);
        fill::concealable(lost, to - self.told).min(open_to - self.told)
    }

    /// Tells the gap from all that is told up to `to`. A gate that was shut in it is one that the encoder may remember.
    fn tell(&mut self, to: u64, cause: Cause) {
        if let Some(cause) = self.gates.was_shut(self.told, to) {
            self.memory.shut(cause);
            self.tape.gate();
        }
        let gap = Gap { from_sample: self.told, to_sample: to, cause };
        tell(&mut self.gaps, gap, &self.gates, &self.late);
        self.told = to;
        self.late.retain(|late| late.to_sample > to);
    }

    /// A gap is filled when its other end is settled, or when it is too long for comfort noise.
    fn fill_settled(&mut self) {
        if self.tape.ends_in_sound() && self.settled.saturating_sub(self.told) <= LONGEST_DTX {
            return;
        }
        let first = self.waiting.first();
        let lost = first.map_or(0, |(at, packet, transit)| self.missing(at, packet, transit).0);
        self.tape.fill(self.settled, self.concealable(lost, self.settled.max(self.told)));
    }

    /// All gaps up to `end`, as far as they are known.
    pub(super) fn gaps(&self, end: u64) -> Vec<Gap> {
        let mut gaps = self.gaps.clone();
        let open = Gap { from_sample: self.told, to_sample: end, cause: Cause::Dtx };
        tell(&mut gaps, open, &self.gates, &self.late);
        gaps.merged(end)
    }

    /// Writes all that waits and closes the file at `end`: the room's length, not before anything settled.
    pub(super) fn finish(&mut self, end: u64) {
        self.judge_clocks(SampleTime::from_samples(u64::MAX));
        self.settled = end;
        while self.may_lay(0) {
            self.lay_first();
        }
        self.counts.refused += self.waiting.len();
        self.turn_before(end);
        self.tape.finish(end);
    }

    /// Up to here the track is written: nothing before can end it.
    pub(super) fn reached(&self) -> u64 {
        self.settled.max(self.told)
    }
}

fn tell(gaps: &mut Gaps, gap: Gap, gates: &Gates, late: &[Gap]) {
    gaps.push(gap);
    late.iter().for_each(|late| gaps.raise(*late));
    gates.shut(gap.from_sample, gap.to_sample).for_each(|shut| gaps.raise(shut));
}
