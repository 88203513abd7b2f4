//! Arrivals, target and steering together: what a network does to playout.

use super::*;

fn always(_: &Slot) -> Sound {
    Sound::Pause
}

/// Half a second of pause behind each two of speech.
fn talk(slot: &Slot) -> Sound {
    if slot.sequence % 125 < 100 { Sound::Speech } else { Sound::Pause }
}

/// Packets 20 ms apart, each so late, without the lost ones: when each comes.
fn network(
    range: std::ops::Range<u64>,
    late_ms: impl Fn(u64) -> Option<f64>,
) -> impl Iterator<Item = (SampleTime, Slot)> {
    range.filter_map(move |sequence| {
        let media = MediaTime::ORIGIN + Samples::new(sequence * LENGTH.count());
        let at = SampleTime::from_ms(sequence as f64 * 20.0 + late_ms(sequence)?);
        Some((at, Slot::new(sequence, media, LENGTH)))
    })
}

fn with(at: SampleTime, mut slot: Slot, change: impl Fn(&mut Slot)) -> (SampleTime, Slot) {
    change(&mut slot);
    (at, slot)
}

/// Feeds them all and pulls until the last is there.
fn listen(desk: &mut Desk, packets: impl Iterator<Item = (SampleTime, Slot)>) -> Vec<Decision> {
    let mut arrivals: Vec<_> = packets.collect();
    arrivals.sort_by_key(|(at, _)| *at);
    let (mut decisions, mut coming) = (Vec::new(), arrivals.into_iter().peekable());
    while coming.peek().is_some() {
        while let Some((at, slot)) = coming.next_if(|(at, _)| *at <= desk.now) {
            desk.buffer.insert(slot, &[1, 2, 3], at);
        }
        decisions.extend(desk.pull());
    }
    decisions
}

#[test]
fn a_packet_overtaken_by_its_copy_is_not_late() {
    let one_in_ten_60_ms_late = |sequence| Some(if sequence % 10 == 3 { 60.0 } else { 0.0 });
    let target = |fec| {
        let mut desk = Desk::new();
        let packets = network(0..1000, one_in_ten_60_ms_late);
        listen(&mut desk, packets.map(|(at, slot)| with(at, slot, |slot| slot.fec = fec)));
        desk.buffer.target()
    };
    assert!(target(false) >= Samples::from_ms(60), "{:?}", target(false));
    // The copy comes with the next packet, after 20 ms; as the location sways, a pull more.
    assert!(target(true) <= Samples::from_ms(30), "{:?}", target(true));
}

/// For two seconds all is well, then the network stands still for 200 ms; what waited comes at once.
fn stalls(sequence: u64) -> Option<f64> {
    let into_ms = (sequence % 100) as f64 * 20.0;
    Some(if into_ms < 200.0 && sequence >= 100 { 200.0 - into_ms } else { 0.0 })
}

fn loses(sequence: u64) -> Option<f64> {
    (sequence * 0x9E37_79B9 % 1024 >= 100).then_some(0.0)
}

/// How much is added to a sound all of pauses after ten seconds, in ten more.
fn added(late_ms: fn(u64) -> Option<f64>) -> Samples {
    let mut desk = Desk::new();
    desk.sound = Some(always);
    listen(&mut desk, network(0..500, late_ms));
    let before = desk.added;
    listen(&mut desk, network(500..1000, late_ms));
    desk.added - before
}

#[test]
fn delay_rises_while_packets_are_overdue_and_not_where_they_are_on_time_or_lost() {
    assert!(added(stalls) >= Samples::from_ms(100), "{:?}", added(stalls));
    assert_eq!(added(|_| Some(0.0)), Samples::ZERO);
    assert_eq!(added(loses), Samples::ZERO);
}

#[test]
fn after_a_rest_a_voice_is_there_at_the_target_and_nothing_was_missed() {
    let late_ms = |sequence: u64| Some((sequence * 7 % 5 * 6) as f64);
    let rest = Samples::from_ms(2000);
    let mut desk = Desk::new();
    desk.sound = Some(talk);
    listen(
        &mut desk,
        network(0..500, late_ms).map(|(at, slot)| with(at, slot, |slot| slot.dtx = slot.sequence == 499)),
    );
    let resumed = network(500..600, late_ms)
        .map(|(at, slot)| with(at + rest, slot, |slot| slot.media = slot.media + rest));
    let decisions = listen(&mut desk, resumed);
    let first = decisions
        .iter()
        .position(|decision| matches!(decision, Decision::Play { slot, .. } if slot.sequence == 500));
    let first = first.unwrap();
    assert!(
        matches!(decisions[first], Decision::Play { pause, .. } if pause == rest),
        "{:?}",
        decisions[first]
    );
    assert_eq!(concealed(&decisions[first..]), 0);
    assert_eq!(played(&decisions[first..])[..90], (500..590).collect::<Vec<_>>());
}

#[test]
fn drift_of_either_sign_is_absorbed_without_a_loss() {
    for ppm in [300.0, -300.0] {
        let mut desk = Desk::new();
        desk.sound = Some(talk);
        // Half a second of transit, so that a quick clock does not outrun it.
        let late_ms = |sequence: u64| Some(500.0 - sequence as f64 * 20.0 * ppm * 1e-6);
        listen(&mut desk, network(0..250, late_ms));
        for minute in 0..10 {
            let from = 250 + minute * 3000;
            let decisions = listen(&mut desk, network(from..from + 3000, late_ms));
            assert_eq!(concealed(&decisions), 0, "minute {minute}");
            let delay = desk.buffer.target();
            assert!(delay <= Samples::from_ms(30), "{delay:?} in minute {minute}");
        }
    }
}

#[test]
fn a_delay_without_any_choice_is_kept_and_nothing_is_left_out() {
    let ms = Samples::from_ms;
    for (min_delay, max_delay) in [(ms(100), ms(100)), (ms(500), ms(100)), (ms(95), ms(95)), (ms(0), ms(0))] {
        let config = DelayConfig { ms_per_percent: 100, min_delay, max_delay };
        let mut desk = Desk::new();
        desk.buffer = JitterBuffer::new(config, Quantum::Ms10);
        desk.sound = Some(talk);
        let decisions = listen(&mut desk, network(0..1000, |_| Some(3.0)));
        let delay = desk.buffer.target();
        assert!(delay <= max_delay + ms(10), "{delay:?}");
        let skipped = decisions.iter().filter(|decision| matches!(decision, Decision::Skip(_))).count();
        assert_eq!(skipped, 0, "between {min_delay:?} and {max_delay:?}");
        assert!(delay + ms(20) >= min_delay.min(max_delay), "{delay:?}");
    }
}
