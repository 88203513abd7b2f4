//! What a recording may take: nothing beyond, told at once, counted, and over when it is over.

use crate::support::{FRAME, Mode, Talker, at};
use std::path::Path;
use tertulia::{
    consent::Recordable,
    record::{Alert, Allowance, Cause, Limit, Limits, Recorder, RecorderConfig, Session},
    sim::{Fault, FaultyDisk},
    speaker::{SpeakerId, VoicePacket},
    time::Samples,
};

const VOICES: u16 = 3;

/// A recording of three voices on a disk of its own.
struct Evening {
    disk: FaultyDisk,
    recorder: Recorder,
    alerts: Vec<(u64, Alert)>,
    now: u64,
    most: usize,
}

impl Evening {
    fn new(limits: Limits, allowance: &Allowance) -> Self {
        let disk = FaultyDisk::new();
        let config = RecorderConfig { limits, ..RecorderConfig::default() };
        let recorder = Recorder::create_on(Box::new(disk.clone()), Path::new("memory"), config).unwrap();
        let mut recorder = recorder.within(allowance);
        for (id, name) in (0..VOICES).zip(["a", "b", "c"]) {
            recorder.join(SpeakerId(id), name, at(0)).unwrap();
            recorder.open(Recordable::dangerously_without_consent(SpeakerId(id), at(0)));
        }
        Self { disk, recorder, alerts: Vec::new(), now: 0, most: 0 }
    }

    /// The next 20 ms.
    fn step(&mut self, talker: &Talker, allowance: &Allowance) {
        let packets = talker.packets.len() as u64;
        for id in 0..VOICES {
            let packet = talker.packet(self.now % packets, 0, 0);
            self.recorder.packet(VoicePacket {
                speaker: SpeakerId(id),
                sequence: self.now,
                media: packet.media + Samples::new(self.now / packets * packets * FRAME),
                arrived: at(self.now * FRAME),
                ..packet
            });
        }
        self.now += 1;
        let _told = self.recorder.advance(at(self.now * FRAME));
        self.alerts.extend(self.recorder.take_alerts().into_iter().map(|alert| (self.now, alert)));
        self.most = self.most.max(allowance.held());
    }

    fn speak(&mut self, talker: &Talker, to_s: u64, allowance: &Allowance) {
        while self.now < to_s * 50 {
            self.step(talker, allowance);
        }
    }

    fn finish(self) -> (Session, Vec<(u64, Alert)>) {
        let session = self.recorder.finish(at(self.now * FRAME)).unwrap();
        assert!(session.unbalanced.is_empty());
        for track in session.tracks.values() {
            assert_eq!(track.recorded + track.refused, self.now);
            let lost = track.gaps.iter().filter(|gap| gap.cause == Cause::Storage);
            let lost: u64 = lost.map(|gap| gap.to_sample - gap.from_sample).sum();
            assert_eq!(lost, track.refused * FRAME, "what is refused is told to the sample");
        }
        let refused: u64 = session.tracks.values().map(|track| track.refused).sum();
        assert_eq!(
            session.limited.values().sum::<u64>(),
            refused,
            "each by one limit: {:?}",
            session.limited
        );
        (session, self.alerts)
    }
}

fn kinds(alerts: &[(u64, Alert)]) -> Vec<Alert> {
    alerts.iter().map(|(_, alert)| alert.clone()).collect()
}

#[test]
fn a_recording_keeps_no_more_in_memory_than_it_may() {
    let (talker, allowance) = (Talker::new(Mode::Speech, 300), Allowance::new(usize::MAX));
    let limits = Limits { waiting_bytes: 60_000, ..Limits::default() };
    let mut evening = Evening::new(limits, &allowance);
    evening.speak(&talker, 5, &allowance);
    evening.disk.fail(Fault::Full);
    evening.speak(&talker, 30, &allowance);
    // A page of each voice may come on top.
    assert!((60_000..75_000).contains(&evening.most), "{}", evening.most);
    evening.disk.fail(Fault::None);
    evening.speak(&talker, 40, &allowance);
    assert!(allowance.held() < 15_000, "{}", allowance.held());
    let (session, alerts) = evening.finish();
    assert_eq!(kinds(&alerts), [Alert::Limited(Limit::Waiting), Alert::Unlimited(Limit::Waiting)]);
    assert_eq!(session.limited.keys().collect::<Vec<_>>(), [&Limit::Waiting]);
    assert_eq!(allowance.held(), 0, "what is gone holds nothing");
}

#[test]
fn recordings_of_a_process_share_what_they_may_keep() {
    let (talker, allowance) = (Talker::new(Mode::Speech, 300), Allowance::new(80_000));
    let [mut one, mut other] = [(); 2].map(|()| Evening::new(Limits::default(), &allowance));
    for second in 1..30 {
        one.disk.fail(if second > 5 { Fault::Io } else { Fault::None });
        one.speak(&talker, second, &allowance);
        other.speak(&talker, second, &allowance);
    }
    assert!(one.most < 95_000, "{}", one.most);
    one.disk.fail(Fault::None);
    one.speak(&talker, 40, &allowance);
    other.speak(&talker, 40, &allowance);
    let (session, alerts) = one.finish();
    assert_eq!(kinds(&alerts), [Alert::Limited(Limit::Process), Alert::Unlimited(Limit::Process)]);
    assert!(session.limited[&Limit::Process] > 1_000);
    let (session, _) = other.finish();
    assert_eq!(allowance.held(), 0);
    // Whose disk is well has no backlog; it loses what comes while another's is full, and says so.
    assert!(session.tracks.values().all(|track| track.recorded > 0));
}

#[test]
fn a_recording_writes_no_more_than_it_may() {
    let (talker, allowance) = (Talker::new(Mode::Speech, 300), Allowance::new(usize::MAX));
    let mut evening = Evening::new(Limits { disk_bytes: 100_000, ..Limits::default() }, &allowance);
    evening.speak(&talker, 40, &allowance);
    let written =
        ["a", "b", "c"].map(|name| evening.disk.read(&format!("tracks/{name}.opus")).unwrap().len());
    // What comes until it is looked at, in 0.7 s.
    assert!((100_000..115_000).contains(&written.iter().sum::<usize>()), "{written:?}");
    let (session, alerts) = evening.finish();
    assert_eq!(kinds(&alerts), [Alert::Limited(Limit::Disk)]);
    assert!(session.limited[&Limit::Disk] > 1_000);
}

#[test]
fn what_has_to_stay_free_on_the_disk_stays_free_and_it_goes_on_when_there_is_more() {
    let (talker, allowance) = (Talker::new(Mode::Speech, 300), Allowance::new(usize::MAX));
    let mut evening = Evening::new(Limits { free_bytes: 1_000_000, ..Limits::default() }, &allowance);
    evening.disk.has_free(1_000_000);
    evening.speak(&talker, 10, &allowance);
    evening.disk.has_free(999_999);
    evening.speak(&talker, 20, &allowance);
    evening.disk.has_free(2_000_000);
    evening.speak(&talker, 30, &allowance);
    let (session, alerts) = evening.finish();
    let [(bites, Alert::Limited(Limit::Free)), (over, Alert::Unlimited(Limit::Free))] = alerts[..] else {
        panic!("{alerts:?}")
    };
    assert!(
        (500..=550).contains(&bites) && (1_000..=1_100).contains(&over),
        "told within a second: {alerts:?}"
    );
    assert!(session.tracks["a"].recorded > 900, "{:?}", session.tracks["a"]);
}
