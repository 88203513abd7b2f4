//! Which room moves to another worker, if one should: measured loads come in, one move leaves.

/// A worker, as far as moving rooms goes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Burden {
    /// The part of its time that goes into ticks.
    pub(super) load: f32,
    /// May it have another room?
    pub(super) has_room: bool,
}

/// Below this nobody need move: half of a core.
const HOT: f32 = 0.5;
/// So much more than the coolest a worker must carry: a move changes the odds for two workers' rooms.
const GAP: f32 = 0.2;
/// A room that costs less is not worth a move.
const WORTH: f32 = 0.01;

/// The room that should go from the hottest worker to the coolest, and which that is. `rooms` are those of all workers:
/// whose each is, and its load.
pub(super) fn choose<Id>(
    workers: &[Burden],
    rooms: impl Iterator<Item = (Id, usize, f32)>,
) -> Option<(Id, usize)> {
    let by_load = |a: &(usize, &Burden), b: &(usize, &Burden)| a.1.load.total_cmp(&b.1.load);
    let (hot, hottest) = workers.iter().enumerate().max_by(by_load)?;
    let (cool, coolest) = workers.iter().enumerate().filter(|(_, worker)| worker.has_room).min_by(by_load)?;
    let gap = hottest.load - coolest.load;
    if hottest.load < HOT || gap < GAP {
        return None;
    }
    // With more than half of the gap on its way, the cool one would be the hotter.
    rooms
        .filter(|(_, worker, load)| *worker == hot && *load >= WORTH && *load <= gap / 2.0)
        .max_by(|a, b| a.2.total_cmp(&b.2))
        .map(|(id, ..)| (id, cool))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn workers(rooms: &[(u32, usize, f32)], count: usize) -> Vec<Burden> {
        let load = |worker| rooms.iter().filter(|room| room.1 == worker).map(|room| room.2).sum();
        (0..count).map(|worker| Burden { load: load(worker), has_room: true }).collect()
    }

    #[test]
    fn the_largest_room_that_narrows_the_gap_goes_to_the_coolest() {
        let rooms = [(0, 0, 0.5), (1, 0, 0.25), (2, 0, 0.1), (3, 1, 0.3), (4, 2, 0.2)];
        assert_eq!(choose(&workers(&rooms, 3), rooms.into_iter()), Some((1, 2)));
    }

    #[test]
    fn a_single_room_that_is_too_large_stays() {
        let rooms = [(0, 0, 0.9)];
        assert_eq!(choose(&workers(&rooms, 2), rooms.into_iter()), None);
    }

    #[test]
    fn a_full_worker_gets_none() {
        let rooms = [(0, 0, 0.3), (1, 0, 0.4), (2, 1, 0.2)];
        let mut workers = workers(&rooms, 2);
        workers[1].has_room = false;
        assert_eq!(choose(&workers, rooms.into_iter()), None);
    }

    proptest! {
        #[test]
        fn moves_come_to_an_end_with_the_loads_level(loads in prop::collection::vec(0.005_f32..0.1, 1..60)) {
            let mut rooms: Vec<_> = loads.iter().enumerate().map(|(at, load)| (at as u32, 0, *load)).collect();
            let mut moves = 0;
            while let Some((id, to)) = choose(&workers(&rooms, 4), rooms.iter().copied()) {
                rooms[id as usize].1 = to;
                moves += 1;
                prop_assert!(moves <= 2 * rooms.len(), "no end");
            }
            let workers = workers(&rooms, 4);
            let (most, least) = workers.iter().fold((0.0_f32, f32::MAX), |(most, least), worker| {
                (most.max(worker.load), least.min(worker.load))
            });
            // Rooms of at most 0.1 fit every gap of 0.2.
            prop_assert!(most < HOT || most - least < GAP, "{workers:?}");
        }
    }
}
