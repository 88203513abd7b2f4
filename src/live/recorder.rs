//! The disk's thread: one for all rooms of a stage. Messages come from the control side, news from the rooms' tapes;
//! recordings leave. It may block; then tapes fill up and packets are missed, but no tick waits.

use super::{
    room::RoomId,
    tape::{News, Reel},
};
use crate::{
    consent::Recordable,
    record::{RecordError, Recorder, Session},
    speaker::SpeakerId,
    time::SampleTime,
};
use crossbeam::channel::{Receiver, RecvTimeoutError, Sender};
use std::{collections::BTreeMap, time::Duration};

/// What the control side tells.
pub(super) enum Message {
    Begin(Take, Box<Recorder>, Reel),
    Open(Take, Admission, Recordable),
    Close(Take, SpeakerId, SampleTime),
    Pause(Take, SampleTime),
    Resume(Take, SampleTime),
    /// Who wants the result when the recording ends.
    Await(Take, Sender<Result<Session, RecordError>>),
}

/// One recording of a room; the next may begin while this one is still being written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Take {
    pub(super) room: RoomId,
    pub(super) number: u32,
}

/// Counts a room's admissions. A place is used again, so consent goes with the admission.
pub(super) type Admission = u32;

/// Serves recordings until the control side has let go and all of them have ended.
pub(super) fn run(messages: &Receiver<Message>, failures: &Sender<(RoomId, RecordError)>) {
    let mut recordings = BTreeMap::<Take, Recording>::new();
    loop {
        let first = messages.recv_timeout(POLL);
        let let_go = matches!(first, Err(RecvTimeoutError::Disconnected));
        for message in first.into_iter().chain(messages.try_iter()) {
            obey(&mut recordings, message);
        }
        recordings =
            recordings.into_iter().filter_map(|(take, recording)| Some((take, recording.go_on()?))).collect();
        for (take, recording) in &mut recordings {
            if let Err(error) = recording.read() {
                // Nobody listens when the stage is being taken down.
                let _ = failures.send((take.room, error));
            }
        }
        if let_go && recordings.is_empty() {
            return;
        }
    }
}

/// How long news may lie on a tape.
const POLL: Duration = Duration::from_millis(20);

fn obey(recordings: &mut BTreeMap<Take, Recording>, message: Message) {
    match message {
        Message::Begin(take, recorder, reel) => {
            recordings.insert(take, Recording::new(recorder, reel));
        }
        Message::Open(take, admission, consent) => {
            with(recordings, take, |recording| recording.open(admission, consent));
        }
        Message::Close(take, speaker, at) => {
            with(recordings, take, |recording| recording.close(speaker, at));
        }
        Message::Pause(take, at) => with(recordings, take, |recording| recording.tell(|to| to.pause(at))),
        Message::Resume(take, at) => with(recordings, take, |recording| recording.tell(|to| to.resume(at))),
        Message::Await(take, result) => {
            with(recordings, take, |recording| recording.result = Some(result));
        }
    }
}

fn with(recordings: &mut BTreeMap<Take, Recording>, take: Take, act: impl FnOnce(&mut Recording)) {
    if let Some(recording) = recordings.get_mut(&take) {
        act(recording);
    }
}

/// One room's recording.
struct Recording {
    /// None once it has failed.
    recorder: Option<Box<Recorder>>,
    reel: Reel,
    now: SampleTime,
    present: BTreeMap<SpeakerId, Admission>,
    /// Consent that came before its speaker's first news.
    early: Vec<(Admission, Recordable)>,
    ended: Option<SampleTime>,
    result: Option<Sender<Result<Session, RecordError>>>,
}

impl Recording {
    fn new(recorder: Box<Recorder>, reel: Reel) -> Self {
        Self {
            recorder: Some(recorder),
            reel,
            now: SampleTime::ZERO,
            present: BTreeMap::new(),
            early: Vec::new(),
            ended: None,
            result: None,
        }
    }

    fn tell(&mut self, act: impl FnOnce(&mut Recorder)) {
        if let Some(recorder) = &mut self.recorder {
            act(recorder);
        }
    }

    /// Opens the gate of this admission, and of no other person who has or had the same place.
    fn open(&mut self, admission: Admission, consent: Recordable) {
        match self.present.get(&consent.speaker()) {
            Some(present) if *present == admission => self.tell(|to| to.open(consent)),
            Some(present) if *present > admission => {}
            _ => self.early.push((admission, consent)),
        }
    }

    fn close(&mut self, speaker: SpeakerId, at: SampleTime) {
        self.early.retain(|(_, consent)| consent.speaker() != speaker);
        self.tell(|to| to.close(speaker, at));
    }

    fn joined(&mut self, speaker: SpeakerId, admission: Admission) {
        self.present.insert(speaker, admission);
        let (theirs, others) = std::mem::take(&mut self.early)
            .into_iter()
            .partition(|(_, consent)| consent.speaker() == speaker);
        self.early = others;
        let theirs: Vec<_> = theirs;
        for (admission, consent) in theirs {
            self.open(admission, consent);
        }
    }

    /// Reads what has been told so far and writes what is settled.
    fn read(&mut self) -> Result<(), RecordError> {
        while self.ended.is_none()
            && let Some(news) = self.reel.pop()
        {
            let told = self.recorder.as_mut().map_or(Ok(()), |recorder| write(recorder, news));
            match news {
                News::Joined { speaker, admission, .. } => self.joined(speaker, admission),
                News::Left { speaker, .. } => drop(self.present.remove(&speaker)),
                News::Now(at) => self.now = at,
                News::End(at) => self.ended = Some(at),
                News::Packet(_)
                | News::Muted { .. }
                | News::Unmuted { .. }
                | News::Gained { .. }
                | News::Panned { .. } => {}
            }
            // A voice that has no track leaves the others theirs.
            told?;
        }
        self.advance()
    }

    fn advance(&mut self) -> Result<(), RecordError> {
        let now = self.now;
        match self.recorder.as_mut().map_or(Ok(()), |recorder| recorder.advance(now)) {
            Ok(()) => Ok(()),
            Err(error) => {
                self.recorder = None;
                Err(error)
            }
        }
    }

    /// Ends, if the end was read; goes on else. Called after messages, so that whoever waits for the result is known.
    fn go_on(self) -> Option<Self> {
        let end = self.ended.or_else(|| self.reel.is_over().then_some(self.now));
        let Some(at) = end else { return Some(self) };
        let result = self.recorder.map(|recorder| recorder.finish(at));
        if let (Some(waiting), Some(result)) = (self.result, result) {
            // Whoever waited may have given up.
            let _ = waiting.send(result);
        }
        None
    }
}

fn write(recorder: &mut Recorder, news: News<'_>) -> Result<(), RecordError> {
    match news {
        News::Joined { speaker, at, name, .. } => return recorder.join(speaker, name, at),
        News::Packet(packet) => recorder.packet(packet),
        News::Left { speaker, at } => recorder.leave(speaker, at),
        News::Muted { speaker, at } => recorder.mute(speaker, at),
        News::Unmuted { speaker, at } => recorder.unmute(speaker, at),
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
        live::tape::{Tape, tape},
        record::RecorderConfig,
        speaker::VoicePacket,
        time::{MediaTime, Samples},
    };

    const PLACE: SpeakerId = SpeakerId(3);
    const CONFIG: RecorderConfig = RecorderConfig { repair: Samples::ZERO, epoch_unix_ms: None };

    fn samples(ms: u32) -> SampleTime {
        SampleTime::ZERO + Samples::from_ms(ms)
    }

    fn consent() -> Recordable {
        Recordable::dangerously_without_consent(PLACE, SampleTime::ZERO)
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
        let (mut tape, reel) = tape(0);
        let mut recording = Recording::new(Box::new(Recorder::create(dir.path(), CONFIG).unwrap()), reel);
        let (result, results) = crossbeam::channel::bounded(1);
        recording.result = Some(result);
        act(&mut recording, &mut tape);
        tape.tell(News::End(samples(2000)));
        recording.read().unwrap();
        assert!(recording.go_on().is_none());
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
            recording.read().unwrap();
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
            recording.read().unwrap_err();
            tape.tell(News::Left { speaker: PLACE, at: samples(10) });
            recording.open(1, consent());
            join(tape, 1, "mara", 20);
            speak(tape, 20);
        });
        assert!(kept["mara"] > 20, "{kept:?}");
    }
}
