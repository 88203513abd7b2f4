//! Every malformed input is one line that names the file, the line where there is one, and what was expected.

use std::{fs, path::Path};
use tempfile::TempDir;
use tertulia::{
    frame::Channels,
    sim::{Meters, Options, OpusFileWriter, Scenario, SimError, Talker, simulate},
    time::Samples,
};

const SCENARIO: &str = "[[speaker]]\nname = 'ada'\nopus = 'ada.opus'\ntrace = 'ada.csv'\n";
const TRACE: &str = "seq,send_ms,arrival_ms,vad\n0,0,1,1\n1,20,,1\n";

/// A folder in which everything is well.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("room.toml"), SCENARIO).unwrap();
    fs::write(folder.path().join("ada.csv"), TRACE).unwrap();
    write_voice(&folder.path().join("ada.opus"), Talker::new(1).packets().take(9), Samples::from_ms(20));
    folder
}

fn write_voice(path: &Path, packets: impl Iterator<Item = Box<[u8]>>, each: Samples) {
    let mut file = OpusFileWriter::create(path, Channels::Mono, 312).unwrap();
    packets.for_each(|packet| file.packet(&packet, each).unwrap());
    file.finish(Samples::from_ms(180)).unwrap();
}

fn run(folder: &Path) -> Result<(), SimError> {
    let scenario = Scenario::read(&folder.join("room.toml"))?;
    simulate(&scenario, &Options::default(), &folder.join("out"), Meters::default()).map(drop)
}

/// Runs the good folder with one file replaced, or gone.
fn error(name: &str, content: Option<&[u8]>) -> String {
    let folder = folder();
    match content {
        Some(content) => fs::write(folder.path().join(name), content).unwrap(),
        None => fs::remove_file(folder.path().join(name)).unwrap(),
    }
    let error = run(folder.path()).unwrap_err().to_string();
    error.replace(&format!("{}/", folder.path().display()), "")
}

#[test]
fn a_good_folder_runs() {
    run(folder().path()).unwrap();
}

#[test]
fn scenarios_and_traces_are_at_fault_by_line() {
    let cases = [
        ("room.toml", "speaker", "room.toml:1: expected a scenario: "),
        (
            "room.toml",
            "\n[room]\nquantum = 10\n",
            "room.toml:3: expected a scenario: unknown field `quantum`",
        ),
        ("room.toml", &SCENARIO.replace("'ada'", "'a b'"), "room.toml:2: expected a name of"),
        ("room.toml", &format!("{SCENARIO}pan = -2"), "room.toml:5: expected pan from -1 to 1, found -2"),
        ("room.toml", &format!("{SCENARIO}{SCENARIO}"), "room.toml:6: expected unique names"),
        (
            "room.toml",
            &format!("{SCENARIO}[[event]]\nat_sample = 0\ndo = 'sing'"),
            "room.toml:7: expected do to be one of",
        ),
        ("ada.csv", "0,0,1,1\n1,20\n", "ada.csv:2: expected 4 fields"),
        ("ada.csv", "0,0,1,1\n1,x,2,1\n", "ada.csv:2: expected send_ms in milliseconds"),
        ("ada.csv", "", "ada.csv: expected at least one row"),
    ];
    for (name, content, expected) in cases {
        let found = error(name, Some(content.as_bytes()));
        assert!(found.starts_with(expected) && !found.contains('\n'), "{found}");
    }
}

#[test]
fn files_that_are_missing_or_no_ogg_opus_are_named() {
    let good = fs::read(folder().path().join("ada.opus")).unwrap();
    let with = |at: usize, byte: u8| {
        let mut bytes = good.clone();
        bytes[at] = byte;
        bytes
    };
    // The page's checksum is checked first, so that a changed header is no Ogg.
    let cases: [(&str, Option<&[u8]>, &str); 6] = [
        ("ada.opus", None, "ada.opus: expected a readable file"),
        ("ada.csv", None, "ada.csv: expected a readable file"),
        ("room.toml", None, "room.toml: expected a readable file"),
        ("ada.opus", Some(b"RIFF"), "ada.opus: expected "),
        (
            "ada.opus",
            Some(&good[..good.len() / 2]),
            "ada.opus: expected the stream's end, found a truncated file",
        ),
        ("ada.opus", Some(&with(37, 9)), "ada.opus: expected Ogg Opus, found "),
    ];
    for (name, content, expected) in cases {
        let found = error(name, content);
        assert!(found.starts_with(expected) && !found.contains('\n'), "{found}");
    }
}

#[test]
fn a_folder_in_a_voices_place_is_called_one() {
    let folder = folder();
    fs::remove_file(folder.path().join("ada.opus")).unwrap();
    fs::create_dir(folder.path().join("ada.opus")).unwrap();
    let found = run(folder.path()).unwrap_err().to_string();
    assert!(found.ends_with("ada.opus: expected an Ogg Opus file, found a directory"), "{found}");
}

#[test]
fn packets_of_another_length_are_refused() {
    let folder = folder();
    // TOC 24: SILK, 60 ms.
    let packets = std::iter::repeat_n(Box::from([24u8, 0].as_slice()), 3);
    write_voice(&folder.path().join("ada.opus"), packets, Samples::from_ms(60));
    let found = run(folder.path()).unwrap_err().to_string();
    assert!(found.ends_with("ada.opus: packet 0: expected 20 ms of sound, found 60 ms"), "{found}");
}
