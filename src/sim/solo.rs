//! One voice alone in a room, in memory: its packets and their way through a network come in, what became of each packet
//! and what its lane has counted leave. Nothing is mixed, coded or written, so an hour takes seconds.

use super::{
    Rng,
    error::SimError,
    options::Options,
    opus_file::OpusFile,
    playout::VoiceLog,
    scenario::{Consent, ScenarioSpeaker},
    sender::Sender,
    trace::TraceRow,
    voice::Voice,
};
use crate::{
    engine::{Command, Engine, Lane, LaneConfig, LaneStats, RoomConfig},
    speaker::SpeakerId,
    time::{SampleTime, Samples},
};
use std::path::PathBuf;

/// When a voice of which nothing more comes has surely been heard.
const PATIENCE: Samples = Samples::from_ms(10_000);

/// Runs a room with one lane and no bus until all of the trace has been heard. `after_tick` is told the first sample of
/// each tick and the lane's counters after it. Packets of `voice` are sent in turn, again from its start when it ends.
///
/// # Errors
/// The codec refused the lane.
pub fn solo(
    voice: OpusFile,
    trace: &[TraceRow],
    options: &Options,
    mut after_tick: impl FnMut(SampleTime, &LaneStats),
) -> Result<VoiceLog, SimError> {
    let quantum = options.quantum.unwrap_or_default();
    let room = RoomConfig { quantum, channels: voice.channels, max_lanes: 1, max_buses: 0, max_mixed: None };
    let mut engine = Engine::new(room);
    let sender = Sender::in_memory(voice, trace, &mut Rng::new(options.seed));
    let mut voice = Voice::new(SpeakerId(0), &alone(), sender, false);
    let lane = LaneConfig { ms_per_percent: options.ms_per_percent, ..LaneConfig::new(voice.id) };
    drop(engine.apply(Command::Admit(Box::new(Lane::new(lane, &room)?))));
    voice.join(SampleTime::ZERO, SampleTime::ZERO);
    let (end, mut datagram) = (voice.sender.end() + PATIENCE, Vec::with_capacity(1500));
    loop {
        let now = engine.now();
        while let Some((packet, arrived)) = voice.arrived(now) {
            voice.sender.datagram(packet, &mut datagram);
            engine.receive(voice.id, &datagram, arrived);
        }
        engine.tick().playouts().iter().for_each(|playout| voice.heard(playout));
        let stats = engine.stats(voice.id).unwrap_or_default();
        after_tick(now, &stats);
        if now >= end || voice.is_over(engine.now(), &stats) {
            voice.left(engine.now(), &stats);
            return Ok(voice.take_log());
        }
    }
}

fn alone() -> ScenarioSpeaker {
    ScenarioSpeaker {
        name: String::from("voice"),
        opus: PathBuf::new(),
        trace: None,
        start: SampleTime::ZERO,
        repeat: false,
        gain_db: 0.0,
        pan: 0.0,
        consent: Consent::Unknown,
        dred: true,
        sender_reports: false,
        line: 0,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Fate, Network, Talker};
    use super::*;
    use crate::frame::Channels;

    #[test]
    fn a_voice_alone_is_heard_to_its_end_and_counted_as_in_a_room() {
        let packets: Vec<_> = Talker::new(1).packets().take(100).collect();
        let voice = OpusFile { channels: Channels::Mono, pre_skip: 312, packets };
        let network = Network { transit_ms: 30.0, loss: 0.1, burst: 1.0, ..Network::default() };
        let rows: Vec<_> = network.rows(1).take(250).collect();
        let (mut ticks, mut last) = (0, LaneStats::default());
        let log = solo(voice, &rows, &Options::default(), |_, stats| {
            ticks += 1;
            last = *stats;
        })
        .unwrap();
        let lost = rows.iter().filter(|row| row.arrival_ms.is_none()).count();
        let unheard = log.packets.iter().filter(|packet| !packet.fate.is_heard());
        assert!(unheard.clone().all(|packet| packet.fate == Fate::Lost) && unheard.count() <= lost);
        assert_eq!(log.packets.len(), 250);
        assert_eq!(last.packets.arrived, 250 - lost as u64);
        // Five seconds and the transit, in ticks of 10 ms; the last packet may be stretched by a tick or two.
        assert!((500..510).contains(&ticks), "{ticks}");
    }
}
