//! The buffer against a sorted list that forgets nothing, on random networks.

use super::*;
use std::collections::{BTreeMap, BTreeSet};

/// One packet that was sent, and its way.
#[derive(Clone, Copy, Debug)]
struct Sent {
    slot: Slot,
    sent: SampleTime,
    late_ms: Option<u32>,
    /// It brings a copy of the packet so many before it.
    copy: u64,
}

/// Up to 120 packets, now and then after a pause of up to 200 ms. All numbers are drawn in steps, so that many coincide.
fn walk(redundancy: bool, latest_ms: u32) -> impl Strategy<Value = Vec<Sent>> {
    let late_ms = prop_oneof![3 => Just(0), 5 => 0..latest_ms / 10].prop_map(|tens| tens * 10);
    let late_ms = prop_oneof![3 => late_ms.prop_map(Some), 1 => Just(None)];
    let pause = prop_oneof![9 => Just(0_u32), 1 => 1_u32..10];
    let deep = prop_oneof![3 => Just(0_u32), 1 => 1_u32..12];
    let packet = (late_ms, pause, any::<bool>(), deep, 0_u64..4);
    prop::collection::vec(packet, 1..120).prop_map(move |packets| {
        let mut media = MediaTime::ORIGIN;
        let of_packet = |(sequence, (late_ms, pause, fec, deep, copy))| {
            media = media + Samples::from_ms(20 * pause);
            let mut slot = Slot::new(sequence, media, LENGTH);
            media = media + LENGTH;
            if redundancy {
                (slot.fec, slot.deep) = (fec, Samples::from_ms(17 * deep));
            }
            let sent = SampleTime::ZERO + slot.media.since(MediaTime::ORIGIN);
            Sent { slot, sent, late_ms, copy: if redundancy { copy } else { 0 } }
        };
        (0..).zip(packets).map(of_packet).collect()
    })
}

/// What the sorted list knows.
#[derive(Default)]
struct List {
    /// Packets by number that came in time, and whether only as a copy.
    waiting: BTreeMap<u64, bool>,
    /// The last one that was played or left out; where it ended, or the sound that stood in for the next ones.
    turn: Option<u64>,
    end: MediaTime,
    played: Vec<u64>,
    skipped: Vec<u64>,
    recovered: BTreeSet<u64>,
    late: BTreeSet<u64>,
}

impl List {
    fn arrive(&mut self, sequence: u64, copy: bool) {
        self.waiting.entry(sequence).and_modify(|only_copy| *only_copy &= copy).or_insert(copy);
    }

    /// Nothing overlaps, nothing is out of turn, nothing is passed over.
    fn decided(&mut self, decision: Decision) {
        match decision {
            Decision::Play { slot, .. } => {
                self.take(&slot, slot.media);
                self.played.push(slot.sequence);
            }
            Decision::Skip(slot) => {
                self.take(&slot, slot.media);
                self.skipped.push(slot.sequence);
            }
            Decision::Recover(slot) => self.recover(&slot, LENGTH, LENGTH),
            Decision::RecoverDeep { slot, back, length } => self.recover(&slot, back, length),
            Decision::Wait | Decision::Conceal => {}
        }
    }

    fn take(&mut self, slot: &Slot, media: MediaTime) {
        let first = self.waiting.pop_first();
        assert_eq!(
            first,
            Some((slot.sequence, slot.red)),
            "the first that waits, by its copy only for want of itself"
        );
        assert!(self.turn < Some(slot.sequence));
        assert!(self.end <= media, "{media:?} before {:?}", self.end);
        (self.turn, self.end) = (Some(slot.sequence), slot.media + LENGTH);
    }

    fn recover(&mut self, carrier: &Slot, back: Samples, length: Samples) {
        assert_eq!(self.waiting.first_key_value().map(|(first, _)| *first), Some(carrier.sequence));
        assert!(!back.is_empty() && back <= carrier.reach());
        assert!(self.end <= carrier.media - back, "over sound that was played");
        assert!(!length.is_empty() && length <= LENGTH);
        self.end = carrier.media - back + length;
        assert!(self.end <= carrier.media);
        self.recovered.insert(carrier.sequence.saturating_sub(back.count().div_ceil(LENGTH.count())));
    }
}

/// Everything arrives, everything is asked for.
fn run(desk: &mut Desk, walk: &[Sent]) -> List {
    let mut arrivals: Vec<_> = walk
        .iter()
        .filter_map(|packet| Some((packet.sent + Samples::from_ms(packet.late_ms?), packet)))
        .collect();
    arrivals.sort_by_key(|(at, _)| *at);
    let end = arrivals.last().map_or(desk.now, |(at, _)| *at) + Samples::from_ms(4000);
    let (mut list, mut coming) = (List::default(), arrivals.into_iter().peekable());
    while desk.now < end {
        while let Some((at, packet)) = coming.next_if(|(at, _)| *at <= desk.now) {
            arrive(desk, walk, packet, at, &mut list);
        }
        desk.pull().into_iter().for_each(|decision| list.decided(decision));
    }
    list
}

fn arrive(desk: &mut Desk, walk: &[Sent], packet: &Sent, at: SampleTime, list: &mut List) {
    let sequence = packet.slot.sequence;
    if let Some(older) = sequence.checked_sub(packet.copy).filter(|older| *older < sequence) {
        let mut copy = walk[older as usize].slot;
        (copy.red, copy.fec, copy.deep) = (true, false, Samples::ZERO);
        if desk.buffer.is_missing(older) && copy.media >= list.end {
            list.arrive(older, true);
        }
        desk.buffer.insert_copy(copy, &[9], at);
    }
    match desk.buffer.insert(packet.slot, &[1, 2, 3], at) {
        Insert::Queued => {
            assert!(list.turn < Some(sequence));
            list.arrive(sequence, false);
        }
        Insert::Late => {
            let stood_in = list.recovered.iter().any(|later| *later >= sequence);
            assert!(list.turn >= Some(sequence) || stood_in || packet.slot.media < list.end);
            list.late.insert(sequence);
        }
    }
}

proptest! {
    #[test]
    fn without_redundancy_what_comes_before_its_turn_is_played_in_its_turn(walk in walk(false, 400)) {
        let list = run(&mut Desk::new(), &walk);
        prop_assert!(list.recovered.is_empty());
        prop_assert!(list.waiting.is_empty(), "never asked for: {:?}", list.waiting);
        let heard: BTreeSet<_> = list.played.iter().chain(&list.skipped).copied().collect();
        prop_assert_eq!(heard.len(), list.played.len() + list.skipped.len());
        let came = walk.iter().filter(|packet| packet.late_ms.is_some()).map(|packet| packet.slot.sequence);
        let in_time: BTreeSet<_> = came.filter(|sequence| !list.late.contains(sequence)).collect();
        prop_assert_eq!(heard, in_time);
    }

    #[test]
    fn with_time_enough_all_that_comes_is_played(mut walk in walk(false, 400)) {
        for packet in &mut walk {
            packet.late_ms = packet.late_ms.or(Some(0));
        }
        walk[0].late_ms = Some(0);
        let list = run(&mut Desk::with_min_delay(Samples::from_ms(500)), &walk);
        prop_assert_eq!(list.played, (0..walk.len() as u64).collect::<Vec<_>>());
    }

    #[test]
    fn copies_stand_in_for_what_is_missing_and_for_nothing_else(walk in walk(true, 400)) {
        let mut desk = Desk::new();
        let list = run(&mut desk, &walk);
        prop_assert!(list.waiting.is_empty(), "never asked for: {:?}", list.waiting);
        let played: BTreeSet<_> = list.played.iter().copied().collect();
        prop_assert_eq!(played.len(), list.played.len());
        prop_assert!(list.played.is_sorted());
    }

    #[test]
    fn steered_or_not_nothing_is_played_twice_or_out_of_turn(walk in walk(true, 1500), voice in any::<bool>()) {
        let mut desk = Desk::new();
        desk.sound = Some(if voice { |_| Sound::Speech } else { |_| Sound::Pause });
        let list = run(&mut desk, &walk);
        prop_assert!(list.waiting.is_empty());
    }
}
