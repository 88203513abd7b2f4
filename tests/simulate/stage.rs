//! What the tests share: a folder with voices, networks and a scenario in it, and what a run of it leaves.

use std::{
    collections::BTreeMap,
    fmt::Write,
    fs,
    path::{Path, PathBuf},
};
use tempfile::TempDir;
use tertulia::{
    frame::Channels,
    sim::{Meters, Network, Options, OpusFileWriter, Outcome, Scenario, Talker, simulate, write_trace},
    time::{RATE_HZ, Samples},
};

pub(crate) const PACKET: usize = 960;

/// A folder in which a scenario is set up.
pub(crate) struct Stage {
    folder: TempDir,
    scenario: String,
}

impl Stage {
    pub(crate) fn new(room: &str) -> Self {
        Self { folder: tempfile::tempdir().unwrap(), scenario: format!("[room]\n{room}\n") }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A quiet talker: a dozen of them stay below where the limiter begins. Gives its packets.
    pub(crate) fn voice(&mut self, name: &str, packets: usize, keys: &str) -> Vec<Vec<u8>> {
        let voice = quiet(name.bytes().map(u64::from).sum(), packets);
        let mut file =
            OpusFileWriter::create(&self.path(&format!("{name}.opus")), Channels::Mono, 312).unwrap();
        for packet in &voice {
            file.packet(packet, Samples::from_ms(20)).unwrap();
        }
        file.finish(Samples::new((packets * PACKET) as u64)).unwrap();
        writeln!(self.scenario, "[[speaker]]\nname = '{name}'\nopus = '{name}.opus'\n{keys}").unwrap();
        voice
    }

    pub(crate) fn network(&mut self, name: &str, network: &Network, seed: u64, rows: usize) {
        write_trace(&self.path(name), network.rows(seed).take(rows)).unwrap();
    }

    pub(crate) fn event(&mut self, at: u64, keys: &str) {
        writeln!(self.scenario, "[[event]]\nat_sample = {at}\n{keys}").unwrap();
    }

    pub(crate) fn run(&self, out: &str, options: &Options) -> Outcome {
        let file = self.path("scenario.toml");
        fs::write(&file, &self.scenario).unwrap();
        let scenario = Scenario::read(&file).unwrap();
        simulate(&scenario, options, &self.path(out), Meters::default()).unwrap()
    }

    pub(crate) fn wav(&self, name: &str) -> Vec<f32> {
        let mut wav = hound::WavReader::open(self.path(name)).unwrap();
        assert_eq!(wav.spec().sample_rate, RATE_HZ);
        wav.samples::<f32>().map(Result::unwrap).collect()
    }
}

fn quiet(seed: u64, packets: usize) -> Vec<Vec<u8>> {
    let mut talker = Talker::new(seed);
    let mut encoder = opus::Encoder::new(RATE_HZ, opus::Channels::Mono, opus::Application::Voip).unwrap();
    encoder.set_bitrate(opus::Bitrate::Bits(32_000)).unwrap();
    let mut pcm = [0.0; PACKET];
    let mut next = || {
        talker.speak(&mut pcm);
        pcm.iter_mut().for_each(|sample| *sample *= 0.2);
        encoder.encode_vec_float(&pcm, 1275).unwrap()
    };
    (0..packets).map(|_| next()).collect()
}

/// A network that does everything a network does.
pub(crate) fn rough() -> Network {
    Network {
        transit_ms: 30.0,
        jitter_ms: 4.0,
        loss: 0.08,
        burst: 2.0,
        reordered: 0.02,
        duplicated: 0.05,
        drift_ppm: 100.0,
    }
}

/// Every file of a folder, by its path in it.
pub(crate) fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = PathBuf::from(path.file_name().unwrap());
        if path.is_dir() {
            all.extend(files(&path).into_iter().map(|(inner, bytes)| (name.join(inner), bytes)));
        } else {
            all.insert(name, fs::read(&path).unwrap());
        }
    }
    all
}
