//! How a sender's clock runs against the room's. Packets' transits come in; out comes the line that lies right under
//! them. A network only ever adds to a transit, so the quickest packets tell where the clocks stand, and how they move
//! tells how fast they part (Moon, Skelly and Towsley 1999: the line under all points that is nearest to them).

use super::pace::Pace;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Of each two seconds the quickest packet counts.
const BUCKET: i64 = 96_000;

/// A line lies under the last two minutes.
const BUCKETS: usize = 64;

/// A slope is told by no less than twelve seconds.
const BASELINE: usize = 6;

/// A packet quicker by 5 ms than the line: there is a quicker way, and what was known before is void.
const QUICKER: f64 = 240.0;

/// Slower by more than 5 ms for 30 s, or by more than 100 ms for 10 s: the clock has moved, or the way for good.
const SLOWER: [(f64, usize); 2] = [(240.0, 15), (4_800.0, 5)];

/// After a minute packets tell their clock's slope well, so that a sender's own word has to agree to 50 ppm; before that, the
/// less the shorter the line.
const TOLD: usize = 30;
const AGREE: f64 = 50e-6;

/// Until then its word weighs as much as a line of a minute.
const LEANS: i64 = 60;

/// A knot is tied this often, in buckets.
const KNOT: usize = 16;

/// Where the sender's clock stands at one moment of it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Knot {
    pub(super) media: i64,
    /// From media to room samples there.
    pub(super) transit: f64,
}

/// So many packets behind the last that was on time, it is looked for where the clock stood still.
const LOOKED_AT: u8 = 25;

/// The line under one run's transits, and where it lay before.
#[derive(Clone, Debug)]
pub(super) struct Drift {
    /// From here on the line holds.
    from: i64,
    /// The quickest of each bucket, the bucket's number with it.
    points: VecDeque<(i64, Knot)>,
    at: Knot,
    slope: f64,
    /// What lines before told of it.
    pace: Pace,
    /// Does that hold what its sender says of it?
    leans: bool,
    newest: Knot,
    /// The steepest rise of the transit behind the last packet that was on time.
    rise: Option<Rise>,
    knots: Vec<Knot>,
    /// So many of them are of lines before.
    past: usize,
    /// The bucket of the last knot.
    tied: i64,
}

#[derive(Clone, Copy, Debug)]
struct Rise {
    /// The packet behind it.
    media: i64,
    by: f64,
    /// How many packets are still looked at.
    left: u8,
}

impl Drift {
    /// A clock of which one packet is known, from media sample `from` on, and how fast it may go.
    pub(super) fn new(from: i64, at: Knot, pace: Pace) -> Self {
        let bucket = at.media / BUCKET;
        Self {
            from,
            points: [(bucket, at)].into(),
            at,
            slope: pace.slope(),
            pace,
            leans: false,
            newest: at,
            rise: None,
            knots: Vec::new(),
            past: 0,
            tied: bucket,
        }
    }

    /// Another line that goes on where this one ends.
    pub(super) fn then(mut self, mut next: Self) -> Self {
        self.close(next.from);
        next.past = self.knots.len();
        self.knots.append(&mut next.knots);
        Self { knots: self.knots, ..next }
    }

    /// How fast the clock goes, by this line and those before.
    pub(super) fn pace(&self) -> Pace {
        match (self.points.front(), self.points.back()) {
            (Some((_, first)), Some((_, last))) if last.media > first.media => {
                self.pace.and(Pace::over(last.media - first.media, self.edge()))
            }
            _ => self.pace,
        }
    }

    /// The sender says that its clock goes so; whether that agrees with its packets. It is believed while these tell less.
    pub(super) fn lean(&mut self, told: f64) -> bool {
        let points = self.points.len();
        let apart = (told - self.edge()).abs() * points as f64;
        let agrees = points < BASELINE || apart < AGREE * TOLD as f64;
        self.leans = agrees;
        if agrees && points < TOLD {
            self.pace = Pace::over(LEANS * 48_000, told);
            self.draw();
        }
        agrees
    }

    /// The transit of a packet that was on time, at this moment of the sender's clock.
    pub(super) fn transit(&self, media: i64) -> f64 {
        self.at.transit + self.slope * (media - self.at.media) as f64
    }

    /// A packet came.
    pub(super) fn hear(&mut self, media: i64, transit: i64) {
        let point = Knot { media, transit: transit as f64 };
        let above = point.transit - self.transit(media);
        if above < -QUICKER {
            // Before the first knot, what was known was no more than a slow beginning.
            let from = if self.is_known() { media } else { self.from };
            self.begin_anew(vec![(media / BUCKET, point)], from);
        } else {
            self.at = if above < 0.0 { point } else { self.at };
            self.watch(point, above < QUICKER);
            self.note(media / BUCKET, point);
        }
    }

    /// Where the clock stands still, the transit rises, and no packet is on time any more.
    fn watch(&mut self, point: Knot, on_time: bool) {
        if point.media <= self.newest.media {
            return;
        }
        let before = std::mem::replace(&mut self.newest, point);
        let by = point.transit - before.transit;
        self.rise = match self.rise {
            _ if on_time => None,
            None => Some(Rise { media: point.media, by, left: LOOKED_AT }),
            Some(rise) if rise.left == 0 => Some(rise),
            Some(rise) if by > rise.by => Some(Rise { media: point.media, by, left: rise.left - 1 }),
            Some(rise) => Some(Rise { left: rise.left - 1, ..rise }),
        };
    }

    fn note(&mut self, bucket: i64, point: Knot) {
        match self.points.back_mut() {
            Some((last, _)) if bucket < *last => {}
            Some((last, quickest)) if bucket == *last => {
                let parted = self.slope * (point.media - quickest.media) as f64;
                if point.transit - parted < quickest.transit {
                    *quickest = point;
                }
            }
            _ => {
                self.review(bucket);
                self.points.push_back((bucket, point));
                if self.points.len() > BUCKETS {
                    self.points.pop_front();
                }
            }
        }
    }

    /// A bucket is full: has the clock moved? Else the line is drawn anew.
    fn review(&mut self, now: i64) {
        let above = |point: &Knot| point.transit - self.transit(point.media);
        for (least, buckets) in SLOWER {
            let newest = self.points.len().saturating_sub(buckets);
            let slow = newest > 0 && self.points.range(newest..).all(|(_, point)| above(point) > least);
            if slow {
                let points: Vec<_> = self.points.range(newest..).copied().collect();
                let first = points.first().map_or(self.from, |(_, first)| first.media);
                let from = self.rise.map_or(first, |rise| rise.media.min(first));
                self.close(from);
                return self.begin_anew(points, from);
            }
        }
        self.draw();
        if now - self.tied >= KNOT as i64 && self.points.len() >= BASELINE {
            self.tie(self.middle());
            self.tied = now;
        }
    }

    /// The line under all points that is nearest to them: the edge of their lower hull below their middle.
    fn draw(&mut self) {
        let few = if self.leans { TOLD } else { BASELINE };
        self.slope = match self.points.len() {
            points if points < few => self.pace().slope(),
            _ => Pace::over(0, self.edge()).slope(),
        };
        let lowest = |a: &Knot, b: &Knot| {
            a.transit - self.slope * a.media as f64 <= b.transit - self.slope * b.media as f64
        };
        let points = self.points.iter().map(|(_, point)| *point);
        self.at = points.reduce(|a, b| if lowest(&a, &b) { a } else { b }).unwrap_or(self.at);
    }

    /// The slope of the lower hull below the points' middle.
    fn edge(&self) -> f64 {
        let mut hull: Vec<Knot> = Vec::new();
        for (_, point) in &self.points {
            while let [.., a, b] = hull[..]
                && turns_right(a, b, *point)
            {
                hull.pop();
            }
            hull.push(*point);
        }
        let middle = self.middle();
        let mut edges = hull.windows(2).map(|edge| (edge[0], edge[1]));
        let below = edges.clone().find(|(_, b)| b.media >= middle).or_else(|| edges.next_back());
        below.map_or(self.slope, |(a, b)| (b.transit - a.transit) / (b.media - a.media).max(1) as f64)
    }

    fn middle(&self) -> i64 {
        let (first, last) = (self.points.front(), self.points.back());
        first.zip(last).map_or(self.at.media, |((_, a), (_, b))| a.media / 2 + b.media / 2)
    }

    /// What was known is void from here on: only these points are left.
    fn begin_anew(&mut self, points: Vec<(i64, Knot)>, from: i64) {
        let Some((bucket, first)) = points.first().copied() else { return };
        if self.is_known() {
            self.close(from);
        }
        (self.points, self.at, self.tied) = (points.into(), first, bucket);
        (self.from, self.rise) = (from, None);
        self.newest = if self.newest.media < first.media { first } else { self.newest };
        self.draw();
    }

    /// Is there a knot of this line already?
    fn is_known(&self) -> bool {
        self.knots.len() > self.past
    }

    /// The line ends before this.
    fn close(&mut self, end: i64) {
        self.tie(end - 1);
        self.past = self.knots.len();
        self.pace = self.pace();
    }

    fn tie(&mut self, media: i64) {
        let known = self.is_known();
        let begin = (!known && self.from < media).then_some(self.from);
        for media in begin.into_iter().chain([media]) {
            if self.knots.last().is_none_or(|last| last.media < media) {
                self.knots.push(Knot { media, transit: self.transit(media) });
            }
        }
    }

    /// The knots that stay as they are.
    pub(super) fn tied(&self) -> &[Knot] {
        &self.knots
    }

    /// How the present line lies while none of its knots is tied.
    pub(super) fn loose(&self) -> impl Iterator<Item = Knot> + '_ {
        let tied = if self.is_known() { usize::MAX } else { self.knots.len() };
        self.knots().skip(tied)
    }

    /// Where the clock stood, in order, as it is known by now: a straight line from knot to knot, and on as told.
    pub(super) fn knots(&self) -> impl Iterator<Item = Knot> + '_ {
        let begin = (!self.is_known()).then_some(self.from);
        let ends = [self.points.front(), self.points.back()].into_iter().flatten();
        let mut last = self.knots.last().map_or(i64::MIN, |last| last.media);
        let open = begin.into_iter().chain(ends.map(|(_, point)| point.media));
        let open = open.filter(move |media| {
            let is_next = last < *media;
            last = last.max(*media);
            is_next
        });
        self.knots.iter().copied().chain(open.map(|media| Knot { media, transit: self.transit(media) }))
    }
}

/// Does the way from `a` over `b` to `c` turn right, so that `b` is no corner of a lower hull?
fn turns_right(a: Knot, b: Knot, c: Knot) -> bool {
    let run = |from: Knot, to: Knot| (to.media - from.media) as f64;
    (b.transit - a.transit) * run(a, c) >= (c.transit - a.transit) * run(a, b)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Packets of 20 ms over `seconds`; where the clock really stands, and what the network adds.
    fn hear(
        drift: &mut Drift,
        from: i64,
        seconds: i64,
        truth: impl Fn(i64) -> f64,
        jitter: impl Fn(i64) -> i64,
    ) {
        for packet in from * 50..(from + seconds) * 50 {
            let media = packet * 960;
            drift.hear(media, truth(media).round() as i64 + jitter(packet));
        }
    }

    /// Up to 60 ms; one packet in five takes the shortest way.
    fn wifi(packet: i64) -> i64 {
        let draw = packet.wrapping_mul(0x9E37_79B9_7F4A_7C15u64 as i64) >> 40 & 0xFFFF;
        if draw % 5 == 0 { 0 } else { draw * 2_880 / 65_536 }
    }

    #[test]
    fn two_hours_of_drift_are_followed_within_a_millisecond() {
        for ppm in [-300.0, -200.0, -3.0, 0.0, 200.0, 300.0] {
            let truth = |media: i64| 5_000.0 + ppm * 1e-6 * media as f64;
            let mut drift = Drift::new(0, Knot { media: 0, transit: 5_000.0 }, Pace::default());
            for minute in 0..120 {
                hear(&mut drift, minute * 60, 60, truth, wifi);
                let now = (minute + 1) * 60 * 48_000;
                let error = drift.transit(now) - truth(now);
                assert!(minute == 0 || error.abs() < 48.0, "{ppm} ppm, minute {minute}: off by {error}");
            }
            assert!((drift.slope * 1e6 - ppm).abs() < 5.0);
            assert!(drift.knots().all(|knot| (knot.transit - truth(knot.media)).abs() < 24.0), "{ppm} ppm");
        }
    }

    #[test]
    fn a_congested_minute_moves_nothing() {
        let truth = |media: i64| 100e-6 * media as f64;
        let mut drift = Drift::new(0, Knot { media: 0, transit: 0.0 }, Pace::default());
        hear(&mut drift, 0, 300, truth, wifi);
        hear(&mut drift, 300, 25, truth, |packet| wifi(packet) + 4_000);
        let now = 325 * 48_000;
        assert!((drift.transit(now) - truth(now)).abs() < 48.0);
    }

    #[test]
    fn a_clock_that_stood_still_for_a_little_is_followed_after_half_a_minute() {
        for stood in [480.0, -960.0, 9_600.0] {
            let step = |media: i64| if media < 100 * 48_000 { 0.0 } else { stood };
            let truth = |media: i64| 100e-6 * media as f64 + step(media);
            let mut drift = Drift::new(0, Knot { media: 0, transit: 0.0 }, Pace::default());
            hear(&mut drift, 0, 140, truth, wifi);
            let now = 140 * 48_000;
            assert!(
                (drift.transit(now) - truth(now)).abs() < 96.0,
                "{stood}: {}",
                drift.transit(now) - truth(now)
            );
            let knots: Vec<_> = drift.knots().collect();
            // Where it stood still is known as well as buckets tell: within two seconds.
            let near = |knot: &&Knot| (knot.media - 100 * 48_000).abs() < BUCKET;
            let mut known = knots.iter().filter(|knot| !near(knot));
            assert!(known.all(|knot| (knot.transit - truth(knot.media)).abs() < 96.0), "{knots:?}");
        }
    }

    #[test]
    fn a_slow_beginning_is_forgotten_with_the_first_quick_packet() {
        let mut drift = Drift::new(0, Knot { media: 0, transit: 9_600.0 }, Pace::default());
        hear(&mut drift, 0, 2, |_| 0.0, |packet| 9_600 - packet * 20);
        hear(&mut drift, 2, 1, |_| 0.0, |_| 0);
        assert!(drift.transit(3 * 48_000).abs() < 1.0);
    }
}
