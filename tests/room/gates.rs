//! Gates and dot against an independent reading of the entries.

use crate::support::{DAY_MS, Deed, Gate, House, NAMES, act, at, deeds, moment, person, same};
use proptest::prelude::*;
use std::collections::BTreeMap;
use tertulia::{
    consent::Purpose,
    room::{
        Consent, Effect, Entry, Fact, Lamp, ModerationCopy, News, Person, Policy, Retention, Role, Room,
        Rules, View,
    },
    speaker::SpeakerId,
    time::UnixMs,
};

/// By lane, who was to be recorded, or written down, at a sample: the entries up to it, read one by one.
fn wanted(entries: &[Entry], wanted: Purpose, sample: u64) -> BTreeMap<SpeakerId, Person> {
    let (mut lanes, mut running) = (BTreeMap::<Person, SpeakerId>::new(), false);
    let mut consents = BTreeMap::<Person, Vec<(u64, Consent)>>::new();
    for entry in entries.iter().filter(|entry| entry.at_sample.samples() <= sample) {
        match &entry.fact {
            Fact::Joined { speaker: Some(lane), .. } => drop(lanes.insert(entry.by, *lane)),
            Fact::Left => drop(lanes.remove(&entry.by)),
            Fact::RecordingStarted if wanted == Purpose::Record => running = true,
            Fact::RecordingStopped if wanted == Purpose::Record => running = false,
            Fact::TranscriptStarted if wanted == Purpose::Transcribe => running = true,
            Fact::TranscriptStopped if wanted == Purpose::Transcribe => running = false,
            Fact::Consent { of, purpose, state, until_ms, .. } if *purpose == wanted => {
                let from = entry.at_sample.samples();
                let words = consents.entry(*of).or_default();
                words.push((from, *state));
                // A yes that ends says "no" for later already.
                words.extend(
                    until_ms.map(|until| (from + (until.0 - entry.wall_ms.0) * 48, Consent::Expired)),
                );
            }
            _ => {}
        }
    }
    lanes.retain(|who, _| {
        let mut words = consents.get(who).into_iter().flatten().filter(|(from, _)| *from <= sample);
        // The last word counts; a later entry voids what an earlier one said about the future.
        running && words.next_back().is_some_and(|(_, consent)| *consent == Consent::Given)
    });
    lanes.into_iter().map(|(who, lane)| (lane, who)).collect()
}

/// Plays deeds; the journal is synced only now and then.
fn play(deeds: &[(Deed, u64, bool)]) -> (House, u64) {
    let (mut house, mut ms) = (House::open(Rules::default()), 0);
    for (deed, wait, sync) in deeds {
        ms += wait;
        act(&mut house.room, *deed, moment(ms));
        if *sync {
            house.sync();
        }
        house.carry_out();
    }
    house.room.advance(moment(ms + 1_000));
    house.go();
    (house, ms)
}

fn no_revocations() -> impl Strategy<Value = Vec<(Deed, u64, bool)>> {
    deeds().prop_map(|mut deeds| {
        deeds.retain(|(deed, ..)| !matches!(deed, Deed::Revoke(..)));
        deeds
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 700, ..ProptestConfig::default() })]

    #[test]
    fn the_gates_are_what_the_entries_say_to_the_sample(deeds in no_revocations()) {
        let (house, end) = play(&deeds);
        let entries = house.room.entries();
        let edges = entries.iter().map(|entry| entry.at_sample.samples());
        for sample in edges.flat_map(|edge| [edge.saturating_sub(1), edge, edge + 1]).filter(|at| *at <= end * 48) {
            for (purpose, gates) in [(Purpose::Record, &house.gates), (Purpose::Transcribe, &house.written)] {
                let wanted = wanted(entries, purpose, sample);
                for lane in (0..4).map(SpeakerId) {
                    let open = gates.get(&lane).is_some_and(|gate| gate.holds(sample));
                    prop_assert_eq!(open, wanted.contains_key(&lane), "{:?} {:?} at {}", purpose, lane, sample);
                }
            }
        }
    }

    #[test]
    fn the_dot_is_red_if_and_only_if_something_may_be_kept(deeds in deeds()) {
        // That it is red whenever a gate is open is seen to after each effect.
        let (mut house, mut ms) = (House::open(Rules::default()), 0);
        for (deed, wait, _) in deeds {
            ms += wait;
            act(&mut house.room, deed, moment(ms));
            house.room.advance(moment(ms));
            house.go();
            prop_assert_eq!(house.room.view().is_red(), reaches_beyond(&house, ms), "{:?}", deed);
            prop_assert_eq!(house.room.view().recording, house.recording);
        }
    }

    #[test]
    fn the_picture_is_the_sum_of_the_news_and_what_the_room_knows(deeds in deeds()) {
        let (mut room, mut ms, mut view) =
            (Room::open(Rules::default(), person("host"), moment(0)), 0, View::default());
        for (deed, wait, sync) in deeds {
            ms += wait;
            act(&mut room, deed, moment(ms));
            room.advance(moment(ms));
            if sync {
                let bytes = room.unwritten().len();
                room.written(bytes);
            }
            while let Some(effect) = room.poll() {
                if let Effect::Tell(news) = effect {
                    view.learn(news);
                }
            }
            prop_assert_eq!(&view, room.view());
        }
        let bytes = room.unwritten().len();
        room.written(bytes);
        while room.poll().is_some() {}
        let lanes = wanted(room.entries(), Purpose::Record, ms * 48);
        if room.entries().iter().all(|entry| !matches!(entry.fact, Fact::Revoked(_))) {
            prop_assert_eq!(room.view().recorded.iter().collect::<Vec<_>>(), sorted(&lanes));
        }
        for who in NAMES.map(person) {
            for purpose in Purpose::ALL {
                let told = room.view().standing.get(&(who, purpose)).copied().unwrap_or_default();
                prop_assert_eq!(told, room.consent(who, purpose, at(ms * 48)));
            }
        }
    }

    #[test]
    fn the_journal_holds_all_of_it(deeds in deeds()) {
        let (house, ms) = play(&deeds);
        let (again, torn) = Room::replay(&house.disk, moment(ms + 2_000)).unwrap();
        prop_assert_eq!(torn, 0);
        let count = house.room.entries().len();
        prop_assert!(same(house.room.entries(), &again.entries()[..count]));
        prop_assert_eq!(house.room.log().root(), again.log().root_of(count as u64).unwrap());
        for who in NAMES.map(person) {
            prop_assert_eq!(house.room.spans(who, Purpose::Record), again.spans(who, Purpose::Record));
        }
        let items = |room: &Room| room.items().map(|(id, item)| (id, item.kind)).collect::<Vec<_>>();
        prop_assert_eq!(items(&house.room), items(&again));
    }
}

/// Is a gate open at `ms` or later, and does the recording keep?
fn reaches_beyond(house: &House, ms: u64) -> bool {
    let holds = |gates: &BTreeMap<SpeakerId, Gate>| gates.values().any(|gate| gate.holds(ms * 48));
    (house.recording == Lamp::On && holds(&house.gates)) || holds(&house.written)
}

fn sorted(lanes: &BTreeMap<SpeakerId, Person>) -> Vec<&Person> {
    let mut people: Vec<_> = lanes.values().collect();
    people.sort();
    people
}

#[test]
fn what_may_be_recorded_may_not_be_written_down_for_that() {
    let mut house = House::with_guests(Rules::default(), &["mara"]);
    let (host, mara) = (person("host"), person("mara"));
    house.room.agree(mara, Purpose::Record, None, moment(0)).unwrap();
    house.room.record(host, moment(100)).unwrap();
    house.room.transcribe(host, moment(100)).unwrap();
    house.go();
    assert_eq!(house.room.consent(mara, Purpose::Transcribe, at(4_800)), Consent::Requested);
    assert!(house.gates[&SpeakerId(1)].holds(4_800) && house.written.is_empty());
    house.room.agree(mara, Purpose::Transcribe, None, moment(200)).unwrap();
    house.room.stop(host, moment(300)).unwrap();
    house.go();
    assert!(house.written[&SpeakerId(1)].holds(48 * 400), "the transcript goes on");
    house.room.end(host, moment(500)).unwrap();
    house.go();
    assert!(!house.written[&SpeakerId(1)].holds(48 * 500) && !house.room.view().is_red());
}

#[test]
fn each_voice_is_in_by_its_own_yes() {
    let mut house = House::with_guests(Rules::default(), &["mara", "george"]);
    house.room.record(person("host"), moment(100)).unwrap();
    house.go();
    assert_eq!(
        house.room.consent(person("mara"), Purpose::Record, at(4_800)),
        Consent::Requested,
        "all are asked"
    );
    assert!(!house.room.view().is_red(), "nobody is in it yet");
    house.room.agree(person("mara"), Purpose::Record, None, moment(200)).unwrap();
    house.room.decline(person("george"), Purpose::Record, moment(200)).unwrap();
    house.go();
    let view = house.room.view();
    assert!(view.is_red());
    assert_eq!(view.recorded.iter().collect::<Vec<_>>(), [&person("mara")]);
    assert!(house.gates[&SpeakerId(1)].holds(9_600) && !house.gates[&SpeakerId(1)].holds(9_599));
    assert!(!house.gates.contains_key(&SpeakerId(2)));
}

#[test]
fn a_yes_that_ends_shuts_the_gate_ahead_of_time() {
    let mut house = House::with_guests(Rules::default(), &["mara"]);
    house.room.record(person("host"), moment(0)).unwrap();
    let until = UnixMs(moment(60_000).wall.0);
    house.room.agree(person("mara"), Purpose::Record, Some(until), moment(10_000)).unwrap();
    house.go();
    // The server's timer stands still; the gate knows all the same.
    let gate = &house.gates[&SpeakerId(1)];
    assert!(gate.holds(60_000 * 48 - 1) && !gate.holds(60_000 * 48));
    house.room.advance(moment(61_000));
    house.go();
    assert_eq!(house.room.consent(person("mara"), Purpose::Record, at(60_000 * 48)), Consent::Expired);
    assert!(!house.room.view().is_red());
    // And back in, for good.
    house.room.agree(person("mara"), Purpose::Record, None, moment(70_000)).unwrap();
    house.go();
    assert!(house.gates[&SpeakerId(1)].holds(DAY_MS * 48));
}

#[test]
fn a_wall_clock_that_jumps_ahead_ends_a_yes_early() {
    let mut house = House::with_guests(Rules::default(), &["mara"]);
    house.room.record(person("host"), moment(0)).unwrap();
    let until = UnixMs(moment(60_000).wall.0);
    house.room.agree(person("mara"), Purpose::Record, Some(until), moment(10_000)).unwrap();
    let mut now = moment(20_000);
    now.wall = until;
    house.room.advance(now);
    house.go();
    assert!(!house.gates[&SpeakerId(1)].holds(20_000 * 48));
}

#[test]
fn told_is_agreed_where_the_rules_say_so_but_a_no_stands() {
    let mut house = House::with_guests(Rules { copy: None, ..Rules::spaces() }, &["mara", "george"]);
    house.room.decline(person("george"), Purpose::Record, moment(10)).unwrap();
    house.room.record(person("host"), moment(100)).unwrap();
    house.go();
    let recorded = &house.room.view().recorded;
    assert!(recorded.contains(&person("mara")) && !recorded.contains(&person("george")));
    house.room.ask(person("host"), person("george"), Purpose::Record, moment(200)).unwrap();
    house.go();
    assert_eq!(house.room.consent(person("george"), Purpose::Record, at(9_600)), Consent::Requested);
    assert!(!house.gates.contains_key(&SpeakerId(2)), "a notice is no answer to a no");
    house.room.decline(person("mara"), Purpose::Record, moment(300)).unwrap();
    house.go();
    assert!(!house.gates[&SpeakerId(1)].holds(14_400));
}

#[test]
fn an_ephemeral_room_has_no_recording_whatever_anybody_says() {
    let mut house = House::with_guests(Rules { copy: None, ..Rules::clubhouse() }, &["mara"]);
    assert_eq!(house.room.record(person("host"), moment(0)), Err(tertulia::room::Refusal::AgainstTheRules));
    house.room.agree(person("mara"), Purpose::Record, None, moment(10)).unwrap();
    house.go();
    assert!(house.gates.is_empty() && !house.room.view().is_red());
}

#[test]
fn a_copy_for_moderators_has_gates_of_its_own() {
    let copy = ModerationCopy { retention: Retention::LiveOnly, ..Rules::spaces().copy.unwrap() };
    let rules = Rules { policy: Policy::AllParty, copy: Some(copy), ..Rules::default() };
    let mut house = House::with_guests(rules, &["mara"]);
    house.room.decline(person("mara"), Purpose::Record, moment(0)).unwrap();
    house.room.record(person("host"), moment(100)).unwrap();
    house.go();
    assert!(house.copies[&SpeakerId(1)].holds(0), "it does not ask");
    assert!(!house.gates.contains_key(&SpeakerId(1)), "and opens no recording");
    assert!(house.room.view().is_red(), "but everybody sees that something is kept");
    house.room.leave(person("mara"), moment(200)).unwrap();
    house.go();
    assert!(!house.copies[&SpeakerId(1)].holds(9_600));
}

#[test]
fn consent_is_a_persons_and_does_not_pass_with_the_lane() {
    let mut house = House::with_guests(Rules::default(), &["mara"]);
    house.room.record(person("host"), moment(0)).unwrap();
    house.room.agree(person("mara"), Purpose::Record, None, moment(10)).unwrap();
    house.room.leave(person("mara"), moment(20)).unwrap();
    house.room.join(person("emma"), Role::Speaker, Some(SpeakerId(1)), false, moment(30)).unwrap();
    house.room.join(person("mara"), Role::Speaker, Some(SpeakerId(7)), false, moment(40)).unwrap();
    house.go();
    assert!(!house.gates[&SpeakerId(1)].holds(30 * 48), "emma has said nothing");
    assert!(house.gates[&SpeakerId(7)].holds(40 * 48), "mara is still content");
}

#[test]
fn news_say_who_is_in_it() {
    let mut house = House::with_guests(Rules::default(), &["mara"]);
    house.room.record(person("host"), moment(0)).unwrap();
    house.room.agree(person("mara"), Purpose::Record, None, moment(10)).unwrap();
    house.sync();
    let mut news = Vec::new();
    while let Some(effect) = house.room.poll() {
        if let Effect::Tell(told) = effect {
            news.push(told);
        }
    }
    assert!(news.contains(&News::RecordingStarted(at(0))));
    assert!(news.contains(&News::Consent(person("mara"), Purpose::Record, Consent::Requested)));
    assert!(news.contains(&News::Consent(person("mara"), Purpose::Record, Consent::Given)));
    assert!(news.contains(&News::VoiceIn(person("mara"), at(480))));
}

/// Requests may overtake each other: what was decided for a later sample holds on.
#[test]
fn a_request_that_comes_late_holds_from_its_own_sample_and_harms_nobody() {
    let mut house = House::with_guests(Rules::default(), &["mara", "george"]);
    house.room.agree(person("george"), Purpose::Record, None, moment(0)).unwrap();
    house.room.agree(person("mara"), Purpose::Record, None, moment(80)).unwrap();
    house.room.record(person("host"), moment(50)).unwrap();
    house.go();
    assert!(house.gates[&SpeakerId(2)].holds(50 * 48));
    let gate = &house.gates[&SpeakerId(1)];
    assert!(gate.holds(80 * 48) && !gate.holds(80 * 48 - 1), "{gate:?}");
    house.room.join(person("emma"), Role::Speaker, Some(SpeakerId(3)), false, moment(70)).unwrap();
    house.room.decline(person("george"), Purpose::Record, moment(60)).unwrap();
    house.go();
    let george = &house.gates[&SpeakerId(2)];
    assert!(george.holds(60 * 48 - 1) && !george.holds(60 * 48));
    assert!(house.gates[&SpeakerId(1)].holds(90 * 48), "mara is still in it");
}
