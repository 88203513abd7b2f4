//! Which files a track stands in: it may go on in another at a sample, and a disk may lose one.

use super::{
    super::{
        gap::{Cause, Gap},
        parts::TrackPart,
    },
    Track,
};

impl Track {
    /// How many bytes its files are long.
    pub(in crate::record) fn bytes(&self) -> u64 {
        let before: u64 = self.files.iter().filter_map(|part| part.file_bytes).sum();
        before + self.tape.bytes()
    }

    /// From room sample `at` on it goes into another file.
    pub(in crate::record) fn cut_at(&mut self, at: u64, file: String) {
        self.cut = Some((at, file));
    }

    /// Is it in the file where it is to be?
    pub(in crate::record) fn has_turned(&self) -> bool {
        self.cut.is_none()
    }

    /// What comes next is at `next`: turns to the other file, if that belongs there.
    pub(super) fn turn_at(&mut self, next: u64) {
        if self.cut.as_ref().is_some_and(|(at, _)| self.tape.stands_behind(*at, next)) {
            self.turn();
        }
    }

    /// Nothing comes any more up to the room's `end`.
    pub(super) fn turn_before(&mut self, end: u64) {
        if self.cut.as_ref().is_some_and(|(at, _)| *at <= end) {
            self.turn();
        }
    }

    fn turn(&mut self) {
        if let Some((at, file)) = self.cut.take() {
            self.files.push(self.tape.turn(at, file));
        }
    }

    /// All its files.
    pub(in crate::record) fn files(&self) -> impl Iterator<Item = TrackPart> {
        self.files.iter().cloned().chain([self.tape.part()])
    }

    /// Not before this may another file begin.
    pub(in crate::record) fn written(&self) -> u64 {
        self.reached().max(self.tape.samples())
    }

    /// The file is gone, and what was in it.
    pub(in crate::record) fn lose(&mut self) {
        let (from, packets) = self.tape.lose();
        self.counts.recorded -= packets;
        self.counts.refused += packets;
        let lost = Gap { from_sample: from, to_sample: self.told, cause: Cause::Storage };
        self.gaps.cover(lost);
        self.gates.shut(from, self.told.max(from)).for_each(|shut| self.gaps.raise(shut));
    }
}
