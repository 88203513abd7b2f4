//! Arguments.

use lexopt::{Arg, Parser, ValueExt as _};

pub(super) const HELP: &str = "\
Records a voice that speaks only where it may not be kept, and shows how loud it is in everything that was kept.

usage: consent_audit [--times N] [--schedules N] [--seed N]

  --times N       how often each kind of evening is recorded, at other random samples [4]
  --schedules N   random schedules of consent, held against a naive oracle without decoding [2000]
  --seed N        draws everything that is random [1]

Levels are those of the loudest 20 ms, in dBFS. Exits with 1 if anything is above -90 dBFS or any sample leaked.
";

pub(super) enum Call {
    Help,
    Run(Arguments),
}

pub(super) struct Arguments {
    pub(super) times: u64,
    pub(super) schedules: u64,
    pub(super) seed: u64,
}

pub(super) fn parse(mut parser: Parser) -> Result<Call, String> {
    let mut arguments = Arguments { times: 4, schedules: 2_000, seed: 1 };
    while let Some(arg) = parser.next().map_err(|error| error.to_string())? {
        let number = match arg {
            Arg::Long("help") | Arg::Short('h') => return Ok(Call::Help),
            Arg::Long("times") => &mut arguments.times,
            Arg::Long("schedules") => &mut arguments.schedules,
            Arg::Long("seed") => &mut arguments.seed,
            other => return Err(other.unexpected().to_string()),
        };
        *number = parser.value().and_then(|value| value.parse()).map_err(|error| error.to_string())?;
    }
    if arguments.times == 0 {
        return Err("--times: expected at least 1, found 0".into());
    }
    Ok(Call::Run(arguments))
}
