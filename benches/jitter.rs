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
    jitter::{Decision, DelayConfig, JitterBuffer, Slot},
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
        group.bench_function("insert", |bench| bench.iter(|| stream.insert_only(&mut buffer())));
        group.bench_function("insert and two pulls", |bench| bench.iter(|| stream.run(&mut buffer())));
    }
    criterion.final_summary();
}

fn networks() -> [(&'static str, Network); 2] {
    let calm = Network { transit_ms: 20.0, jitter_ms: 1.0, ..Network::default() };
    let jittery = Network {
        transit_ms: 30.0,
        jitter_ms: 30.0,
        loss: 0.05,
        burst: 2.0,
        reordered: 0.02,
        ..Network::default()
    };
    [("calm", calm), ("jittery", jittery)]
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
                let slot = JitterBuffer::describe(0x4000 + row.seq, media, PACKET, true, false);
                Some((SampleTime::from_ms(row.arrival_ms?), slot))
            })
            .collect();
        arrivals.sort_by_key(|(at, _)| *at);
        let end = arrivals.last().map_or(0, |(at, _)| at.samples());
        Self { arrivals, pulls: end / Quantum::Ms10.samples().count() }
    }

    fn insert_only(&self, buffer: &mut JitterBuffer) {
        for (at, slot) in &self.arrivals {
            black_box(buffer.insert(*slot, &PAYLOAD, *at));
        }
    }

    fn run(&self, buffer: &mut JitterBuffer) {
        let (mut coming, mut held) = (self.arrivals.iter().peekable(), Samples::ZERO);
        for tick in 0..self.pulls {
            let now = SampleTime::ZERO + Samples::new(tick * Quantum::Ms10.samples().count());
            while let Some((at, slot)) = coming.next_if(|(at, _)| *at <= now) {
                black_box(buffer.insert(*slot, &PAYLOAD, *at));
            }
            held = pull(buffer, now, held);
        }
    }
}

/// What a lane asks of its buffer for one quantum, with `held` samples left from the last; what is left now.
fn pull(buffer: &mut JitterBuffer, now: SampleTime, mut held: Samples) -> Samples {
    let quantum = Quantum::Ms10.samples();
    while held < quantum {
        match buffer.decide(now, held) {
            Decision::Wait => return Samples::ZERO,
            Decision::Play { slot, .. } => {
                black_box(buffer.payload(&slot));
                held += slot.duration;
                black_box(buffer.excess(now, held));
            }
            Decision::Recover(next) => held += next.duration,
            Decision::Skip(_) => {}
            Decision::Conceal => {
                buffer.concealed(quantum - held);
                held = quantum;
            }
        }
    }
    held - quantum
}

/// Inserts alone, then inserts with pulls: the difference is the pulls'. No clock is read inside, and of each the quickest
/// of all rounds counts: whatever else runs on the machine only ever makes a round longer.
fn figures(name: &str, stream: &Stream) {
    let (mut inserts_ns, mut all_ns) = (f64::INFINITY, f64::INFINITY);
    for _ in 0..ROUNDS {
        inserts_ns = inserts_ns.min(timed_ns(|| stream.insert_only(black_box(&mut buffer()))));
        all_ns = all_ns.min(timed_ns(|| stream.run(black_box(&mut buffer()))));
    }
    let insert_ns = inserts_ns / stream.arrivals.len() as f64;
    let pull_ns = (all_ns - inserts_ns) / stream.pulls as f64;
    let mut buffer = buffer();
    let region = Region::new(ALLOCATOR);
    stream.run(&mut buffer);
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

#[expect(clippy::disallowed_methods, reason = "a bench reads the clock")]
fn timed_ns(work: impl FnOnce()) -> f64 {
    let start = Instant::now();
    work();
    start.elapsed().as_nanos() as f64
}
