//! A voice and its sender: loud where it is told to be, with in-band FEC and deep redundancy, over a network that loses a
//! fifth, delays and reorders.

use std::ops::Range;
use tertulia::{
    codec::{CodecError, Encoder, EncoderConfig, MAX_PAYLOAD_BYTES},
    frame::Channels,
    sim::Rng,
    speaker::{SpeakerId, VoicePacket},
    time::{MediaTime, SampleTime, Samples},
};

/// 20 ms.
pub(super) const FRAME: u64 = 960;

/// A packet and when it arrived.
pub(super) struct Sent {
    number: u64,
    arrived: u64,
    payload: Vec<u8>,
}

impl Sent {
    pub(super) fn packet(&self, speaker: SpeakerId) -> VoicePacket<'_> {
        VoicePacket {
            speaker,
            epoch: 0,
            sequence: self.number,
            media: MediaTime::ORIGIN + Samples::new(self.number * FRAME),
            arrived: self.arrived(),
            duration: Samples::new(FRAME),
            marker: false,
            payload: &self.payload,
        }
    }

    pub(super) fn arrived(&self) -> SampleTime {
        SampleTime::from_samples(self.arrived)
    }
}

/// What arrives of a voice that speaks in these spans, in order of arrival. While it sleeps its encoder stands still.
pub(super) fn speak(
    spoken: &[Range<u64>],
    asleep: &Range<u64>,
    samples: u64,
    rng: &mut Rng,
) -> Result<Vec<Sent>, CodecError> {
    let config = EncoderConfig {
        bitrate_bps: 64_000,
        expected_loss_percent: 20,
        deep_redundancy: Samples::from_ms(1_040),
        ..EncoderConfig::default()
    };
    let mut encoder = Encoder::new(&config, Channels::Mono)?;
    let (mut sent, mut bytes, pitch_hz) = (Vec::new(), vec![0; MAX_PAYLOAD_BYTES], rng.between(90.0, 220.0));
    for number in 0..samples / FRAME {
        let from = number * FRAME;
        if asleep.contains(&from) {
            continue;
        }
        let is_spoken = |at: &u64| spoken.iter().any(|span| span.contains(at));
        let said = |at: u64| if is_spoken(&at) { vowel(at, pitch_hz) } else { 0.0 };
        let frame: Vec<f32> = (from..from + FRAME).map(said).collect();
        let length = encoder.encode(&frame, &mut bytes)?;
        let (lost, late) = (rng.chance(0.2), rng.chance(0.5));
        if number == 0 || !lost {
            let late = if late && number > 0 { rng.between(0.0, 3_840.0) as u64 } else { 0 };
            sent.push(Sent { number, arrived: from + late, payload: bytes[..length].to_vec() });
        }
    }
    sent.sort_by_key(|sent| sent.arrived);
    Ok(sent)
}

/// Loud, at some −15 dBFS, with a pitch that wanders.
fn vowel(sample: u64, pitch_hz: f64) -> f32 {
    let t = sample as f64 / 48_000.0;
    let phase = std::f64::consts::TAU * (pitch_hz * t + 2.0 * (3.0 * t).sin());
    let harmonic = |k: u8| (phase * f64::from(k)).sin() / f64::from(k);
    (0.25 * (1..20).map(harmonic).sum::<f64>()) as f32
}
