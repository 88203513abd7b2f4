//! What became of every packet in the live mix: `playout.csv`, and the same as values for whoever draws it.

use super::{history::History, span::Span};
use crate::engine::{Playout, Source};
use std::io::{self, Write};

/// How a packet's sound got into the live mix, or why it did not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fate {
    /// Its own bytes were decoded.
    Primary,
    /// Recovered from the copy in the packet after it.
    Fec,
    /// Decoded from a copy that came with a later packet.
    Red,
    /// Synthesised from the deep redundancy of a later packet.
    Dred,
    /// Arrived, but dropped to catch up.
    Skipped,
    /// Arrived in time, but nobody heard it: there were more voices than places.
    Unmixed,
    /// Arrived, and never heard.
    Late,
    /// Never arrived, never heard.
    Lost,
}

impl Fate {
    /// Its name in `playout.csv`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Primary => "primary",
            Self::Fec => "fec",
            Self::Red => "red",
            Self::Dred => "dred",
            Self::Skipped => "skipped",
            Self::Unmixed => "unmixed",
            Self::Late => "late",
            Self::Lost => "lost",
        }
    }

    /// Does the mix hold the packet's own sound?
    #[must_use]
    pub const fn is_heard(self) -> bool {
        matches!(self, Self::Primary | Self::Fec | Self::Red | Self::Dred)
    }

    pub(super) const fn of(playout: Option<&Playout>, arrived: bool) -> Self {
        match playout {
            Some(playout) => match playout.source {
                Source::Primary => Self::Primary,
                Source::Fec => Self::Fec,
                Source::Red => Self::Red,
                Source::Dred => Self::Dred,
                Source::Unmixed => Self::Unmixed,
                Source::Skipped => Self::Skipped,
            },
            None if arrived => Self::Late,
            None => Self::Lost,
        }
    }
}

/// One packet that a speaker sent; times in milliseconds of the room clock.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct VoicePacketLog {
    /// Which packet of the file.
    pub seq: u64,
    /// When it left.
    pub send_ms: f64,
    /// When it reached the engine.
    pub arrival_ms: Option<f64>,
    /// Where its first sample stands in the mix.
    pub playout_ms: Option<f64>,
    /// Where it would stand in the mix by the delay that was aimed at when it was heard.
    pub target_ms: Option<f64>,
    /// What became of it.
    pub fate: Fate,
    /// Its size without headers.
    pub bytes: usize,
    /// Does its encoder call it speech? Not all packets tell: see [`crate::packet::opus::voice_active`].
    pub voiced: Option<bool>,
}

/// One speaker's stay in the room.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct VoiceLog {
    /// Who.
    pub name: String,
    /// When it was in the room.
    pub present: Vec<Span>,
    /// When it was muted.
    pub muted: Vec<Span>,
    /// What the quickest of its packets took: delays count from there.
    pub smallest_transit_ms: f64,
    /// What it sent, in this order.
    pub packets: Vec<VoicePacketLog>,
    /// What its jitter buffer did to its sound, if [`super::Options::history`] asks for it.
    pub history: Option<History>,
}

/// Writes all packets in the order in which they are heard; one that is not heard stands where it would have been.
pub(super) fn write_csv(out: &mut impl Write, voices: &[VoiceLog]) -> io::Result<()> {
    let mut lines = Vec::with_capacity(voices.iter().map(|voice| voice.packets.len()).sum());
    for voice in voices {
        let mut heard_ms = 0.0;
        for packet in &voice.packets {
            heard_ms = packet.playout_ms.unwrap_or(heard_ms).max(heard_ms);
            lines.push((heard_ms, voice, packet));
        }
    }
    lines.sort_by(|(a, ..), (b, ..)| a.total_cmp(b));
    writeln!(out, "speaker,seq,send_ms,arrival_ms,playout_ms,source")?;
    for (_, voice, packet) in lines {
        write!(out, "{},{},", voice.name, packet.seq)?;
        write_ms(out, Some(packet.send_ms))?;
        write_ms(out, packet.arrival_ms)?;
        write_ms(out, packet.playout_ms)?;
        writeln!(out, "{}", packet.fate.name())?;
    }
    Ok(())
}

/// Milliseconds with three places, as whole microseconds: half a million of them are written, and floats are slow.
fn write_ms(out: &mut impl Write, ms: Option<f64>) -> io::Result<()> {
    let us = ms.map(|ms| (ms * 1000.0).round() as u64);
    match us {
        Some(us) => write!(out, "{}.{:03},", us / 1000, us % 1000),
        None => write!(out, ","),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(seq: u64, playout_ms: Option<f64>, fate: Fate) -> VoicePacketLog {
        let send_ms = seq as f64 * 20.0;
        VoicePacketLog {
            seq,
            send_ms,
            arrival_ms: playout_ms,
            playout_ms,
            target_ms: None,
            fate,
            bytes: 1,
            voiced: None,
        }
    }

    #[test]
    fn lines_stand_in_playout_order_and_unheard_packets_at_their_place() {
        let voice = |name: &str, packets: &[_]| VoiceLog {
            name: name.into(),
            packets: packets.into(),
            ..VoiceLog::default()
        };
        let voices = [
            voice(
                "a",
                &[
                    packet(0, Some(50.0), Fate::Primary),
                    packet(1, None, Fate::Lost),
                    packet(2, Some(90.0), Fate::Fec),
                ],
            ),
            voice("b", &[packet(0, Some(60.0), Fate::Primary)]),
        ];
        let mut csv = Vec::new();
        write_csv(&mut csv, &voices).unwrap();
        let expected = "speaker,seq,send_ms,arrival_ms,playout_ms,source\n\
                        a,0,0.000,50.000,50.000,primary\n\
                        a,1,20.000,,,lost\n\
                        b,0,0.000,60.000,60.000,primary\n\
                        a,2,40.000,90.000,90.000,fec\n";
        assert_eq!(String::from_utf8(csv).unwrap(), expected);
    }
}
