//! What it costs to fill a hole, in µs per 20 ms of mono sound, beside an ordinary decode: medians over a talk of 20 s.
#![expect(clippy::disallowed_methods, reason = "a bench measures time")]
#![expect(clippy::expect_used, reason = "a bench may panic")]

use std::{hint::black_box, time::Instant};
use tertulia::{
    codec::{Codec, Decoder, DeepScratch, Encoder, EncoderConfig, MAX_PAYLOAD_BYTES},
    frame::Channels,
    sim::Talker,
    time::Samples,
};

const FRAME: usize = 960;

/// A talk of 20 s with in-band FEC and deep redundancy.
fn packets() -> Vec<Vec<u8>> {
    let config = EncoderConfig {
        bitrate_bps: 48_000,
        complexity: 9,
        expected_loss_percent: 20,
        deep_redundancy: Samples::from_ms(1000),
        ..EncoderConfig::default()
    };
    let mut encoder = Encoder::new(&config, Channels::Mono).expect("libopus builds an encoder");
    let (mut talker, mut pcm, mut out) = (Talker::new(1), [0.0; FRAME], vec![0; MAX_PAYLOAD_BYTES]);
    let packet = |_| {
        talker.speak(&mut pcm);
        let length = encoder.encode(&pcm, &mut out).expect("a whole frame");
        out.get(..length).map(<[u8]>::to_vec).unwrap_or_default()
    };
    (0..1000).map(packet).collect()
}

struct Bench {
    packets: Vec<Vec<u8>>,
    scratch: DeepScratch,
}

impl Bench {
    /// The median of what `work` takes after ten ordinary packets; it is handed the packet before which four are missing.
    fn measure(
        &mut self,
        name: &str,
        neural: bool,
        mut work: impl FnMut(&mut Decoder, &mut DeepScratch, &[u8]) -> f64,
    ) {
        let mut decoder = Decoder::new(Codec::Opus, Channels::Mono).expect("libopus builds a decoder");
        decoder.deep_plc(neural);
        let mut sound = [0.0; FRAME];
        let mut taken = Vec::new();
        for run in self.packets.chunks_exact(15) {
            for packet in run.iter().take(10) {
                decoder.decode(packet, &mut sound).expect("a packet of our own");
            }
            if let Some(next) = run.last() {
                taken.push(work(&mut decoder, &mut self.scratch, next));
            }
        }
        taken.sort_by(f64::total_cmp);
        println!("{name:44} {:8.1} µs", taken.get(taken.len() / 2).copied().unwrap_or_default());
    }
}

fn timed<T>(work: impl FnOnce() -> T) -> f64 {
    let start = Instant::now();
    let _ = black_box(work());
    start.elapsed().as_secs_f64() * 1e6
}

/// The second frame of a deep recovery, or the first.
fn deep(decoder: &mut Decoder, scratch: &mut DeepScratch, next: &[u8], which: u64) -> f64 {
    let mut sound = [0.0; FRAME];
    let mut last = 0.0;
    for at in 0..which {
        let back = Samples::new((4 - at) * FRAME as u64);
        // A packet in a pause may reach less far: that costs next to nothing, and the median does not see it.
        last = timed(|| decoder.recover_deep(next, back, &mut sound, scratch));
    }
    last
}

fn main() {
    let scratch = DeepScratch::new().expect("libopus has deep redundancy");
    let mut bench = Bench { packets: packets(), scratch };
    let mut sound = [0.0; FRAME];
    bench.measure("decode", false, |decoder, _, next| timed(|| decoder.decode(next, &mut sound)));
    bench.measure("in-band FEC", false, |decoder, _, next| timed(|| decoder.recover(next, &mut sound)));
    bench.measure("conceal, classic", false, |decoder, _, _| timed(|| decoder.conceal(&mut sound)));
    bench.measure("conceal, neural, first", true, |decoder, _, _| timed(|| decoder.conceal(&mut sound)));
    bench.measure("conceal, neural, next", true, |decoder, _, _| {
        decoder.conceal(&mut sound);
        timed(|| decoder.conceal(&mut sound))
    });
    bench.measure("deep redundancy: how far", false, |decoder, scratch, next| {
        timed(|| decoder.deep_reach(next, scratch))
    });
    bench.measure("deep redundancy, first", false, |decoder, scratch, next| deep(decoder, scratch, next, 1));
    bench.measure("deep redundancy, next", false, |decoder, scratch, next| deep(decoder, scratch, next, 2));
}
