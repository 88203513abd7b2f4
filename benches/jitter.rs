//! What a jitter buffer costs, without codec and stretching: time an insert and a pull, memory a stream, allocations. Packets
//! of 20 ms come over seeded networks and are pulled every 10 ms.
//!
//!     cargo bench --bench jitter

use criterion::{Criterion, Throughput};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use std::{
    alloc::System,
    hint::black_box,
    time::{Duration, Instant},
};
use tertulia::{
    jitter::{Decision, DelayConfig, JitterBuffer, Move, Slot, Sound},
    sim::Network,
    time::{MediaTime, Quantum, SampleTime, Samples},
};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Five minutes.
const PACKETS: usize = 15_000;
const ROUNDS: usize = 41;
const PACKET: Samples = Samples::from_ms(20);
const PAYLOAD: [u8; 80] = [7; 80];

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(2))
        .configure_from_args();
    println!("one jitter buffer, {PACKETS} packets of 20 ms, pulls of 10 ms (best of {ROUNDS} rounds)");
    memory();
    for (name, network) in networks() {
        let stream = Stream::new(&network);
        figures(name, &stream);
        let mut group = criterion.benchmark_group(format!("jitter buffer, {name}"));
        group.throughput(Throughput::Elements(PACKETS as u64));
        group.bench_function("insert and two pulls", |bench| {
            bench.iter(|| stream.run(&mut buffer(), || (), |_, ()| ()));
        });
    }
    criterion.final_summary();
}

fn networks() -> [(&'static str, Network); 3] {
    let calm = Network { transit_ms: 20.0, jitter_ms: 1.0, ..Network::default() };
    let jittery = Network {
        transit_ms: 30.0,
        jitter_ms: 30.0,
        loss: 0.05,
        burst: 2.0,
        reordered: 0.02,
        ..Network::default()
    };
    let bad = Network {
        transit_ms: 50.0,
        jitter_ms: 150.0,
        loss: 0.2,
        burst: 2.0,
        reordered: 0.2,
        ..Network::default()
    };
    [("calm", calm), ("jittery", jittery), ("bad", bad)]
}

fn buffer() -> JitterBuffer {
    let config =
        DelayConfig { ms_per_percent: 100, min_delay: Samples::ZERO, max_delay: Samples::from_ms(2000) };
    JitterBuffer::new(config, Quantum::Ms10)
}

/// Everything that arrives, in this order, and how many pulls it takes to hear it.
struct Stream {
    arrivals: Vec<(SampleTime, Slot)>,
    pulls: u64,
}

impl Stream {
    fn new(network: &Network) -> Self {
        let rows = network.rows(1).take(PACKETS);
        let mut arrivals: Vec<_> = rows
            .filter_map(|row| {
                let media = MediaTime::ORIGIN + Samples::new(PACKET.count() * row.seq);
                let mut slot = Slot::new(0x4000 + row.seq, media, PACKET);
                slot.fec = true;
                Some((SampleTime::from_ms(row.arrival_ms?), slot))
            })
            .collect();
        arrivals.sort_by_key(|(at, _)| *at);
        let end = arrivals.last().map_or(0, |(at, _)| at.samples());
        Self { arrivals, pulls: end / Quantum::Ms10.samples().count() }
    }

    /// From the first arrival to the last; `begin` and `end` stand around each insert and each pull.
    fn run<T>(&self, buffer: &mut JitterBuffer, begin: impl Fn() -> T, mut end: impl FnMut(Part, T)) {
        let (mut coming, mut held) = (self.arrivals.iter().peekable(), Samples::ZERO);
        for tick in 0..self.pulls {
            let now = SampleTime::ZERO + Samples::new(tick * Quantum::Ms10.samples().count());
            while let Some((at, slot)) = coming.next_if(|(at, _)| *at <= now) {
                let began = begin();
                black_box(buffer.insert(*slot, &PAYLOAD, *at));
                end(Part::Insert, began);
            }
            let began = begin();
            held = pull(buffer, now, held);
            end(Part::Pull, began);
        }
    }
}

#[derive(Clone, Copy)]
enum Part {
    Insert,
    Pull,
}

/// What a lane asks of its buffer for one quantum, with `held` samples left from the last; what is left now.
fn pull(buffer: &mut JitterBuffer, now: SampleTime, mut held: Samples) -> Samples {
    let quantum = Quantum::Ms10.samples();
    while held < quantum {
        match buffer.decide(now, held) {
            Decision::Wait => return Samples::ZERO,
            Decision::Play { slot, .. } => {
                black_box(buffer.payload(&slot));
                held = play(buffer, now, held, &slot, slot.duration);
            }
            Decision::Recover(slot) => held = play(buffer, now, held, &slot, slot.duration),
            Decision::RecoverDeep { slot, length, .. } => held = play(buffer, now, held, &slot, length),
            Decision::Skip(_) => {}
            Decision::Conceal => {
                buffer.concealed(quantum - held);
                held = quantum;
            }
        }
    }
    held - quantum
}

/// `length` of a packet's sound is put behind what is `held`, and stretched as told; what is held now. Two seconds of speech follow two
/// of background.
fn play(buffer: &mut JitterBuffer, now: SampleTime, held: Samples, slot: &Slot, length: Samples) -> Samples {
    let held = held + length;
    let sound = if (slot.sequence / 100).is_multiple_of(2) { Sound::Pause } else { Sound::Speech };
    let (moved, by) = match buffer.steer(now, held, sound, length) {
        Move::Stay => return held,
        Move::Faster(by) => (held - by, by),
        Move::Slower(by) => (held + by, by),
    };
    buffer.stretched(sound, by);
    moved
}

/// Each insert and each pull by the clock, less what the clock takes. The quickest of all rounds counts: whatever else runs
/// on the machine only ever makes a round longer.
fn figures(name: &str, stream: &Stream) {
    let (mut insert_ns, mut pull_ns) = (f64::INFINITY, f64::INFINITY);
    for _ in 0..ROUNDS {
        let (mut inserts, mut pulls) = (Duration::ZERO, Duration::ZERO);
        stream.run(&mut buffer(), now, |part, began| match part {
            Part::Insert => inserts += began.elapsed(),
            Part::Pull => pulls += began.elapsed(),
        });
        insert_ns = insert_ns.min(inserts.as_nanos() as f64 / stream.arrivals.len() as f64);
        pull_ns = pull_ns.min(pulls.as_nanos() as f64 / stream.pulls as f64);
    }
    let clock_ns = clock_ns();
    let (insert_ns, pull_ns) = (insert_ns - clock_ns, pull_ns - clock_ns);
    let mut buffer = buffer();
    let region = Region::new(ALLOCATOR);
    stream.run(&mut buffer, || (), |_, ()| ());
    let change = region.change();
    let allocations = change.allocations + change.reallocations + change.deallocations;
    println!(
        "{name:8} insert {insert_ns:4.0} ns (goal < 300), pull {pull_ns:4.0} ns (goal < 1000), {allocations} allocations"
    );
}

/// Where packets wait takes its part of the heap: their bytes, and a slot a place.
fn memory() {
    const PLACES: usize = 256;
    const PAYLOADS_BYTES: usize = 64 * 1024;
    let region = Region::new(ALLOCATOR);
    let buffer = black_box(buffer());
    let heap_bytes = region.change().bytes_allocated;
    let packets_bytes = PAYLOADS_BYTES + PLACES * size_of::<Option<Slot>>();
    let beside_bytes = size_of_val(&buffer) + heap_bytes.saturating_sub(packets_bytes);
    println!(
        "memory   {beside_bytes} bytes a stream (goal ≤ 8192), beside {packets_bytes} in which packets wait"
    );
}

/// What it takes to look at the clock twice.
fn clock_ns() -> f64 {
    let round = |_| (0..PACKETS).map(|_| now().elapsed().as_nanos()).sum::<u128>() as f64 / PACKETS as f64;
    (0..ROUNDS).map(round).fold(f64::INFINITY, f64::min)
}

#[expect(clippy::disallowed_methods, reason = "a bench reads the clock")]
fn now() -> Instant {
    Instant::now()
}
