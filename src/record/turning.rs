//! A recording goes on in another part: when it is time, every track is told where to; once all of them are there, the part
//! before gets its manifest.

use super::{
    journal::Line,
    manifest::Manifest,
    parts::own_name,
    recorder::Recorder,
    store::Store,
    track::{SLACK, Track},
};

impl Recorder {
    /// Another part begins, if it is time for it and the disk is well.
    pub(super) fn turn_if_due(&mut self) {
        let is_well = |store: &Store| store.trouble().is_none() && store.has_ended_parts(&self.tracks);
        if !self.parts.rotates() || !self.store.as_ref().is_some_and(is_well) {
            return;
        }
        let bytes = self.tracks.values().map(|track| track.tape.bytes()).sum();
        let written = self.tracks.values().map(Track::written).max().unwrap_or(0);
        if let Some(at) = self.parts.due(self.now.samples(), written, bytes) {
            self.turn(at);
        }
    }

    fn turn(&mut self, at: u64) {
        let folder = self.parts.turn(at);
        for track in self.tracks.values_mut() {
            let file = format!("{folder}{}", own_name(track.tape.file()));
            track.cut_at(at, file);
        }
        if let Some(Store { journal, .. }) = &mut self.store {
            journal.push(&Line::Part(at));
        }
    }

    /// The part before is over, if all tracks have left it and nobody can come into it any more.
    pub(super) fn end_part(&mut self) {
        let closes = self.parts.last() + (self.config.repair + SLACK).count();
        if self.now.samples() >= closes {
            self.end_part_now();
        }
    }

    /// As soon as all tracks have left it.
    pub(super) fn end_part_now(&mut self) {
        if !self.parts.turning || !self.tracks.values().all(Track::has_turned) {
            return;
        }
        self.parts.turned();
        if let Some((folder, from, to)) = self.parts.before() {
            let session = self.manifest(Some(to));
            self.write_part(&session, &folder, from, to);
        }
        // What the journal told again and again in the part that is over is told once.
        self.tell_again();
        self.store.iter_mut().for_each(Store::hurry);
    }

    /// Writes a part's own manifest; the first one's is the session's.
    pub(super) fn write_part(&mut self, session: &Manifest, folder: &str, from: u64, to: u64) {
        if let Some(store) = self.store.as_mut().filter(|_| !folder.is_empty()) {
            store.part_is_over(folder, session.part(folder, from, to).json());
        }
    }
}
