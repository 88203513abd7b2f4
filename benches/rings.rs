//! Which ring for which hand-off: rtrb, ringbuf and crossbeam's ArrayQueue as messages (32 bytes), packets (200 bytes, in
//! slots of 1.3 KB or framed in bytes) and sound (960 samples at once) use them. Each is measured on one thread (in and out
//! again, nobody contends) and across two (a stream, per item; needs two quiet cores to mean anything).

use criterion::{BenchmarkGroup, Criterion, criterion_group, criterion_main, measurement::WallTime};
use crossbeam::queue::ArrayQueue;
use ringbuf::{
    HeapRb,
    traits::{Consumer, Observer, Producer, Split},
};
use std::{
    hint::black_box,
    thread,
    time::{Duration, Instant},
};

/// Items, or as many bytes and samples as these take, that each ring has room for.
const SLOTS: usize = 256;

type Message = [u64; 4];

/// A length and room for a whole datagram.
type Slot = [u8; 2 + 1300];

const PAYLOAD: [u8; 200] = [7; 200];
const FRAMED: usize = 2 + PAYLOAD.len();

/// Measures a pair of ends, `put` and `take`; each says whether it could.
fn ends(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    mut put: impl FnMut() -> bool + Send,
    mut take: impl FnMut() -> bool + Send,
) {
    group.bench_function(format!("{name}, one thread"), |bench| bench.iter(|| put() && take()));
    group.bench_function(format!("{name}, two threads"), |bench| {
        bench.iter_custom(|items| stream(items, &mut put, &mut take));
    });
}

/// How long `items` take from one thread to another.
#[expect(clippy::disallowed_methods, reason = "this is a stopwatch")]
fn stream(
    items: u64,
    put: &mut (impl FnMut() -> bool + Send),
    take: &mut (impl FnMut() -> bool + Send),
) -> Duration {
    let until = |done: &mut dyn FnMut() -> bool| {
        while !done() {
            thread::yield_now();
        }
    };
    let start = Instant::now();
    thread::scope(|scope| {
        scope.spawn(|| (0..items).for_each(|_| until(put)));
        (0..items).for_each(|_| until(take));
    });
    start.elapsed()
}

/// Items moved by value.
fn by_value<T: Copy + Send + Sync>(group: &mut BenchmarkGroup<'_, WallTime>, item: T) {
    let (mut put, mut take) = rtrb::RingBuffer::<T>::new(SLOTS);
    ends(group, "rtrb", move || put.push(black_box(item)).is_ok(), move || take.pop().map(black_box).is_ok());
    let (mut put, mut take) = HeapRb::<T>::new(SLOTS).split();
    ends(
        group,
        "ringbuf",
        move || put.try_push(black_box(item)).is_ok(),
        move || take.try_pop().map(black_box).is_some(),
    );
    let queue = ArrayQueue::<T>::new(SLOTS);
    ends(
        group,
        "ArrayQueue",
        || queue.push(black_box(item)).is_ok(),
        || queue.pop().map(black_box).is_some(),
    );
}

fn messages(criterion: &mut Criterion) {
    by_value::<Message>(&mut criterion.benchmark_group("message 32 B"), [1, 2, 3, 4]);
}

fn packets(criterion: &mut Criterion) {
    by_value::<Slot>(&mut criterion.benchmark_group("packet in a slot of 1.3 KB"), [7; 1302]);
}

/// A packet's length, then its bytes, in a ring of bytes.
fn framed(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("packet framed in bytes");
    let mut record = [0; FRAMED];
    record[..2].copy_from_slice(&(PAYLOAD.len() as u16).to_ne_bytes());
    record[2..].copy_from_slice(&PAYLOAD);

    let (mut put, mut take) = rtrb::RingBuffer::<u8>::new(SLOTS * FRAMED);
    let mut packet = [0; 1300];
    let pop = move || {
        let mut len = [0; 2];
        take.pop_entire_slice(&mut len).is_ok()
            && take.pop_entire_slice(&mut packet[..usize::from(u16::from_ne_bytes(len))]).is_ok()
            && black_box(packet[0]) == PAYLOAD[0]
    };
    ends(&mut group, "rtrb", move || put.push_entire_slice(black_box(&record)).is_ok(), pop);

    let (mut put, mut take) = HeapRb::<u8>::new(SLOTS * FRAMED).split();
    let pop = move || {
        let mut len = [0; 2];
        take.pop_slice(&mut len) == 2
            && take.pop_slice(&mut packet[..usize::from(u16::from_ne_bytes(len))]) > 0
            && black_box(packet[0]) == PAYLOAD[0]
    };
    let push = move || put.vacant_len() >= FRAMED && put.push_slice(black_box(&record)) == FRAMED;
    ends(&mut group, "ringbuf", push, pop);
}

/// A frame of sound in bulk; ArrayQueue has no bulk and moves whole frames.
fn sound(criterion: &mut Criterion) {
    const FRAME: usize = 960;
    let mut group = criterion.benchmark_group("sound 960 samples");
    let (frame, mut out) = ([0.5_f32; FRAME], [0.0_f32; FRAME]);

    let (mut put, mut take) = rtrb::RingBuffer::<f32>::new(16 * FRAME);
    ends(
        &mut group,
        "rtrb",
        move || put.push_entire_slice(black_box(&frame)).is_ok(),
        move || take.pop_entire_slice(black_box(&mut out)).is_ok(),
    );
    let (mut put, mut take) = HeapRb::<f32>::new(16 * FRAME).split();
    ends(
        &mut group,
        "ringbuf",
        move || put.vacant_len() >= FRAME && put.push_slice(black_box(&frame)) == FRAME,
        move || take.occupied_len() >= FRAME && take.pop_slice(black_box(&mut out)) == FRAME,
    );
    let queue = ArrayQueue::<[f32; FRAME]>::new(16);
    ends(
        &mut group,
        "ArrayQueue",
        || queue.push(black_box(frame)).is_ok(),
        || queue.pop().map(black_box).is_some(),
    );
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_secs(1));
    targets = messages, packets, framed, sound
}
criterion_main!(benches);
