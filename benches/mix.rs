//! What a mix costs, in 480-sample mono frames: sums, mix-minus by three ways, limiter, fader.

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use std::{hint::black_box, time::Duration};
use tertulia::{
    frame::Channels,
    mix::{Fader, Limiter, MixMinus, add},
    time::{SampleTime, Samples},
};

const FRAME: usize = 480;
const LANES: [usize; 5] = [8, 32, 128, 512, 1024];

fn frames(lanes: usize, peak: f32) -> Vec<Vec<f32>> {
    let mut state = 1_u32;
    let mut draw = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        peak * ((state >> 8) as f32 / (1 << 23) as f32 - 1.0)
    };
    (0..lanes).map(|_| (0..FRAME).map(|_| draw()).collect()).collect()
}

fn sum(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("sum");
    for lanes in LANES {
        let frames = frames(lanes, 0.1);
        let mut out = vec![0.0; FRAME];
        group.bench_function(BenchmarkId::new("one at a time", lanes), |bench| {
            bench.iter(|| {
                out.fill(0.0);
                frames.iter().for_each(|frame| add(&mut out, frame));
                black_box(&out);
            });
        });
        group.bench_function(BenchmarkId::new("four at a time", lanes), |bench| {
            bench.iter(|| {
                out.fill(0.0);
                frames.chunks(4).for_each(|four| add_four(&mut out, four));
                black_box(&out);
            });
        });
    }
}

/// The rival of [`add`]: fewer loads and stores of the sum.
fn add_four(into: &mut [f32], frames: &[Vec<f32>]) {
    let [a, b, c, d] = frames else {
        return frames.iter().for_each(|frame| add(into, frame));
    };
    for ((((sum, a), b), c), d) in into.iter_mut().zip(a).zip(b).zip(c).zip(d) {
        *sum = *sum + a + b + c + d;
    }
}

/// Every lane hears all the others.
fn mix_minus(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("mix_minus");
    for lanes in LANES {
        let frames = frames(lanes, 0.1);
        let mut outs = vec![vec![0.0; FRAME]; lanes];
        // The square of 1,024 lanes takes a tenth of a second a round.
        if lanes < 512 {
            group.bench_function(BenchmarkId::new("direct", lanes), |bench| {
                bench.iter(|| direct(&frames, black_box(&mut outs)));
            });
        }
        let mut total = vec![0.0; FRAME];
        group.bench_function(BenchmarkId::new("total minus self", lanes), |bench| {
            bench.iter(|| total_minus_self(&frames, &mut total, black_box(&mut outs)));
        });
        let mut mix = MixMinus::new(lanes, FRAME);
        group.bench_function(BenchmarkId::new("before and after", lanes), |bench| {
            bench.iter(|| {
                mix.load(frames.iter().map(Vec::as_slice));
                for (k, out) in black_box(&mut outs).iter_mut().enumerate() {
                    mix.without(k, out);
                }
            });
        });
    }
}

fn direct(frames: &[Vec<f32>], outs: &mut [Vec<f32>]) {
    for (k, out) in outs.iter_mut().enumerate() {
        out.fill(0.0);
        frames.iter().enumerate().filter(|(j, _)| *j != k).for_each(|(_, frame)| add(out, frame));
    }
}

fn total_minus_self(frames: &[Vec<f32>], total: &mut [f32], outs: &mut [Vec<f32>]) {
    total.fill(0.0);
    frames.iter().for_each(|frame| add(total, frame));
    for (out, frame) in outs.iter_mut().zip(frames) {
        for ((out, total), own) in out.iter_mut().zip(total.iter()).zip(frame) {
            *out = total - own;
        }
    }
}

fn limiter(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("limiter");
    for (name, peak) in [("quiet", 0.2), ("loud", 0.45), ("limiting", 4.0)] {
        let frame = &frames(1, peak)[0];
        let (mut limiter, mut out) = (Limiter::new(Channels::Mono), vec![0.0; FRAME]);
        group.bench_function(name, |bench| {
            bench.iter(|| {
                out.copy_from_slice(frame);
                limiter.process(black_box(&mut out));
            });
        });
    }
}

fn fader(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("fader");
    let mut frame = vec![0.1; FRAME];
    let mut unity = Fader::new();
    group.bench_function("unity", |bench| {
        bench.iter(|| unity.apply(SampleTime::ZERO, Channels::Mono, black_box(&mut frame)));
    });
    let mut moving = Fader::new();
    moving.gain(0.999, SampleTime::ZERO, Samples::new(1 << 20));
    group.bench_function("ramp", |bench| {
        bench.iter(|| moving.apply(SampleTime::ZERO, Channels::Mono, black_box(&mut frame)));
    });
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(500));
    targets = sum, mix_minus, limiter, fader
}
criterion_main!(benches);
