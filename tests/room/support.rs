//! A server of straw: it writes the journal, carries out every effect on gates that are nothing but notes, and sees to it
//! that the dot is red whenever one of them is open.

use proptest::prelude::*;
use std::{collections::BTreeMap, ops::Range};
use tertulia::{
    consent::Purpose,
    room::{Effect, Entry, ItemId, Lamp, Moment, Person, Refusal, Role, Room, Rules, Span},
    speaker::SpeakerId,
    time::{SampleTime, UnixMs},
};

pub(crate) const FIRST_WALL: u64 = 1_760_000_000_000;
pub(crate) const DAY_MS: u64 = 86_400_000;

pub(crate) fn person(name: &str) -> Person {
    Person::of(b"tonight", name)
}

pub(crate) fn at(samples: u64) -> SampleTime {
    SampleTime::from_samples(samples)
}

/// `ms` after the opening, by both clocks.
pub(crate) fn moment(ms: u64) -> Moment {
    Moment { at: at(ms * 48), wall: UnixMs(FIRST_WALL + ms) }
}

pub(crate) fn span(from: u64, to: u64) -> Span {
    Span { from_sample: at(from), to_sample: at(to) }
}

/// One voice's gate: the stretches for which it was open, the last perhaps still.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gate(Vec<Range<u64>>);

impl Gate {
    fn open(&mut self, at: u64) {
        match self.0.last_mut() {
            Some(last) if at <= last.end => last.end = u64::MAX,
            _ => self.0.push(at..u64::MAX),
        }
    }

    fn close(&mut self, at: u64) {
        if let Some(last) = self.0.last_mut() {
            last.end = last.end.min(at.max(last.start));
        }
    }

    pub(crate) fn holds(&self, at: u64) -> bool {
        self.0.iter().any(|span| span.contains(&at))
    }
}

/// The server.
pub(crate) struct House {
    pub(crate) room: Room,
    pub(crate) disk: Vec<u8>,
    pub(crate) gates: BTreeMap<SpeakerId, Gate>,
    pub(crate) copies: BTreeMap<SpeakerId, Gate>,
    pub(crate) written: BTreeMap<SpeakerId, Gate>,
    pub(crate) recording: Lamp,
    /// Effects other than news and gates, as they came.
    pub(crate) orders: Vec<Effect>,
}

impl House {
    pub(crate) fn open(rules: Rules) -> Self {
        Self::of(Room::open(rules, person("host"), moment(0)), Vec::new())
    }

    pub(crate) fn of(room: Room, disk: Vec<u8>) -> Self {
        let (gates, copies, written) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        Self { room, disk, gates, copies, written, recording: Lamp::Off, orders: Vec::new() }
    }

    /// With a host by lane 0 and speakers by the lanes after it, and a listener and a moderator without one.
    pub(crate) fn with_guests(rules: Rules, speakers: &[&str]) -> Self {
        let mut house = Self::open(rules);
        let mut join = |name: &str, role, lane: Option<u16>| {
            house.room.join(person(name), role, lane.map(SpeakerId), false, moment(0)).unwrap();
        };
        join("host", Role::Host, Some(0));
        for (lane, name) in (1..).zip(speakers) {
            join(name, Role::Speaker, Some(lane));
        }
        join("listener", Role::Listener, None);
        join("moderator", Role::Moderator, None);
        house.go();
        house
    }

    /// The journal is synced, and what waited for that is done.
    pub(crate) fn go(&mut self) {
        self.sync();
        self.carry_out();
    }

    pub(crate) fn sync(&mut self) {
        let bytes = self.room.unwritten().to_vec();
        self.disk.extend_from_slice(&bytes);
        self.room.written(bytes.len());
    }

    pub(crate) fn carry_out(&mut self) {
        while let Some(effect) = self.room.poll() {
            match effect {
                Effect::Open(proof) => {
                    self.gates.entry(proof.speaker()).or_default().open(proof.from().samples());
                }
                Effect::Close(speaker, at) => self.gates.entry(speaker).or_default().close(at.samples()),
                Effect::OpenTranscript(proof) => {
                    self.written.entry(proof.speaker()).or_default().open(proof.from().samples());
                }
                Effect::CloseTranscript(speaker, at) => {
                    self.written.entry(speaker).or_default().close(at.samples());
                }
                Effect::StartTranscript(..) | Effect::StopTranscript(..) => {}
                Effect::OpenCopy(proof) => {
                    self.copies.entry(proof.speaker()).or_default().open(proof.from().samples());
                }
                Effect::CloseCopy(speaker, at) => {
                    self.copies.entry(speaker).or_default().close(at.samples());
                }
                Effect::StartRecording(..) => self.recording = Lamp::On,
                Effect::PauseRecording(_) => self.recording = Lamp::Paused,
                Effect::ResumeRecording(_) => self.recording = Lamp::On,
                Effect::StopRecording(..) => self.recording = Lamp::Off,
                Effect::Tell(_) => {}
                other => self.orders.push(other),
            }
            self.check_the_dot();
        }
    }

    /// May anything be kept of anybody from now on?
    pub(crate) fn may_keep(&self) -> bool {
        let open = |gates: &BTreeMap<SpeakerId, Gate>| {
            gates.values().filter_map(|gate| gate.0.last()).any(|span| span.end == u64::MAX)
        };
        (self.recording == Lamp::On && open(&self.gates)) || open(&self.copies) || open(&self.written)
    }

    fn check_the_dot(&self) {
        assert!(self.room.view().is_red() || !self.may_keep(), "an open gate without a red dot");
    }

    /// The orders to delete something, taken.
    pub(crate) fn deletions(&mut self) -> Vec<ItemId> {
        let orders = std::mem::take(&mut self.orders);
        let mut items: Vec<_> = orders
            .into_iter()
            .filter_map(|order| if let Effect::Delete(item) = order { Some(item) } else { None })
            .collect();
        items.dedup();
        items
    }
}

/// Something that somebody does.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Deed {
    Join(usize, u16),
    Leave(usize),
    Ask(usize, Purpose),
    Agree(usize, Purpose, Option<u64>),
    Decline(usize, Purpose),
    Record,
    Pause,
    Resume,
    Stop,
    Transcribe(bool),
    Revoke(usize, u64, u64),
    Wait,
}

pub(crate) const NAMES: [&str; 4] = ["host", "mara", "george", "emma"];

/// Does it; says whether it was granted.
pub(crate) fn act(room: &mut Room, deed: Deed, now: Moment) -> bool {
    let (host, who) = (person("host"), |place: usize| person(NAMES[place]));
    let done: Result<(), Refusal> = match deed {
        Deed::Join(place, lane) => {
            let role = if place == 0 { Role::Host } else { Role::Speaker };
            room.join(who(place), role, Some(SpeakerId(lane)), false, now).map(drop)
        }
        Deed::Leave(place) => room.leave(who(place), now).map(drop),
        Deed::Ask(place, purpose) => room.ask(host, who(place), purpose, now).map(drop),
        Deed::Agree(place, purpose, ms) => {
            let until = ms.map(|ms| UnixMs(now.wall.0 + ms));
            room.agree(who(place), purpose, until, now).map(drop)
        }
        Deed::Decline(place, purpose) => room.decline(who(place), purpose, now).map(drop),
        Deed::Record => room.record(host, now).map(drop),
        Deed::Pause => room.pause(host, now).map(drop),
        Deed::Resume => room.resume(host, now).map(drop),
        Deed::Stop => room.stop(host, now).map(drop),
        Deed::Transcribe(true) => room.transcribe(host, now).map(drop),
        Deed::Transcribe(false) => room.stop_transcript(host, now).map(drop),
        Deed::Revoke(place, from, to) => room.revoke(who(place), span(from * 48, to * 48), now).map(drop),
        Deed::Wait => {
            room.advance(now);
            Ok(())
        }
    };
    done.is_ok()
}

pub(crate) fn deeds() -> impl Strategy<Value = Vec<(Deed, u64, bool)>> {
    let (who, purpose) = (0..NAMES.len(), prop::sample::select(&Purpose::ALL[..3]));
    let deed = prop_oneof![
        3 => (who.clone(), 0_u16..4).prop_map(|(who, lane)| Deed::Join(who, lane)),
        1 => who.clone().prop_map(Deed::Leave),
        1 => (who.clone(), purpose.clone()).prop_map(|(who, what)| Deed::Ask(who, what)),
        4 => (who.clone(), purpose.clone(), prop::option::weighted(0.3, 1_u64..300))
            .prop_map(|(who, what, ms)| Deed::Agree(who, what, ms)),
        2 => (who.clone(), purpose).prop_map(|(who, what)| Deed::Decline(who, what)),
        2 => Just(Deed::Record),
        1 => Just(Deed::Pause),
        1 => Just(Deed::Resume),
        1 => Just(Deed::Stop),
        2 => any::<bool>().prop_map(Deed::Transcribe),
        1 => (who, 0_u64..2_000, 0_u64..2_000).prop_map(|(who, from, to)| Deed::Revoke(who, from, to)),
        1 => Just(Deed::Wait),
    ];
    prop::collection::vec((deed, 0_u64..200, any::<bool>()), 1..40)
}

/// The same entries, whoever has read them.
pub(crate) fn same(ours: &[Entry], theirs: &[Entry]) -> bool {
    ours.iter().map(Entry::to_json).eq(theirs.iter().map(Entry::to_json))
}
