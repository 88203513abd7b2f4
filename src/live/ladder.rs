//! The overload ladder of one worker: how pressed it was for time goes in, how much it sheds leaves. Windows are the only
//! time here, so that it can be tried by hand.
//!
//! ```text
//! Ground → Neural → Complexity → Voices → NewRooms
//!     up:   two windows in a row in which deadlines were all but missed
//!     down: three windows in a row in which what would come back seems to fit, or after five seconds on trial
//! ```

use crate::engine::Shed;
use std::time::Duration;

/// How far up a worker is: each rung includes those below it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rung {
    /// Nothing is shed.
    #[default]
    Ground,
    /// [`Shed::Neural`]: no neural concealment.
    Neural,
    /// [`Shed::Complexity`]: encoders take less trouble.
    Complexity,
    /// [`Shed::Voices`]: fewer voices are heard at once.
    Voices,
    /// No new rooms are taken: [`super::OpenError::Overloaded`].
    NewRooms,
}

impl Rung {
    /// All of them, from the ground up.
    pub const ALL: [Self; 5] = [Self::Ground, Self::Neural, Self::Complexity, Self::Voices, Self::NewRooms];

    /// What each room of the worker does without.
    #[must_use]
    pub const fn shed(self) -> Shed {
        match self {
            Self::Ground => Shed::Nothing,
            Self::Neural => Shed::Neural,
            Self::Complexity => Shed::Complexity,
            Self::Voices | Self::NewRooms => Shed::Voices,
        }
    }

    fn up(self) -> Self {
        Self::ALL[(self as usize + 1).min(Self::ALL.len() - 1)]
    }

    fn down(self) -> Self {
        Self::ALL[(self as usize).saturating_sub(1)]
    }
}

/// What is looked at at once. A window of all rooms' ticks, whatever their quantum.
pub(super) const WINDOW: Duration = Duration::from_millis(50);

/// Above this part of what there is, time runs out.
const PRESSED: f32 = 0.9;
/// What would be taken with one rung less must stay below this: a tenth less than what is a rung more.
const AT_EASE: f32 = 0.8;
/// Windows in a row before a step up, so that one hiccup of the machine costs nobody anything.
const TO_CLIMB: u32 = 2;
/// And down: from the top to the ground in 0.6 s.
const TO_DESCEND: u32 = 3;
/// So long after time was last short a rung is tried again whose return did not seem to fit: 5 s, and twice as long after
/// each trial that went wrong, up to 80 s.
const TRIAL: u32 = 100;
const LONGEST_TRIAL: u32 = 16 * TRIAL;
/// A rung whose saving seems larger was climbed when something else ended.
const LARGEST_SAVING: f32 = 2.0;
/// Below this part of the most that was taken on a rung, it is not as it was: whatever made time short has ended, and what the rung
/// seemed to save meanwhile says nothing.
const ANOTHER_TIME: f32 = 0.7;

/// How one window went.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Window {
    /// The part of it that went into ticks.
    pub(super) load: f32,
    /// Lateness and foreseen cost of its ticks as a part of their quantum, on average; the dearer count for more.
    pub(super) strain: f32,
}

/// One worker's place on the ladder.
#[derive(Debug)]
pub(super) struct Ladder {
    rung: Rung,
    pressed: u32,
    at_ease: u32,
    /// Windows since time was last short.
    quiet: u32,
    trial: u32,
    on_trial: bool,
    /// The load when each rung was climbed, as a multiple of what it was thereafter.
    savings: [f32; Rung::ALL.len()],
    load_before: f32,
    /// The largest load since this rung was climbed.
    most: f32,
}

impl Default for Ladder {
    fn default() -> Self {
        Self {
            rung: Rung::Ground,
            pressed: 0,
            at_ease: 0,
            quiet: 0,
            trial: TRIAL,
            on_trial: false,
            savings: [1.0; Rung::ALL.len()],
            load_before: 0.0,
            most: 0.0,
        }
    }
}

impl Ladder {
    /// A window is over; where the worker stands now.
    pub(super) fn look(&mut self, window: Window) -> Rung {
        let pressure = window.load.max(window.strain);
        self.pressed = if pressure > PRESSED { self.pressed + 1 } else { 0 };
        self.quiet = if pressure > PRESSED { 0 } else { self.quiet.saturating_add(1) };
        self.note_saving(window.load);
        let fits = window.strain.max(window.load * self.saving(window.load)) < AT_EASE;
        self.at_ease = if fits { self.at_ease + 1 } else { 0 };
        if self.pressed >= TO_CLIMB && self.rung < Rung::NewRooms {
            self.climb(window.load);
        } else if self.rung > Rung::Ground && (self.at_ease >= TO_DESCEND || self.quiet >= self.trial) {
            self.descend(fits);
        }
        self.rung
    }

    pub(super) fn rung(&self) -> Rung {
        self.rung
    }

    fn climb(&mut self, load: f32) {
        if std::mem::take(&mut self.on_trial) {
            self.trial = (2 * self.trial).min(LONGEST_TRIAL);
        }
        self.rung = self.rung.up();
        (self.load_before, self.most) = (load, 0.0);
        self.pressed = 0;
    }

    /// What the rung saves shows in the first window that is wholly under it.
    fn note_saving(&mut self, load: f32) {
        self.most = self.most.max(load);
        if self.load_before > 0.0 {
            let saving = self.load_before / load.max(1e-3);
            self.savings[self.rung as usize] = saving.clamp(1.0, LARGEST_SAVING);
            self.load_before = 0.0;
        }
    }

    /// What the present rung saves at such a load, as a factor.
    fn saving(&self, load: f32) -> f32 {
        if load < ANOTHER_TIME * self.most { 1.0 } else { self.savings[self.rung as usize] }
    }

    fn descend(&mut self, fits: bool) {
        self.on_trial = !fits;
        self.rung = self.rung.down();
        (self.at_ease, self.quiet) = (0, 0);
        if self.rung == Rung::Ground && fits {
            self.trial = TRIAL;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A machine on which ticks cost `work` at the ground, and what is left of it on each rung.
    struct Machine {
        ladder: Ladder,
        left: [f32; 5],
    }

    impl Machine {
        fn new(left: [f32; 5]) -> Self {
            Self { ladder: Ladder::default(), left }
        }

        /// So many windows under so much work; the rungs that were stood on, without repetitions.
        fn run(&mut self, windows: u32, work: f32) -> Vec<Rung> {
            let mut path = vec![self.ladder.rung()];
            for _ in 0..windows {
                let load = (work * self.left[self.ladder.rung() as usize]).min(1.0);
                path.push(self.ladder.look(Window { load, strain: load }));
            }
            path.dedup();
            path
        }
    }

    const SECOND: u32 = 20;
    const USUAL: [f32; 5] = [1.0, 0.95, 0.5, 0.3, 0.3];

    #[test]
    fn steps_are_taken_in_the_published_order_and_taken_back_in_the_reverse() {
        let mut machine = Machine::new([1.0; 5]);
        assert_eq!(machine.run(SECOND, 1.5), Rung::ALL);
        let mut back = Rung::ALL;
        back.reverse();
        assert_eq!(machine.run(SECOND, 0.3), back);
    }

    #[test]
    fn no_more_is_shed_than_is_needed() {
        let mut machine = Machine::new(USUAL);
        assert_eq!(machine.run(SECOND, 0.8), [Rung::Ground]);
        assert_eq!(machine.run(SECOND, 1.0), [Rung::Ground, Rung::Neural, Rung::Complexity]);
        assert_eq!(machine.run(4 * SECOND, 1.0), [Rung::Complexity]);
    }

    #[test]
    fn one_hiccup_sheds_nothing() {
        let mut machine = Machine::new(USUAL);
        for _ in 0..20 {
            assert_eq!(machine.run(1, 3.0), [Rung::Ground]);
            assert_eq!(machine.run(1, 0.3), [Rung::Ground]);
        }
    }

    /// After the load is gone, whatever was learnt under it.
    #[test]
    fn all_is_back_within_a_second() {
        for left in [[1.0; 5], USUAL, [1.0, 0.2, 0.2, 0.2, 0.2]] {
            let mut machine = Machine::new(left);
            for _ in 0..10 {
                machine.run(3 * SECOND, 2.5);
                assert_eq!(machine.run(SECOND, 0.3).last(), Some(&Rung::Ground));
            }
        }
    }

    /// Three quarters of a core were no reason to shed anything before, so they are none afterwards.
    #[test]
    fn a_worker_that_was_rather_full_comes_back_too() {
        let mut machine = Machine::new(USUAL);
        for work in [0.65, 0.75] {
            machine.run(3 * SECOND, 2.5);
            assert_eq!(machine.run(SECOND, work).last(), Some(&Rung::Ground), "{work}");
        }
    }

    /// What else runs takes now more and now less, so a rung may seem to have saved a lot.
    #[test]
    fn what_a_rung_seemed_to_save_beside_a_hog_is_no_reason_to_stay_on_it() {
        let mut ladder = Ladder::default();
        for load in [0.99, 0.98, 0.50, 0.95, 0.99, 0.52, 0.97, 0.99].repeat(20) {
            ladder.look(Window { load, strain: 1.5 });
        }
        assert_eq!(ladder.rung(), Rung::NewRooms);
        let after = (0..SECOND - 2).map(|_| ladder.look(Window { load: 0.6, strain: 0.3 }));
        assert_eq!(after.last(), Some(Rung::Ground));
    }

    #[test]
    fn a_load_that_stays_makes_it_flutter_ever_more_rarely() {
        let mut machine = Machine::new(USUAL);
        machine.run(SECOND, 1.05);
        let moves_a_minute: Vec<_> = (0..6).map(|_| machine.run(60 * SECOND, 1.05).len() - 1).collect();
        assert!(moves_a_minute[0] <= 14, "{moves_a_minute:?}");
        assert!(moves_a_minute[4..].iter().all(|moves| *moves <= 4), "{moves_a_minute:?}");
    }

    #[test]
    fn ticks_in_danger_count_though_the_worker_is_idle_on_average() {
        let mut ladder = Ladder::default();
        let window = Window { load: 0.2, strain: 1.4 };
        assert_eq!([ladder.look(window), ladder.look(window)], [Rung::Ground, Rung::Neural]);
    }
}
