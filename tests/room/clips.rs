//! Sound bites and publishing: by everybody's yes for all of it.

use crate::support::{House, at, moment, person, span};
use tertulia::{
    consent::Purpose,
    room::{ClipRequest, ClipRules, Effect, ItemId, Person, Refusal, Rules},
    time::Samples,
};

/// A minute of recording; mara agrees to everything, george to being recorded, and from 30 s on to clips.
fn evening(rules: Rules) -> (House, ItemId, [Person; 2]) {
    let mut house = House::with_guests(rules, &["mara", "george"]);
    let (mara, george) = (person("mara"), person("george"));
    for who in [mara, george] {
        house.room.agree(who, Purpose::Record, None, moment(0)).unwrap();
    }
    house.room.agree(mara, Purpose::Clip, None, moment(0)).unwrap();
    let recording = house.room.record(person("host"), moment(0)).unwrap();
    house.room.agree(george, Purpose::Clip, None, moment(30_000)).unwrap();
    (house, recording, [mara, george])
}

const NOW: u64 = 100_000;

fn request(parent: ItemId, from_ms: u64, to_ms: u64, audible: &[Person]) -> ClipRequest {
    ClipRequest { parent, span: span(from_ms * 48, to_ms * 48), audible: audible.to_vec() }
}

#[test]
fn a_clip_needs_everybody_audible_for_all_of_it() {
    let (mut house, recording, [mara, george]) = evening(Rules::default());
    let listener = person("listener");
    let missing = Err(Refusal::Missing(vec![(george, Purpose::Clip)]));
    let half = request(recording, 20_000, 40_000, &[mara, george]);
    assert_eq!(house.room.clip(listener, &half, moment(NOW)), missing);
    let by_a_sample = ClipRequest { span: span(30_000 * 48 - 1, 40_000 * 48), ..half.clone() };
    assert_eq!(house.room.clip(listener, &by_a_sample, moment(NOW)), missing);
    let exact = request(recording, 30_000, 40_000, &[mara, george]);
    let item = house.room.clip(listener, &exact, moment(NOW)).unwrap();
    house.go();
    let cut = Effect::Cut { item, parent: recording, span: exact.span, voices: vec![mara, george] };
    assert_eq!(house.orders, [cut]);
    let unaware = request(recording, 20_000, 40_000, &[mara]);
    assert!(house.room.clip(listener, &unaware, moment(NOW)).is_ok(), "who is not audible is not asked");
}

#[test]
fn whoever_is_not_recorded_is_named_too() {
    let (mut house, recording, [mara, _]) = evening(Rules::default());
    let emma = person("emma");
    let refused = house.room.clip(mara, &request(recording, 0, 10, &[mara, emma]), moment(NOW));
    assert_eq!(refused, Err(Refusal::Missing(vec![(emma, Purpose::Record), (emma, Purpose::Clip)])));
}

#[test]
fn a_clip_is_made_without_the_others_if_the_rules_say_so() {
    let clips = Some(ClipRules { leaves_out: true, ..ClipRules::default() });
    let (mut house, recording, [mara, george]) = evening(Rules { clips, ..Rules::default() });
    let half = request(recording, 20_000, 40_000, &[george, mara]);
    let item = house.room.clip(mara, &half, moment(NOW)).unwrap();
    house.go();
    let cut = Effect::Cut { item, parent: recording, span: half.span, voices: vec![mara] };
    assert_eq!(house.orders, [cut]);
    let alone = request(recording, 20_000, 40_000, &[george]);
    let missing = Err(Refusal::Missing(vec![(george, Purpose::Clip)]));
    assert_eq!(house.room.clip(mara, &alone, moment(NOW)), missing, "a clip of nobody is none");
}

#[test]
fn a_clip_is_no_longer_than_the_rules_and_lies_in_the_recording() {
    let (mut house, recording, [mara, _]) = evening(Rules::default());
    let longest = Samples::from_ms(60_000);
    let whole = request(recording, 10_000, 70_000, &[mara]);
    assert!(house.room.clip(mara, &whole, moment(NOW)).is_ok());
    let more = ClipRequest { span: span(10_000 * 48 - 1, 70_000 * 48), ..whole.clone() };
    assert_eq!(house.room.clip(mara, &more, moment(NOW)), Err(Refusal::Length { longest }));
    let nothing = request(recording, 10_000, 10_000, &[mara]);
    assert_eq!(house.room.clip(mara, &nothing, moment(NOW)), Err(Refusal::Length { longest }));
    assert_eq!(house.room.clip(mara, &whole, moment(60_000)), Err(Refusal::Outside), "not over yet");
    house.room.stop(person("host"), moment(NOW)).unwrap();
    let beyond = request(recording, NOW, NOW + 10, &[mara]);
    assert_eq!(house.room.clip(mara, &beyond, moment(NOW + 1_000)), Err(Refusal::Outside));
    let last = ClipRequest::last(recording, Samples::from_ms(30_000), at(NOW * 48), vec![mara]);
    assert_eq!(last.span, span((NOW - 30_000) * 48, NOW * 48));
    assert!(house.room.clip(mara, &last, moment(NOW + 1_000)).is_ok());
    assert_eq!(
        house.room.clip(mara, &request(ItemId(999), 0, 1, &[mara]), moment(NOW)),
        Err(Refusal::NoItem)
    );
}

#[test]
fn a_room_without_clips_has_none() {
    let (mut house, recording, [mara, _]) = evening(Rules { clips: None, ..Rules::default() });
    let refused = house.room.clip(mara, &request(recording, 0, 10, &[mara]), moment(NOW));
    assert_eq!(refused, Err(Refusal::AgainstTheRules));
}

#[test]
fn publishing_takes_the_host_and_everybody_audible() {
    let (mut house, recording, [mara, george]) = evening(Rules::fireside());
    let host = person("host");
    let audible = [mara, george];
    assert_eq!(house.room.publish(host, recording, &audible, moment(NOW)), Err(Refusal::Recording));
    house.room.stop(host, moment(NOW)).unwrap();
    house.room.agree(mara, Purpose::Publish, None, moment(NOW)).unwrap();
    let missing = Err(Refusal::Missing(vec![(george, Purpose::Publish)]));
    assert_eq!(house.room.publish(host, recording, &audible, moment(NOW)), missing);
    house.room.agree(george, Purpose::Publish, None, moment(NOW)).unwrap();
    assert!(house.room.publish(mara, recording, &audible, moment(NOW)).is_err(), "one key is not enough");
    house.room.publish(host, recording, &audible, moment(NOW)).unwrap();
    house.room.decline(george, Purpose::Publish, moment(NOW + 1)).unwrap();
    assert_eq!(house.room.publish(host, recording, &audible, moment(NOW + 1)), missing);
    house.go();
    assert_eq!(house.orders, [Effect::Publish(recording)]);
}
