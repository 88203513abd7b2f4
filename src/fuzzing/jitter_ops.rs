//! One jitter buffer: whatever comes and whenever it is asked, its answers are few, in order, and about what is there.

use super::input::Input;
use crate::{
    jitter::{Decision, DelayConfig, Insert, JitterBuffer, Move, Slot, Sound},
    packet::{Arrival, Seen, SenderClock, Sighting},
    time::{MediaTime, Quantum, SampleTime, Samples},
};
use std::collections::BTreeSet;

/// Enough for every interplay, few enough for hundreds of inputs a second.
const MAX_OPERATIONS: usize = 600;
/// Each of 256 places left out once, then a quantum of the shortest packets, made shorter by half.
const MAX_ANSWERS: usize = 256 + 16;
/// The longest delay that a configuration can ask for.
const MAX_DELAY: Samples = Samples::from_ms(2000);
/// The longest period of a voice.
const PERIOD: Samples = Samples::from_ms(20);

/// The bytes are operations on one jitter buffer.
///
/// # Panics
/// If an answer is wrong.
pub fn jitter_ops(data: &[u8]) {
    let mut input = Input(data);
    let Some(mut desk) = input.bytes().map(Desk::new) else { return };
    for _ in 0..MAX_OPERATIONS {
        if desk.operate(&mut input).is_none() {
            break;
        }
    }
    (0..8).for_each(|_| desk.pull());
}

/// A buffer, the sender it hears, and what is known of both.
struct Desk {
    buffer: JitterBuffer,
    config: DelayConfig,
    quantum: Samples,
    now: SampleTime,
    held: Samples,
    clock: SenderClock,
    seen: Seen,
    /// The numbers of the sender's next packet.
    next: Arrival,
    given: BTreeSet<u64>,
    queued: BTreeSet<u64>,
    newest: Slot,
    /// The last packet played or left out.
    reported: Option<u64>,
    /// The shortest and the longest time after which sound became available.
    transits: (i64, i64),
}

impl Desk {
    fn new([shape, knob, least, most, start]: [u8; 5]) -> Self {
        let quanta = [Quantum::Ms2_5, Quantum::Ms5, Quantum::Ms10, Quantum::Ms20];
        let quantum = quanta[usize::from(shape % 4)];
        let delays = [0, 1, 120, 1920, 3840, 9600, 96_000, u64::MAX].map(Samples::new);
        let config = DelayConfig {
            ms_per_percent: [0, 1, 5, 20, 100, 400, 10_000, u32::MAX][usize::from(knob % 8)],
            min_delay: delays[usize::from(least % 8)],
            max_delay: delays[usize::from(most % 8)],
        };
        let now = SampleTime::from_samples(1 << (start % 50));
        Self {
            buffer: JitterBuffer::new(config, quantum),
            config,
            quantum: quantum.samples(),
            now,
            held: Samples::ZERO,
            clock: SenderClock::default(),
            seen: Seen::default(),
            next: Arrival { ssrc: 1, sequence: 65_530, timestamp: 0u32.wrapping_sub(9600), arrived: now },
            given: BTreeSet::new(),
            queued: BTreeSet::new(),
            newest: Slot::new(0, MediaTime::ORIGIN, PERIOD),
            reported: None,
            transits: (i64::MAX, i64::MIN),
        }
    }

    fn operate(&mut self, input: &mut Input<'_>) -> Option<()> {
        let operation = input.byte()?;
        match operation % 16 {
            0..=3 => self.send(input.bytes()?),
            4 => self.straggle(input.byte()?, input.bytes()?),
            5 => self.jump(input.bytes()?),
            6 => self.place_anywhere(input.bytes()?, input.bytes()?, input.bytes()?),
            7 => self.copy(input.bytes()?),
            8 => self.now += Samples::new(u64::from(input.byte()?) << (operation >> 4)),
            9 => self.held = Samples::new(u64::from(input.byte()?) * 32),
            10 => self.steer(sound(input.byte()?), PERIOD),
            11 => self.buffer.concealed(Samples::new(u64::from(input.byte()?) << (operation >> 4))),
            12 => self.buffer.was_pause(Samples::new(u64::from(input.byte()?) << (operation >> 4))),
            _ => (0..=operation >> 6).for_each(|_| self.pull()),
        }
        self.check_target();
        Some(())
    }

    /// The sender's next packet comes, perhaps after some that were lost.
    fn send(&mut self, [shape, how, late]: [u8; 3]) {
        let duration = duration(shape);
        let Arrival { sequence, timestamp, .. } = self.next;
        let lost = if how & 128 == 0 { 0 } else { u16::from(late % 16) };
        self.next.sequence = sequence.wrapping_add(lost + 1);
        self.next.timestamp = timestamp.wrapping_add(duration.count() as u32 * u32::from(lost + 1));
        self.next.arrived = self.now.before(Samples::new(u64::from(late) * 4));
        self.arrive(Arrival { arrived: self.next.arrived, ..self.next }, shape, how);
    }

    /// One of its last packets comes late.
    fn straggle(&mut self, back: u8, [shape, how]: [u8; 2]) {
        let span = duration(shape).count() as u32 * u32::from(back);
        let sequence = self.next.sequence.wrapping_sub(u16::from(back));
        let timestamp = self.next.timestamp.wrapping_sub(span);
        self.arrive(Arrival { sequence, timestamp, arrived: self.now, ..self.next }, shape, how);
    }

    /// Its numbers jump, or it is another.
    fn jump(&mut self, [shape, how, high, low, a, b, c, d]: [u8; 8]) {
        self.next.ssrc += u32::from(how & 1);
        self.next.sequence = self.next.sequence.wrapping_add(u16::from_be_bytes([high, low]));
        self.next.timestamp = self.next.timestamp.wrapping_add(u32::from_be_bytes([a, b, c, d]));
        self.arrive(Arrival { arrived: self.now, ..self.next }, shape, how);
    }

    fn arrive(&mut self, packet: Arrival, shape: u8, how: u8) {
        let Ok(position) = self.clock.place(packet) else { return };
        if self.seen.insert(position.sequence) == Sighting::Fresh {
            self.insert(slot(position.sequence, position.media, shape, how), packet.arrived, shape);
        }
    }

    /// A packet with any number, of any time, comes at any time.
    fn place_anywhere(&mut self, [shape, how, shift]: [u8; 3], number: [u8; 8], times: [u8; 16]) {
        let sequence = u64::from_be_bytes(number) >> (1 + shift % 63);
        let times = u128::from_be_bytes(times);
        let media = MediaTime::from_samples(times as u64 >> 14);
        let arrived = SampleTime::from_samples((times >> 64) as u64 >> 14);
        self.insert(slot(sequence, media, shape, how), arrived, shape);
    }

    fn insert(&mut self, slot: Slot, arrived: SampleTime, shape: u8) {
        if !self.given.insert(slot.sequence) {
            return;
        }
        let newest = self.queued.last().is_none_or(|newest| *newest < slot.sequence);
        let insert = self.buffer.insert(slot, &payload(slot.sequence, shape), arrived);
        self.learn(&slot, arrived);
        if insert == Insert::Queued {
            assert!(!self.buffer.is_missing(slot.sequence));
            assert!(self.reported.is_none_or(|reported| slot.sequence > reported));
            self.queued.insert(slot.sequence);
            self.newest = slot;
        } else {
            assert!(!newest || self.reported.is_some(), "nothing was asked for yet");
        }
    }

    /// A copy of a packet before the newest comes with the one behind it.
    fn copy(&mut self, [shape, back, skew]: [u8; 3]) {
        let Some(sequence) = self.newest.sequence.checked_sub(u64::from(back)) else { return };
        let span = Samples::new(duration(shape).count() * u64::from(back) + u64::from(skew));
        let mut copy = slot(sequence, self.newest.media - span, shape, 0);
        copy.red = true;
        let missing = self.buffer.is_missing(sequence);
        self.buffer.insert_copy(copy, &payload(sequence, shape), self.now);
        self.learn(&copy, self.now);
        if missing {
            self.queued.insert(sequence);
        }
    }

    fn learn(&mut self, slot: &Slot, arrived: SampleTime) {
        let transit = slot.media.transit(arrived);
        let copies = transit + slot.reach().count() as i64;
        self.transits = (self.transits.0.min(transit), self.transits.1.max(copies));
    }

    fn pull(&mut self) {
        let mut answers = 0;
        while self.held < self.quantum {
            answers += 1;
            assert!(answers <= MAX_ANSWERS, "no end");
            match self.buffer.decide(self.now, self.held) {
                Decision::Wait => {
                    assert_eq!(self.reported, None);
                    self.held = self.quantum;
                }
                Decision::Play { slot, .. } => {
                    self.report(&slot);
                    self.play(&slot, slot.duration);
                }
                Decision::Skip(slot) => self.report(&slot),
                Decision::Recover(next) => {
                    assert!(next.fec);
                    self.recover(&next, next.duration, next.duration);
                }
                Decision::RecoverDeep { slot, back, length } => self.recover(&slot, back, length),
                Decision::Conceal => {
                    self.buffer.concealed(self.quantum - self.held);
                    self.held = self.quantum;
                }
            }
        }
        self.held = self.held - self.quantum;
        self.now += self.quantum;
    }

    /// Once, in order, and whole.
    fn report(&mut self, slot: &Slot) {
        self.check(slot);
        self.reported = Some(slot.sequence);
    }

    fn recover(&mut self, carrier: &Slot, back: Samples, length: Samples) {
        self.check(carrier);
        assert!(!back.is_empty() && back <= carrier.reach() && self.reported.is_some());
        assert!(!length.is_empty() && length <= carrier.duration.min(back));
        self.play(carrier, length);
    }

    fn check(&self, slot: &Slot) {
        assert!(self.queued.contains(&slot.sequence), "{} never came", slot.sequence);
        assert!(self.reported.is_none_or(|reported| reported < slot.sequence), "{} again", slot.sequence);
        let bytes = self.buffer.payload(slot);
        assert!(!bytes.is_empty() && bytes.iter().all(|byte| *byte == slot.sequence as u8));
        let at = self.now + self.held;
        let longest = slot.media.transit(at) - self.transits.0;
        assert!(self.buffer.delay_of(slot.media, at).count() as i64 <= longest.max(0));
    }

    fn play(&mut self, slot: &Slot, length: Samples) {
        self.held += length;
        self.steer(sound(slot.sequence as u8), length);
    }

    fn steer(&mut self, sound: Sound, length: Samples) {
        let moved = match self.buffer.steer(self.now, self.held, sound, length) {
            Move::Stay => return,
            Move::Slower(by) => {
                let by = by.min(PERIOD);
                self.held += by;
                by
            }
            Move::Faster(by) => {
                let by = by.min(Samples::new(length.count() / 2));
                self.held = self.held - by;
                by
            }
        };
        assert!(!moved.is_empty() && sound != Sound::Music);
        self.buffer.stretched(sound, moved);
    }

    /// What is aimed at lies within the bounds, but for what the network takes whatever is aimed at.
    fn check_target(&self) {
        let DelayConfig { min_delay, max_delay, .. } = self.config;
        let bound = max_delay.max(min_delay).min(MAX_DELAY).max(self.quantum);
        let taken = self.transits.1.saturating_sub(self.transits.0).max(0) as u64;
        let target = self.buffer.target();
        assert!(target <= bound.max(Samples::new(taken)) + self.quantum, "{target:?}, {taken} taken");
    }
}

fn slot(sequence: u64, media: MediaTime, shape: u8, how: u8) -> Slot {
    let mut slot = Slot::new(sequence, media, duration(shape));
    slot.fec = how & 1 != 0;
    slot.dtx = how & 2 != 0;
    slot.deep = Samples::new(u64::from(how >> 2 & 31) * 1560);
    slot
}

/// As long as an Opus packet may be.
fn duration(shape: u8) -> Samples {
    Samples::new([120, 240, 480, 960, 1920, 2880, 3840, 5760][usize::from(shape % 8)])
}

fn payload(sequence: u64, shape: u8) -> Vec<u8> {
    vec![sequence as u8; [1, 80, 1275, 8000][usize::from(shape >> 6)]]
}

fn sound(choice: u8) -> Sound {
    [Sound::Pause, Sound::Speech, Sound::Speech, Sound::Music][usize::from(choice / 16 % 4)]
}
