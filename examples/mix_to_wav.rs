//! The core in one page: two voices go in as RTP, their mix comes out as a WAV file. No thread, no clock, no socket:
//! you say when a packet arrived, and each tick makes the next 20 ms.
//!
//!     cargo run --release --example mix_to_wav -- mix.wav

use hound::{SampleFormat, WavSpec, WavWriter};
use std::{env::args, error::Error};
use tertulia::{
    engine::{Bus, BusConfig, Command, Engine, Lane, LaneConfig, RoomConfig, StreamConfig},
    packet::RtpStream,
    sim::OpusFile,
    speaker::{BusId, SpeakerId, SpeakerSet},
    time::Quantum,
};

fn main() -> Result<(), Box<dyn Error>> {
    let room = RoomConfig { quantum: Quantum::Ms20, ..RoomConfig::default() };
    let mut engine = Engine::new(room);

    // The listeners hear everybody. Without an encoder a bus gives samples only.
    let (bus, members, stream) = (BusId(0), SpeakerSet::EVERYBODY, StreamConfig::default());
    let listeners = BusConfig { bus, members, encoder: None, stream };
    drop(engine.apply(Command::Open(Box::new(Bus::new(&listeners, &room)?))));

    let mut voices = Vec::new();
    for (place, name) in (0..).zip(["michael", "fenrir"]) {
        let (speaker, file) = (SpeakerId(place), format!("examples/panel/{name}.opus"));
        drop(engine.apply(Command::Admit(Box::new(Lane::new(LaneConfig::new(speaker), &room)?))));
        voices.push((speaker, RtpStream::new(1, 111, 0, 0), OpusFile::read(file.as_ref())?.packets));
    }

    let (bits_per_sample, sample_format) = (32, SampleFormat::Float);
    let spec = WavSpec { channels: 1, sample_rate: 48_000, bits_per_sample, sample_format };
    let mut wav = WavWriter::create(args().nth(1).ok_or("expected a file to write")?, spec)?;
    for n in 0..1820 {
        let now = engine.now();
        for (speaker, stream, packets) in &mut voices {
            let datagram = [&stream.header(now, false)[..], &packets[n]].concat();
            engine.receive(*speaker, &datagram, now);
        }
        let tick = engine.tick();
        tick.mix(bus).unwrap_or_default().iter().try_for_each(|sample| wav.write_sample(*sample))?;
    }
    Ok(wav.finalize()?)
}
