//! The command line.

use crate::story::STORIES;
use lexopt::prelude::*;
use std::{ffi::OsString, path::PathBuf};

pub(crate) const HELP: &str = "\
Records a simulated evening of speakers whose clocks are wrong, and looks for their clicks in tracks and stems.

Usage: align [options]

  --minutes N   of the evening (default: 10)
  --seed S      of all that is random (default: 1)
  --only NAME   nobody else comes
  --reports     speakers report of their clocks each five seconds (RTCP)
  --out DIR     where the recording goes and stays (default: nowhere)
  --help        this text

Exits with 1 if a click is missing, off by more than 10 ms in a track or by more than 1 ms in a stem, or if anything is
not as long as the room.
";

#[derive(Debug)]
pub(crate) struct Arguments {
    pub(crate) help: bool,
    pub(crate) minutes: u64,
    pub(crate) seed: u64,
    pub(crate) only: Option<String>,
    pub(crate) reports: bool,
    pub(crate) out: Option<PathBuf>,
}

pub(crate) fn parse(mut parser: lexopt::Parser) -> Result<Arguments, lexopt::Error> {
    let mut arguments =
        Arguments { help: false, minutes: 10, seed: 1, only: None, reports: false, out: None };
    while let Some(argument) = parser.next()? {
        match argument {
            Long("help") | Short('h') => arguments.help = true,
            Long("minutes") => arguments.minutes = parser.value()?.parse()?,
            Long("seed") => arguments.seed = parser.value()?.parse()?,
            Long("only") => arguments.only = Some(story_of(parser.value()?)?),
            Long("reports") => arguments.reports = true,
            Long("out") => arguments.out = Some(parser.value()?.into()),
            _ => return Err(argument.unexpected()),
        }
    }
    Ok(arguments)
}

fn story_of(name: OsString) -> Result<String, lexopt::Error> {
    let name = name.string()?;
    let names = STORIES.map(|story| story.name);
    match names.contains(&name.as_str()) {
        true => Ok(name),
        false => Err(format!("--only {name}: expected one of {}", names.join(", ")).into()),
    }
}
