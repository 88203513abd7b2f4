//! What rooms of other shapes cost, each figure beside its target. Rooms that are compared take turns, and the median counts.

use super::{
    room::{Room, Shape},
    timed,
};

const ROUNDS: usize = 15;
const PACKETS_A_ROUND: u16 = 50;

pub(crate) fn print() {
    println!(
        "\nfigures and their targets (median of {ROUNDS} interleaved rounds of {PACKETS_A_ROUND} packets)"
    );
    hundred();
    one_more_listener();
    lanes();
    rooms_of_five();
}

fn hundred() {
    let shape = Shape { speakers: 100, talking: 5, own: 100, listeners: 1, relay: false };
    let [us] = medians([shape]);
    // 50 packets' times a second, and a hundred speakers.
    let ms = us * 50.0 / 1000.0 / 100.0;
    println!("N = 100, 5 talk, everyone receives   {ms:8.3} CPU-ms per speaker-second   target ≤ 0.8");
}

fn one_more_listener() {
    let with = |listeners| Shape { speakers: 8, talking: 8, own: 0, listeners, relay: false };
    let [few, many] = medians([with(1), with(101)]);
    let each = (many - few) / 100.0;
    println!(
        "a listener more                      {each:8.3} µs in 20 ms, its header   target 0 (no encode)"
    );
}

fn lanes() {
    let with = |speakers| Shape { speakers, talking: 8, own: 0, listeners: 1, relay: false };
    let [ten, thousand] = medians([with(10), with(1000)]);
    println!("8 talk, lanes 10 → 1000              {:8.3} ×   target ≤ 1.3", thousand / ten);
}

fn rooms_of_five() {
    let with = |relay| Shape { speakers: 5, talking: 1, own: 5, listeners: 0, relay };
    let [mixed, relayed] = medians([with(false), with(true)]);
    for (name, us, target) in [("without relay", mixed, 60), ("with relay", relayed, 600)] {
        println!("rooms of 5, one talks, {name:14}{:8.0} a core   target ≥ {target}", 20_000.0 / us);
    }
}

/// Microseconds for 20 ms of each room.
fn medians<const N: usize>(shapes: [Shape; N]) -> [f64; N] {
    let mut rooms = shapes.map(Room::new);
    let mut times = [(); N].map(|()| Vec::with_capacity(ROUNDS));
    for _ in 0..ROUNDS {
        for (room, times) in rooms.iter_mut().zip(&mut times) {
            let time = timed(|| (0..PACKETS_A_ROUND).for_each(|_| room.packet_time()));
            times.push(time.as_secs_f64() * 1e6 / f64::from(PACKETS_A_ROUND));
        }
    }
    times.map(|mut times| {
        times.sort_by(f64::total_cmp);
        times[ROUNDS / 2]
    })
}
