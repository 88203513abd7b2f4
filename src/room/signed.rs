//! Statements that somebody answers for: a body, and an Ed25519 signature (RFC 8032) over its JSON. Keys are the caller's.

use super::hex::Hex;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::fmt;

/// Something that can be signed. Its kind is signed with it, so that no statement passes for one of another kind.
pub trait Statement: Serialize + DeserializeOwned {
    /// What it is, in a word that no other statement has.
    const KIND: &'static str;
}

/// A statement and who answers for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signed<T> {
    /// What is said.
    pub body: T,
    /// The signer's public key.
    pub key: Hex<32>,
    /// Over the body's kind, a line feed and its JSON.
    pub signature: Hex<64>,
}

/// Why a statement is not to be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Untrue {
    /// No JSON of such a statement, or not as it is written.
    Unreadable,
    /// Signed by somebody else.
    OtherKey,
    /// Changed after it was signed, or never signed.
    Signature,
}

impl fmt::Display for Untrue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unreadable => "expected a signed statement in JSON, written as it was signed",
            Self::OtherKey => "signed with another key than expected",
            Self::Signature => "the signature is not one of what it says",
        })
    }
}

impl std::error::Error for Untrue {}

impl<T: Statement> Signed<T> {
    /// Signs.
    #[must_use]
    pub fn sign(body: T, key: &SigningKey) -> Self {
        let signature = Hex(key.sign(&message(&body)).to_bytes());
        Self { body, key: Hex(key.verifying_key().to_bytes()), signature }
    }

    /// As a file: JSON on one line.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut json = serde_json::to_string(self).unwrap_or_default();
        json.push('\n');
        json
    }

    /// Reads a file and checks the signature; with `key`, that it is this signer's. A file that says the same in other
    /// bytes is not accepted: any changed bit is found.
    ///
    /// # Errors
    /// See [`Untrue`].
    pub fn read(json: &[u8], key: Option<Hex<32>>) -> Result<Self, Untrue> {
        let signed: Self = serde_json::from_slice(json).map_err(|_| Untrue::Unreadable)?;
        if signed.to_json().as_bytes() != json {
            return Err(Untrue::Unreadable);
        }
        signed.verify(key).map(|()| signed)
    }

    /// Checks the signature; with `key`, that it is this signer's.
    ///
    /// # Errors
    /// See [`Untrue`].
    pub fn verify(&self, key: Option<Hex<32>>) -> Result<(), Untrue> {
        if key.is_some_and(|key| key != self.key) {
            return Err(Untrue::OtherKey);
        }
        let key = VerifyingKey::from_bytes(&self.key.0).map_err(|_| Untrue::Signature)?;
        let signature = Signature::from_bytes(&self.signature.0);
        key.verify_strict(&message(&self.body), &signature).map_err(|_| Untrue::Signature)
    }
}

fn message<T: Statement>(body: &T) -> Vec<u8> {
    let json = serde_json::to_string(body).unwrap_or_default();
    [T::KIND, "\n", &json].concat().into_bytes()
}
