//! A seeded network: what it does to packets sent every 20 ms, as the rows of a trace that never ends.

use super::{Rng, trace::TraceRow};

/// How a network behaves. The default loses, delays and reorders nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Network {
    /// Transit of an unhindered packet.
    pub transit_ms: f64,
    /// Mean of the exponential delay on top; packets queue behind one another.
    pub jitter_ms: f64,
    /// Part of the packets that is lost, below 1.
    pub loss: f64,
    /// Mean length of a run of losses (Gilbert 1960: the bad state loses everything).
    pub burst: f64,
    /// Part of the packets that strays and comes up to 60 ms later, overtaken by others.
    pub reordered: f64,
    /// Part of the packets that comes twice.
    pub duplicated: f64,
    /// How much faster the sender's clock runs, in parts per million.
    pub drift_ppm: f64,
}

impl Network {
    /// The rows of this seed.
    pub fn rows(&self, seed: u64) -> impl Iterator<Item = TraceRow> + use<> {
        let mut way = Way {
            network: self.clone(),
            rng: Rng::new(seed),
            seq: 0,
            losing: false,
            queue_ms: 0.0,
            copy: None,
        };
        std::iter::from_fn(move || Some(way.next_row()))
    }
}

struct Way {
    network: Network,
    rng: Rng,
    seq: u64,
    losing: bool,
    /// When the last packet left the queue.
    queue_ms: f64,
    copy: Option<TraceRow>,
}

impl Way {
    fn next_row(&mut self) -> TraceRow {
        if let Some(copy) = self.copy.take() {
            return copy;
        }
        let send_ms = self.seq as f64 * 20.0 * (1.0 - self.network.drift_ppm * 1e-6);
        let passed_ms = self.pass(send_ms);
        let row =
            TraceRow { seq: self.seq, send_ms, arrival_ms: if self.lose() { None } else { Some(passed_ms) } };
        self.seq += 1;
        if self.rng.chance(self.network.duplicated) {
            let later_ms = self.rng.between(0.0, 30.0);
            self.copy = Some(TraceRow { arrival_ms: row.arrival_ms.map(|ms| ms + later_ms), ..row });
        }
        row
    }

    fn pass(&mut self, send_ms: f64) -> f64 {
        let jitter_ms = self.rng.exponential(self.network.jitter_ms);
        self.queue_ms = self.queue_ms.max(send_ms + self.network.transit_ms + jitter_ms);
        let stray = self.rng.chance(self.network.reordered);
        self.queue_ms + if stray { self.rng.between(20.0, 60.0) } else { 0.0 }
    }

    fn lose(&mut self) -> bool {
        let Network { loss, burst, .. } = self.network;
        let stay = 1.0 - 1.0 / burst.max(1.0);
        let enter = loss / (burst.max(1.0) * (1.0 - loss));
        self.losing = self.rng.chance(if self.losing { stay } else { enter });
        self.losing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rough() -> Network {
        Network {
            transit_ms: 30.0,
            jitter_ms: 5.0,
            loss: 0.1,
            burst: 3.0,
            reordered: 0.02,
            duplicated: 0.05,
            drift_ppm: 200.0,
        }
    }

    #[test]
    fn a_seed_is_a_network() {
        let rows = |seed| rough().rows(seed).take(500).collect::<Vec<_>>();
        assert_eq!(rows(3), rows(3));
        assert_ne!(rows(3), rows(4));
    }

    #[test]
    fn the_losses_are_as_many_and_as_long_as_asked_for() {
        let network = Network { duplicated: 0.0, ..rough() };
        let rows: Vec<_> = network.rows(5).take(100_000).collect();
        let lost = rows.iter().filter(|row| row.arrival_ms.is_none()).count() as f64;
        let bursts =
            rows.windows(2).filter(|two| two[0].arrival_ms.is_some() && two[1].arrival_ms.is_none()).count();
        // 100,000 rows at 10 % in bursts of 3: the standard deviations are about 1 % of each mean; five of them.
        assert!((lost / 100_000.0 - 0.1).abs() < 0.007, "{lost}");
        assert!((lost / bursts as f64 - 3.0).abs() < 0.2, "{bursts}");
    }

    #[test]
    fn nothing_arrives_before_its_transit() {
        for row in rough().rows(6).take(2000) {
            assert!(row.arrival_ms.is_none_or(|arrival| arrival >= row.send_ms + 30.0));
        }
    }

    #[test]
    fn a_default_network_hands_packets_through() {
        let rows: Vec<_> = Network::default().rows(1).take(3).collect();
        assert_eq!(rows[2], TraceRow { seq: 2, send_ms: 40.0, arrival_ms: Some(40.0) });
    }
}
