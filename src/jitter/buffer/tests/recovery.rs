//! What a network or a sender does once and for good: how long until playout is where it should be.

use super::*;

/// Eight seconds before, and twenty-four behind what happens.
const CALM: u64 = 400;
const JITTER_MS: [f64; 5] = [0.0, 7.0, 3.0, 12.0, 1.0];
/// When it happens.
const EVENT_MS: f64 = CALM as f64 * 20.0;
/// Nobody is told to be patient for longer, once there is talk again.
const PATIENCE_MS: f64 = 2000.0;

/// A packet's arrival, if it does, and how far the sender's clock has jumped by then.
#[derive(Clone, Copy)]
struct Way {
    arrived_ms: Option<f64>,
    jumped_ms: f64,
}

/// Half a second of transit and some jitter; `change` from the event on.
fn way(sequence: u64, change: &impl Fn(u64, f64) -> Way) -> Way {
    let arrived_ms = sequence as f64 * 20.0 + 500.0 + JITTER_MS[sequence as usize % 5];
    if sequence < CALM { at(arrived_ms) } else { change(sequence, arrived_ms) }
}

fn at(ms: f64) -> Way {
    Way { arrived_ms: Some(ms), jumped_ms: 0.0 }
}

/// Two seconds of speech, half a second of pause.
fn talk(slot: &Slot) -> Sound {
    if slot.sequence % 125 < 100 { Sound::Speech } else { Sound::Pause }
}

/// When the first packet behind the event is heard, how long it takes from there until the delay stays within 20 ms of the
/// target for half a second, and how much is concealed in the last eight seconds.
fn recovery(change: impl Fn(u64, f64) -> Way) -> (f64, f64, f64) {
    let mut desk = Desk::new();
    desk.sound = Some(talk);
    let packet = |sequence| {
        let Way { arrived_ms, jumped_ms } = way(sequence, &change);
        let media = MediaTime::ORIGIN + Samples::new(((sequence as f64 * 20.0 + jumped_ms) * 48.0) as u64);
        Some((SampleTime::from_ms(arrived_ms?), Slot::new(sequence, media, LENGTH)))
    };
    let mut packets: Vec<_> = (0..4 * CALM).filter_map(packet).collect();
    packets.sort_by_key(|(at, slot)| (*at, slot.sequence));
    let end = packets.iter().map(|(at, _)| at.as_ms()).fold(0.0, f64::max);
    let mut coming = packets.into_iter().peekable();
    let (mut heard, mut in_place, mut since, mut concealed_ms) = (None, 0, None, 0.0);
    while coming.peek().is_some() {
        while let Some((at, slot)) = coming.next_if(|(at, _)| *at <= desk.now) {
            desk.buffer.insert(slot, &[1, 2, 3], at);
        }
        let (now, held) = (desk.now, desk.held);
        for decision in desk.pull() {
            match decision {
                Decision::Play { slot, .. } if slot.sequence >= CALM && in_place < 25 => {
                    heard.get_or_insert(now.as_ms());
                    let delay = desk.buffer.delay_of(slot.media, now + held).as_ms();
                    let is_near = (delay - desk.buffer.target().as_ms()).abs() <= 20.0;
                    in_place = if is_near { in_place + 1 } else { 0 };
                    since = if is_near { since.or(Some(now.as_ms())) } else { None };
                }
                Decision::Conceal if now.as_ms() > end - EVENT_MS => concealed_ms += 10.0,
                _ => {}
            }
        }
    }
    assert!(in_place >= 25, "never in place");
    let heard = heard.unwrap();
    (heard, since.unwrap() - heard, concealed_ms)
}

fn recovers(what: &str, change: impl Fn(u64, f64) -> Way) {
    let (_, took_ms, concealed_ms) = recovery(change);
    assert!(took_ms <= PATIENCE_MS, "{what}: {took_ms} ms");
    assert!(concealed_ms <= 20.0, "{what}: then {concealed_ms} ms concealed");
}

#[test]
fn a_capture_that_stood_still_is_followed() {
    for stood_ms in [100.0, 300.0, 700.0, 1000.0, 2000.0, 3000.0] {
        recovers(&format!("{stood_ms} ms"), |_, ms| at(ms + stood_ms));
    }
}

#[test]
fn what_comes_in_a_burst_after_an_outage_is_caught_up_with() {
    for away_ms in [300.0, 600.0, 1000.0, 2000.0, 3000.0, 5000.0, 10_000.0] {
        let back_ms = EVENT_MS + 500.0 + away_ms;
        recovers(&format!("{away_ms} ms"), |sequence, ms| {
            at(ms.max(back_ms + (sequence - CALM) as f64 * 0.1))
        });
    }
}

#[test]
fn after_an_outage_that_loses_everything_the_voice_is_there_at_once() {
    for away_ms in [300.0, 1000.0, 3000.0, 10_000.0] {
        let back_ms = EVENT_MS + 500.0 + away_ms;
        let change = |_, ms| Way { arrived_ms: (ms >= back_ms).then_some(ms), jumped_ms: 0.0 };
        let (heard_ms, took_ms, _) = recovery(change);
        assert!(took_ms <= 100.0, "{away_ms} ms: {took_ms} ms");
        // The target, two pulls, waits for nothing more.
        assert!(heard_ms - back_ms <= 60.0, "{away_ms} ms: heard after {} ms", heard_ms - back_ms);
    }
}

#[test]
fn routes_are_followed_up_and_down() {
    for by_ms in [20.0, 50.0, 100.0, 200.0, 400.0, -20.0, -50.0, -100.0, -200.0, -400.0] {
        recovers(&format!("{by_ms} ms"), |_, ms| at(ms + by_ms));
    }
}

#[test]
fn clocks_that_jump_are_followed() {
    for jumped_ms in [50.0, 200.0, 1000.0, 5000.0, -50.0, -150.0] {
        recovers(&format!("{jumped_ms} ms"), |_, ms| Way { arrived_ms: Some(ms), jumped_ms });
    }
}

/// A rest, the loss of its last packet's successor, and the voice again: what was lost is one packet, not the rest.
#[test]
fn a_loss_behind_a_rest_counts_for_itself_only() {
    let mut desk = Desk::new();
    desk.run(&(0..50).map(|sequence| (sequence, 0)).collect::<Vec<_>>());
    let resumed = |sequence, rest_ms| {
        let media = MediaTime::ORIGIN + Samples::from_ms(rest_ms) + Samples::new(sequence * LENGTH.count());
        Slot::new(sequence, media, LENGTH)
    };
    while desk.now < ms(3000) {
        desk.pull();
    }
    let owed = desk.buffer.debt;
    // Packet 50 is lost, 51 comes two seconds later.
    desk.buffer.insert(resumed(51, 1980), &[1], ms(3000));
    let played = std::iter::repeat_with(|| desk.pull()).flatten().find_map(|decision| match decision {
        Decision::Play { slot, pause } => Some((slot.sequence, pause)),
        _ => None,
    });
    assert_eq!(played, Some((51, Samples::from_ms(1980))));
    assert!(desk.buffer.debt >= owed - LENGTH.count() as i64, "{} after {owed}", desk.buffer.debt);
}
