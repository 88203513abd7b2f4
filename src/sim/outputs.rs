//! The live mixes on disk: `mix.wav`, `mix.opus`, and `minus/NAME.wav` for what each speaker hears.

use super::{error::SimError, opus_file::OpusFileWriter, sender::PAYLOAD_TYPE};
use crate::{
    engine::{BuildError, Bus, BusConfig, Command, EncoderConfig, Engine, RoomConfig, StreamConfig, Tick},
    speaker::{BusId, SpeakerId, SpeakerSet},
    time::{RATE_HZ, SampleTime, Samples},
};
use hound::{SampleFormat, WavSpec, WavWriter};
use std::{
    fs::{self, File},
    io::{self, BufWriter},
    path::{Path, PathBuf},
};

/// What everybody who does not speak hears.
const LISTENERS: BusId = BusId(0);

/// What libopus's encoder looks ahead when it codes for voice: 6.5 ms, which RFC 7845 §4.2 calls the pre-skip.
const PRE_SKIP: u16 = 312;

/// Some seconds of sound a write.
const WAV_BUFFER_BYTES: usize = 1 << 19;

pub(super) struct Outputs {
    channels: usize,
    packet: Samples,
    /// Of the coded mix, what is written.
    coded: SampleTime,
    left: Samples,
    mix: Wav,
    opus: (PathBuf, OpusFileWriter),
    minus: Vec<Wav>,
}

struct Wav {
    bus: BusId,
    path: PathBuf,
    writer: WavWriter<BufWriter<File>>,
}

impl Outputs {
    /// Opens files and buses: the listeners', and what those in `minus` hear.
    pub(super) fn open(
        out: &Path,
        minus: &[(SpeakerId, &str)],
        relay: bool,
        ssrc: u32,
        length: Samples,
        engine: &mut Engine,
        room: &RoomConfig,
    ) -> Result<Self, SimError> {
        let encoder = EncoderConfig { relay, ..EncoderConfig::default() };
        let stream = StreamConfig { ssrc, payload_type: PAYLOAD_TYPE, ..StreamConfig::default() };
        let listeners =
            BusConfig { bus: LISTENERS, members: SpeakerSet::EVERYBODY, encoder: Some(encoder), stream };
        open_bus(engine, &listeners, room)?;
        // The same before it is coded, also where it is not.
        let tap = BusId(room.max_buses - 1);
        open_bus(engine, &BusConfig { bus: tap, encoder: None, ..listeners }, room)?;
        let mut own = Vec::new();
        for (speaker, name) in minus {
            let bus = BusId(speaker.0 + 1);
            let members = SpeakerSet::everybody_but(*speaker);
            open_bus(engine, &BusConfig { bus, members, encoder: None, stream }, room)?;
            own.push(Wav::create(bus, &out.join("minus").join(format!("{name}.wav")), room)?);
        }
        let opus = out.join("mix.opus");
        let writer =
            OpusFileWriter::create(&opus, room.channels, PRE_SKIP).map_err(|e| write_error(&opus, e))?;
        Ok(Self {
            channels: room.channels.count(),
            packet: encoder.packet,
            coded: SampleTime::ZERO,
            left: length,
            mix: Wav::create(tap, &out.join("mix.wav"), room)?,
            opus: (opus, writer),
            minus: own,
        })
    }

    /// Takes what a tick made, up to the room's last sample.
    pub(super) fn take(&mut self, tick: &Tick<'_>, quantum: Samples) -> Result<(), SimError> {
        let fresh = quantum.min(self.left);
        self.left = self.left - fresh;
        let samples = fresh.len() * self.channels;
        for wav in std::iter::once(&mut self.mix).chain(&mut self.minus) {
            wav.write(tick.mix(wav.bus).and_then(|mix| mix.get(..samples)).unwrap_or_default())?;
        }
        let (path, opus) = &mut self.opus;
        for packet in tick.packets().filter(|packet| packet.bus == LISTENERS) {
            let left_out = packet.at.since(self.coded);
            for (nothing, length) in fillers(left_out, self.packet) {
                opus.packet(&[nothing], length).map_err(|error| write_error(path, error))?;
                self.coded += length;
            }
            opus.packet(packet.payload, self.packet).map_err(|error| write_error(path, error))?;
            self.coded += self.packet;
        }
        Ok(())
    }

    /// Ends all files. An encoder keeps the room's last samples back: it gets silence until it has given them out.
    pub(super) fn close(
        mut self,
        end: SampleTime,
        engine: &mut Engine,
        room: &RoomConfig,
    ) -> Result<(), SimError> {
        (0..room.max_lanes).for_each(|lane| drop(engine.apply(Command::Dismiss(SpeakerId(lane)))));
        let covered = (end.samples() + u64::from(PRE_SKIP)).next_multiple_of(self.packet.count());
        while engine.now().samples() < covered {
            self.take(&engine.tick(), room.quantum.samples())?;
        }
        for wav in std::iter::once(self.mix).chain(self.minus) {
            wav.writer.finalize().map_err(|error| write_error(&wav.path, hound_to_io(error)))?;
        }
        let (path, opus) = self.opus;
        opus.finish(end.since(SampleTime::ZERO)).map_err(|error| write_error(&path, error))
    }
}

/// Where a relayed voice rests nothing is sent, and a file needs packets nevertheless: such without bytes, 20 ms and 2.5 ms
/// long, by which a decoder makes the background itself. What is left, less than 2.5 ms, is made up for later.
fn fillers(left_out: Samples, packet: Samples) -> impl Iterator<Item = (u8, Samples)> {
    const HYBRID_20_MS: u8 = 15 << 3;
    const CELT_2_5_MS: u8 = 28 << 3;
    let short = Samples::new(120);
    let (whole, rest) = (left_out.count() / packet.count(), left_out.count() % packet.count());
    let long = std::iter::repeat_n((HYBRID_20_MS, packet), whole as usize);
    long.chain(std::iter::repeat_n((CELT_2_5_MS, short), (rest / short.count()) as usize))
}

impl Wav {
    fn create(bus: BusId, path: &Path, room: &RoomConfig) -> Result<Self, SimError> {
        let spec = WavSpec {
            channels: room.channels.count() as u16,
            sample_rate: RATE_HZ,
            bits_per_sample: 32,
            sample_format: SampleFormat::Float,
        };
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(|error| write_error(folder, error))?;
        }
        let file = File::create(path).map_err(|error| write_error(path, error))?;
        let writer = WavWriter::new(BufWriter::with_capacity(WAV_BUFFER_BYTES, file), spec)
            .map_err(|error| write_error(path, hound_to_io(error)))?;
        Ok(Self { bus, path: path.to_owned(), writer })
    }

    fn write(&mut self, mix: &[f32]) -> Result<(), SimError> {
        let written = mix.iter().try_for_each(|sample| self.writer.write_sample(*sample));
        written.map_err(|error| write_error(&self.path, hound_to_io(error)))
    }
}

fn open_bus(engine: &mut Engine, config: &BusConfig, room: &RoomConfig) -> Result<(), BuildError> {
    match engine.apply(Command::Open(Box::new(Bus::new(config, room)?))) {
        None => Ok(()),
        Some(_) => Err(BuildError::Place { got: config.bus.0, places: room.max_buses }),
    }
}

pub(super) fn write_error(path: &Path, error: io::Error) -> SimError {
    SimError::Write(path.to_owned(), error)
}

fn hound_to_io(error: hound::Error) -> io::Error {
    match error {
        hound::Error::IoError(error) => error,
        other => io::Error::other(other),
    }
}
