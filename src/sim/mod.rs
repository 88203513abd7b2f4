//! Rooms in simulated time, for tests, benches and examples: a scenario file comes in, a folder with mix, recordings and
//! report leaves. One machine, [`crate::engine::Engine`], fed from Ogg Opus files over traced or modelled networks.

mod ears;
mod error;
mod faulty_disk;
mod history;
mod network;
mod options;
mod opus_file;
mod outcome;
mod outputs;
mod playout;
mod presence;
mod report;
mod rng;
mod run;
mod scenario;
mod schedules;
mod scribe;
mod sender;
mod solo;
mod span;
mod talker;
mod trace;
mod voice;

pub use ears::{Overheard, SILENCE_DBFS, loudest_dbfs, overhear};
pub use error::{Invalid, SimError};
pub use faulty_disk::{Fault, FaultyDisk};
pub use history::History;
pub use network::Network;
pub use options::{Meters, Options};
pub use opus_file::{OpusFile, OpusFileWriter};
pub use outcome::Outcome;
pub use playout::{Fate, VoiceLog, VoicePacketLog};
pub use report::{DelayMs, GapLine, PacketLine, Report, RoomLine, SampleLine, SpeakerLine, TargetMs, TickNs};
pub use rng::Rng;
pub use run::simulate;
pub use scenario::{Action, Consent, Scenario, ScenarioEvent, ScenarioSpeaker};
pub use schedules::{Breach, PER_SESSION, Tally, check_schedules};
pub use scribe::{scribe, take_said, write_down};
pub use solo::solo;
pub use span::Span;
pub use talker::Talker;
pub use trace::{TraceRow, read_trace, write_trace};
