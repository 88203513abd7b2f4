//! What is said where: the manifest's map from a track to the room clock. Packets stand end to end in a file, by the
//! sender's clock and in steps of 2.5 ms; in the room they were said a little earlier or later, and a little faster or
//! slower. In come a track's places and the knots of its clocks, out comes a straight piece for each stretch.

use super::{drift::Knot, place::Place, waiting::Run};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// From here on, what stands at `track_sample + n` of the track was said at `room_sample + n * (1 + ppm / 1e6)`, up to
/// the next point.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClockPoint {
    /// In the track, counted from room sample 0 as its player plays it.
    pub track_sample: u64,
    /// On the sender's clock, counted from where the first packet of its stay was put.
    pub media_sample: i64,
    /// On the room clock: where it was said, as near as the whole recording tells.
    pub room_sample: i64,
    /// How much faster than the sender's clock the room's goes, in millionths.
    pub ppm: f64,
}

/// The points of a track of so many samples.
pub(super) fn draw(places: &[Place], samples: u64, knots: &BTreeMap<Run, Vec<Knot>>) -> Vec<ClockPoint> {
    let ends = places.iter().skip(1).map(|next| next.room_sample).chain([samples]);
    let pieces = places.iter().zip(ends);
    pieces
        .flat_map(|(place, end)| {
            let knots = knots.get(&(place.stay, place.epoch)).map_or(&[][..], Vec::as_slice);
            points_of(place, end, knots)
        })
        .collect()
}

fn points_of(place: &Place, end: u64, knots: &[Knot]) -> Vec<ClockPoint> {
    let length = end.saturating_sub(place.room_sample) as i64;
    let inside = knots.iter().map(|knot| knot.media);
    let inside = inside.filter(|media| (1..length).contains(&(media - place.media_sample)));
    let starts = std::iter::once(place.media_sample).chain(inside);
    starts.map(|media_sample| point(place, media_sample, knots)).collect()
}

fn point(place: &Place, media_sample: i64, knots: &[Knot]) -> ClockPoint {
    let (transit, slope) =
        line(knots, media_sample).unwrap_or((place.room_sample as f64 - place.media_sample as f64, 0.0));
    ClockPoint {
        track_sample: place.room_sample.saturating_add_signed(media_sample - place.media_sample),
        media_sample,
        room_sample: media_sample.saturating_add(transit.round() as i64),
        ppm: (slope * 1e9).round() / 1e3,
    }
}

/// Transit and slope at `media`: from knot to knot straight on, and so before the first and behind the last.
fn line(knots: &[Knot], media: i64) -> Option<(f64, f64)> {
    let (first, last) = (knots.first()?, knots.len().saturating_sub(1));
    let next = knots.partition_point(|knot| knot.media <= media).clamp(1, last.max(1));
    let (from, to) = (knots.get(next - 1).unwrap_or(first), knots.get(next).unwrap_or(first));
    let slope = match to.media - from.media {
        0 => 0.0,
        run => (to.transit - from.transit) / run as f64,
    };
    Some((from.transit + slope * (media - from.media) as f64, slope))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_track_is_mapped_piece_by_piece() {
        let place = |room_sample, media_sample| Place { stay: 1, epoch: 0, room_sample, media_sample };
        let knot = |media, transit| Knot { media, transit };
        let knots =
            BTreeMap::from([((1, 0), vec![knot(0, 100.0), knot(100_000, 120.0), knot(200_000, 120.0)])]);
        let points = draw(&[place(100, 0), place(150_220, 150_000)], 300_000, &knots);
        let told: Vec<_> = points.iter().map(|it| (it.track_sample, it.room_sample, it.ppm)).collect();
        assert_eq!(
            told,
            [(100, 100, 200.0), (100_100, 100_120, 0.0), (150_220, 150_120, 0.0), (200_220, 200_120, 0.0)]
        );
    }

    #[test]
    fn without_a_clock_a_track_is_where_it_stands() {
        let place = Place { stay: 2, epoch: 0, room_sample: 480, media_sample: 960 };
        let points = draw(&[place], 1_000, &BTreeMap::new());
        assert_eq!(
            points.iter().map(|it| (it.track_sample, it.room_sample)).collect::<Vec<_>>(),
            [(480, 480)]
        );
    }
}
