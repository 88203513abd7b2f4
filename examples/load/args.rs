//! The command line.

use std::{net::SocketAddr, path::PathBuf, str::FromStr};

pub(crate) const HELP: &str = "\
Drives a mixing server such as rtp_room: speakers send Opus over RTP from a socket each, taking turns to talk, and click
now and then. One more, who only listens, hears the clicks in the mix it gets back, and tells how late they are. Everything
stays on this machine: other addresses than loopback are refused.

usage: load --to ADDR:PORT [options]

  --to ADDR:PORT      where the server listens
  --speakers N        speakers, beside the listener, 1..1000 (10)
  --talking P         percent of them who talk at once, at least one; the others send a packet in 400 ms, as DTX does (20)
  --quiet dtx|packets what the others send: little, or a packet of silence each 20 ms (dtx)
  --jitter-ms J       each packet is late by 0..J ms, evenly, and may overtake others, 0..500 (0)
  --loss P            percent of packets never sent, 0..90 (0)
  --seconds S         how long, 1..86400 (10)
  --payload-type N    RTP payload type, 0..127 (111)
  --seed N            another evening (1)
  --pid N             the server's process: its CPU time is told
  --stats FILE        what rtp_room --stats writes: its CPU time and its misses are told
  --json FILE         the figures as JSON
  --help";

#[derive(Clone, Debug)]
pub(crate) struct Args {
    pub(crate) to: SocketAddr,
    pub(crate) speakers: usize,
    pub(crate) talking_percent: f64,
    pub(crate) quiet: Quiet,
    pub(crate) jitter_ms: f64,
    pub(crate) loss_percent: f64,
    pub(crate) seconds: f64,
    pub(crate) payload_type: u8,
    pub(crate) seed: u64,
    pub(crate) pid: Option<u32>,
    pub(crate) stats: Option<PathBuf>,
    pub(crate) json: Option<PathBuf>,
}

/// What those send who do not talk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Quiet {
    /// A packet in 400 ms (RFC 6716 §2.1.9).
    Dtx,
    /// A packet in 20 ms.
    Packets,
}

impl FromStr for Quiet {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "dtx" => Ok(Self::Dtx),
            "packets" => Ok(Self::Packets),
            _ => Err(()),
        }
    }
}

impl Args {
    /// Reads the command line; nothing if help was asked for. An error is one line.
    pub(crate) fn parse() -> Result<Option<Self>, String> {
        use lexopt::prelude::*;
        let mut to = None;
        let mut args = Self {
            to: ([127, 0, 0, 1], 0).into(),
            speakers: 10,
            talking_percent: 20.0,
            quiet: Quiet::Dtx,
            jitter_ms: 0.0,
            loss_percent: 0.0,
            seconds: 10.0,
            payload_type: 111,
            seed: 1,
            pid: None,
            stats: None,
            json: None,
        };
        let mut parser = lexopt::Parser::from_env();
        while let Some(arg) = parser.next().map_err(one_line)? {
            match arg {
                Long("help") | Short('h') => return Ok(None),
                Long("to") => to = Some(value(&mut parser, "--to", "a loopback address and port", is_here)?),
                Long("speakers") => {
                    args.speakers = value(&mut parser, "--speakers", "1..1000", |n| (1..=1000).contains(n))?;
                }
                Long("talking") => {
                    args.talking_percent = number(&mut parser, "--talking", 0.0, 100.0)?;
                }
                Long("quiet") => args.quiet = value(&mut parser, "--quiet", "dtx or packets", |_| true)?,
                Long("jitter-ms") => args.jitter_ms = number(&mut parser, "--jitter-ms", 0.0, 500.0)?,
                Long("loss") => args.loss_percent = number(&mut parser, "--loss", 0.0, 90.0)?,
                Long("seconds") => args.seconds = number(&mut parser, "--seconds", 1.0, 86_400.0)?,
                Long("payload-type") => {
                    args.payload_type = value(&mut parser, "--payload-type", "0..127", |n| *n < 128)?;
                }
                Long("seed") => args.seed = value(&mut parser, "--seed", "a whole number", |_| true)?,
                Long("pid") => args.pid = Some(value(&mut parser, "--pid", "a process number", |_| true)?),
                Long("stats") => args.stats = Some(parser.value().map_err(one_line)?.into()),
                Long("json") => args.json = Some(parser.value().map_err(one_line)?.into()),
                other => return Err(one_line(other.unexpected())),
            }
        }
        args.to = to.ok_or("--to is missing, expected --to 127.0.0.1:PORT")?;
        Ok(Some(args))
    }
}

fn is_here(to: &SocketAddr) -> bool {
    to.ip().is_loopback() && to.port() != 0
}

fn number(parser: &mut lexopt::Parser, option: &str, low: f64, high: f64) -> Result<f64, String> {
    value(parser, option, &format!("{low}..{high}"), |number| (low..=high).contains(number))
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
