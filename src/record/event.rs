//! What was done to a recording, as its manifest and its journal tell it.

use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// Something that was done to the recording or to a voice in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// The first sample of which it holds.
    pub at_sample: u64,
    /// `record`, `stop`, `pause`, `resume`, `join`, `leave`, `grant`, `withdraw`, `mute`, `unmute`, `gain`, `pan`, `redact`; and
    /// `unbalanced`, if a track's counters did not add up.
    #[serde(rename = "do")]
    pub verb: Cow<'static, str>,
    /// Whose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub speaker: Option<String>,
    /// The linear gain or the pan that is reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<f32>,
    /// The length of a gain's ramp.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub over_samples: Option<u64>,
}
