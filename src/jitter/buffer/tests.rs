use super::*;
use proptest::prelude::*;

mod controller;
mod oracle;
mod recovery;

const LENGTH: Samples = Samples::from_ms(20);

/// A buffer that is fed and pulled by hand: 10 ms pulls, and what they decided.
struct Desk {
    buffer: JitterBuffer,
    now: SampleTime,
    held: Samples,
    /// What each packet sounds like, where playout is steered.
    sound: Option<fn(&Slot) -> Sound>,
    /// How much was added to the sound so far.
    added: Samples,
}

fn ms(ms: u32) -> SampleTime {
    SampleTime::ZERO + Samples::from_ms(ms)
}

impl Desk {
    fn new() -> Self {
        Self::with_min_delay(Samples::ZERO)
    }

    fn with_min_delay(min_delay: Samples) -> Self {
        let config = DelayConfig { ms_per_percent: 100, min_delay, max_delay: Samples::from_ms(2000) };
        Self {
            buffer: JitterBuffer::new(config, Quantum::Ms10),
            now: SampleTime::ZERO,
            held: Samples::ZERO,
            sound: None,
            added: Samples::ZERO,
        }
    }

    fn arrive(&mut self, sequence: u64, arrived: SampleTime, fec: bool) -> Insert {
        let media = MediaTime::ORIGIN + Samples::new(sequence * LENGTH.count());
        let mut slot = Slot::new(sequence, media, LENGTH);
        slot.fec = fec;
        self.buffer.insert(slot, &[1, 2, 3], arrived)
    }

    /// Sends packets 20 ms apart, each `late_ms` late; pulls up to the last of them. What was decided, in order.
    fn run(&mut self, packets: &[(u64, u32)]) -> Vec<Decision> {
        let mut arrivals: Vec<_> = packets
            .iter()
            .map(|(sequence, late_ms)| (ms(*sequence as u32 * 20 + late_ms), *sequence))
            .collect();
        arrivals.sort();
        let end = arrivals.last().map_or(self.now, |(at, _)| *at + LENGTH);
        let mut decisions = Vec::new();
        while self.now < end {
            for (at, sequence) in arrivals.extract_if(.., |(at, _)| *at <= self.now).collect::<Vec<_>>() {
                self.arrive(sequence, at, false);
            }
            decisions.extend(self.pull());
        }
        decisions
    }

    fn pull(&mut self) -> Vec<Decision> {
        let mut decisions = Vec::new();
        while self.held < Samples::from_ms(10) {
            let decision = self.buffer.decide(self.now, self.held);
            let more = match decision {
                Decision::Play { slot, .. } | Decision::Recover(slot) => {
                    self.held += LENGTH;
                    self.steer(&slot);
                    Samples::ZERO
                }
                Decision::RecoverDeep { slot, length, .. } => {
                    self.held += length;
                    self.steer(&slot);
                    Samples::ZERO
                }
                Decision::Conceal => {
                    self.buffer.concealed(Samples::from_ms(10) - self.held);
                    Samples::from_ms(10) - self.held
                }
                Decision::Skip(_) => Samples::ZERO,
                Decision::Wait => Samples::from_ms(10),
            };
            self.held += more;
            decisions.push(decision);
        }
        self.held = self.held - Samples::from_ms(10);
        self.now += Samples::from_ms(10);
        decisions
    }

    /// As much as is asked for is always found.
    fn steer(&mut self, slot: &Slot) {
        let Some(sound) = self.sound.map(|sound| sound(slot)) else { return };
        let moved = match self.buffer.steer(self.now, self.held, sound, LENGTH) {
            Move::Stay => return,
            Move::Faster(by) => {
                let by = by.min(Samples::from_ms(18));
                self.held = self.held - by;
                by
            }
            Move::Slower(by) => {
                let by = by.min(LENGTH);
                self.held += by;
                self.added += by;
                by
            }
        };
        self.buffer.stretched(sound, moved);
    }
}

fn played(decisions: &[Decision]) -> Vec<u64> {
    let heard = decisions.iter().filter_map(|decision| match decision {
        Decision::Play { slot, .. } => Some(slot.sequence),
        Decision::Recover(next) => Some(next.sequence - 1),
        Decision::RecoverDeep { slot, back, .. } => {
            Some(slot.sequence - back.count().div_ceil(LENGTH.count()))
        }
        _ => None,
    });
    heard.collect()
}

fn concealed(decisions: &[Decision]) -> usize {
    decisions.iter().filter(|decision| **decision == Decision::Conceal).count()
}

#[test]
fn a_clean_network_plays_every_packet_at_the_pull_after_its_arrival() {
    let mut desk = Desk::new();
    let decisions = desk.run(&(0..100).map(|sequence| (sequence, 0)).collect::<Vec<_>>());
    assert_eq!(played(&decisions), (0..100).collect::<Vec<_>>());
    assert_eq!(concealed(&decisions), 0);
    assert_eq!(desk.buffer.target(), Samples::ZERO);
}

#[test]
fn reordered_packets_play_in_order_once_there_is_delay_for_it() {
    let mut desk = Desk::new();
    let late: Vec<_> = (0..400).map(|sequence| (sequence, if sequence % 10 == 3 { 30 } else { 0 })).collect();
    let decisions = desk.run(&late);
    let order = played(&decisions);
    assert!(order.windows(2).all(|pair| pair[0] < pair[1]), "{order:?}");
    assert!(order.len() >= 395, "only the first few are lost: {}", order.len());
    assert!(desk.buffer.target() >= Samples::from_ms(30));
}

#[test]
fn packets_that_swap_places_cost_no_more_delay_than_the_swap() {
    for every in [2, 5, 40] {
        let mut desk = Desk::new();
        let swapped = |sequence: u64| sequence > 0 && sequence.is_multiple_of(every);
        let late: Vec<_> = (0..2000).map(|at| (at, if swapped(at) { 21 } else { 0 })).collect();
        let decisions = desk.run(&late);
        let target = desk.buffer.target();
        // 21 ms late, so two pulls of 10 ms do not do.
        assert!((Samples::from_ms(21)..=Samples::from_ms(30)).contains(&target), "{every}: {target:?}");
        assert!(played(&decisions).len() >= 1998, "{every}: {}", played(&decisions).len());
        assert!(concealed(&decisions) <= 12, "{every}: {}", concealed(&decisions));
    }
}

#[test]
fn a_lost_packet_is_concealed_until_the_one_behind_it_is_due() {
    let mut desk = Desk::new();
    let decisions = desk.run(&[(0, 0), (1, 0), (3, 0), (4, 0)]);
    assert_eq!(played(&decisions), [0, 1, 3, 4]);
    assert_eq!(concealed(&decisions), 2, "20 ms in pulls of 10");
}

#[test]
fn a_spare_copy_stands_in_for_a_lost_packet() {
    let mut desk = Desk::new();
    desk.arrive(0, ms(0), false);
    assert_eq!(played(&desk.pull()), [0]);
    desk.pull();
    desk.arrive(2, ms(20), true);
    let recovered = desk.pull();
    assert!(matches!(recovered[..], [Decision::Recover(next)] if next.sequence == 2), "{recovered:?}");
    desk.pull();
    assert_eq!(played(&desk.pull()), [2]);
}

#[test]
fn what_was_mended_across_a_pause_is_not_played_again_and_the_pause_not_lengthened() {
    let mut desk = Desk::new();
    desk.arrive(0, ms(0), false);
    desk.pull();
    let of_media = |sequence, at_ms| Slot::new(sequence, MediaTime::ORIGIN + Samples::from_ms(at_ms), LENGTH);
    while desk.now < ms(500) {
        desk.pull();
    }
    let mut carrier = of_media(3, 500);
    carrier.deep = Samples::from_ms(480);
    desk.buffer.insert(carrier, &[1], ms(500));
    let (mut mended, back) = (desk.pull(), Samples::from_ms(40));
    assert_eq!(desk.buffer.insert(of_media(2, 40), &[1], ms(510)), Insert::Late);
    (0..10).for_each(|_| mended.extend(desk.pull()));
    assert!(matches!(mended[0], Decision::RecoverDeep { back: first, .. } if first == back), "{mended:?}");
    assert_eq!(played(&mended), [1, 2, 3]);
}

#[test]
fn of_a_packet_that_redundancy_reaches_half_the_half_is_heard() {
    let mut desk = Desk::new();
    desk.arrive(0, ms(0), false);
    while desk.now < ms(100) {
        desk.pull();
    }
    let mut carrier = Slot::new(5, MediaTime::ORIGIN + Samples::from_ms(100), LENGTH);
    (carrier.deep, carrier.fec) = (Samples::from_ms(57), true);
    desk.buffer.insert(carrier, &[1], ms(100));
    let made: Vec<_> = (0..8).flat_map(|_| desk.pull()).filter(|made| *made != Decision::Conceal).collect();
    let lengths = made.iter().map(|decision| match decision {
        Decision::RecoverDeep { back, length, .. } => (back.as_ms(), length.as_ms()),
        _ => (0.0, 20.0),
    });
    assert_eq!(lengths.collect::<Vec<_>>(), [(50.0, 10.0), (40.0, 20.0), (0.0, 20.0), (0.0, 20.0)]);
    assert!(matches!(made[2..], [Decision::Recover(_), Decision::Play { .. }]), "{made:?}");
}

#[test]
fn a_packet_behind_the_playhead_is_late() {
    let mut desk = Desk::new();
    desk.run(&[(0, 0), (1, 0), (3, 0)]);
    assert_eq!(desk.arrive(2, ms(90), false), Insert::Late);
    assert_eq!(desk.arrive(4, ms(90), false), Insert::Queued);
}

#[test]
fn after_a_pause_of_the_sender_the_voice_resumes_at_its_usual_delay() {
    let mut desk = Desk::new();
    desk.run(&(0..50).map(|sequence| (sequence, sequence as u32 % 3 * 10)).collect::<Vec<_>>());
    let target = desk.buffer.target();
    let media = MediaTime::ORIGIN + Samples::new(150 * LENGTH.count());
    let slot = Slot::new(50, media, LENGTH);
    while desk.now < ms(3000) {
        assert_eq!(played(&desk.pull()), [] as [u64; 0]);
    }
    desk.buffer.insert(slot, &[1], ms(3000));
    let mut waited = Samples::ZERO;
    while played(&desk.pull()).is_empty() {
        waited += Samples::from_ms(10);
    }
    assert_eq!(waited, target);
}

#[test]
fn a_backlog_beyond_the_largest_delay_is_dropped_one_by_one() {
    let mut desk = Desk::new();
    desk.run(&(0..50).map(|sequence| (sequence, 0)).collect::<Vec<_>>());
    while desk.now < ms(5000) {
        desk.pull();
    }
    for sequence in 50..250 {
        desk.arrive(sequence, desk.now, false);
    }
    let decisions: Vec<_> = (0..40).flat_map(|_| desk.pull()).collect();
    let skipped = decisions.iter().filter(|decision| matches!(decision, Decision::Skip(_))).count();
    assert!(skipped > 50, "{skipped} skipped: what concealment has paid for is not played late");
    assert!(!played(&decisions).is_empty());
}

proptest! {
    #[test]
    fn every_pull_ends_whatever_arrives(
        arrivals in prop::collection::vec((0_u64..600, 0_u64..1 << 42, 0_u32..60_000, any::<bool>()), 0..200),
    ) {
        let mut desk = Desk::new();
        for (sequence, media, at, fec) in arrivals {
            let mut slot = Slot::new(sequence, MediaTime::from_samples(media), LENGTH);
            slot.fec = fec;
            desk.buffer.insert(slot, &[0; 40], ms(at));
            prop_assert!(desk.pull().len() <= 260);
        }
    }
}
