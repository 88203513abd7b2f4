//! Consent receipts: a decision as a consent record with the fields of ISO/IEC TS 27560:2023, written in JSON-LD with the
//! Data Privacy Vocabulary as its guide for that standard lays down (w3id.org/dpv/guides/consent-27560), and as a Kantara
//! Consent Receipt v1.1 for those who read that.

use super::{
    entry::{Entry, Fact, How},
    ledger::Consent,
    person::Person,
    policy::{Retention, Rules},
    room::Room,
    signed::Statement,
    witness::Inclusion,
};
use crate::{
    consent::Purpose,
    time::{SampleTime, UnixMs},
};
use serde::{Deserialize, Serialize};

/// Who asks, and what was shown to whoever was asked. The caller's, as the law demands it; a room knows nothing of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Notice {
    /// Who is responsible for the data.
    pub controller: String,
    /// A person to ask.
    pub contact: String,
    /// Where that person can be written to.
    pub email: String,
    /// And called.
    pub phone: String,
    /// And visited.
    pub address: String,
    /// Where the privacy notice stands.
    pub policy_url: String,
    /// How consent is withdrawn.
    pub withdraw_url: String,
    /// The notice's language (BCP 47).
    pub language: String,
    /// Whose law.
    pub jurisdiction: String,
    /// Where what is kept lies.
    pub storage: Vec<String>,
    /// Who else receives it.
    pub recipients: Vec<String>,
    /// What the service is called.
    pub service: String,
}

/// A consent record. Field names are those of the vocabulary; what it has no word for is under `tertulia:`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConsentRecord {
    #[serde(rename = "@context")]
    context: Context,
    #[serde(rename = "@type")]
    kind: String,
    /// Which schema it follows.
    #[serde(rename = "dct:conformsTo")]
    pub conforms_to: String,
    /// The record's name: `urn:sha256:` and the entry's hash in the log.
    #[serde(rename = "dct:identifier")]
    pub identifier: String,
    /// Whose consent: a pseudonym.
    #[serde(rename = "dpv:hasDataSubject")]
    pub data_subject: Person,
    /// The privacy notice.
    #[serde(rename = "dpv:hasNotice")]
    pub notice: String,
    /// Its language.
    #[serde(rename = "dct:language")]
    pub language: String,
    /// On what it stands.
    #[serde(rename = "dpv:hasLegalBasis")]
    pub legal_basis: String,
    /// What is done.
    #[serde(rename = "dpv:hasProcess")]
    pub process: Process,
    /// Who is responsible.
    #[serde(rename = "dpv:hasDataController")]
    pub controller: String,
    /// Whose law.
    #[serde(rename = "dpv:hasJurisdiction")]
    pub jurisdiction: String,
    /// How it is withdrawn.
    #[serde(rename = "dpv:hasConsentControl")]
    pub control: Control,
    /// What was decided, and when.
    #[serde(rename = "dpv:hasConsentStatus")]
    pub status: Vec<Event>,
    /// Where it stands in the log.
    #[serde(rename = "tertulia:log")]
    pub log: Inclusion,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Context {
    dct: String,
    dpv: String,
    foaf: String,
    tertulia: String,
}

/// What is done with a voice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Process {
    /// The service.
    #[serde(rename = "dpv:hasService")]
    pub service: String,
    /// What for.
    #[serde(rename = "dpv:hasPurpose")]
    pub purpose: String,
    /// What of: the speaker's voice, without a voice print.
    #[serde(rename = "dpv:hasPersonalData")]
    pub personal_data: String,
    /// Where and for how long it is kept.
    #[serde(rename = "dpv:hasStorageCondition")]
    pub storage: Storage,
    /// Who receives it.
    #[serde(rename = "dpv:hasRecipient")]
    pub recipients: Vec<String>,
}

/// Where and for how long.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Storage {
    /// Where.
    #[serde(rename = "dpv:hasLocation")]
    pub locations: Vec<String>,
    /// For how long: ISO 8601, or in words.
    #[serde(rename = "dpv:hasDuration")]
    pub duration: String,
}

/// How consent is withdrawn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Control {
    #[serde(rename = "@type")]
    kind: String,
    /// Where.
    #[serde(rename = "foaf:page")]
    pub page: String,
}

/// One decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// `dpv:ConsentGiven` and the like.
    #[serde(rename = "@type")]
    pub status: String,
    /// By which means it was said.
    #[serde(rename = "dpv:hasIndicationMethod")]
    pub method: String,
    /// When, in wall time.
    #[serde(rename = "dpv:isIndicationTime")]
    pub wall_ms: UnixMs,
    /// By whom: a guardian may speak for somebody.
    #[serde(rename = "dpv:isIndicatedBy")]
    pub by: Person,
    /// From which sample of the room on.
    #[serde(rename = "tertulia:fromSample")]
    pub from_sample: SampleTime,
    /// Until when, if it ends.
    #[serde(rename = "dpv:hasExpiry")]
    pub until_ms: Option<UnixMs>,
}

impl Statement for ConsentRecord {
    const KIND: &'static str = "tertulia consent record 1";
}

impl ConsentRecord {
    /// The record of one entry; none if it decides nothing about consent.
    #[must_use]
    pub fn of(entry: &Entry, log: Inclusion, rules: &Rules, notice: &Notice) -> Option<Self> {
        let Fact::Consent { of, purpose, how, .. } = entry.fact else { return None };
        Some(Self {
            context: Context {
                dct: "http://purl.org/dc/terms/".into(),
                dpv: "https://w3id.org/dpv#".into(),
                foaf: "http://xmlns.com/foaf/0.1/".into(),
                tertulia: "urn:tertulia:".into(),
            },
            kind: "dpv:ConsentRecord".into(),
            conforms_to: "https://w3id.org/dpv/schema/dpv-27560#record".into(),
            identifier: format!("urn:sha256:{}", log.leaf),
            data_subject: of,
            notice: notice.policy_url.clone(),
            language: notice.language.clone(),
            legal_basis: basis_name(how).into(),
            process: process(purpose, rules, notice),
            controller: notice.controller.clone(),
            jurisdiction: notice.jurisdiction.clone(),
            control: Control { kind: "dpv:WithdrawConsent".into(), page: notice.withdraw_url.clone() },
            status: vec![event(entry)?],
            log,
        })
    }

    /// Does it say what its entry says, and is that entry in the log of this root?
    #[must_use]
    pub fn is_of(&self, entry: &Entry, root: super::merkle::Hash) -> bool {
        let Fact::Consent { of, purpose, .. } = entry.fact else { return false };
        self.identifier == format!("urn:sha256:{}", self.log.leaf)
            && (self.data_subject, self.log.index, self.log.leaf) == (of, entry.n, entry.leaf())
            && self.process.purpose == purpose_name(purpose)
            && event(entry).is_some_and(|event| self.status == [event])
            && self.log.holds(root)
    }
}

impl Room {
    /// The receipt of one decision, to be signed and given to whoever decided; none if that entry is no decision about
    /// consent.
    #[must_use]
    pub fn receipt(&self, n: u64, notice: &Notice) -> Option<ConsentRecord> {
        let entry = self.entries().get(usize::try_from(n).ok()?)?;
        ConsentRecord::of(entry, self.log().inclusion_of(n)?, &self.state.rules, notice)
    }
}

fn process(purpose: Purpose, rules: &Rules, notice: &Notice) -> Process {
    Process {
        service: notice.service.clone(),
        purpose: purpose_name(purpose).into(),
        personal_data: "tertulia:Voice".into(),
        storage: Storage { locations: notice.storage.clone(), duration: duration(purpose, rules) },
        recipients: notice.recipients.clone(),
    }
}

fn event(entry: &Entry) -> Option<Event> {
    let Fact::Consent { state, how, until_ms, .. } = entry.fact else { return None };
    Some(Event {
        status: status_name(state).into(),
        method: method_name(how).into(),
        wall_ms: entry.wall_ms,
        by: entry.by,
        from_sample: entry.at_sample,
        until_ms,
    })
}

/// How long what is kept for a purpose is kept.
fn duration(purpose: Purpose, rules: &Rules) -> String {
    let retention = match purpose {
        Purpose::Clip => rules.clips.map(|clips| Retention::Clip { days: clips.days }),
        _ => Some(rules.recording),
    };
    match retention.and_then(|retention| retention.days(false)) {
        Some(days) => format!("P{days}D"),
        None if rules.recording == Retention::LiveOnly => "until the room ends".into(),
        None => "until it is deleted or consent is withdrawn".into(),
    }
}

pub(super) fn purpose_name(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Record => "tertulia:Record",
        Purpose::Clip => "tertulia:Clip",
        Purpose::Transcribe => "tertulia:Transcribe",
        Purpose::Publish => "tertulia:Publish",
        Purpose::Train => "tertulia:TrainMachines",
    }
}

fn status_name(state: Consent) -> &'static str {
    match state {
        Consent::Unknown => "dpv:ConsentUnknown",
        // Asked for, and not yet of whom it has to come from.
        Consent::Requested | Consent::GuardianRequired => "dpv:ConsentRequested",
        Consent::Given => "dpv:ConsentGiven",
        Consent::Refused => "dpv:ConsentRefused",
        Consent::Withdrawn => "dpv:ConsentWithdrawn",
        Consent::Expired => "dpv:ConsentExpired",
    }
}

/// Being told is no consent in the law's sense, and is not called so.
fn basis_name(how: How) -> &'static str {
    if how == How::Notice { "dpv:LegitimateInterest" } else { "dpv:Consent" }
}

pub(super) fn method_name(how: How) -> &'static str {
    match how {
        How::Said => "said in the room's application",
        How::Notice => "given notice and did not object",
        How::Guardian => "said by a guardian in the room's application",
        How::Lapse => "its time was up",
    }
}
