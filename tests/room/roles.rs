//! Who may do what, against an expectation written down by itself, and asked of the room as well as of the table.

use crate::support::{House, moment, person, span};
use Action::{
    Appeal, Appoint, Ask, Clip, Decide, DecideForWard, Delete, End, Hold, Publish, Record, Report, Review,
    Stop, TakeAll, TakeCopy, TakeOwn, Transcribe,
};
use tertulia::{
    consent::Purpose,
    room::{Action, ClipRequest, Item, ItemId, Kind, Refusal, Role, Room, Rules},
    speaker::SpeakerId,
};

/// What each may do, in words: everybody decides for itself and may report.
fn expected(role: Role) -> Vec<Action> {
    let everybody = vec![Decide, Report];
    let guests = [everybody.clone(), vec![Clip, DecideForWard, Appeal]].concat();
    let on_stage = [guests.clone(), vec![TakeOwn]].concat();
    let helping = [on_stage.clone(), vec![Record, Stop, Transcribe, Ask]].concat();
    match role {
        Role::Listener => guests,
        Role::Speaker => on_stage,
        Role::CoHost => helping,
        Role::Host => [helping, vec![TakeAll, TakeCopy, Publish, Delete, Appoint, End]].concat(),
        Role::Moderator => [everybody, vec![Review, Hold, End]].concat(),
    }
}

#[test]
fn the_table_says_what_was_agreed_on() {
    for role in Role::ALL {
        for action in Action::ALL {
            assert_eq!(role.may(action), expected(role).contains(&action), "{role:?} {action:?}");
        }
    }
}

#[test]
fn every_action_is_in_the_table_once() {
    let mut all = Action::ALL.to_vec();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), Action::ALL.len());
    assert_eq!(all.len(), 18);
}

fn item(room: &Room, kind: Kind) -> ItemId {
    room.items().find(|(_, item): &(_, &Item)| item.kind == kind).unwrap().0
}

/// A room in which everything can be done by somebody: a finished recording, a clip, a copy, a minor.
fn ready() -> House {
    let rules = Rules { copy: Rules::spaces().copy, ..Rules::default() };
    let mut house = House::with_guests(rules, &["mara"]);
    let (host, mara) = (person("host"), person("mara"));
    house.room.join(person("cohost"), Role::CoHost, Some(SpeakerId(8)), false, moment(0)).unwrap();
    house.room.join(person("minor"), Role::Listener, None, true, moment(0)).unwrap();
    for purpose in Purpose::ALL {
        house.room.agree(mara, purpose, None, moment(0)).unwrap();
    }
    let recording = house.room.record(host, moment(0)).unwrap();
    house.room.stop(host, moment(1_000)).unwrap();
    let request = ClipRequest { parent: recording, span: span(0, 4_800), audible: vec![mara] };
    house.room.clip(person("listener"), &request, moment(2_000)).unwrap();
    house
}

/// Does one thing of each kind.
fn attempt(room: &mut Room, by: tertulia::room::Person, action: Action) -> Result<(), Refusal> {
    let (now, mara) = (moment(3_000), person("mara"));
    let [recording, copy] = [Kind::Recording, Kind::Copy].map(|kind| item(room, kind));
    match action {
        Record => room.record(by, now).map(drop),
        Stop => room.stop(by, now).map(drop),
        Transcribe => room.transcribe(by, now).map(drop),
        Clip => {
            let request = ClipRequest { parent: recording, span: span(0, 4_800), audible: vec![mara] };
            room.clip(by, &request, now).map(drop)
        }
        TakeOwn => room.take(by, recording, true, now).map(drop),
        TakeAll => room.take(by, recording, false, now).map(drop),
        TakeCopy | Review => room.take(by, copy, false, now).map(drop),
        Publish => room.publish(by, recording, &[mara], now).map(drop),
        Delete => room.discard(by, recording, now).map(drop),
        Ask => room.ask(by, person("cohost"), Purpose::Train, now).map(drop),
        Decide => room.decline(by, Purpose::Train, now).map(drop),
        DecideForWard => room.agree_for(by, person("minor"), Purpose::Record, now).map(drop),
        Report => room.report(by, now).map(drop),
        Appeal => room.appeal(by, copy, now).map(drop),
        Hold => room.hold(by, recording, now).map(drop),
        Appoint => room.appoint(by, person("listener"), Role::Speaker, Some(SpeakerId(9)), now).map(drop),
        End => room.end(by, now).map(drop),
    }
}

#[test]
fn the_room_does_what_the_table_says() {
    let people = [
        ("host", Role::Host),
        ("cohost", Role::CoHost),
        ("mara", Role::Speaker),
        ("listener", Role::Listener),
        ("moderator", Role::Moderator),
    ];
    for (name, role) in people {
        for action in Action::ALL {
            let mut house = ready();
            if action == Stop {
                house.room.record(person("host"), moment(2_500)).unwrap();
            }
            let before = house.room.entries().len();
            let done = attempt(&mut house.room, person(name), action);
            // Either way to a copy is one request.
            let may = match action {
                TakeCopy | Review => [Role::Host, Role::Moderator].contains(&role),
                _ => expected(role).contains(&action),
            };
            assert_eq!(done.is_ok(), may, "{name} {action:?}: {done:?}");
            assert_eq!(house.room.entries().len() > before, may, "a refusal leaves no entry");
            if !may {
                assert!(matches!(done, Err(Refusal::NotAllowed(..))), "{name} {action:?}: {done:?}");
            }
        }
    }
}

#[test]
fn whoever_was_never_here_may_do_nothing() {
    for action in Action::ALL {
        let mut house = ready();
        let stranger = person("stranger");
        assert_eq!(attempt(&mut house.room, stranger, action), Err(Refusal::NotHere(stranger)), "{action:?}");
    }
}
