//! A recorder looks after itself: what it may take, and whether its counters add up in the end.

#[cfg(feature = "live")]
use super::disk::Disk;
use super::{
    allowance::{Allowance, Purse},
    event::Event,
    limits::Alert,
    recorder::Recorder,
};
use std::borrow::Cow;

impl Recorder {
    /// What it keeps in memory counts against an allowance that others share. To be said before anybody joins.
    #[must_use]
    pub fn within(mut self, allowance: &Allowance) -> Self {
        self.purse = Purse::new(self.config.limits, Some(allowance.clone()));
        self
    }

    /// Puts something between itself and its disk, if it has one yet.
    #[cfg(feature = "live")]
    pub(crate) fn exchange_disk(&mut self, by: impl FnOnce(Box<dyn Disk>) -> Box<dyn Disk>) {
        if let Some(store) = &mut self.store {
            store.exchange_disk(by);
        }
    }

    /// What has to be known at once, once: to be asked for after each [`advance`](Self::advance).
    pub fn take_alerts(&mut self) -> Vec<Alert> {
        self.watch.take_alerts()
    }

    /// What lies on the disk by now, and what is free there.
    pub(super) fn count_what_lies(&mut self) {
        let written = self.tracks.values().map(|track| track.bytes()).sum();
        let asks = self.config.limits.free_bytes > 0;
        let free = self.store.as_mut().filter(|_| asks).and_then(|store| store.free_bytes());
        self.purse.look(written, free);
    }

    /// Looks whether its disk is too slow for it.
    pub(super) fn look_how_far(&mut self) {
        let now = self.now;
        self.watch.look_how_far(self.store.as_ref().is_some_and(|store| store.is_behind(now)));
    }

    /// Looks whether a limit bites, or no more.
    pub(super) fn look_at_limits(&mut self) {
        let owes = self.tracks.values().any(|track| track.tape.owes());
        self.watch.look(&self.purse, owes);
    }

    /// Whose counters do not add up; told in the manifest too, as something that happened at `end`.
    pub(super) fn balance(&mut self, end: u64) -> Vec<String> {
        let unbalanced = self.tracks.iter().filter(|(_, track)| !track.counts().balance());
        let unbalanced: Vec<String> = unbalanced.map(|(name, _)| name.clone()).collect();
        for name in &unbalanced {
            self.keep(Event {
                at_sample: end,
                verb: Cow::Borrowed("unbalanced"),
                speaker: Some(name.clone()),
                to: None,
                over_samples: None,
            });
        }
        unbalanced
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{record::RecorderConfig, speaker::SpeakerId, time::SampleTime};

    #[test]
    fn counters_that_do_not_add_up_are_told_in_the_session_and_in_its_manifest() {
        let dir = tempfile::tempdir().unwrap();
        for lost in [0, 1] {
            let mut recorder = Recorder::create(dir.path(), RecorderConfig::default()).unwrap();
            recorder.join(SpeakerId(0), "mara", SampleTime::ZERO).unwrap();
            recorder.tracks.get_mut("mara").unwrap().miscount(lost);
            let session = recorder.finish(SampleTime::from_samples(48_000)).unwrap();
            let manifest = crate::record::Manifest::read(dir.path()).unwrap();
            let told = manifest.events.iter().filter(|event| event.verb == "unbalanced").count();
            assert_eq!((session.unbalanced.len(), told), (lost as usize, lost as usize));
        }
    }
}
