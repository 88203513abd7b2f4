//! Where a sound bite comes from, against misquoting: signed, it tells which stretch of which recording it is, and what
//! was said around it.

use super::{
    entry::{Fact, ItemId, Span},
    merkle::Hash,
    room::Room,
    signed::Statement,
    witness::Excerpt,
};
use serde::{Deserialize, Serialize};

/// A sound bite's papers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClipManifest {
    /// The room it comes from: the hash of the entry that opened it.
    pub room: Hash,
    /// The grant: out of which recording, which stretch, whose voices, and that it is in the room's log.
    pub grant: Excerpt,
    /// The SHA-256 of the clip's file.
    pub sha256: Hash,
    /// A stretch of the recording around it.
    pub window: Span,
    /// The SHA-256 of what the recording has there: who has the recording finds the clip in it, and it is no other.
    pub window_sha256: Hash,
}

impl Statement for ClipManifest {
    const KIND: &'static str = "tertulia clip manifest 1";
}

impl ClipManifest {
    /// Which recording, and which stretch of it; none if these papers do not hang together.
    #[must_use]
    pub fn place(&self) -> Option<(ItemId, Span)> {
        let Fact::Clipped { parent, span, .. } = self.grant.entry.fact else { return None };
        let around = self.window.from_sample <= span.from_sample && span.to_sample <= self.window.to_sample;
        (around && self.grant.holds()).then_some((parent, span))
    }
}

impl Room {
    /// The papers of a clip that was granted, for whoever cut it to fill in and sign; none if there is no such clip or the
    /// window does not hold it.
    #[must_use]
    pub fn clip_manifest(
        &self,
        item: ItemId,
        sha256: Hash,
        window: Span,
        window_sha256: Hash,
    ) -> Option<ClipManifest> {
        let (room, grant) = (self.log().leaf(0)?, self.excerpt(item.0)?);
        let manifest = ClipManifest { room, grant, sha256, window, window_sha256 };
        manifest.place().is_some().then_some(manifest)
    }
}
