//! The core in one page: two voices go in as RTP, their mix comes out as a WAV file. No thread, no clock, no socket:
//! you say when a packet arrived, and each tick makes the next 10 ms.
//!
//! ```text
//! cargo run --release --example mix_to_wav -- mix.wav
//! ```

use tertulia::{
    engine::{Bus, BusConfig, Command, Engine, Lane, LaneConfig, RoomConfig, StreamConfig},
    packet::RtpStream,
    sim::OpusFile,
    speaker::{BusId, SpeakerId, SpeakerSet},
    time::SampleTime,
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let voices =
        ["michael", "fenrir"].map(|name| OpusFile::read(format!("examples/panel/{name}.opus").as_ref()));
    let room = RoomConfig::default();
    let mut engine = Engine::new(room);

    // The listeners hear everybody. Without an encoder a bus gives samples only.
    let (bus, members) = (BusId(0), SpeakerSet::EVERYBODY);
    let listeners = BusConfig { bus, members, encoder: None, stream: StreamConfig::default() };
    drop(engine.apply(Command::Open(Box::new(Bus::new(&listeners, &room)?))));
    for speaker in [SpeakerId(0), SpeakerId(1)] {
        drop(engine.apply(Command::Admit(Box::new(Lane::new(LaneConfig::new(speaker), &room)?))));
    }

    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 48_000,
        bits_per_sample: 32,
        sample_format: hound::SampleFormat::Float,
    };
    let mut wav = hound::WavWriter::create(std::env::args().nth(1).ok_or("expected a file to write")?, spec)?;
    let mut streams = [RtpStream::new(1, 111, 0, 0), RtpStream::new(2, 111, 0, 0)];
    let [michael, fenrir] = voices;
    for (n, packets) in michael?.packets.iter().zip(&fenrir?.packets).enumerate() {
        let sent = SampleTime::from_samples(n as u64 * 960);
        for (speaker, payload) in [(0, packets.0), (1, packets.1)] {
            let datagram = [&streams[usize::from(speaker)].header(sent, false)[..], payload].concat();
            engine.receive(SpeakerId(speaker), &datagram, sent);
        }
        // A packet holds 20 ms, a tick makes 10.
        for _ in 0..2 {
            let tick = engine.tick();
            tick.mix(bus).unwrap_or_default().iter().try_for_each(|sample| wav.write_sample(*sample))?;
        }
    }
    Ok(wav.finalize()?)
}
