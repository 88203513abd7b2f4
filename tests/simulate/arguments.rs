//! What the command line of `simulate` takes, and the one line it answers to anything else.

#[path = "../../examples/simulate/cli.rs"]
mod cli;

use cli::{Arguments, Call, HELP, parse};
use std::path::Path;
use tertulia::time::Quantum;

fn arguments(line: &[&str]) -> Result<Arguments, String> {
    match parse(lexopt::Parser::from_args(line))? {
        Call::Run(arguments) => Ok(arguments),
        Call::Help => Err(HELP.into()),
    }
}

#[test]
fn every_option_is_taken_once() {
    let line = "room.toml --out o --minus --plot --quantum-ms 2.5 --ms-per-percent 0 --seed 9";
    let Arguments { scenario, out, options } = arguments(&line.split(' ').collect::<Vec<_>>()).unwrap();
    assert_eq!((&*scenario, &*out), (Path::new("room.toml"), Path::new("o")));
    assert_eq!((options.minus, options.history, options.quantum), (true, true, Some(Quantum::Ms2_5)));
    assert_eq!((options.ms_per_percent, options.seed), (0, 9));
    assert_eq!(arguments(&["--help"]).err().unwrap(), HELP);
}

#[test]
fn a_wrong_argument_is_told_in_one_line() {
    let cases: [(&[&str], &str); 8] = [
        (&["--out", ""], "expected a folder after --out, found \"\""),
        (&["--out", "o", "--out", "p"], "expected --out once, it is given twice"),
        (&["--minus", "--minus"], "expected --minus once, it is given twice"),
        (&["--ms-per-percent", "-1"], "--ms-per-percent: expected a whole number, 0 or more, found \"-1\""),
        (&["--ms-per-percent", "1.5"], "--ms-per-percent: expected a whole number, 0 or more, found \"1.5\""),
        (&["--seed", "x"], "--seed: expected a whole number, 0 or more, found \"x\""),
        (&["--quantum-ms", "x"], "--quantum-ms: expected a number, found \"x\""),
        (&["--out", "o"], "expected SCENARIO.toml, see --help"),
    ];
    for (line, expected) in cases {
        assert_eq!(arguments(line).err().unwrap(), expected);
    }
}
