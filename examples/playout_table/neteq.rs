//! NetEq's control logic on a timeline: what libwebrtc's `DecisionLogic` (2026) decides at each pull of 10 ms, without
//! the sound. Own code after its constants. Whether a pitch period is found is drawn at random.

use crate::{
    measure::{FRAME_MS, Score, Tally},
    neteq_target::{Target, Tuning},
    trace::Trace,
};
use std::collections::BTreeSet;
use tertulia::sim::Rng;

const TICK_MS: f64 = 10.0;
/// A full buffer is emptied as a whole (`packet_buffer.cc`).
const BUFFER: usize = 200;
/// Speeding up begins this far above what it may reach (`decision_logic.cc`).
const GRANULARITY_MS: f64 = 20.0;
/// Half of its target-level window: a future packet is played when so much more than the target waits.
const WINDOW_MS: f64 = 50.0;
/// Ticks between two stretches (`decision_logic.h`); the one that notices the first counts too.
const MIN_INTERVAL: u32 = 6;
/// So much decoded sound is enough to stretch.
const STRETCH_INPUT_MS: f64 = 30.0;
/// Invented sound that is so long has lost half of its height (`expand.cc`): three periods, then 6 dB in 62 ms.
const HALF_MUTED_MS: f64 = 90.0;
/// After so much the sender is taken to have restarted.
const REINIT_MS: f64 = 1000.0;
/// Pull phases to average over: arrivals and pulls have nothing to do with each other.
const PHASES_MS: [f64; 5] = [0.0, 2.0, 4.0, 6.0, 8.0];

/// The mean of five pull phases.
pub(crate) fn neteq(trace: &Trace, tuning: Tuning) -> Score {
    let runs = PHASES_MS.map(|phase_ms| NetEq::new(trace, tuning, phase_ms).run());
    Score::mean(&runs)
}

/// The best single retunings found for J20 and J100 with the C++ itself.
pub(crate) const RETUNED_20: Tuning = Tuning { quantile: 0.3, resample_ms: 500.0, has_dead_zone: false };
pub(crate) const RETUNED_100: Tuning = Tuning { quantile: 0.8, resample_ms: 20.0, has_dead_zone: true };

#[derive(Clone, Copy, Debug, PartialEq)]
enum Decision {
    /// Plays the next packet, if more sound is needed; the lost ones before it are over.
    Normal,
    Expand,
    Accelerate,
    SlowDown,
}

struct NetEq<'a> {
    trace: &'a Trace,
    /// When and which, by itself or as a copy inside the next packet; the last first.
    coming: Vec<(f64, usize)>,
    waiting: BTreeSet<usize>,
    target: Target,
    rng: Rng,
    tally: Tally,
    phase_ms: f64,
    tick: u32,
    /// The frame that is due next.
    next: usize,
    /// Sound that is decoded and not played yet.
    decoded_ms: f64,
    is_expanding: bool,
    /// Since the last packet was decoded, and how much of it was invented.
    expand_ticks: u32,
    expanded_ms: f64,
    stretch_from: u32,
    is_speech: bool,
}

impl<'a> NetEq<'a> {
    fn new(trace: &'a Trace, tuning: Tuning, phase_ms: f64) -> Self {
        let mut coming = Vec::with_capacity(trace.frames.len());
        for (place, frame) in trace.frames.iter().enumerate() {
            coming.extend(frame.arrival_ms.into_iter().chain(frame.copy_ms).map(|ms| (ms, place)));
        }
        coming.sort_by(|a, b| b.0.total_cmp(&a.0).then(b.1.cmp(&a.1)));
        let first = coming.last().map_or(0, |first| first.1);
        Self {
            trace,
            coming,
            waiting: BTreeSet::new(),
            target: Target::new(tuning),
            rng: Rng::new(phase_ms.to_bits()),
            tally: Tally::default(),
            phase_ms,
            tick: 0,
            next: first,
            decoded_ms: 0.0,
            is_expanding: false,
            expand_ticks: 0,
            expanded_ms: 0.0,
            stretch_from: 0,
            is_speech: true,
        }
    }

    fn run(mut self) -> Score {
        let Some((first_ms, ..)) = self.coming.last() else { return Score::default() };
        self.tick = ((first_ms - self.phase_ms) / TICK_MS).ceil().max(0.0) as u32;
        while !(self.coming.is_empty() && self.waiting.is_empty()) {
            self.receive();
            self.pull();
            self.tick += 1;
        }
        self.tally.score(self.trace.frames.len(), self.trace.lost())
    }

    fn now_ms(&self) -> f64 {
        self.phase_ms + TICK_MS * f64::from(self.tick)
    }

    /// Arrivals are stamped with the tick that began before them.
    fn receive(&mut self) {
        let now_ms = self.now_ms();
        while let Some((_, frame)) = self.coming.pop_if(|(ms, _)| *ms <= now_ms) {
            self.target.arrived(frame, now_ms - TICK_MS);
            if self.waiting.len() >= BUFFER {
                self.waiting.clear();
            }
            if frame >= self.next {
                self.waiting.insert(frame);
            }
        }
    }

    fn pull(&mut self) {
        match self.decide() {
            Decision::Expand if self.decoded_ms < TICK_MS => self.expand(),
            Decision::Accelerate => self.stretch(-1.0),
            Decision::SlowDown => self.stretch(1.0),
            Decision::Normal | Decision::Expand => self.play_on(),
        }
        self.decoded_ms -= TICK_MS;
    }

    fn decide(&self) -> Decision {
        let Some(&first) = self.waiting.first() else { return Decision::Expand };
        let span_ms = self.waiting.len() as f64 * FRAME_MS;
        if self.is_expanding && self.expanded_ms >= HALF_MUTED_MS && span_ms < self.target.ms() / 2.0 {
            return Decision::Expand;
        }
        if first == self.next {
            return if self.is_expanding { Decision::Normal } else { self.keep_delay() };
        }
        let leap = (first - self.next) as f64 * FRAME_MS;
        let generated_ms = f64::from(self.expand_ticks) * TICK_MS;
        let is_due =
            leap <= generated_ms || span_ms > self.target.ms() + WINDOW_MS || generated_ms >= REINIT_MS;
        if self.is_expanding && is_due { Decision::Normal } else { Decision::Expand }
    }

    fn keep_delay(&self) -> Decision {
        let arrivals = &self.target.arrivals;
        let delay_ms = arrivals.late_ms(Trace::media_ms(self.next) - self.decoded_ms, self.now_ms());
        let low_ms = self.target.ms();
        let dead_zone_ms = if self.target.tuning.has_dead_zone { arrivals.latest_ms() } else { 0.0 };
        let high_ms = low_ms + dead_zone_ms + GRANULARITY_MS;
        let may_stretch = self.tick >= self.stretch_from;
        match delay_ms {
            delay_ms if delay_ms >= 4.0 * high_ms => Decision::Accelerate,
            delay_ms if may_stretch && delay_ms >= high_ms => Decision::Accelerate,
            delay_ms if may_stretch && delay_ms < low_ms => Decision::SlowDown,
            _ => Decision::Normal,
        }
    }

    fn play_on(&mut self) {
        if self.decoded_ms < TICK_MS {
            self.decode();
        }
        self.is_expanding = false;
    }

    fn decode(&mut self) {
        let Some(frame) = self.waiting.pop_first() else { return };
        let send_ms = self.trace.frames[frame].send_ms;
        self.tally.heard(self.now_ms() + self.decoded_ms - send_ms - self.trace.quickest_ms);
        self.tally.sounded(FRAME_MS);
        self.decoded_ms += FRAME_MS;
        self.is_speech = self.trace.frames[frame].is_speech;
        self.next = frame + 1;
        (self.expand_ticks, self.expanded_ms) = (0, 0.0);
    }

    fn expand(&mut self) {
        let missing_ms = TICK_MS - self.decoded_ms;
        self.tally.concealed(missing_ms);
        self.decoded_ms = TICK_MS;
        self.expanded_ms += missing_ms;
        self.expand_ticks += 1;
        self.is_expanding = true;
    }

    /// One pitch period in (1) or out (-1), if one is found.
    fn stretch(&mut self, way: f64) {
        if self.decoded_ms < STRETCH_INPUT_MS {
            self.decode();
        }
        self.is_expanding = false;
        // What is left has to last for this pull.
        let most_ms = if way < 0.0 { self.decoded_ms - TICK_MS } else { f64::INFINITY };
        let period_ms = self.rng.between(2.5, 10.5).min(most_ms);
        if !self.is_speech || self.rng.chance(0.85) {
            self.tally.stretched(way * period_ms, self.is_speech);
            self.decoded_ms += way * period_ms;
            self.stretch_from = self.tick + MIN_INTERVAL;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::by_hand;

    fn play(transits: &[Option<f64>]) -> Score {
        neteq(&by_hand(transits, &[]), Tuning::default())
    }

    #[test]
    fn on_a_steady_network_nothing_is_invented_and_the_delay_is_a_frame_and_a_half() {
        let score = play(&[Some(30.0); 3000]);
        assert_eq!((score.concealed, score.unheard), (0.0, 0.0));
        // The C++ has 32 ms on a clean trace.
        assert!((25.0..40.0).contains(&score.delay_ms), "{}", score.delay_ms);
        assert!(score.stretched_in_speech < 0.2);
    }

    #[test]
    fn a_lost_packet_is_concealed_once() {
        let transits: Vec<_> = (0..2000).map(|at| (at % 10 != 5).then_some(30.0)).collect();
        let score = play(&transits);
        assert!((score.unheard - 10.0).abs() < 0.1 && (score.concealed - 10.0).abs() < 0.7, "{score:?}");
    }

    #[test]
    fn stalls_raise_the_delay_until_they_are_covered() {
        let stall = |at: usize| if at % 50 < 5 { 130.0 - 20.0 * (at % 50) as f64 } else { 30.0 };
        let transits: Vec<_> = (0..6000).map(|at| Some(stall(at))).collect();
        let score = play(&transits);
        assert!(score.delay_ms > 85.0 && score.delay_ms < 200.0, "{score:?}");
        assert!(score.concealed < 1.0 && score.unheard == 0.0, "{score:?}");
    }

    #[test]
    fn copies_are_heard_where_packets_are_lost() {
        let transits: Vec<_> = (0..2000).map(|at| (at % 10 != 5).then_some(30.0)).collect();
        let mut trace = by_hand(&transits, &[]);
        for place in 1..trace.frames.len() {
            trace.frames[place - 1].copy_ms = trace.frames[place].arrival_ms;
        }
        let score = neteq(&trace, Tuning::default());
        assert!(score.unheard < 0.1 && score.concealed < 0.3, "{score:?}");
    }
}
