//! A log of ten thousand events: whatever is changed, left out, added or moved is found.

use crate::support::{House, moment, person, span};
use proptest::prelude::*;
use std::sync::LazyLock;
use tertulia::{
    consent::Purpose,
    room::{
        Audit, ClipRequest, Fact, Flaw, Head, Hex, ItemId, Notice, Room, Rules, Signed, SigningKey, Untrue,
        leaf_hash,
    },
    time::UnixMs,
};

fn key() -> SigningKey {
    SigningKey::from_bytes(&[42; 32])
}

fn notice() -> Notice {
    Notice {
        controller: "Tertulia e. V.".into(),
        contact: "Ada".into(),
        email: "ada@example.org".into(),
        phone: "+49 30 1234".into(),
        address: "Berlin".into(),
        policy_url: "https://example.org/privacy".into(),
        withdraw_url: "https://example.org/consent".into(),
        language: "en".into(),
        jurisdiction: "DE".into(),
        storage: vec!["DE".into()],
        recipients: vec![],
        service: "An evening".into(),
    }
}

/// An evening of ten thousand decisions, and its signed head.
struct Evening {
    house: House,
    head: Vec<u8>,
    lines: Vec<Vec<u8>>,
}

static EVENING: LazyLock<Evening> = LazyLock::new(|| {
    let mut house = House::with_guests(Rules::default(), &["mara", "george"]);
    house.room.record(person("host"), moment(0)).unwrap();
    for ms in 1.. {
        let (who, purpose) =
            ([person("mara"), person("george")][ms as usize % 2], Purpose::ALL[ms as usize % 5]);
        if ms / 10 % 2 == 0 {
            house.room.agree(who, purpose, None, moment(ms)).unwrap();
        } else {
            house.room.decline(who, purpose, moment(ms)).unwrap();
        }
        if house.room.entries().len() == 10_000 {
            break;
        }
    }
    house.go();
    let head = Signed::sign(house.room.head(UnixMs(5)), &key()).to_json().into_bytes();
    let lines = house.disk.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
    Evening { house, head, lines }
});

fn flaw(log: &[u8], head: &[u8]) -> Option<Flaw> {
    Audit::of(log, head, Some(Hex(key().verifying_key().to_bytes()))).err()
}

#[test]
fn a_log_as_it_was_signed_has_no_flaw() {
    let evening = &EVENING;
    assert_eq!(evening.lines.len(), 10_000);
    assert_eq!(flaw(&evening.house.disk, &evening.head), None);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn any_changed_bit_is_found(place in any::<prop::sample::Index>(), bit in 0..8_u32, in_head in any::<prop::sample::Index>()) {
        let evening = &EVENING;
        let mut log = evening.house.disk.clone();
        let place = place.index(log.len());
        log[place] ^= 1 << bit;
        prop_assert!(flaw(&log, &evening.head).is_some(), "bit {} of byte {}", bit, place);
        let mut head = evening.head.clone();
        let place = in_head.index(head.len());
        head[place] ^= 1 << bit;
        let found = Signed::<Head>::read(&head, None);
        prop_assert!(found.is_err(), "bit {} of byte {} of the head", bit, place);
    }

    #[test]
    fn any_entry_left_out_doubled_added_or_moved_is_found(
        a in any::<prop::sample::Index>(), b in any::<prop::sample::Index>(),
    ) {
        let evening = &EVENING;
        let (a, b) = (a.index(10_000), b.index(10_000));
        let bend = |bend: &dyn Fn(&mut Vec<Vec<u8>>)| {
            let mut lines = evening.lines.clone();
            bend(&mut lines);
            flaw(&lines.concat(), &evening.head)
        };
        prop_assert!(bend(&|lines| drop(lines.remove(a))).is_some());
        prop_assert!(bend(&|lines| lines.insert(a, lines[b].clone())).is_some());
        prop_assert!(bend(&|lines| lines.truncate(a)).is_some());
        prop_assert!(a == b || bend(&|lines| lines.swap(a, b)).is_some());
    }
}

/// Whoever rewrites a log with hashes and numbers that fit still has no head for it.
#[test]
fn a_log_that_was_written_anew_has_another_root() {
    let evening = &EVENING;
    let mut forged = Room::open(Rules::default(), person("host"), moment(1));
    let missing = 10_000 - forged.entries().len();
    (0..missing).for_each(|_| drop(forged.kept(ItemId(0), Hex([0; 32]), moment(1))));
    let rewritten: String = evening
        .house
        .room
        .entries()
        .iter()
        .map(|entry| {
            let mut entry = entry.clone();
            if entry.n == 5_000 {
                entry.by = person("somebody else");
            }
            format!("{} {}\n", &entry.leaf().to_string()[..16], entry.to_json())
        })
        .collect();
    assert_eq!(flaw(rewritten.as_bytes(), &evening.head), Some(Flaw::Root));
    let own = SigningKey::from_bytes(&[1; 32]);
    let other =
        Signed::sign(*Audit::of(&evening.house.disk, &evening.head, None).unwrap().head(), &own).to_json();
    assert_eq!(flaw(&evening.house.disk, other.as_bytes()), Some(Flaw::Untrue(Untrue::OtherKey)));
    let more = [evening.house.disk.as_slice(), b"half a li"].concat();
    assert_eq!(flaw(&more, &evening.head), Some(Flaw::Torn { bytes: 9 }));
}

#[test]
fn heads_go_on_from_each_other() {
    let mut house = House::with_guests(Rules::default(), &["mara"]);
    let old = Signed::sign(house.room.head(UnixMs(1)), &key());
    house.room.agree(person("mara"), Purpose::Record, None, moment(5)).unwrap();
    house.go();
    let new = Signed::sign(house.room.head(UnixMs(2)), &key());
    let proof = house.room.continuation(old.body.size).unwrap();
    assert!(proof.holds(&old.body, &new.body));
    assert!(!proof.holds(&new.body, &old.body));
    let audit = Audit::of(&house.disk, new.to_json().as_bytes(), None).unwrap();
    assert_eq!(audit.goes_on_from(old.to_json().as_bytes()), Ok(old.body));
    let elsewhere = House::with_guests(Rules::default(), &["emma"]);
    let other = Signed::sign(elsewhere.room.head(UnixMs(1)), &key()).to_json();
    assert_eq!(audit.goes_on_from(other.as_bytes()), Err(Flaw::NotTheBeginning));
}

#[test]
fn a_receipt_has_all_its_fields_and_stands_in_the_log() {
    let mut house = House::with_guests(Rules::default(), &["mara"]);
    let n = house
        .room
        .agree(person("mara"), Purpose::Record, Some(UnixMs(2_000_000_000_000)), moment(5))
        .unwrap();
    house.room.decline(person("mara"), Purpose::Record, moment(9)).unwrap();
    house.go();
    let receipt = Signed::sign(house.room.receipt(n, &notice()).unwrap(), &key()).to_json();
    let head = Signed::sign(house.room.head(UnixMs(2)), &key()).to_json();
    let audit = Audit::of(&house.disk, head.as_bytes(), None).unwrap();
    assert_eq!(audit.receipt(receipt.as_bytes()).unwrap().data_subject, person("mara"));
    // The fields that ISO/IEC TS 27560 demands: version, record, principal; notice, language, purpose, data, controller,
    // storage, period, jurisdiction, recipients, withdrawal; and the event itself.
    let json: serde_json::Value = serde_json::from_str(&receipt).unwrap();
    for field in [
        "/body/dct:conformsTo",
        "/body/dct:identifier",
        "/body/dpv:hasDataSubject",
        "/body/dpv:hasNotice",
        "/body/dct:language",
        "/body/dpv:hasProcess/dpv:hasPurpose",
        "/body/dpv:hasProcess/dpv:hasPersonalData",
        "/body/dpv:hasDataController",
        "/body/dpv:hasProcess/dpv:hasStorageCondition/dpv:hasLocation",
        "/body/dpv:hasProcess/dpv:hasStorageCondition/dpv:hasDuration",
        "/body/dpv:hasJurisdiction",
        "/body/dpv:hasProcess/dpv:hasRecipient",
        "/body/dpv:hasConsentControl/foaf:page",
        "/body/dpv:hasConsentStatus/0/@type",
        "/body/dpv:hasConsentStatus/0/dpv:isIndicationTime",
        "/body/dpv:hasConsentStatus/0/dpv:isIndicatedBy",
        "/body/dpv:hasConsentStatus/0/dpv:hasIndicationMethod",
    ] {
        assert!(json.pointer(field).is_some_and(|value| !value.is_null() && value != ""), "{field}");
    }
    assert_eq!(json.pointer("/body/dpv:hasConsentStatus/0/@type").unwrap(), "dpv:ConsentGiven");
    let withdrawn = house.room.receipt(n + 1, &notice()).unwrap();
    assert_eq!(withdrawn.status[0].status, "dpv:ConsentWithdrawn");
    assert_eq!(house.room.receipt(0, &notice()), None, "no decision about consent");
    // A receipt that says something else, signed or not.
    let mut other = house.room.receipt(n, &notice()).unwrap();
    other.status[0].status = "dpv:ConsentRefused".into();
    let signed = Signed::sign(other, &key()).to_json();
    assert_eq!(audit.receipt(signed.as_bytes()), Err(Flaw::NotInTheLog { entry: n }));
    let bent = receipt.replace("ConsentGiven", "ConsentXiven");
    assert_eq!(audit.receipt(bent.as_bytes()), Err(Flaw::Untrue(Untrue::Signature)));
}

#[test]
fn a_kantara_receipt_has_all_its_fields() {
    let mut house = House::with_guests(Rules::default(), &["mara"]);
    let n = house.room.agree(person("mara"), Purpose::Publish, None, moment(5)).unwrap();
    let public = Hex(key().verifying_key().to_bytes());
    let receipt = house.room.kantara(n, &notice(), public).unwrap();
    let json = serde_json::to_value(Signed::sign(receipt, &key())).unwrap();
    for field in [
        "version",
        "jurisdiction",
        "consentTimestamp",
        "collectionMethod",
        "consentReceiptID",
        "publicKey",
        "language",
        "piiPrincipalId",
        "piiControllers",
        "policyUrl",
        "services",
        "sensitive",
        "spiCat",
    ] {
        assert!(json["body"].get(field).is_some(), "{field}");
    }
    for field in ["piiController", "contact", "address", "email", "phone"] {
        assert!(json["body"]["piiControllers"][0].get(field).is_some(), "{field}");
    }
    let purpose = &json["body"]["services"][0]["purposes"][0];
    for field in [
        "purpose",
        "purposeCategory",
        "consentType",
        "piiCategory",
        "primaryPurpose",
        "termination",
        "thirdPartyDisclosure",
    ] {
        assert!(purpose.get(field).is_some(), "{field}");
    }
    assert_eq!(json["body"]["consentTimestamp"], (moment(5).wall.0 / 1000));
    let no = house.room.decline(person("mara"), Purpose::Publish, moment(6)).unwrap();
    assert_eq!(house.room.kantara(no, &notice(), public), None);
}

#[test]
fn a_deletion_is_proved_and_what_comes_back_is_found_out() {
    let mut house = House::with_guests(Rules::default(), &["mara"]);
    let recording = house.room.record(person("host"), moment(0)).unwrap();
    house.room.stop(person("host"), moment(10)).unwrap();
    let content = leaf_hash(b"the recording");
    house.room.kept(recording, content, moment(20)).unwrap();
    house.room.discard(person("host"), recording, moment(30)).unwrap();
    let n = house.room.deleted(recording, Hex([7; 32]), Some(Hex([8; 32])), moment(40)).unwrap();
    house.go();
    let head = Signed::sign(house.room.head(UnixMs(2)), &key()).to_json();
    let audit = Audit::of(&house.disk, head.as_bytes(), None).unwrap();
    let proof = Signed::sign(house.room.excerpt(n).unwrap(), &key());
    let excerpt = audit.excerpt(proof.to_json().as_bytes()).unwrap();
    assert!(matches!(excerpt.entry.fact, Fact::Deleted { item, .. } if item == recording));
    assert_eq!(audit.is_not_deleted(content), Err(Flaw::Undeleted { entry: n }));
    assert_eq!(audit.is_not_deleted(leaf_hash(b"another")), Ok(()));
    let mut other = proof.body;
    other.entry.wall_ms = UnixMs(1);
    let signed = Signed::sign(other, &key()).to_json();
    assert_eq!(audit.excerpt(signed.as_bytes()), Err(Flaw::NotInTheLog { entry: n }));
}

#[test]
fn a_clip_tells_where_it_comes_from() {
    let mut house = House::with_guests(Rules::default(), &["mara"]);
    let mara = person("mara");
    for purpose in [Purpose::Record, Purpose::Clip] {
        house.room.agree(mara, purpose, None, moment(0)).unwrap();
    }
    let parent = house.room.record(person("host"), moment(0)).unwrap();
    let request = ClipRequest { parent, span: span(48_000, 96_000), audible: vec![mara] };
    let clip = house.room.clip(mara, &request, moment(60_000)).unwrap();
    house.go();
    let (bytes, around) = (leaf_hash(b"clip"), leaf_hash(b"around"));
    assert_eq!(house.room.clip_manifest(clip, bytes, span(50_000, 96_000), around), None, "no context");
    let papers = house.room.clip_manifest(clip, bytes, span(0, 144_000), around).unwrap();
    let head = Signed::sign(house.room.head(UnixMs(2)), &key()).to_json();
    let audit = Audit::of(&house.disk, head.as_bytes(), None).unwrap();
    let signed = Signed::sign(papers.clone(), &key()).to_json();
    assert_eq!(audit.clip(signed.as_bytes()), Ok((parent, request.span)));
    let elsewhere = Signed::sign(tertulia::room::ClipManifest { room: bytes, ..papers }, &key()).to_json();
    assert!(audit.clip(elsewhere.as_bytes()).is_err());
}

#[test]
fn the_log_names_nobody() {
    let log = String::from_utf8(EVENING.house.disk.clone()).unwrap();
    for name in ["mara", "george"] {
        assert!(!log.contains(name), "{name}");
    }
}
