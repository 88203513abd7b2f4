//! A consent record as a Kantara Consent Receipt v1.1 (KI-CR-v1.1.0), for those who read that.

use super::{
    entry::{Entry, Fact},
    hex::Hex,
    merkle::Hash,
    person::Person,
    receipt::{Notice, method_name, purpose_name},
    room::Room,
    signed::Statement,
};
use serde::{Deserialize, Serialize};

/// The receipt. Field names are the specification's (§4).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KantaraReceipt {
    /// Of the specification.
    pub version: String,
    /// Whose law.
    pub jurisdiction: String,
    /// When, in seconds since the Unix epoch.
    pub consent_timestamp: u64,
    /// By which means it was said.
    pub collection_method: String,
    /// The entry's hash in the log.
    #[serde(rename = "consentReceiptID")]
    pub consent_receipt_id: Hash,
    /// Of whoever signs.
    pub public_key: Hex<32>,
    /// The notice's language.
    pub language: String,
    /// Whose consent: a pseudonym.
    pub pii_principal_id: Person,
    /// Who is responsible.
    pub pii_controllers: Vec<Controller>,
    /// Where the notice stands.
    pub policy_url: String,
    /// What is done.
    pub services: Vec<Service>,
    /// A voice is no sensitive category by itself; nobody here makes a voice print of it.
    pub sensitive: bool,
    /// Which sensitive categories.
    pub spi_cat: Vec<String>,
}

/// Who is responsible.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Controller {
    /// Who.
    pub pii_controller: String,
    /// A person to ask.
    pub contact: String,
    /// Where that person lives.
    pub address: String,
    /// Writes.
    pub email: String,
    /// And answers.
    pub phone: String,
}

/// A service and what it does with a voice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Service {
    /// What it is called.
    pub service: String,
    /// What for.
    pub purposes: Vec<PurposeLine>,
}

/// What for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PurposeLine {
    /// What for.
    pub purpose: String,
    /// In the specification's categories.
    pub purpose_category: Vec<String>,
    /// `EXPLICIT`, or `IMPLICIT` where being told was enough.
    pub consent_type: String,
    /// What of.
    pub pii_category: Vec<String>,
    /// Is it what the service is for?
    pub primary_purpose: bool,
    /// How it ends.
    pub termination: String,
    /// Does anybody else receive it?
    pub third_party_disclosure: bool,
    /// Who.
    pub third_party_name: Option<String>,
}

impl Statement for KantaraReceipt {
    const KIND: &'static str = "tertulia kantara receipt 1";
}

impl Room {
    /// The receipt of one yes, by whoever signs with `key`; none if that entry is none: this form knows no other state.
    #[must_use]
    pub fn kantara(&self, n: u64, notice: &Notice, key: Hex<32>) -> Option<KantaraReceipt> {
        let entry = self.entries().get(usize::try_from(n).ok()?)?;
        let Fact::Consent { of, state, how, .. } = entry.fact else { return None };
        state.opens().then(|| KantaraReceipt {
            version: "KI-CR-v1.1.0".into(),
            jurisdiction: notice.jurisdiction.clone(),
            consent_timestamp: entry.wall_ms.0 / 1000,
            collection_method: method_name(how).into(),
            consent_receipt_id: entry.leaf(),
            public_key: key,
            language: notice.language.clone(),
            pii_principal_id: of,
            pii_controllers: vec![controller(notice)],
            policy_url: notice.policy_url.clone(),
            services: vec![Service {
                service: notice.service.clone(),
                purposes: purpose_line(entry, notice).into_iter().collect(),
            }],
            sensitive: false,
            spi_cat: Vec::new(),
        })
    }
}

fn controller(notice: &Notice) -> Controller {
    Controller {
        pii_controller: notice.controller.clone(),
        contact: notice.contact.clone(),
        address: notice.address.clone(),
        email: notice.email.clone(),
        phone: notice.phone.clone(),
    }
}

fn purpose_line(entry: &Entry, notice: &Notice) -> Option<PurposeLine> {
    let Fact::Consent { purpose, how, .. } = entry.fact else { return None };
    let third = notice.recipients.join(", ");
    Some(PurposeLine {
        purpose: purpose_name(purpose).into(),
        purpose_category: vec!["Core Function".into()],
        consent_type: if how == super::entry::How::Notice { "IMPLICIT" } else { "EXPLICIT" }.into(),
        pii_category: vec!["Voice".into()],
        primary_purpose: false,
        termination: notice.withdraw_url.clone(),
        third_party_disclosure: !third.is_empty(),
        third_party_name: (!third.is_empty()).then_some(third),
    })
}
