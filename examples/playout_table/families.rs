//! Seeded network families, for whoever has no recorded traces at hand: a seed comes in, two minutes of each network
//! leave. Each family is one effect that real networks have, at an ordinary size; none was fitted to a buffer.

use crate::{
    measure::FRAME_MS,
    trace::Trace,
    ways::{
        Cell, Stalls, Way, balanced, cell, crossed, epochs, flapping, gilbert, handovers, losing, peaks,
        ramps, reordering, route, scans, shaped, stalls, steady,
    },
};
use tertulia::sim::{Rng, TraceRow};

const FRAMES: usize = 6000;
const TALK_MS: f64 = 1400.0;
const PAUSE_MS: f64 = 600.0;

struct Family {
    name: &'static str,
    way: Way,
    /// May packets overtake one another?
    overtakes: bool,
    /// How much faster the sender's clock runs.
    drift_ppm: f64,
    /// Does the sender's capture stand still now and then, while its clock counts on from where it was?
    stalls_capture: bool,
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
        family("shaped", shaped()),
        family("wifi_scans", scans()),
        family("handovers", handovers()),
        family("cross_traffic", crossed()),
        family("flapping_routes", flapping()),
        Family { overtakes: true, ..family("balanced", balanced()) },
        Family { drift_ppm: 300.0, ..family("drift_p300", crossed()) },
        Family { drift_ppm: -300.0, ..family("drift_m300", stalls(Stalls { every_ms: 9000.0, least_ms: 40.0, most_ms: 300.0, jitter_ms: 4.0 }, gilbert(0.01, 2.0))) },
        family("wifi_lossy", stalls(Stalls { every_ms: 3000.0, least_ms: 40.0, most_ms: 250.0, jitter_ms: 4.0 }, gilbert(0.12, 6.0))),
        family("cellular", cell(Cell { serve_ms: 1.5, others: 6.0, gap_every_ms: 9000.0, gap_ms: 90.0 })),
        family("cellular_edge", cell(Cell { serve_ms: 3.0, others: 3.5, gap_every_ms: 14_000.0, gap_ms: 350.0 })),
        Family { stalls_capture: true, ..family("capture_stalls", steady(4.0, 0.003)) },
    ]
}

fn family(name: &'static str, way: Way) -> Family {
    Family { name, way, overtakes: false, drift_ppm: 0.0, stalls_capture: false }
}

impl Family {
    fn trace(mut self, seed: u64) -> Trace {
        let mut rng = Rng::new(seed);
        let (mut rows, mut speech) = (Vec::with_capacity(FRAMES), Vec::with_capacity(FRAMES));
        let (mut last_ms, mut talk) = (0.0f64, Talk::default());
        let (mut stood_ms, mut stands_ms) = (0.0, 10_000.0);
        for seq in 0..FRAMES as u64 {
            let send_ms = stood_ms + seq as f64 * FRAME_MS * (1.0 - self.drift_ppm * 1e-6);
            if self.stalls_capture && send_ms >= stands_ms {
                stood_ms += rng.between(100.0, 1500.0);
                stands_ms = send_ms + rng.between(10_000.0, 25_000.0);
            }
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
