//! `report.json`: what a room did, as the contract with everyone who measures it names it. Fields are added, never renamed.

use super::{
    playout::{Fate, VoiceLog},
    sender::Sender,
};
use crate::{
    engine::LaneStats,
    record::{Gap, TrackSummary},
};
use hdrhistogram::Histogram;
use serde::Serialize;
use std::collections::BTreeMap;

/// The whole report.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// Grows when a field changes its meaning.
    pub schema: u32,
    /// The room.
    pub room: RoomLine,
    /// By name.
    pub speakers: BTreeMap<String, SpeakerLine>,
}

/// The room as a whole.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RoomLine {
    /// Its length.
    pub samples: u64,
    /// The block it advanced by.
    pub quantum_samples: u64,
    /// How many blocks.
    pub ticks: u64,
    /// What a tick took.
    pub tick_ns: TickNs,
    /// Allocations inside receive, apply and tick, over the whole run.
    pub allocations_in_tick: u64,
    /// The most any bus was turned down to stay below full scale.
    pub limiter_max_reduction_db: f64,
}

/// Percentiles of the time a tick took, in nanoseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct TickNs {
    pub p50: u64,
    pub p99: u64,
    pub p99_9: u64,
    pub p99_99: u64,
    pub max: u64,
}

impl TickNs {
    pub(super) fn of(ticks: &Histogram<u64>) -> Self {
        let at = |quantile| ticks.value_at_quantile(quantile);
        Self { p50: at(0.5), p99: at(0.99), p99_9: at(0.999), p99_99: at(0.9999), max: ticks.max() }
    }
}

/// One speaker.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SpeakerLine {
    /// Packets.
    pub packets: PacketLine,
    /// Samples of the live mix.
    pub samples: SampleLine,
    /// From the microphone to the mix, without the network's smallest transit.
    pub delay_ms: DelayMs,
    /// The delay the jitter buffer aimed at.
    pub target_ms: TargetMs,
    /// What in the recording is not the speaker's own sound.
    pub gaps: Vec<GapLine>,
}

/// Packets. `arrived = duplicate + rejected + recorded + gated`, always.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PacketLine {
    /// Sent while the speaker was in the room.
    pub sent: u64,
    /// Reached the engine, copies too.
    pub arrived: u64,
    /// What came besides: the sender's reports of its clock.
    pub reports: u64,
    /// Had come before.
    pub duplicate: u64,
    /// Overtaken by a later one.
    pub reordered: u64,
    /// Too late for the live mix, or for the room: as many as `playout.csv` calls so.
    pub late: u64,
    /// Turned away by the engine, or without a place in the recording any more.
    pub rejected: u64,
    /// In the recording.
    pub recorded: u64,
    /// Kept out of the recording by a closed gate.
    pub gated: u64,
}

impl PacketLine {
    /// Everything that arrived, by what became of it.
    #[must_use]
    pub fn accounted(&self) -> u64 {
        self.duplicate + self.rejected + self.recorded + self.gated
    }
}

/// Samples of one voice in the live mix.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SampleLine {
    /// From packets' own bytes.
    pub played: u64,
    /// Invented.
    pub concealed: u64,
    /// From in-band FEC.
    pub fec: u64,
    /// From deep redundancy.
    pub dred: u64,
    /// Where the sender sent nothing.
    pub silence: u64,
    /// Passed unheard, as there were more voices than places.
    pub unmixed: u64,
    /// Added to slow down.
    pub inserted: u64,
    /// Left out to speed up.
    pub removed: u64,
}

/// Playout − send − smallest transit of the trace, over the packets that were heard.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct DelayMs {
    pub mean: f64,
    pub p50: f64,
    pub p95: f64,
    pub max: f64,
}

/// The jitter buffer's aim, taken at every tick.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct TargetMs {
    pub mean: f64,
    pub max: f64,
}

/// A stretch of the recording without the speaker's own sound.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GapLine {
    /// First sample.
    pub from_sample: u64,
    /// First sample after it.
    pub to_sample: u64,
    /// `loss|late|mute|dtx|gate|stall|undecodable|not_joined|drift|storage|crash`.
    pub cause: &'static str,
}

impl SpeakerLine {
    pub(super) fn new(
        log: &VoiceLog,
        sender: &Sender,
        stats: &LaneStats,
        target_ms: TargetMs,
        track: &TrackSummary,
    ) -> Self {
        Self {
            packets: packets(log, stats, track),
            samples: samples(stats),
            delay_ms: delay(log, sender.smallest_transit_ms),
            target_ms,
            gaps: track.gaps.iter().map(gap).collect(),
        }
    }
}

fn packets(log: &VoiceLog, stats: &LaneStats, track: &TrackSummary) -> PacketLine {
    PacketLine {
        sent: log.packets.len() as u64,
        arrived: stats.packets.arrived - stats.packets.reports,
        reports: stats.packets.reports,
        duplicate: stats.packets.duplicate,
        reordered: stats.packets.reordered,
        late: log.packets.iter().filter(|packet| packet.fate == Fate::Late).count() as u64,
        rejected: stats.packets.rejected_total() + track.refused,
        recorded: track.recorded,
        gated: track.gated,
    }
}

fn samples(stats: &LaneStats) -> SampleLine {
    let samples = &stats.samples;
    SampleLine {
        played: samples.played,
        concealed: samples.concealed,
        fec: samples.fec,
        dred: samples.dred,
        silence: samples.silence,
        unmixed: samples.unmixed,
        inserted: samples.inserted,
        removed: samples.removed,
    }
}

fn delay(log: &VoiceLog, smallest_transit_ms: f64) -> DelayMs {
    let heard = log.packets.iter().filter(|packet| packet.fate.is_heard());
    let mut delays: Vec<f64> =
        heard.filter_map(|packet| Some(packet.playout_ms? - packet.send_ms - smallest_transit_ms)).collect();
    delays.sort_by(f64::total_cmp);
    let quantile = |q: f64| {
        let rank = (q * delays.len() as f64).ceil() as usize;
        to_3_places(delays.get(rank.saturating_sub(1)).copied().unwrap_or_default())
    };
    let mean = delays.iter().sum::<f64>() / delays.len().max(1) as f64;
    DelayMs { mean: to_3_places(mean), p50: quantile(0.5), p95: quantile(0.95), max: quantile(1.0) }
}

fn gap(gap: &Gap) -> GapLine {
    let Gap { from_sample, to_sample, cause } = *gap;
    GapLine { from_sample, to_sample, cause: cause.name() }
}

pub(super) fn to_3_places(value: f64) -> f64 {
    // Adding nothing makes -0 plain 0.
    (value * 1000.0).round() / 1000.0 + 0.0
}
