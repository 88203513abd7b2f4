//! Crashes: between decision, journal and gate, at every byte.

use crate::support::{Deed, House, NAMES, act, at, deeds, moment, person};
use proptest::prelude::*;
use tertulia::{
    consent::Purpose,
    room::{Consent, Damaged, Effect, Entry, Fact, Fault, Role, Room, Rules},
    speaker::SpeakerId,
};

/// After a crash with these bytes on the disk: nothing is open until people are back, and then only for a yes that is there.
fn crash(disk: &[u8], ms: u64) {
    let (mut room, torn) = match Room::replay(disk, moment(ms)) {
        Ok(room) => room,
        Err(Damaged { line, fault }) => {
            assert_eq!((line, fault), (1, Fault::NotOpened), "only if not even the opening was written");
            return;
        }
    };
    let whole = disk.len() - torn;
    assert!(whole == 0 || disk[whole - 1] == b'\n');
    let mut house = House::of(std::mem::replace(&mut room, empty()), disk[..whole].to_vec());
    house.room.advance(moment(ms));
    house.go();
    assert!(house.gates.is_empty() && !house.room.view().is_red(), "open after a crash");
    let said = NAMES.map(|name| house.room.consent(person(name), Purpose::Record, at(ms * 48)));
    for (lane, name) in (0..).zip(NAMES) {
        let role = if lane == 0 { Role::Host } else { Role::Speaker };
        house.room.join(person(name), role, Some(SpeakerId(lane)), false, moment(ms)).unwrap();
    }
    house.go();
    assert!(house.gates.is_empty(), "no recording goes on by itself");
    house.room.record(person("host"), moment(ms)).unwrap();
    house.go();
    for (lane, consent) in (0..).map(SpeakerId).zip(said) {
        let open = house.gates.get(&lane).is_some_and(|gate| gate.holds(ms * 48));
        assert_eq!(open, consent == Consent::Given, "{lane:?} {consent:?}");
    }
}

fn empty() -> Room {
    Room::open(Rules::default(), person("host"), moment(0))
}

/// Has the disk a yes of somebody's by this lane?
fn is_written(disk: &[u8], lane: SpeakerId, from: u64) -> bool {
    let Ok((room, _)) = Room::replay(disk, moment(from / 48)) else { return false };
    let by_this_lane =
        |entry: &&Entry| matches!(entry.fact, Fact::Joined { speaker: Some(speaker), .. } if speaker == lane);
    let mut people = room.entries().iter().filter(by_this_lane).map(|entry| entry.by);
    people.any(|who| room.consent(who, Purpose::Record, at(from)) == Consent::Given)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    /// The machine stops after each deed, before and after the sync, and in the middle of what was being written.
    #[test]
    fn a_crash_at_any_step_leaves_every_gate_shut(deeds in deeds(), cut in any::<prop::sample::Index>()) {
        let (mut house, mut ms) = (House::open(Rules::default()), 0);
        for (deed, wait, sync) in deeds {
            ms += wait;
            act(&mut house.room, deed, moment(ms));
            // Written in part.
            let unwritten = house.room.unwritten();
            let mut disk = house.disk.clone();
            disk.extend_from_slice(&unwritten[..cut.index(unwritten.len() + 1)]);
            crash(&disk, ms);
            // Not written: whatever comes out now rests on nothing that a crash would lose.
            while let Some(effect) = house.room.poll() {
                if let Effect::Open(proof) = effect {
                    let from = proof.from().samples();
                    prop_assert!(is_written(&house.disk, proof.speaker(), from));
                }
            }
            if sync {
                house.sync();
                crash(&house.disk, ms);
            }
        }
    }
}

#[test]
fn every_byte_of_a_short_journal_may_be_the_last() {
    let mut house = House::open(Rules::default());
    for (place, deed) in [
        Deed::Join(0, 0),
        Deed::Join(1, 1),
        Deed::Record,
        Deed::Agree(1, Purpose::Record, None),
        Deed::Decline(1, Purpose::Record),
        Deed::Agree(1, Purpose::Record, Some(500)),
    ]
    .into_iter()
    .enumerate()
    {
        assert!(act(&mut house.room, deed, moment(place as u64 * 10)));
    }
    house.sync();
    (0..=house.disk.len()).for_each(|length| crash(&house.disk[..length], 100));
}

#[test]
fn a_yes_opens_nothing_before_it_is_written_and_a_no_shuts_at_once() {
    let mut house = House::with_guests(Rules::default(), &["mara"]);
    house.room.record(person("host"), moment(0)).unwrap();
    house.room.agree(person("mara"), Purpose::Record, None, moment(10)).unwrap();
    house.carry_out();
    assert!(house.gates.is_empty() && !house.room.view().is_red());
    house.go();
    assert!(house.gates[&SpeakerId(1)].holds(480));
    house.room.decline(person("mara"), Purpose::Record, moment(20)).unwrap();
    house.carry_out();
    assert!(!house.gates[&SpeakerId(1)].holds(960), "not written, but shut");
    assert!(!house.room.view().is_red());
}

#[test]
fn what_opens_and_shuts_while_the_disk_stalls_comes_out_in_order() {
    let mut house = House::with_guests(Rules::default(), &["mara"]);
    house.room.record(person("host"), moment(0)).unwrap();
    house.room.agree(person("mara"), Purpose::Record, None, moment(10)).unwrap();
    house.room.decline(person("mara"), Purpose::Record, moment(20)).unwrap();
    house.carry_out();
    assert!(house.gates.is_empty());
    house.go();
    let gate = &house.gates[&SpeakerId(1)];
    assert!(gate.holds(480) && gate.holds(959) && !gate.holds(960), "{gate:?}");
}

#[test]
fn a_changed_journal_is_not_replayed() {
    let mut house = House::with_guests(Rules::default(), &["mara"]);
    house.go();
    let lines: Vec<_> = house.disk.split_inclusive(|byte| *byte == b'\n').collect();
    let replay = |bytes: Vec<u8>| Room::replay(&bytes, moment(0)).err().map(|damaged| damaged.line);
    assert_eq!(replay([lines[0], lines[2]].concat()), Some(2), "one is missing");
    assert_eq!(replay([lines[0], lines[2], lines[1]].concat()), Some(2), "two change places");
    assert_eq!(replay([lines[0], lines[0]].concat()), Some(2), "one is doubled");
    let mut bent = house.disk.clone();
    bent[lines[0].len() + 40] ^= 1;
    assert_eq!(replay(bent), Some(2), "a bit is changed");
}
