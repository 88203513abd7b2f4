//! What a network does to packets, effect by effect: chance and the time of sending come in, a transit or a loss leaves.

use crate::measure::FRAME_MS;
use tertulia::sim::Rng;

/// A packet's transit in milliseconds, or its loss.
pub(crate) type Way = Box<dyn FnMut(&mut Rng, f64) -> Option<f64>>;

/// Losses in runs (Gilbert 1960): a share of all, with this mean length.
pub(crate) fn gilbert(share: f64, burst: f64) -> impl FnMut(&mut Rng) -> bool + 'static {
    let mut is_losing = false;
    let (enter, stay) = (share / (burst * (1.0 - share)), 1.0 - 1.0 / burst);
    move |rng| {
        is_losing = rng.chance(if is_losing { stay } else { enter });
        is_losing
    }
}

pub(crate) fn steady(jitter_ms: f64, loss: f64) -> Way {
    Box::new(move |rng, _| (!rng.chance(loss)).then(|| 30.0 + rng.exponential(jitter_ms)))
}

pub(crate) fn losing(mut loses: impl FnMut(&mut Rng) -> bool + 'static) -> Way {
    Box::new(move |rng, _| (!loses(rng)).then(|| 35.0 + rng.exponential(3.0)))
}

pub(crate) struct Stalls {
    pub(crate) every_ms: f64,
    pub(crate) least_ms: f64,
    pub(crate) most_ms: f64,
    pub(crate) jitter_ms: f64,
}

/// An access point that cannot send for a while, and then sends all at once. Lengths are Pareto, within bounds.
pub(crate) fn stalls(stalls: Stalls, mut loses: impl FnMut(&mut Rng) -> bool + 'static) -> Way {
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
pub(crate) fn ramps(mut loses: impl FnMut(&mut Rng) -> bool + 'static) -> Way {
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
pub(crate) fn reordering() -> Way {
    Box::new(|rng, _| {
        let detour_ms = if rng.chance(0.04) { rng.between(15.0, 55.0) } else { 0.0 };
        (!rng.chance(0.002)).then(|| 30.0 + rng.exponential(2.0) + detour_ms)
    })
}

/// Jitter up to a peak, mostly far below it, in the manner of the network classes of ITU-T G.1050.
pub(crate) fn peaks(peak_ms: f64, share: f64, mut loses: impl FnMut(&mut Rng) -> bool + 'static) -> Way {
    Box::new(move |rng, _| {
        let jitter_ms = rng.exponential(peak_ms / 25.0);
        let peak_ms = if rng.chance(share) { rng.between(0.2, 1.0) * peak_ms } else { 0.0 };
        (!loses(rng)).then_some(40.0 + jitter_ms + peak_ms)
    })
}

/// Another way through the network every 25 s or so: longer or shorter at once.
pub(crate) fn route() -> Way {
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
pub(crate) fn epochs(mut loses: impl FnMut(&mut Rng) -> bool + 'static) -> Way {
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

/// A shaper that lets a burst through and then queues: somebody's video empties the bucket now and then, and what comes
/// meanwhile waits for tokens.
pub(crate) fn shaped() -> Way {
    let (mut owed_ms, mut burst_ms, mut until_ms) = (0.0f64, 2000.0, 0.0);
    Box::new(move |rng, now_ms| {
        if now_ms >= burst_ms {
            until_ms = now_ms + rng.between(100.0, 600.0);
            burst_ms = until_ms + rng.exponential(3000.0);
        }
        let inflow = if now_ms < until_ms { 1.45 } else { 0.3 };
        owed_ms = (owed_ms + (inflow - 1.0) * FRAME_MS).clamp(-60.0, 250.0);
        (!rng.chance(0.001)).then(|| 28.0 + owed_ms.max(0.0) + rng.exponential(1.5))
    })
}

/// WiFi that listens on other channels, at fixed times: every 10 s three looks in a row, each of them a stall.
pub(crate) fn scans() -> Way {
    const EVERY_MS: f64 = 10_000.0;
    Box::new(move |rng, now_ms| {
        let (into_ms, look_ms) = (now_ms % EVERY_MS, 110.0);
        let look = (into_ms / 220.0).floor();
        let stalled_ms = if look < 3.0 { (look * 220.0 + look_ms - into_ms).max(0.0) } else { 0.0 };
        (!rng.chance(0.002)).then(|| 22.0 + rng.exponential(2.5) + stalled_ms)
    })
}

/// A cell that is left for another every 12 s or so: nothing for a while, then a queue that drains slowly, on a base that
/// may be another.
pub(crate) fn handovers() -> Way {
    let (mut next_ms, mut back_ms, mut base_ms, mut queue_ms) = (8000.0, 0.0, 35.0, 0.0f64);
    Box::new(move |rng, now_ms| {
        if now_ms >= next_ms {
            back_ms = now_ms + rng.between(40.0, 350.0);
            queue_ms = rng.between(20.0, 200.0);
            base_ms = rng.between(30.0, 70.0);
            next_ms = now_ms + rng.between(6000.0, 18_000.0);
        }
        let away_ms: f64 = back_ms - now_ms;
        queue_ms = (queue_ms - if away_ms > 0.0 { 0.0 } else { 0.06 * FRAME_MS }).max(0.0);
        let waits_ms = queue_ms + away_ms.max(0.0) + f64::from(u8::from(rng.chance(0.1))) * 8.0;
        (!rng.chance(0.003)).then(|| base_ms + waits_ms + rng.exponential(2.0))
    })
}

/// Somebody else's transfers on the same line, on and off with heavy tails: the queue fills steeply and drains.
pub(crate) fn crossed() -> Way {
    let (mut is_on, mut turn_ms, mut queue_ms, mut slope) = (false, 1500.0, 0.0f64, -0.5);
    Box::new(move |rng, now_ms| {
        if now_ms >= turn_ms {
            is_on = !is_on;
            let mean_ms = if is_on { 150.0 } else { 1200.0 };
            turn_ms = now_ms + (mean_ms / (1.0 - rng.unit()).powf(0.7)).min(20.0 * mean_ms);
            slope = if is_on { rng.between(0.1, 0.9) } else { -0.5 };
        }
        queue_ms = (queue_ms + slope * FRAME_MS).clamp(0.0, 180.0);
        let is_full = queue_ms >= 180.0 && rng.chance(0.1);
        (!is_full).then(|| 20.0 + queue_ms + rng.exponential(2.0))
    })
}

/// Two routes that take turns, one of them for moments only.
pub(crate) fn flapping() -> Way {
    let (mut is_long, mut turn_ms) = (false, 3000.0);
    Box::new(move |rng, now_ms| {
        if now_ms >= turn_ms {
            is_long = !is_long;
            turn_ms = now_ms + rng.exponential(if is_long { 700.0 } else { 5000.0 });
        }
        let longer_ms = if is_long { 45.0 } else { 0.0 };
        (!rng.chance(0.002)).then(|| 30.0 + longer_ms + rng.exponential(2.0))
    })
}

/// A balancer that sends each packet over any of three lines.
pub(crate) fn balanced() -> Way {
    Box::new(move |rng, _| {
        let line_ms = [0.0, 6.0, 27.0][(rng.unit() * 3.0) as usize];
        (!rng.chance(0.003)).then(|| 25.0 + line_ms + rng.exponential(3.0))
    })
}

pub(crate) struct Cell {
    /// What the line needs for one packet of anybody's, in the mean.
    pub(crate) serve_ms: f64,
    /// The others' packets for each of ours.
    pub(crate) others: f64,
    pub(crate) gap_every_ms: f64,
    pub(crate) gap_ms: f64,
}

/// One queue for us and somebody's video, on a radio whose rate wanders, and that is away now and then for seconds. The
/// video sends less while the queue is long.
pub(crate) fn cell(cell: Cell) -> Way {
    let (mut rate_db, mut free_ms, mut gap_ms, mut back_ms) = (0.0f64, 0.0f64, cell.gap_every_ms, 0.0f64);
    Box::new(move |rng, now_ms| {
        rate_db = 0.98 * rate_db + rng.between(-1.4, 1.4);
        let others = if free_ms - now_ms > 150.0 { 0.3 * cell.others } else { cell.others };
        for _ in 0..=(others + rng.unit()) as u32 {
            let mut start_ms = free_ms.max(now_ms);
            if start_ms >= gap_ms {
                back_ms = gap_ms + (cell.gap_ms / (1.0 - rng.unit()).powf(0.6)).min(12.0 * cell.gap_ms);
                gap_ms = back_ms + rng.exponential(cell.gap_every_ms);
            }
            start_ms = start_ms.max(if start_ms < back_ms { back_ms } else { 0.0 });
            free_ms = start_ms + rng.exponential(cell.serve_ms * 10f64.powf(-rate_db / 10.0));
        }
        Some(free_ms - now_ms + 25.0)
    })
}
