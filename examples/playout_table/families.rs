//! Seeded network families, for whoever has no recorded traces at hand: a seed comes in, two minutes of each network
//! leave. Each family is one effect that real networks have, at an ordinary size; none was fitted to a buffer.

use crate::{measure::FRAME_MS, trace::Trace};
use tertulia::sim::{Rng, TraceRow};

const FRAMES: usize = 6000;
const TALK_MS: f64 = 1400.0;
const PAUSE_MS: f64 = 600.0;

/// What a family does to a packet: its transit, or its loss.
type Way = Box<dyn FnMut(&mut Rng, f64) -> Option<f64>>;

struct Family {
    name: &'static str,
    way: Way,
    /// May packets overtake one another?
    overtakes: bool,
    /// How much faster the sender's clock runs.
    drift_ppm: f64,
}

/// One trace of each family.
pub(crate) fn families(seed: u64) -> Vec<Trace> {
    let (seeds, all) = (seed * 1000.., all());
    seeds.zip(all).map(|(seed, family)| family.trace(seed)).collect()
}

#[rustfmt::skip]
fn all() -> Vec<Family> {
    vec![
        family("clean", steady(1.0, 0.0)),
        family("wifi_stalls", stalls(Stalls { every_ms: 5000.0, least_ms: 30.0, most_ms: 500.0, jitter_ms: 2.0 }, gilbert(0.004, 2.0))),
        family("wifi_crowded", stalls(Stalls { every_ms: 1200.0, least_ms: 30.0, most_ms: 600.0, jitter_ms: 6.0 }, gilbert(0.025, 3.0))),
        family("lte_ramps", ramps(gilbert(0.003, 2.0))),
        Family { overtakes: true, ..family("reordering", reordering()) },
        family("g1050_a_like", peaks(50.0, 0.02, gilbert(0.0005, 1.0))),
        family("g1050_b_like", peaks(150.0, 0.03, gilbert(0.015, 3.0))),
        family("g1050_c_like", peaks(400.0, 0.03, gilbert(0.04, 5.0))),
        family("burst_loss_10", losing(gilbert(0.1, 2.0))),
        family("burst_loss_20", losing(gilbert(0.2, 2.0))),
        family("burst_loss_30", losing(gilbert(0.3, 2.5))),
        Family { drift_ppm: 200.0, ..family("drift_p200", steady(3.0, 0.001)) },
        Family { drift_ppm: -200.0, ..family("drift_m200", steady(3.0, 0.001)) },
        family("route_change", route()),
        family("leo_epochs", epochs(gilbert(0.004, 4.0))),
    ]
}

fn family(name: &'static str, way: Way) -> Family {
    Family { name, way, overtakes: false, drift_ppm: 0.0 }
}

impl Family {
    fn trace(mut self, seed: u64) -> Trace {
        let mut rng = Rng::new(seed);
        let (mut rows, mut speech) = (Vec::with_capacity(FRAMES), Vec::with_capacity(FRAMES));
        let (mut last_ms, mut talk) = (0.0f64, Talk::default());
        for seq in 0..FRAMES as u64 {
            let send_ms = seq as f64 * FRAME_MS * (1.0 - self.drift_ppm * 1e-6);
            let mut arrival_ms = (self.way)(&mut rng, send_ms).map(|transit_ms| send_ms + transit_ms);
            if !self.overtakes {
                // A queue: none leaves before the one ahead of it.
                arrival_ms = arrival_ms.map(|ms| ms.max(last_ms + 0.1));
                last_ms = arrival_ms.unwrap_or(last_ms);
            }
            rows.push(TraceRow { seq, send_ms, arrival_ms });
            speech.push(talk.is_speech(&mut rng, send_ms));
        }
        Trace::new(self.name, rows, &speech)
    }
}

/// A speaker who talks and pauses.
#[derive(Default)]
struct Talk {
    is_speech: bool,
    until_ms: f64,
}

impl Talk {
    fn is_speech(&mut self, rng: &mut Rng, now_ms: f64) -> bool {
        if now_ms >= self.until_ms {
            self.is_speech = !self.is_speech;
            self.until_ms = now_ms + rng.exponential(if self.is_speech { TALK_MS } else { PAUSE_MS });
        }
        self.is_speech
    }
}

/// Losses in runs (Gilbert 1960): a share of all, with this mean length.
fn gilbert(share: f64, burst: f64) -> impl FnMut(&mut Rng) -> bool + 'static {
    let mut is_losing = false;
    let (enter, stay) = (share / (burst * (1.0 - share)), 1.0 - 1.0 / burst);
    move |rng| {
        is_losing = rng.chance(if is_losing { stay } else { enter });
        is_losing
    }
}

fn steady(jitter_ms: f64, loss: f64) -> Way {
    Box::new(move |rng, _| (!rng.chance(loss)).then(|| 30.0 + rng.exponential(jitter_ms)))
}

fn losing(mut loses: impl FnMut(&mut Rng) -> bool + 'static) -> Way {
    Box::new(move |rng, _| (!loses(rng)).then(|| 35.0 + rng.exponential(3.0)))
}

struct Stalls {
    every_ms: f64,
    least_ms: f64,
    most_ms: f64,
    jitter_ms: f64,
}

/// An access point that cannot send for a while, and then sends all at once. Lengths are Pareto, within bounds.
fn stalls(stalls: Stalls, mut loses: impl FnMut(&mut Rng) -> bool + 'static) -> Way {
    const SHAPE: f64 = 1.2;
    let (mut next_ms, mut until_ms) = (stalls.every_ms, 0.0);
    Box::new(move |rng, now_ms| {
        if now_ms >= next_ms {
            let length_ms = stalls.least_ms / (1.0 - rng.unit()).powf(1.0 / SHAPE);
            until_ms = next_ms + length_ms.min(stalls.most_ms);
            next_ms = until_ms + rng.exponential(stalls.every_ms);
        }
        let stalled_ms: f64 = until_ms - now_ms;
        let transit_ms = 25.0 + rng.exponential(stalls.jitter_ms) + stalled_ms.max(0.0);
        (!loses(rng)).then_some(transit_ms)
    })
}

/// A queue that somebody else fills and lets run empty, retransmissions of 8 ms, and a handover now and then.
fn ramps(mut loses: impl FnMut(&mut Rng) -> bool + 'static) -> Way {
    let (mut queue_ms, mut slope, mut turn_ms, mut handover_ms) = (0.0f64, 0.0, 3000.0, 15_000.0);
    let mut away_until_ms = 0.0;
    Box::new(move |rng, now_ms| {
        if now_ms >= turn_ms {
            slope = if rng.chance(0.4) { rng.between(0.02, 0.12) } else { -0.25 };
            turn_ms = now_ms + rng.between(1000.0, 4000.0);
        }
        if now_ms >= handover_ms {
            away_until_ms = now_ms + rng.between(60.0, 250.0);
            handover_ms = now_ms + rng.exponential(20_000.0);
        }
        queue_ms = (queue_ms + slope * FRAME_MS).clamp(0.0, 350.0);
        let harq_ms = if rng.chance(0.1) { 8.0 } else { 0.0 };
        let away_ms: f64 = away_until_ms - now_ms;
        let transit_ms = 40.0 + queue_ms + harq_ms + rng.exponential(2.0) + away_ms.max(0.0);
        (!loses(rng)).then_some(transit_ms)
    })
}

/// A second path that some packets take.
fn reordering() -> Way {
    Box::new(|rng, _| {
        let detour_ms = if rng.chance(0.04) { rng.between(15.0, 55.0) } else { 0.0 };
        (!rng.chance(0.002)).then(|| 30.0 + rng.exponential(2.0) + detour_ms)
    })
}

/// Jitter up to a peak, mostly far below it, in the manner of the network classes of ITU-T G.1050.
fn peaks(peak_ms: f64, share: f64, mut loses: impl FnMut(&mut Rng) -> bool + 'static) -> Way {
    Box::new(move |rng, _| {
        let jitter_ms = rng.exponential(peak_ms / 25.0);
        let peak_ms = if rng.chance(share) { rng.between(0.2, 1.0) * peak_ms } else { 0.0 };
        (!loses(rng)).then_some(40.0 + jitter_ms + peak_ms)
    })
}

/// Another way through the network every 25 s or so: longer or shorter at once.
fn route() -> Way {
    let (mut longer_ms, mut change_ms) = (0.0, 20_000.0);
    Box::new(move |rng, now_ms| {
        if now_ms >= change_ms {
            longer_ms = if longer_ms > 0.0 { 0.0 } else { rng.between(40.0, 120.0) };
            change_ms = now_ms + rng.between(15_000.0, 35_000.0);
        }
        (!rng.chance(0.002)).then(|| 30.0 + longer_ms + rng.exponential(2.0))
    })
}

/// Satellites that are handed over every 15 s, with another transit each and a short stall between.
fn epochs(mut loses: impl FnMut(&mut Rng) -> bool + 'static) -> Way {
    const EPOCH_MS: f64 = 15_000.0;
    let (mut next_ms, mut transit_ms, mut until_ms) = (0.0, 0.0, 0.0);
    Box::new(move |rng, now_ms| {
        if now_ms >= next_ms {
            next_ms += EPOCH_MS;
            transit_ms = rng.between(25.0, 50.0);
            until_ms = now_ms + rng.between(20.0, 100.0);
        }
        let stalled_ms: f64 = until_ms - now_ms;
        (!loses(rng)).then(|| transit_ms + rng.exponential(5.0) + stalled_ms.max(0.0))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trace(name: &str) -> Trace {
        families(1).into_iter().find(|trace| trace.name == name).unwrap()
    }

    #[test]
    fn a_seed_is_a_set_of_networks() {
        let rows = |seed| families(seed).into_iter().map(|trace| trace.rows).collect::<Vec<_>>();
        assert_eq!(rows(1), rows(1));
        assert_ne!(rows(1), rows(2));
    }

    #[test]
    fn every_family_has_its_effect() {
        let lost = |name: &str| trace(name).lost() as f64 / FRAMES as f64;
        // Six thousand frames in runs of two to three: a standard deviation is at most .015; two of them.
        for (name, share) in [("burst_loss_10", 0.1), ("burst_loss_20", 0.2), ("burst_loss_30", 0.3)] {
            assert!((lost(name) - share).abs() < 0.03, "{name}: {}", lost(name));
        }
        assert!(lost("clean") <= 0.0);
        let latest = |name: &str| trace(name).late_ms().flatten().fold(0.0, f64::max);
        assert!(latest("clean") < 15.0 && latest("wifi_stalls") > 100.0 && latest("lte_ramps") > 100.0);
        assert!(latest("route_change") > 40.0);
        let overtaken = |name: &str| {
            let arrivals: Vec<_> = trace(name).rows.iter().filter_map(|row| row.arrival_ms).collect();
            arrivals.windows(2).filter(|two| two[1] < two[0]).count()
        };
        assert!(overtaken("reordering") > 50 && overtaken("wifi_crowded") == 0);
    }

    #[test]
    fn speech_takes_most_of_the_time() {
        for trace in families(1) {
            let speech = trace.frames.iter().filter(|frame| frame.is_speech).count() as f64 / FRAMES as f64;
            assert!((0.55..0.85).contains(&speech), "{}: {speech}", trace.name);
        }
    }
}
