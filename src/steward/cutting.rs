//! Clips: cut as soon as the recording holds all of their stretch on disk, and given their papers.

use super::{Steward, StewardError, kept::hash_of};
use crate::{
    consent::Purpose,
    record::{Cuttable, Recording, cut, fingerprint},
    room::{Hex, ItemId, Moment, Person, Signed, Span},
    time::{SampleTime, Samples},
};
use std::{fs, ops::Range, path::Path};

/// How much of the recording around a clip its papers vouch for, on either side: against misquoting.
const AROUND: Samples = Samples::from_ms(30_000);

/// A clip that was granted and is not cut yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cutting {
    pub(super) item: ItemId,
    pub(super) parent: ItemId,
    pub(super) span: Span,
    pub(super) voices: Vec<Person>,
}

impl Steward {
    /// Cuts what lies in its recording by now.
    pub(super) fn cut_what_can_be(&mut self, now: Moment) {
        for cutting in std::mem::take(&mut self.cuttings) {
            match self.cut(&cutting, now) {
                Ok(true) => {}
                Ok(false) => self.cuttings.push(cutting),
                Err(error) => self.fail(cutting.item, &error),
            }
        }
    }

    /// Is it cut?
    fn cut(&mut self, cutting: &Cutting, now: Moment) -> Result<bool, StewardError> {
        let Ok(parent) = Recording::open(&self.folder_of(cutting.parent)) else { return Ok(false) };
        let (manifest, to) = (parent.manifest(), cutting.span.to_sample.samples());
        if !manifest.finished && manifest.samples < to + BEHIND.count() || manifest.samples < to {
            return Ok(false);
        }
        let into = self.folder_of(cutting.item);
        let voices: Vec<_> = cutting.voices.iter().filter_map(|who| self.cuttable(*who, cutting)).collect();
        let failed = |error: &dyn std::fmt::Display| {
            StewardError::disk(&into, std::io::Error::other(error.to_string()))
        };
        cut(&parent, range(cutting.span), &voices, &into).map_err(|error| failed(&error))?;
        self.give_papers(cutting, &parent, &into).map_err(|error| failed(&error))?;
        self.keep(cutting.item, now);
        Ok(true)
    }

    /// A voice, for the stretch around the clip for which it agreed to be cut.
    fn cuttable(&self, who: Person, cutting: &Cutting) -> Option<Cuttable> {
        let speaker = self.names.get(&who)?.clone();
        let agreed = self.room.spans(who, Purpose::Clip).into_iter();
        let mut around = agreed
            .filter(|span| span.start <= cutting.span.from_sample && cutting.span.to_sample <= span.end);
        let span = around.next()?;
        Some(Cuttable { speaker, span: span.start.samples()..span.end.samples() })
    }

    fn give_papers(
        &self,
        cutting: &Cutting,
        parent: &Recording,
        into: &Path,
    ) -> Result<(), Box<dyn std::error::Error>> {
        let Span { from_sample, to_sample } = cutting.span;
        let end = SampleTime::from_samples(parent.manifest().samples);
        let window =
            Span { from_sample: from_sample.before(AROUND), to_sample: (to_sample + AROUND).min(end) };
        let hash = hash_of(into).ok_or("the clip's manifest is not there")?;
        let around = Hex(fingerprint(parent, range(window))?);
        let papers = self.room.clip_manifest(cutting.item, hash, window, around).ok_or("no such clip")?;
        Ok(fs::write(into.join("papers.json"), Signed::sign(papers, &self.key).to_json())?)
    }
}

/// What is on disk lies so far behind what the manifest of a recording that runs says: the repair window, and some.
const BEHIND: Samples = Samples::from_ms(4_000);

fn range(span: Span) -> Range<u64> {
    span.from_sample.samples()..span.to_sample.samples()
}
