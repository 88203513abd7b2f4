//! Minors, lanes, and taking one's voice back.

use crate::support::{House, at, moment, person, span};
use tertulia::{
    consent::Purpose,
    room::{ClipRequest, Consent, Effect, Hex, Kind, Refusal, Role, Rules},
    speaker::SpeakerId,
};

#[test]
fn nothing_opens_for_a_minor_without_a_guardian() {
    for rules in [Rules::default(), Rules { copy: None, ..Rules::spaces() }, Rules::fireside()] {
        let mut house = House::with_guests(rules, &["mara"]);
        let (minor, mara) = (person("minor"), person("mara"));
        house.room.join(minor, Role::Speaker, Some(SpeakerId(5)), true, moment(0)).unwrap();
        house.room.record(person("host"), moment(0)).unwrap();
        house.go();
        for purpose in Purpose::ALL {
            assert_eq!(house.room.agree(minor, purpose, None, moment(10)), Err(Refusal::GuardianNeeded));
            assert_eq!(house.room.consent(minor, purpose, at(480)), Consent::GuardianRequired);
            house.room.ask(person("host"), minor, purpose, moment(15)).unwrap();
        }
        // Coming back of age does not help.
        house.room.leave(minor, moment(20)).unwrap();
        house.room.join(minor, Role::Speaker, Some(SpeakerId(5)), false, moment(30)).unwrap();
        assert_eq!(house.room.agree(minor, Purpose::Record, None, moment(40)), Err(Refusal::GuardianNeeded));
        assert_eq!(house.room.agree_for(minor, minor, Purpose::Record, moment(40)), Err(Refusal::NoGuardian));
        assert_eq!(
            house.room.agree_for(mara, person("host"), Purpose::Record, moment(40)),
            Err(Refusal::NoGuardian)
        );
        house.go();
        assert!(!house.gates.contains_key(&SpeakerId(5)));
        house.room.agree_for(mara, minor, Purpose::Record, moment(50)).unwrap();
        house.go();
        assert!(house.gates[&SpeakerId(5)].holds(50 * 48) && !house.gates[&SpeakerId(5)].holds(50 * 48 - 1));
        // A minor says "no" by itself.
        house.room.decline(minor, Purpose::Record, moment(60)).unwrap();
        house.go();
        assert!(!house.gates[&SpeakerId(5)].holds(60 * 48));
    }
}

#[test]
fn a_lane_is_one_persons() {
    let mut house = House::with_guests(Rules::default(), &["mara"]);
    let taken = Err(Refusal::LaneTaken(person("mara")));
    assert_eq!(house.room.join(person("emma"), Role::Speaker, Some(SpeakerId(1)), false, moment(0)), taken);
    let (host, listener) = (person("host"), person("listener"));
    assert_eq!(house.room.appoint(host, listener, Role::Speaker, Some(SpeakerId(1)), moment(0)), taken);
    house.room.record(host, moment(0)).unwrap();
    house.room.appoint(host, listener, Role::Speaker, Some(SpeakerId(2)), moment(10)).unwrap();
    house.go();
    let asked = house.room.consent(listener, Purpose::Record, at(480));
    assert_eq!(asked, Consent::Requested, "who is asked up is asked for consent");
}

#[test]
fn taking_back_voids_the_past_and_leaves_what_comes() {
    let mut house = House::with_guests(Rules::default(), &["mara", "george"]);
    let (host, mara, george) = (person("host"), person("mara"), person("george"));
    for who in [mara, george] {
        for purpose in [Purpose::Record, Purpose::Clip] {
            house.room.agree(who, purpose, None, moment(0)).unwrap();
        }
    }
    let recording = house.room.record(host, moment(0)).unwrap();
    let clip = |from, to, audible: &[_]| ClipRequest {
        parent: recording,
        span: span(from, to),
        audible: audible.to_vec(),
    };
    let theirs = house.room.clip(george, &clip(0, 4_800, &[mara, george]), moment(1_000)).unwrap();
    let georges = house.room.clip(george, &clip(0, 4_800, &[george]), moment(1_000)).unwrap();
    let later = house.room.clip(george, &clip(9_600, 14_400, &[mara]), moment(1_000)).unwrap();
    house.go();
    house.orders.clear();
    let entry = house.room.revoke(mara, span(0, 4_800), moment(2_000)).unwrap();
    house.go();
    let redact = Effect::Redact { entry, who: mara, span: span(0, 4_800) };
    assert_eq!(house.orders, [redact, Effect::Delete(theirs)]);
    assert!(house.gates[&SpeakerId(1)].holds(96_000), "what comes is another question");
    let refused = house.room.clip(george, &clip(0, 4_800, &[mara]), moment(2_000));
    assert_eq!(refused, Err(Refusal::Missing(vec![(mara, Purpose::Record), (mara, Purpose::Clip)])));
    let gone = |house: &House, id| house.room.items().find(|(item, _)| *item == id).unwrap().1.due;
    assert!(gone(&house, theirs) && !gone(&house, georges) && !gone(&house, later));
    // It is asked for until it is reported.
    house.orders.clear();
    house.room.advance(moment(3_000));
    house.go();
    assert_eq!(house.orders.len(), 2);
    house.room.redacted(entry, Hex([7; 32]), moment(3_000)).unwrap();
    house.room.deleted(theirs, Hex([7; 32]), None, moment(3_000)).unwrap();
    house.orders.clear();
    house.room.advance(moment(4_000));
    house.go();
    assert!(house.orders.is_empty());
    assert_eq!(house.room.redacted(entry, Hex([7; 32]), moment(4_000)), Err(Refusal::NoItem));
    assert_eq!(house.room.revoke(mara, span(200_000, 300_000), moment(4_000)), Err(Refusal::Outside));
    assert!(house.room.items().any(|(_, item)| item.kind == Kind::Recording && !item.due));
}
