//! How long things are kept, what blocks that, and what never makes it longer.

use crate::support::{DAY_MS, FIRST_WALL, House, at, moment, person, span};
use proptest::prelude::*;
use tertulia::{
    consent::Purpose,
    room::{ClipRequest, Effect, Hex, ItemId, Kind, Moment, Refusal, Retention, Room, Rules},
    time::UnixMs,
};

const KEYS: Hex<32> = Hex([7; 32]);

fn item(house: &House, kind: Kind) -> ItemId {
    house.room.items().find(|(_, item)| item.kind == kind).unwrap().0
}

/// The orders to delete that come out at this step.
fn step(house: &mut House, now: Moment) -> Vec<ItemId> {
    house.room.advance(now);
    house.go();
    house.deletions()
}

#[test]
fn spaces_keeps_a_copy_for_thirty_days_and_hosts_may_take_it_while_it_exists() {
    let mut house = House::with_guests(Rules::spaces(), &["mara", "george"]);
    let (host, mara) = (person("host"), person("mara"));
    house.room.decline(person("george"), Purpose::Record, moment(0)).unwrap();
    house.room.record(host, moment(0)).unwrap();
    house.room.end(host, moment(60_000)).unwrap();
    house.go();
    let copy = item(&house, Kind::Copy);
    assert_eq!(
        house.room.take(mara, copy, false, moment(60_000)).unwrap_err().to_string(),
        "a Speaker may not do that: TakeCopy"
    );
    house.room.take(host, copy, false, moment(DAY_MS)).unwrap();
    house.go();
    let handed = house.orders.iter().find_map(|order| match order {
        Effect::HandOver { item, to, only: Some(only) } if (*item, *to) == (copy, host) => Some(only),
        _ => None,
    });
    let names: Vec<_> = handed.unwrap().iter().map(|(who, _)| *who).collect();
    assert!(names.contains(&mara) && !names.contains(&person("george")), "without who refused");
    house.room.take(person("moderator"), copy, false, moment(DAY_MS)).unwrap();
    house.go();
    let whole = Effect::HandOver { item: copy, to: person("moderator"), only: None };
    assert!(house.orders.contains(&whole), "moderators review all of it");
    let expiry = 60_000 + 30 * DAY_MS;
    house.orders.clear();
    assert_eq!(step(&mut house, moment(expiry - 2_000)), []);
    let due = step(&mut house, moment(expiry));
    assert_eq!(due.len(), 2, "the copy and the replay");
    assert_eq!(house.room.take(host, copy, false, moment(expiry)), Err(Refusal::Gone));
}

#[test]
fn an_appeal_keeps_a_copy_for_ninety_days() {
    let mut house = House::with_guests(Rules::spaces(), &["mara"]);
    house.room.end(person("host"), moment(0)).unwrap();
    let copy = item(&house, Kind::Copy);
    house.room.appeal(person("mara"), copy, moment(29 * DAY_MS)).unwrap();
    assert_eq!(step(&mut house, moment(89 * DAY_MS)), []);
    assert_eq!(step(&mut house, moment(90 * DAY_MS)), [copy]);
    assert_eq!(house.room.appeal(person("mara"), copy, moment(90 * DAY_MS)), Err(Refusal::Gone));
}

#[test]
fn clubhouse_keeps_nothing_beyond_the_room_unless_it_is_reported() {
    for reported in [false, true] {
        let mut house = House::with_guests(Rules::clubhouse(), &["mara"]);
        let (host, copy) = (person("host"), item(&house, Kind::Copy));
        assert_eq!(house.room.take(host, copy, false, moment(10)), Err(Refusal::AgainstTheRules));
        if reported {
            house.room.report(person("listener"), moment(1_000)).unwrap();
        }
        house.room.end(host, moment(60_000)).unwrap();
        house.go();
        assert_eq!(house.deletions(), if reported { vec![] } else { vec![copy] });
        assert_eq!(step(&mut house, moment(60_000 + 29 * DAY_MS)).is_empty(), reported);
        assert_eq!(step(&mut house, moment(60_000 + 30 * DAY_MS)), [copy]);
    }
}

#[test]
fn what_is_kept_while_live_does_not_outlive_a_crash() {
    let house = House::with_guests(Rules::clubhouse(), &["mara"]);
    let copy = item(&house, Kind::Copy);
    let (room, _) = Room::replay(&house.disk, moment(5_000)).unwrap();
    let mut house = House::of(room, house.disk);
    house.go();
    assert_eq!(house.deletions(), [copy]);
    let copies = house.room.items().filter(|(_, item)| item.kind == Kind::Copy);
    assert_eq!(copies.map(|(_, item)| item.due).collect::<Vec<_>>(), [true, false], "and a new one begins");
}

#[test]
fn fireside_keeps_its_shows() {
    let mut house = House::with_guests(Rules::fireside(), &["mara"]);
    let recording = house.room.record(person("host"), moment(0)).unwrap();
    house.room.end(person("host"), moment(1_000)).unwrap();
    assert_eq!(step(&mut house, moment(10_000 * DAY_MS)), []);
    house.room.discard(person("host"), recording, moment(10_000 * DAY_MS)).unwrap();
    house.go();
    assert_eq!(house.deletions(), [recording]);
}

#[test]
fn a_hold_blocks_deletion_and_opens_nothing() {
    let mut house = House::with_guests(Rules::spaces(), &["mara"]);
    let (host, moderator) = (person("host"), person("moderator"));
    house.room.end(host, moment(0)).unwrap();
    let copy = item(&house, Kind::Copy);
    house.room.hold(moderator, copy, moment(DAY_MS)).unwrap();
    assert_eq!(step(&mut house, moment(31 * DAY_MS)), []);
    for who in [host, moderator] {
        assert_eq!(house.room.take(who, copy, false, moment(31 * DAY_MS)), Err(Refusal::Gone));
    }
    house.room.release(moderator, copy, moment(200 * DAY_MS)).unwrap();
    house.go();
    assert_eq!(house.deletions(), [copy], "at once");
}

#[test]
fn a_deletion_that_failed_is_asked_for_at_each_step() {
    let mut house = House::with_guests(Rules::spaces(), &["mara"]);
    house.room.end(person("host"), moment(0)).unwrap();
    let copy = item(&house, Kind::Copy);
    assert_eq!(house.room.deleted(copy, KEYS, None, moment(10)), Err(Refusal::NotDue));
    for minute in 0..3 {
        let now = moment(30 * DAY_MS + minute * 60_000);
        assert_eq!(step(&mut house, now), [copy]);
        house.room.deletion_failed(copy, now).unwrap();
    }
    // A restart forgets no debt.
    let (room, _) = Room::replay(&house.disk, moment(31 * DAY_MS)).unwrap();
    let mut house = House::of(room, house.disk);
    assert_eq!(step(&mut house, moment(31 * DAY_MS)), [copy]);
    house.room.deleted(copy, KEYS, Some(Hex([9; 32])), moment(31 * DAY_MS)).unwrap();
    assert_eq!(step(&mut house, moment(32 * DAY_MS)), []);
    assert_eq!(house.room.deleted(copy, KEYS, None, moment(32 * DAY_MS)), Err(Refusal::Gone));
}

/// A room with one item of each kind that has days, and when each is due in true time.
fn keeping_room(ended: bool) -> (House, Vec<(ItemId, u64)>) {
    let rules = Rules { copy: Rules::spaces().copy, recording: Retention::HostDays(7), ..Rules::default() };
    let mut house = House::with_guests(rules, &["mara"]);
    let (host, mara) = (person("host"), person("mara"));
    for purpose in [Purpose::Record, Purpose::Clip] {
        house.room.agree(mara, purpose, None, moment(0)).unwrap();
    }
    let recording = house.room.record(host, moment(0)).unwrap();
    let request = ClipRequest { parent: recording, span: span(0, 48), audible: vec![mara] };
    let clip = house.room.clip(mara, &request, moment(1_000)).unwrap();
    house.room.stop(host, moment(2_000)).unwrap();
    let mut due = vec![(recording, 2_000 + 7 * DAY_MS), (clip, 1_000 + 30 * DAY_MS)];
    if ended {
        house.room.end(host, moment(2_000)).unwrap();
        due.push((item(&house, Kind::Copy), 2_000 + 30 * DAY_MS));
    }
    house.go();
    (house, due)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 120, ..ProptestConfig::default() })]

    /// Steps of up to a day; the wall's clock jumps by up to a year at any of them; the process is restarted at any of
    /// them. Everything is ordered to be deleted at the first step at or after its time at the latest.
    #[test]
    fn no_jump_and_no_restart_makes_anything_last_longer(
        steps in prop::collection::vec(
            (1..DAY_MS, prop::option::weighted(0.2, -365 * DAY_MS as i64..365 * DAY_MS as i64), prop::bool::weighted(0.2)),
            60..100,
        ),
        ended in any::<bool>(),
    ) {
        let (mut house, due) = keeping_room(ended);
        let (mut now, mut wall) = (2_000, FIRST_WALL as i64 + 2_000);
        let mut ordered = Vec::new();
        for (length, jump, restarts) in steps {
            now += length;
            wall = (wall + length as i64 + jump.unwrap_or(0)).max(0);
            let moment = Moment { at: at(now * 48), wall: UnixMs(wall as u64) };
            if restarts {
                let (room, torn) = Room::replay(&house.disk, moment).unwrap();
                prop_assert_eq!(torn, 0);
                house = House::of(room, house.disk);
            }
            ordered.extend(step(&mut house, moment));
            for (item, due) in &due {
                prop_assert!(now < *due || ordered.contains(item), "{:?} outlives its time by {} ms", item, now - due);
            }
        }
    }

    /// Without jumps nothing goes early, but for the second that a clock is allowed to be off.
    #[test]
    fn without_jumps_nothing_goes_early(
        steps in prop::collection::vec((1..DAY_MS, prop::bool::weighted(0.2)), 60..100),
    ) {
        let (mut house, due) = keeping_room(true);
        let mut now = 2_000;
        for (length, restarts) in steps {
            now += length;
            if restarts {
                house = House::of(Room::replay(&house.disk, moment(now)).unwrap().0, house.disk);
            }
            for item in step(&mut house, moment(now)) {
                let (_, due) = due.iter().find(|(id, _)| *id == item).unwrap();
                prop_assert!(now + 1_000 >= *due);
            }
        }
    }
}
