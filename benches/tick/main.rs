//! What 20 ms of a room cost: speakers × distinct mixes, and the same as a ratio to the codec floor, which is bare libopus
//! decoding the same packets and encoding the same mixes in the same run.

mod floor;
mod room;
mod targets;

use criterion::{BenchmarkId, Criterion};
use floor::Floor;
use room::{Room, Shape};
use std::time::{Duration, Instant};

/// Speakers who all talk, and whether each hears a mix of its own.
const CASES: [(u16, bool); 6] = [(1, false), (8, false), (8, true), (50, false), (50, true), (200, false)];
const ROUNDS: usize = 15;
const PACKETS_A_ROUND: u16 = 100;
/// At most so much of the floor where everybody hears a mix of its own.
const TARGET: f64 = 1.05;

fn name(speakers: u16, own: bool) -> String {
    format!("{speakers} speakers, {} mixes", if own { speakers + 1 } else { 1 })
}

fn ticks(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("20 ms of a room");
    for (speakers, own) in CASES {
        let mut room = Room::new(Shape::panel(speakers, own));
        group.bench_function(BenchmarkId::from_parameter(name(speakers, own)), |bench| {
            bench.iter(|| room.packet_time());
        });
    }
    group.finish();
}

/// Room and floor take turns, so that a machine whose speed drifts slows both; the median of the rounds counts.
fn print_ratios() {
    println!(
        "\nratio to the codec floor (median of {ROUNDS} interleaved rounds of {PACKETS_A_ROUND} packets)"
    );
    for (speakers, own) in CASES {
        let (mut room, mut floor) = (Room::new(Shape::panel(speakers, own)), Floor::new(speakers, own));
        let mut ratios: Vec<_> = (0..ROUNDS)
            .map(|_| {
                let room_s = timed(|| (0..PACKETS_A_ROUND).for_each(|_| room.packet_time()));
                let floor_s = timed(|| (0..PACKETS_A_ROUND).for_each(|_| floor.packet_time()));
                (room_s.as_secs_f64() / floor_s.as_secs_f64(), room_s, floor_s)
            })
            .collect();
        ratios.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (ratio, room_s, floor_s) = ratios[ROUNDS / 2];
        let each = |time: Duration| time.as_secs_f64() * 1e6 / f64::from(PACKETS_A_ROUND);
        println!(
            "{:28} room {:9.1} µs  floor {:9.1} µs  ratio {ratio:.3}  ({:.3} … {:.3})  target ≤ {TARGET}",
            name(speakers, own),
            each(room_s),
            each(floor_s),
            ratios[0].0,
            ratios[ROUNDS - 1].0
        );
    }
}

#[expect(clippy::disallowed_methods, reason = "a bench reads the clock")]
fn timed(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .configure_from_args();
    ticks(&mut criterion);
    criterion.final_summary();
    print_ratios();
    targets::print();
}
