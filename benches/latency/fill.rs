//! A house that is filled with rooms until they take so much of a core.

use crate::{
    crowd::{Crowd, Manners},
    now,
};
use std::{error::Error, thread, time::Duration};
use tertulia::{
    engine::RoomConfig,
    live::{Control, RoomId},
};

/// Opens rooms of such people until their workers take `to` of a core; what else is to be done with each. Rooms are weighed only
/// where the stage is polled, so nothing moves.
pub(crate) fn fill(
    stage: &mut Control,
    crowd: &mut Crowd,
    people: Manners,
    to: f32,
    opened: impl Fn(&mut Control, RoomId) -> Result<(), Box<dyn Error>>,
) -> Result<(), Box<dyn Error>> {
    while load(stage, |_| true) < to && crowd.parties.len() < 200 {
        let room = crowd.open(stage, RoomConfig::default(), people)?;
        opened(stage, room)?;
        let end = now() + Duration::from_millis(200);
        while now() < end {
            crowd.go_on(stage);
            thread::park_timeout(Duration::from_millis(10));
        }
    }
    Ok(())
}

/// What the rooms of some workers take of a core.
pub(crate) fn load(stage: &Control, of: impl Fn(usize) -> bool) -> f32 {
    stage.stats().rooms.iter().filter(|room| of(room.worker)).map(|room| room.load).sum()
}
