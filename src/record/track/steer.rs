//! A track follows its sender's clock in steps of 2.5 ms, where nobody hears it: in gaps, in what is quiet, and in speech only
//! where it would be off by too much.

use super::{
    super::{
        fill::LATTICE,
        gap::Cause,
        waiting::{Run, Waiting},
    },
    Before, Track,
};

/// Places follow a drift in steps of the file's lattice, where nobody speaks. In speech too, before it is off by 10 ms.
const FORCE: u64 = 384;

impl Track {
    /// Lets the places of the next packet's run follow its clock, if they may here: in a gap, where it is quiet, or
    /// because the track would be off by too much.
    pub(super) fn steer(&mut self) {
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
}
