//! The command line.

use crate::report;
use std::{
    collections::BTreeSet,
    net::{AddrParseError, Ipv4Addr, SocketAddr},
    path::PathBuf,
    str::FromStr,
};
use tertulia::{
    record::{Limits, Rotation},
    time::{Quantum, SampleTime, Samples},
};

pub(crate) const HELP: &str = "\
A mixing server for Opus over plain RTP. Every source address that sends becomes a speaker and receives, at that
address, the room without itself; each listener receives everybody.

usage: rtp_room --bind ADDR:PORT [options]

  --bind ADDR:PORT        where to receive, and to send from
  --listener ADDR:PORT    send the shared mix there, IPv4 or IPv6 as --bind; may be repeated
  --record DIR            record every voice into DIR/tracks
  --mix                   and their mix, some seconds behind, into DIR/mix.opus
  --rotate-minutes N      go on in DIR/part-0002 and so on, each so long
  --rotate-mb N           or as soon as a part's tracks have so many megabytes
  --max-tracks N          record no more voices than that
  --max-disk-mb N         the recording writes no more sound than that
  --keep-free-mb N        and none while less is free on its disk
  --max-room-memory-mb N  what the room keeps in memory while the disk takes nothing
  --max-memory-mb N       what the process does (256). What is not kept is silence, and told at once
  --payload-type N        RTP payload type in and out, 0..127 (111)
  --packet-ms N           sound in one packet out: 2.5, 5, 10, 20, 40 or 60 (20)
  --bitrate N             bits a second of each mix, 6000..510000 (32000)
  --complexity N          encoder effort, 0..10 (4)
  --quantum-ms N          the room advances by so much at a time: 2.5, 5, 10 or 20, at most --packet-ms (--packet-ms, or 20)
  --relay                 a lone voice's own packets in place of its mix, for a tenth of the work; all then leave in step with
                          those, 3 ms later at --quantum-ms 10 and 13 ms later at 20, and pause where it pauses
  --metrics [ADDR:]PORT   figures for Prometheus at http://ADDR:PORT/metrics, on 127.0.0.1 if nothing else is said
  --seconds S             end after S seconds (default: at Ctrl-C, SIGTERM or SIGHUP)
  --stats FILE            write figures there as JSON, once a second; packets.sent is what arrived, as nobody else
                          knows better; gaps are told when the recording is closed; allocations are not counted
  --help";

/// Options that bound a recording or its parts.
const BOUNDS: [&str; 7] = [
    "rotate-minutes",
    "rotate-mb",
    "max-tracks",
    "max-disk-mb",
    "keep-free-mb",
    "max-room-memory-mb",
    "max-memory-mb",
];

#[derive(Clone, Debug)]
pub(crate) struct Args {
    pub(crate) bind: SocketAddr,
    pub(crate) listeners: Vec<SocketAddr>,
    pub(crate) record: Option<PathBuf>,
    pub(crate) mix: bool,
    pub(crate) rotation: Rotation,
    pub(crate) limits: Limits,
    pub(crate) memory_bytes: Option<usize>,
    pub(crate) payload_type: u8,
    pub(crate) packet: Samples,
    pub(crate) bitrate_bps: u32,
    pub(crate) complexity: u8,
    pub(crate) quantum: Option<Quantum>,
    pub(crate) relay: bool,
    pub(crate) metrics: Option<SocketAddr>,
    pub(crate) seconds: Option<f64>,
    pub(crate) stats: Option<PathBuf>,
}

impl Args {
    /// Reads the command line; nothing if help was asked for. An error is one line.
    pub(crate) fn parse() -> Result<Option<Self>, String> {
        use lexopt::prelude::*;
        let mut bind = None;
        let mut args = Self::unsaid();
        let (mut parser, mut given) = (lexopt::Parser::from_env(), BTreeSet::new());
        while let Some(arg) = parser.next().map_err(one_line)? {
            if let Long(name) = arg
                && name != "listener"
                && !given.insert(name.to_owned())
            {
                return Err(format!("--{name}: given twice, expected once"));
            }
            if let Long(name) = arg
                && let Some(bound) = BOUNDS.into_iter().find(|bound| *bound == name)
            {
                args.bound(bound, &mut parser)?;
                continue;
            }
            match arg {
                Long("help") | Short('h') => return Ok(None),
                Long("bind") => {
                    bind = Some(value(&mut parser, "--bind", "an address like 127.0.0.1:5004", |_| true)?)
                }
                Long("listener") => {
                    let to = value(&mut parser, "--listener", "an address like 127.0.0.1:5006", |_| true)?;
                    args.listeners.push(to);
                }
                Long("record") => args.record = Some(parser.value().map_err(one_line)?.into()),
                Long("mix") => args.mix = true,
                Long("payload-type") => {
                    args.payload_type =
                        value(&mut parser, "--payload-type", "0..127", |number| *number < 128)?;
                }
                Long("packet-ms") => {
                    let known = |ms: &f64| [2.5, 5.0, 10.0, 20.0, 40.0, 60.0].contains(ms);
                    let ms = value(&mut parser, "--packet-ms", "2.5, 5, 10, 20, 40 or 60", known)?;
                    args.packet = SampleTime::from_ms(ms).since(SampleTime::ZERO);
                }
                Long("bitrate") => {
                    let range = 6_000..=510_000;
                    args.bitrate_bps =
                        value(&mut parser, "--bitrate", "6000..510000", |bps| range.contains(bps))?;
                }
                Long("complexity") => {
                    args.complexity = value(&mut parser, "--complexity", "0..10", |effort| *effort <= 10)?;
                }
                Long("quantum-ms") => {
                    let known = |ms: &f64| Quantum::from_ms(*ms).is_some();
                    let ms = value(&mut parser, "--quantum-ms", "2.5, 5, 10 or 20", known)?;
                    args.quantum = Quantum::from_ms(ms);
                }
                Long("relay") => args.relay = true,
                Long("metrics") => {
                    let Endpoint(at) =
                        value(&mut parser, "--metrics", "a port, or an address and a port", |_| true)?;
                    args.metrics = Some(at);
                }
                Long("seconds") => {
                    let positive = |seconds: &f64| seconds.is_finite() && *seconds > 0.0;
                    args.seconds = Some(value(&mut parser, "--seconds", "a number above 0", positive)?);
                }
                Long("stats") => args.stats = Some(parser.value().map_err(one_line)?.into()),
                other => return Err(one_line(other.unexpected())),
            }
        }
        args.bind = bind.ok_or("--bind is missing, expected --bind ADDR:PORT")?;
        args.check()?;
        Ok(Some(args))
    }

    /// What is if nothing is said.
    fn unsaid() -> Self {
        Self {
            bind: ([0, 0, 0, 0], 0).into(),
            listeners: Vec::new(),
            record: None,
            mix: false,
            rotation: Rotation::default(),
            limits: Limits::NONE,
            memory_bytes: None,
            payload_type: 111,
            packet: Samples::from_ms(20),
            bitrate_bps: 32_000,
            complexity: 4,
            quantum: None,
            relay: false,
            metrics: None,
            seconds: None,
            stats: None,
        }
    }

    /// Reads one of [`BOUNDS`].
    fn bound(&mut self, bound: &str, parser: &mut lexopt::Parser) -> Result<(), String> {
        let option = format!("--{bound}");
        match bound {
            "rotate-minutes" => self.rotation.every = Some(minutes(parser, &option)?),
            "rotate-mb" => self.rotation.bytes = Some(megabytes(parser, &option)?),
            "max-tracks" => self.limits.tracks = value(parser, &option, "1 or more", |tracks| *tracks > 0)?,
            "max-disk-mb" => self.limits.disk_bytes = megabytes(parser, &option)?,
            "keep-free-mb" => self.limits.free_bytes = megabytes(parser, &option)?,
            "max-room-memory-mb" => self.limits.waiting_bytes = megabytes(parser, &option)? as usize,
            _ => self.memory_bytes = Some(megabytes(parser, &option)? as usize),
        }
        Ok(())
    }

    /// What no option can tell by itself.
    fn check(&self) -> Result<(), String> {
        for to in &self.listeners {
            if to.port() == 0 {
                return Err(format!("--listener {to}: expected a port above 0"));
            }
            if to.is_ipv4() != self.bind.is_ipv4() {
                let family = if self.bind.is_ipv4() { "IPv4" } else { "IPv6" };
                return Err(format!(
                    "--listener {to}: expected an {family} address, as --bind {} is",
                    self.bind
                ));
            }
        }
        if self.mix && self.record.is_none() {
            return Err("--mix: expected --record DIR beside it".into());
        }
        let (packet, quantum) = (self.packet, self.quantum().samples());
        if !packet.count().is_multiple_of(quantum.count()) {
            let (packet, quantum) = (packet.as_ms(), quantum.as_ms());
            return Err(format!("--quantum-ms {quantum}: expected a divisor of --packet-ms {packet}"));
        }
        if self.record.is_none() && self.rotation != Rotation::default() {
            return Err("--rotate-minutes and --rotate-mb: expected --record DIR with them".into());
        }
        if self.record.is_none() && (self.limits != Limits::NONE || self.memory_bytes.is_some()) {
            return Err("--max-... and --keep-free-mb: expected --record DIR with them".into());
        }
        self.stats.as_deref().map_or(Ok(()), report::check)
    }

    /// The room's quantum. As long as a packet, so that what came in one packet leaves in one: a voice then waits for
    /// the tick, and never for the rest of a packet.
    pub(crate) fn quantum(&self) -> Quantum {
        self.quantum.or_else(|| Quantum::from_ms(self.packet.as_ms())).unwrap_or(Quantum::Ms20)
    }
}

/// Where figures are served: on this machine only, if nothing else is said.
struct Endpoint(SocketAddr);

impl FromStr for Endpoint {
    type Err = AddrParseError;

    fn from_str(text: &str) -> Result<Self, AddrParseError> {
        let here = text.parse().map(|port: u16| SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
        here.or_else(|_| text.parse()).map(Self)
    }
}

/// How long a part of the recording is.
fn minutes(parser: &mut lexopt::Parser, option: &str) -> Result<Samples, String> {
    let enough = |minutes: &f64| minutes.is_finite() && *minutes >= 0.05;
    let minutes = value(parser, option, "0.05 or more", enough)?;
    Ok(SampleTime::from_ms(minutes * 6e4).since(SampleTime::ZERO))
}

/// How many bytes something takes.
fn megabytes(parser: &mut lexopt::Parser, option: &str) -> Result<u64, String> {
    let enough = |megabytes: &f64| megabytes.is_finite() && *megabytes >= 0.01;
    let megabytes: f64 = value(parser, option, "0.01 or more", enough)?;
    Ok((megabytes * 1e6) as u64)
}

fn value<T: FromStr>(
    parser: &mut lexopt::Parser,
    option: &str,
    expected: &str,
    accept: impl Fn(&T) -> bool,
) -> Result<T, String> {
    let text = parser.value().map_err(one_line)?;
    let value = text.to_str().and_then(|text| text.parse().ok()).filter(accept);
    value.ok_or_else(|| format!("{option} {}: expected {expected}", text.to_string_lossy()))
}

fn one_line(error: lexopt::Error) -> String {
    error.to_string()
}
