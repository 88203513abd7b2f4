//! From a room's worker to the recorder's thread: kept packets and what explains their gaps, as framed bytes. A backlog
//! may cost packets, which become gaps; it may never cost the news that a voice was muted.

use super::{
    port::Inlet,
    ring::{self, MAX_FRAME},
};
use crate::{
    engine::Event,
    speaker::{SpeakerId, VoicePacket, VoiceReport},
    time::{MediaTime, NtpTime, SampleTime, Samples},
};
use rtrb::{Consumer, Producer, RingBuffer};

/// How many recordings a room may have at once.
pub(super) const MAX_TAPES: usize = 4;

/// The tapes of a room: one a recording.
#[derive(Debug)]
pub(super) struct Tapes(Vec<Box<Tape>>);

/// The worker's end.
#[derive(Debug)]
pub(super) struct Tape {
    /// Which recording of its room.
    number: u32,
    ring: Producer<u8>,
    /// Since when packets found no room.
    missing: Option<SampleTime>,
    /// Not even news found room: nothing more is told, so nothing more is kept.
    broken: bool,
}

/// The recorder's end.
#[derive(Debug)]
pub(super) struct Reel {
    ring: Consumer<u8>,
    frame: Box<[u8; MAX_FRAME]>,
}

/// What the recorder is told.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum News<'a> {
    /// The engine kept this.
    Packet(VoicePacket<'a>),
    /// A packet brought this along.
    Copy(VoicePacket<'a>),
    /// What a sender reported of its clock.
    Report(VoiceReport),
    /// A speaker is in the room since `at`.
    Joined { speaker: SpeakerId, admission: u32, at: SampleTime, name: &'a str },
    /// A speaker has left.
    Left { speaker: SpeakerId, at: SampleTime },
    /// A voice fell silent.
    Muted { speaker: SpeakerId, at: SampleTime },
    /// A voice is heard again.
    Unmuted { speaker: SpeakerId, at: SampleTime },
    /// A voice becomes louder or softer on the mixes.
    Gained { speaker: SpeakerId, to: f32, at: SampleTime, over: Samples },
    /// A voice moves between left and right.
    Panned { speaker: SpeakerId, to: f32, at: SampleTime },
    /// Room time.
    Now(SampleTime),
    /// Between these moments packets came that found no room.
    Missed(SampleTime, SampleTime),
    /// The recording ends at this sample.
    End(SampleTime),
}

/// Both ends of a ring of `bytes`.
pub(super) fn tape(number: u32, bytes: usize) -> (Tape, Reel) {
    let (tx, rx) = RingBuffer::new(bytes.max(2 * HEADROOM_BYTES));
    (
        Tape { number, ring: tx, missing: None, broken: false },
        Reel { ring: rx, frame: Box::new([0; MAX_FRAME]) },
    )
}

impl Tapes {
    pub(super) fn new() -> Self {
        Self(Vec::with_capacity(MAX_TAPES))
    }

    /// Takes one more; gives it back if there are enough.
    pub(super) fn begin(&mut self, tape: Box<Tape>) -> Option<Box<Tape>> {
        if self.0.len() == MAX_TAPES {
            return Some(tape);
        }
        self.0.push(tape);
        None
    }

    /// Ends one at this sample.
    pub(super) fn end(&mut self, number: u32, at: SampleTime) -> Option<Box<Tape>> {
        let place = self.0.iter().position(|tape| tape.number == number)?;
        let mut tape = self.0.swap_remove(place);
        tape.tell(News::End(at));
        Some(tape)
    }

    pub(super) fn joined(&mut self, inlet: &Inlet) {
        self.0.iter_mut().for_each(|tape| tape.joined(inlet));
    }

    /// Tells all of them something that must not be missed.
    pub(super) fn tell(&mut self, news: News<'_>) {
        self.0.iter_mut().for_each(|tape| tape.tell(news));
    }

    /// Tells all of them something that may be missed; how many missed it.
    pub(super) fn offer(&mut self, news: News<'_>) -> u64 {
        self.0.iter_mut().map(|tape| u64::from(!tape.offer(news))).sum()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Tape {
    /// Tells who is in the room, to a recording that begins.
    pub(super) fn call_the_roll<'a>(&mut self, inlets: impl Iterator<Item = &'a Inlet>) {
        for inlet in inlets {
            self.joined(inlet);
            inlet.fader.iter().flatten().filter_map(News::of).for_each(|news| self.tell(news));
        }
    }

    pub(super) fn joined(&mut self, inlet: &Inlet) {
        let Inlet { speaker, admission, joined, name, .. } = inlet;
        self.tell(News::Joined { speaker: *speaker, admission: *admission, at: *joined, name });
    }

    /// Tells something that must not be missed. Without room for it the tape breaks.
    pub(super) fn tell(&mut self, news: News<'_>) {
        self.broken = self.broken || !self.write(news, 0);
    }

    /// Tells something that may be missed; says whether it was taken.
    pub(super) fn offer(&mut self, news: News<'_>) -> bool {
        if let (Some(from), News::Now(to)) = (self.missing, news)
            && self.write(News::Missed(from, to), HEADROOM_BYTES)
        {
            self.missing = None;
        }
        let taken = !self.broken && self.write(news, HEADROOM_BYTES);
        if let (false, News::Packet(packet)) = (taken, news) {
            self.missing.get_or_insert(packet.arrived);
        }
        taken
    }

    fn write(&mut self, news: News<'_>, spare: usize) -> bool {
        let (header, tail) = news.encode();
        ring::push(&mut self.ring, [&header, tail], spare)
    }
}

impl Reel {
    /// The next piece of news.
    pub(super) fn pop(&mut self) -> Option<News<'_>> {
        let frame = ring::pop(&mut self.ring, &mut self.frame)?;
        News::decode(frame)
    }

    /// Nothing is left and nothing will come.
    pub(super) fn is_over(&self) -> bool {
        self.ring.is_abandoned() && self.ring.is_empty()
    }
}

/// Kept free for news that must not be missed: some 1,500 of them.
const HEADROOM_BYTES: usize = 64 << 10;

/// The kind of a packet that is the first after a pause.
const MARKED: u8 = 11;

/// kind, speaker, epoch or admission, time, sequence, media, duration.
const HEADER_BYTES: usize = 1 + 2 + 4 + 8 + 8 + 8 + 8;

impl News<'static> {
    /// What a recording is told of what happened in the engine.
    pub(super) fn of(event: &Event) -> Option<Self> {
        match *event {
            Event::Muted { speaker, at } => Some(Self::Muted { speaker, at }),
            Event::Unmuted { speaker, at } => Some(Self::Unmuted { speaker, at }),
            Event::Gained { speaker, to, at, over } => Some(Self::Gained { speaker, to, at, over }),
            Event::Panned { speaker, to, at } => Some(Self::Panned { speaker, to, at }),
            _ => None,
        }
    }
}

impl<'a> News<'a> {
    fn encode(self) -> ([u8; HEADER_BYTES], &'a [u8]) {
        match self {
            Self::Packet(packet) => {
                (header_of(if packet.marker { MARKED } else { 0 }, &packet), packet.payload)
            }
            Self::Copy(packet) => (header_of(9, &packet), packet.payload),
            Self::Report(VoiceReport { speaker, epoch, media, wall, arrived }) => {
                (header(12, speaker, epoch, arrived, [wall.0, media.samples(), 0]), &[])
            }
            Self::Joined { speaker, admission, at, name } => {
                (header(1, speaker, admission, at, [0; 3]), name.as_bytes())
            }
            Self::Left { speaker, at } => (header(2, speaker, 0, at, [0; 3]), &[]),
            Self::Muted { speaker, at } => (header(3, speaker, 0, at, [0; 3]), &[]),
            Self::Unmuted { speaker, at } => (header(4, speaker, 0, at, [0; 3]), &[]),
            Self::Gained { speaker, to, at, over } => {
                (header(7, speaker, to.to_bits(), at, [0, 0, over.count()]), &[])
            }
            Self::Panned { speaker, to, at } => (header(8, speaker, to.to_bits(), at, [0; 3]), &[]),
            Self::Now(at) => (header(5, SpeakerId(0), 0, at, [0; 3]), &[]),
            Self::Missed(from, to) => (header(10, SpeakerId(0), 0, from, [to.samples(), 0, 0]), &[]),
            Self::End(at) => (header(6, SpeakerId(0), 0, at, [0; 3]), &[]),
        }
    }

    fn decode(frame: &'a [u8]) -> Option<Self> {
        let mut fields = Fields(frame);
        let [kind] = fields.take()?;
        let speaker = SpeakerId(u16::from_le_bytes(fields.take()?));
        let number = u32::from_le_bytes(fields.take()?);
        let at = SampleTime::from_samples(u64::from_le_bytes(fields.take()?));
        let sequence = u64::from_le_bytes(fields.take()?);
        let media = MediaTime::from_samples(u64::from_le_bytes(fields.take()?));
        let duration = Samples::new(u64::from_le_bytes(fields.take()?));
        let Fields(tail) = fields;
        let marker = kind == MARKED;
        let packet = VoicePacket {
            speaker,
            epoch: number,
            sequence,
            media,
            arrived: at,
            duration,
            marker,
            payload: tail,
        };
        Some(match kind {
            0 | MARKED => Self::Packet(packet),
            9 => Self::Copy(packet),
            12 => {
                let wall = NtpTime(sequence);
                Self::Report(VoiceReport { speaker, epoch: number, media, wall, arrived: at })
            }
            1 => Self::Joined { speaker, admission: number, at, name: str::from_utf8(tail).ok()? },
            2 => Self::Left { speaker, at },
            3 => Self::Muted { speaker, at },
            4 => Self::Unmuted { speaker, at },
            5 => Self::Now(at),
            10 => Self::Missed(at, SampleTime::from_samples(sequence)),
            7 => Self::Gained { speaker, to: f32::from_bits(number), at, over: duration },
            8 => Self::Panned { speaker, to: f32::from_bits(number), at },
            _ => Self::End(at),
        })
    }
}

fn header_of(kind: u8, packet: &VoicePacket<'_>) -> [u8; HEADER_BYTES] {
    let VoicePacket { speaker, epoch, sequence, media, arrived, duration, .. } = *packet;
    header(kind, speaker, epoch, arrived, [sequence, media.samples(), duration.count()])
}

fn header(
    kind: u8,
    speaker: SpeakerId,
    number: u32,
    at: SampleTime,
    [sequence, media, duration]: [u64; 3],
) -> [u8; HEADER_BYTES] {
    let bytes = [kind]
        .into_iter()
        .chain(speaker.0.to_le_bytes())
        .chain(number.to_le_bytes())
        .chain([at.samples(), sequence, media, duration].into_iter().flat_map(u64::to_le_bytes));
    let mut header = [0; HEADER_BYTES];
    for (to, from) in header.iter_mut().zip(bytes) {
        *to = from;
    }
    header
}

/// What is left of a frame.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (field, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*field)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPEAKER: SpeakerId = SpeakerId(700);

    fn voice(payload: &[u8]) -> VoicePacket<'_> {
        VoicePacket {
            speaker: SPEAKER,
            epoch: 5,
            sequence: 70_000,
            media: MediaTime::ORIGIN,
            arrived: SampleTime::from_samples(1 << 50),
            duration: Samples::from_ms(20),
            marker: false,
            payload,
        }
    }

    fn packet(payload: &[u8]) -> News<'_> {
        News::Packet(voice(payload))
    }

    #[test]
    fn news_comes_out_as_it_went_in() {
        let (mut tape, mut reel) = tape(0, 1 << 20);
        let at = SampleTime::from_samples(77);
        let all = [
            News::Joined { speaker: SPEAKER, admission: 9, at, name: "mara" },
            packet(b"payload"),
            News::Packet(VoicePacket { marker: true, ..voice(b"first") }),
            News::Report(VoiceReport {
                speaker: SPEAKER,
                epoch: 3,
                media: MediaTime::ORIGIN,
                wall: NtpTime(u64::MAX - 5),
                arrived: at,
            }),
            News::Muted { speaker: SPEAKER, at },
            News::Unmuted { speaker: SPEAKER, at },
            News::Left { speaker: SPEAKER, at },
            News::Copy(VoicePacket { payload: b"copy", ..voice(b"") }),
            News::Gained { speaker: SPEAKER, to: 0.3, at, over: Samples::new(99) },
            News::Panned { speaker: SPEAKER, to: -1.0, at },
            News::Now(at),
            News::Missed(at, SampleTime::from_samples(99)),
            News::End(at),
        ];
        all.into_iter().for_each(|news| tape.tell(news));
        assert!(all.into_iter().all(|news| reel.pop() == Some(news)));
        drop(tape);
        assert!(reel.pop().is_none() && reel.is_over());
    }

    #[test]
    fn a_backlog_costs_packets_but_no_mute() {
        let (mut tape, mut reel) = tape(0, 0);
        while tape.offer(packet(&[0; 100])) {}
        tape.tell(News::Muted { speaker: SPEAKER, at: SampleTime::ZERO });
        assert!(!tape.broken && !tape.offer(packet(&[0; 100])));
        let muted = std::iter::from_fn(|| reel.pop().map(|news| matches!(news, News::Muted { .. })));
        assert_eq!(muted.filter(|muted| *muted).count(), 1);
    }

    #[test]
    fn what_was_missed_is_told_once_there_is_room() {
        let (mut tape, mut reel) = tape(0, 0);
        while tape.offer(packet(&[])) {}
        let now = News::Now(SampleTime::from_samples(1 << 51));
        assert!(!tape.offer(now));
        while reel.pop().is_some() {}
        assert!(tape.offer(now));
        let missed = News::Missed(SampleTime::from_samples(1 << 50), SampleTime::from_samples(1 << 51));
        assert_eq!(reel.pop(), Some(missed));
        assert_eq!(reel.pop(), Some(now));
        assert_eq!(reel.pop(), None);
    }

    #[test]
    fn a_tape_that_missed_a_mute_keeps_nothing_more() {
        let (mut tape, mut reel) = tape(0, 0);
        while !tape.broken {
            tape.tell(News::Muted { speaker: SPEAKER, at: SampleTime::ZERO });
        }
        while reel.pop().is_some() {}
        assert!(!tape.offer(packet(b"kept?")));
        tape.tell(News::Now(SampleTime::ZERO));
        assert!(reel.pop().is_none());
    }
}
