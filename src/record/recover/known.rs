//! What a recording that broke off knew of itself: its journal or, if that is gone, its manifest. Lines come in; tracks
//! with their gates, gaps and clocks come out, as the recorder had them.

use crate::record::{
    clock_map::{self, ClockPoint},
    counts::Counts,
    drift::Knot,
    event::Event,
    gap::{Cause, Gap, Gaps, Told},
    gate::{Gates, Spans},
    journal::{Line, News},
    manifest::{Manifest, TrackEntry},
    parts::TrackPart,
    place::Place,
    waiting::Run,
};
use std::collections::BTreeMap;

/// A session as far as it is known.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub(super) epoch_unix_ms: Option<u64>,
    pub(super) events: Vec<Event>,
    pub(super) paused: Spans,
    /// Where its parts begin, but for the first.
    pub(super) parts: Vec<u64>,
    pub(super) tracks: BTreeMap<String, KnownTrack>,
    /// How far room time had come.
    pub(super) now: u64,
}

/// A track as far as it is known.
#[derive(Debug)]
pub(super) struct KnownTrack {
    gates: Gates,
    gaps: Gaps,
    told: u64,
    packets: Counts,
    placed: Vec<Place>,
    knots: BTreeMap<Run, Vec<Knot>>,
    /// How lines lay that no knot was tied of.
    loose: Vec<(Run, Knot)>,
    /// What an older manifest says, if there is no journal.
    clock: Vec<ClockPoint>,
}

impl Known {
    pub(super) fn from_journal(lines: impl Iterator<Item = Line>) -> Self {
        let mut known = Self::default();
        lines.for_each(|line| known.hear(line));
        known
    }

    pub(super) fn from_manifest(manifest: Manifest) -> Self {
        let mut known =
            Self { epoch_unix_ms: manifest.epoch_unix_ms, now: manifest.samples, ..Self::default() };
        known.parts.extend(manifest.parts.iter().map(|part| part.from_sample));
        manifest.events.into_iter().for_each(|event| known.hear(Line::Event(event)));
        for (name, entry) in manifest.speakers {
            let track = known.track(&name);
            (track.told, track.packets) = (manifest.samples, entry.packets);
            (track.placed, track.clock) = (entry.placed, entry.clock);
            entry.gaps.into_iter().for_each(|gap| track.gaps.hear(Told::Gap(gap)));
        }
        known
    }

    fn hear(&mut self, line: Line) {
        match line {
            Line::Session { epoch_unix_ms } => *self = Self { epoch_unix_ms, ..Self::default() },
            Line::Event(event) => self.happened(event),
            Line::Part(from) if self.parts.last().is_none_or(|last| *last < from) => self.parts.push(from),
            Line::Part(_) => {}
            Line::Track(news) => self.track(&news.name.clone()).hear(news),
            Line::Now(now) => self.now = self.now.max(now),
        }
    }

    fn track(&mut self, name: &str) -> &mut KnownTrack {
        let paused = &self.paused;
        self.tracks.entry(name.to_owned()).or_insert_with(|| KnownTrack::new(paused.clone()))
    }

    /// Does to the gates what the recorder did.
    fn happened(&mut self, event: Event) {
        let at = event.at_sample;
        match &*event.verb {
            "pause" => self.paused.begin(at),
            "resume" => self.paused.end(at),
            _ => {}
        }
        let gates = match &event.speaker {
            Some(name) => vec![&mut self.track(name).gates],
            None => self.tracks.values_mut().map(|track| &mut track.gates).collect(),
        };
        for gates in gates {
            match &*event.verb {
                "join" => gates.join(at),
                "leave" => gates.leave(at),
                "grant" => gates.open(at),
                "withdraw" => gates.close(at),
                "mute" => gates.mute(at),
                "unmute" => gates.unmute(at),
                "pause" => gates.pause(at),
                "resume" => gates.resume(at),
                _ => {}
            }
        }
        self.events.push(event);
    }
}

impl KnownTrack {
    fn new(paused: Spans) -> Self {
        Self {
            gates: Gates::new(paused),
            gaps: Gaps::default(),
            told: 0,
            packets: Counts::default(),
            placed: Vec::new(),
            knots: BTreeMap::new(),
            loose: Vec::new(),
            clock: Vec::new(),
        }
    }

    fn hear(&mut self, news: News) {
        (self.told, self.packets) = (news.told, news.packets);
        news.gaps.into_iter().for_each(|told| self.gaps.hear(told));
        self.placed.extend(news.placed);
        for (run, knot) in news.knots {
            self.knots.entry(run).or_default().push(knot);
        }
        if let Some(loose) = news.loose {
            self.loose = loose;
        }
    }

    /// What the manifest says of it, once its files hold what was written up to `reached` and end at `end`; `lost` is
    /// what was damaged before.
    pub(super) fn entry(mut self, files: Vec<TrackPart>, reached: u64, lost: &[Gap], end: u64) -> TrackEntry {
        self.tell(self.told, reached, Cause::Dtx);
        lost.iter().for_each(|lost| self.gaps.cover(*lost));
        self.gaps.cut(reached);
        self.tell(reached, end, Cause::Crash);
        for (run, knot) in self.loose {
            self.knots.entry(run).or_default().push(knot);
        }
        self.knots.values_mut().for_each(|knots| {
            knots.sort_by_key(|knot| knot.media);
            knots.dedup_by_key(|knot| knot.media);
        });
        self.placed.retain(|place| place.room_sample < reached);
        let clock = match self.knots.is_empty() {
            true if !self.clock.is_empty() => self.clock,
            _ => clock_map::draw(&self.placed, reached, &self.knots),
        };
        let mut entry = TrackEntry {
            file: String::new(),
            pre_skip: 0,
            joined: self.gates.present(),
            consent: self.gates.given().clone(),
            muted: self.gates.muted().clone(),
            placed: self.placed,
            clock,
            packets: self.packets,
            gaps: self.gaps.merged(end),
            file_bytes: None,
            sha256: None,
            parts: Vec::new(),
        };
        entry.lies_in(files);
        entry
    }

    /// A gap that nobody told before.
    fn tell(&mut self, from_sample: u64, to_sample: u64, cause: Cause) {
        self.gaps.hear(Told::Gap(Gap { from_sample, to_sample, cause }));
        let shut: Vec<Gap> = self.gates.shut(from_sample, to_sample.max(from_sample)).collect();
        shut.into_iter().for_each(|shut| self.gaps.hear(Told::Raise(shut)));
    }
}
