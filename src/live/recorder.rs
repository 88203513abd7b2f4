//! The disk's thread: one for all rooms of a stage. Messages come from the control side, news from the rooms' tapes;
//! recordings leave. It may block; then tapes fill up and packets are missed, but no tick waits.

use super::{
    attended::Attended,
    notice::Notice,
    pulse::Pulse,
    take::TakeId,
    tape::{News, Reel},
    transcript::Pen,
};
use crate::{
    consent::Opening,
    record::{Alert, Disk, RecordError, Recorder, Session},
    speaker::SpeakerId,
    time::SampleTime,
};
use crossbeam::channel::{Receiver, RecvTimeoutError, Sender};
use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::Duration};

/// What the control side tells.
pub(super) enum Message {
    /// Also to whom its packets are told, if they are.
    Begin(TakeId, Box<Recorder>, Reel, Option<Pen>),
    Open(TakeId, Admission, Opening),
    Close(TakeId, SpeakerId, SampleTime),
    /// An armed recorder begins, in this folder, from this sample on.
    Record(TakeId, PathBuf, SampleTime),
    Pause(TakeId, SampleTime),
    Resume(TakeId, SampleTime),
    /// Who wants the result when the recording ends.
    Await(TakeId, Sender<Result<Session, RecordError>>),
}

/// Counts a room's admissions. A place is used again, so consent goes with the admission.
pub(super) type Admission = u32;

/// Serves recordings until the control side has let go and all of them have ended.
pub(super) fn run(messages: &Receiver<Message>, notices: &Sender<Notice>, pulse: &Arc<Pulse>) {
    let mut recordings = BTreeMap::<TakeId, Recording>::new();
    loop {
        let is_heard = recordings.values().any(|recording| recording.pen.is_some());
        let first = messages.recv_timeout(if is_heard { HEARD } else { LOOK });
        let let_go = matches!(first, Err(RecvTimeoutError::Disconnected));
        for message in first.into_iter().chain(messages.try_iter()) {
            obey(&mut recordings, message, pulse);
        }
        let over = recordings.iter().filter(|(_, recording)| recording.end().is_some());
        for take in over.map(|(take, _)| *take).collect::<Vec<_>>() {
            let ended = recordings.remove(&take).into_iter();
            pulse.attend(take, || ended.for_each(|recording| recording.finish(take, notices)));
        }
        for (take, recording) in &mut recordings {
            // Nobody listens when the stage is being taken down.
            let read = pulse.attend(*take, || recording.read(*take));
            read.into_iter().for_each(|notice| drop(notices.send(notice)));
        }
        if let_go && recordings.is_empty() {
            return;
        }
    }
}

/// How long news may lie on a tape and in a recorder: to look at a track costs more than what is new in it.
const LOOK: Duration = Duration::from_millis(40);

/// The same, if somebody listens.
const HEARD: Duration = Duration::from_millis(20);

fn obey(recordings: &mut BTreeMap<TakeId, Recording>, message: Message, pulse: &Arc<Pulse>) {
    let attended = |disk| -> Box<dyn Disk> { Box::new(Attended { disk, pulse: Arc::clone(pulse) }) };
    match message {
        Message::Begin(take, mut recorder, reel, pen) => {
            recorder.exchange_disk(attended);
            recordings.insert(take, Recording { pen, ..Recording::new(recorder, reel) });
        }
        Message::Open(take, admission, opening) => {
            with(recordings, take, |recording| recording.open(admission, opening));
        }
        Message::Close(take, speaker, at) => {
            with(recordings, take, |recording| recording.close(speaker, at));
        }
        Message::Record(take, dir, from) => {
            with(recordings, take, |recording| {
                recording.failed = pulse.attend(take, || recording.recorder.begin(&dir, from)).err();
                recording.recorder.exchange_disk(attended);
            });
        }
        Message::Pause(take, at) => with(recordings, take, |recording| recording.recorder.pause(at)),
        Message::Resume(take, at) => with(recordings, take, |recording| recording.recorder.resume(at)),
        Message::Await(take, result) => {
            with(recordings, take, |recording| recording.result = Some(result));
        }
    }
}

fn with(recordings: &mut BTreeMap<TakeId, Recording>, take: TakeId, act: impl FnOnce(&mut Recording)) {
    if let Some(recording) = recordings.get_mut(&take) {
        act(recording);
    }
}

/// One room's recording.
struct Recording {
    recorder: Box<Recorder>,
    /// Since when the disk takes nothing, as it was told.
    trouble: Option<SampleTime>,
    /// Why it could not begin, until that is told.
    failed: Option<RecordError>,
    /// Who writes down what is said.
    pen: Option<Pen>,
    reel: Reel,
    now: SampleTime,
    present: BTreeMap<SpeakerId, Admission>,
    /// Consent that came before its speaker's first news.
    early: Vec<(Admission, Opening)>,
    ended: Option<SampleTime>,
    result: Option<Sender<Result<Session, RecordError>>>,
}

impl Recording {
    fn new(recorder: Box<Recorder>, reel: Reel) -> Self {
        Self {
            recorder,
            trouble: None,
            failed: None,
            pen: None,
            reel,
            now: SampleTime::ZERO,
            present: BTreeMap::new(),
            early: Vec::new(),
            ended: None,
            result: None,
        }
    }

    /// Opens the gate of this admission, and of no other person who has or had the same place.
    fn open(&mut self, admission: Admission, opening: Opening) {
        match self.present.get(&opening.speaker()) {
            Some(present) if *present == admission => self.recorder.unlock(&opening),
            Some(present) if *present > admission => {}
            _ => self.early.push((admission, opening)),
        }
    }

    fn close(&mut self, speaker: SpeakerId, at: SampleTime) {
        self.early.retain(|(_, opening)| opening.speaker() != speaker);
        self.recorder.close(speaker, at);
    }

    fn joined(&mut self, speaker: SpeakerId, admission: Admission) {
        self.present.insert(speaker, admission);
        let (theirs, others) = std::mem::take(&mut self.early)
            .into_iter()
            .partition(|(_, opening)| opening.speaker() == speaker);
        self.early = others;
        let theirs: Vec<_> = theirs;
        for (admission, opening) in theirs {
            self.open(admission, opening);
        }
    }

    /// Reads what has been told so far and writes what may be written; what the caller should know.
    fn read(&mut self, take: TakeId) -> Vec<Notice> {
        let failed = self.failed.take().map(|error| Notice::RecordingFailed(take.room, error));
        let mut notices: Vec<Notice> = failed.into_iter().collect();
        while self.ended.is_none()
            && let Some(news) = self.reel.pop()
        {
            // A voice that has no track leaves the others theirs.
            let told = write(&mut self.recorder, news);
            notices.extend(told.err().map(|error| Notice::RecordingFailed(take.room, error)));
            match news {
                News::Joined { speaker, admission, .. } => self.joined(speaker, admission),
                News::Left { speaker, .. } => drop(self.present.remove(&speaker)),
                News::Now(at) => self.now = at,
                News::End(at) => self.ended = Some(at),
                _ => {}
            }
        }
        notices.extend(self.advance(take));
        let alerts = self.recorder.take_alerts().into_iter();
        notices.extend(alerts.map(|alert| Notice::RecordingAlert(take, alert)));
        notices
    }

    /// A trouble is told when it begins and when it is over.
    fn advance(&mut self, take: TakeId) -> Option<Notice> {
        let advanced = self.recorder.advance(self.now);
        if let Some(pen) = &self.pen {
            self.recorder.take_said().for_each(|(speaker, packet)| pen.write(speaker, packet));
        }
        let before = std::mem::replace(&mut self.trouble, self.recorder.trouble());
        let over = before.filter(|_| self.trouble.is_none());
        let begins = advanced.err().map(|error| Notice::RecordingTrouble(take, error));
        begins.or_else(|| over.map(|since| Notice::RecordingResumed(take, since)))
    }

    /// Where it ends, if the end was read.
    fn end(&self) -> Option<SampleTime> {
        self.ended.or_else(|| self.reel.is_over().then_some(self.now))
    }

    /// Ends it. Called after messages, so that whoever waits for the result is known.
    fn finish(self, take: TakeId, notices: &Sender<Notice>) {
        let at = self.end().unwrap_or(self.now);
        let result = self.recorder.finish(at);
        for name in result.iter().flat_map(|session| &session.unbalanced) {
            let _ = notices.send(Notice::RecordingAlert(take, Alert::Unbalanced(name.clone())));
        }
        if let Some(waiting) = self.result {
            // Whoever waited may have given up.
            let _ = waiting.send(result);
        }
    }
}

fn write(recorder: &mut Recorder, news: News<'_>) -> Result<(), RecordError> {
    match news {
        News::Joined { speaker, at, name, .. } => return recorder.join(speaker, name, at),
        News::Packet(packet) => recorder.packet(packet),
        News::Copy(copy) => recorder.copy(copy),
        News::Report(report) => recorder.report(report),
        News::Left { speaker, at } => recorder.leave(speaker, at),
        News::Muted { speaker, at } => recorder.mute(speaker, at),
        News::Unmuted { speaker, at } => recorder.unmute(speaker, at),
        News::Missed(from, to) => recorder.missed(from, to),
        News::Gained { speaker, to, at, over } => recorder.gain(speaker, to, at, over),
        News::Panned { speaker, to, at } => recorder.pan(speaker, to, at),
        News::Now(_) | News::End(_) => {}
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        consent::Recordable,
        live::tape::{Tape, tape},
        record::RecorderConfig,
        speaker::VoicePacket,
        time::{MediaTime, Samples},
    };

    const PLACE: SpeakerId = SpeakerId(3);
    const TAKE: TakeId = TakeId { room: crate::live::room::RoomId { number: 0, seat: 0 }, number: 0 };

    fn samples(ms: u32) -> SampleTime {
        SampleTime::ZERO + Samples::from_ms(ms)
    }

    fn config() -> RecorderConfig {
        RecorderConfig { repair: Samples::ZERO, ..RecorderConfig::default() }
    }

    fn consent() -> Opening {
        Opening::by(&Recordable::dangerously_without_consent(PLACE, SampleTime::ZERO))
    }

    /// Half a second of 20 ms packets, from `ms` on.
    fn speak(tape: &mut Tape, ms: u32) {
        for packet in 0..25 {
            let at = samples(ms + packet * 20);
            tape.tell(News::Packet(VoicePacket {
                speaker: PLACE,
                epoch: 0,
                sequence: packet.into(),
                media: MediaTime::ORIGIN + Samples::from_ms(packet * 20),
                arrived: at,
                duration: Samples::from_ms(20),
                marker: false,
                payload: &[0xf8, 0xff, 0xfe],
            }));
            tape.tell(News::Now(at));
        }
    }

    fn join(tape: &mut Tape, admission: Admission, name: &str, ms: u32) {
        tape.tell(News::Joined { speaker: PLACE, admission, at: samples(ms), name });
    }

    /// Begins a recording, lets `act` happen, and says how many packets were kept of whom.
    fn record(act: impl FnOnce(&mut Recording, &mut Tape)) -> BTreeMap<String, u64> {
        let dir = tempfile::tempdir().unwrap();
        let (mut tape, reel) = tape(0, 0);
        let mut recording = Recording::new(Box::new(Recorder::create(dir.path(), config()).unwrap()), reel);
        let (result, results) = crossbeam::channel::bounded(1);
        recording.result = Some(result);
        act(&mut recording, &mut tape);
        tape.tell(News::End(samples(2000)));
        assert_eq!(recording.read(TAKE).len(), 0);
        recording.finish(TAKE, &crossbeam::channel::unbounded().0);
        let tracks = results.recv().unwrap().unwrap().tracks;
        tracks.into_iter().map(|(name, track)| (name, track.recorded)).collect()
    }

    #[test]
    fn consent_may_come_before_the_news_of_its_speaker() {
        let kept = record(|recording, tape| {
            recording.open(0, consent());
            join(tape, 0, "mara", 0);
            speak(tape, 0);
        });
        assert!(kept["mara"] > 20, "{kept:?}");
    }

    #[test]
    fn consent_does_not_pass_to_who_gets_the_place_next() {
        let kept = record(|recording, tape| {
            recording.open(0, consent());
            join(tape, 0, "mara", 0);
            speak(tape, 0);
            tape.tell(News::Left { speaker: PLACE, at: samples(500) });
            join(tape, 1, "george", 600);
            assert_eq!(recording.read(TAKE).len(), 0);
            recording.open(0, consent());
            speak(tape, 600);
        });
        assert!(kept["mara"] > 20 && kept["george"] == 0, "{kept:?}");
    }

    #[test]
    fn consent_that_is_withdrawn_before_it_took_effect_opens_nothing() {
        let kept = record(|recording, tape| {
            recording.open(0, consent());
            recording.close(PLACE, SampleTime::ZERO);
            join(tape, 0, "mara", 0);
            speak(tape, 0);
        });
        assert_eq!(kept["mara"], 0);
    }

    #[test]
    fn a_voice_that_cannot_have_a_track_leaves_the_others_theirs() {
        let kept = record(|recording, tape| {
            join(tape, 0, "no/file", 0);
            assert_eq!(recording.read(TAKE).len(), 1);
            tape.tell(News::Left { speaker: PLACE, at: samples(10) });
            recording.open(1, consent());
            join(tape, 1, "mara", 20);
            speak(tape, 20);
        });
        assert!(kept["mara"] > 20, "{kept:?}");
    }
}
