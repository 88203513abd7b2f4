//! The arrows between the folders of `src/`, held. A packet walks one way; nothing lower knows anything higher, and no
//! two files import each other in a circle.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// Who may use whom, lowest first.
const ARROWS: &[(&str, &[&str])] = &[
    ("time", &[]),
    ("frame", &["time"]),
    ("speaker", &["time"]),
    ("consent", &["time", "speaker"]),
    ("packet", &["time", "frame", "speaker"]),
    ("codec", &["time", "frame", "packet"]),
    ("jitter", &["time", "packet"]),
    ("stretch", &["time", "frame", "codec"]),
    ("mix", &["time", "frame", "speaker"]),
    ("engine", &["time", "frame", "speaker", "packet", "jitter", "codec", "stretch", "mix"]),
    ("record", &["time", "frame", "speaker", "consent", "packet"]),
    ("render", &["time", "frame", "codec", "mix", "record"]),
    ("room", &["time", "speaker", "consent"]),
    ("live", &["time", "frame", "speaker", "consent", "codec", "packet", "engine", "record"]),
    ("steward", &["time", "speaker", "consent", "record", "live", "room"]),
    ("sim", &["time", "frame", "speaker", "consent", "codec", "packet", "mix", "engine", "record", "room"]),
    (
        "fuzzing",
        &["time", "frame", "speaker", "consent", "codec", "packet", "jitter", "engine", "record", "room"],
    ),
];

#[test]
fn every_arrow_points_from_higher_to_lower() {
    let allowed: BTreeMap<_, _> = ARROWS.iter().copied().collect();
    for (file, imports) in imports() {
        let room = room_of(&file);
        let Some(below) = allowed.get(room.as_str()) else {
            assert_eq!(
                room,
                "lib",
                "{} stands in a room without arrows: add it to the table",
                file.display()
            );
            continue;
        };
        for used in imports.iter().map(|path| path.split("::").next().unwrap_or_default()) {
            let fine = used == room || below.contains(&used);
            assert!(fine, "{} uses crate::{used}, which {room} may not know", file.display());
        }
    }
}

#[test]
fn the_table_of_arrows_has_no_circle() {
    for (place, (room, below)) in ARROWS.iter().enumerate() {
        for used in *below {
            let lower = ARROWS[..place].iter().any(|(name, _)| name == used);
            assert!(lower, "{room} may use {used}, which is not listed before it");
        }
    }
}

#[test]
fn no_two_files_of_a_folder_import_each_other_in_a_circle() {
    let mut files = Vec::new();
    collect(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")), &mut files);
    let mut folders = BTreeMap::<PathBuf, BTreeMap<String, BTreeSet<String>>>::new();
    for file in files.iter().filter(|file| !file.ends_with("mod.rs") && !file.ends_with("lib.rs")) {
        let siblings = names_behind("super::", &fs::read_to_string(file).unwrap());
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        folders.entry(file.parent().unwrap().to_owned()).or_default().insert(name, siblings);
    }
    for (folder, mut uses) in folders {
        // Whoever uses nobody that is left cannot be in a circle.
        while let Some(free) = uses.iter().find(|(_, used)| used.iter().all(|name| !uses.contains_key(name)))
        {
            let free = free.0.clone();
            uses.remove(&free);
        }
        assert!(uses.is_empty(), "a circle in {}: {:?}", folder.display(), uses.keys().collect::<Vec<_>>());
    }
}

/// `unsafe` is denied; whoever needs it says so with this lint's name, and may do so in one folder only.
#[test]
fn unsafe_code_lives_in_one_room() {
    let mut files = Vec::new();
    collect(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")), &mut files);
    for file in files.iter().filter(|file| fs::read_to_string(file).unwrap().contains("unsafe_code")) {
        let folder = file.parent().unwrap();
        assert!(folder.ends_with("src/codec/libopus"), "{} may not use unsafe", file.display());
    }
}

/// For each source file, what follows `crate::` in it outside its tests and comments.
fn imports() -> Vec<(PathBuf, BTreeSet<String>)> {
    let mut files = Vec::new();
    collect(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")), &mut files);
    assert!(files.len() > 30, "the sources are where they are expected");
    files
        .into_iter()
        .map(|file| (imports_of(&fs::read_to_string(&file).unwrap()), file))
        .map(|(i, f)| (f, i))
        .collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() {
            collect(&entry, files);
        } else if entry.extension().is_some_and(|ending| ending == "rs") && !entry.ends_with("tests.rs") {
            files.push(entry);
        }
    }
}

fn imports_of(source: &str) -> BTreeSet<String> {
    names_behind("crate::", source)
}

/// The names right behind each `path` outside tests and comments.
fn names_behind(path: &str, source: &str) -> BTreeSet<String> {
    let code = source.split("#[cfg(test)]").next().unwrap_or_default();
    let lines = code.lines().map(|line| line.split("//").next().unwrap_or_default());
    let code: String = lines.flat_map(str::chars).filter(|c| !c.is_whitespace()).collect();
    code.split(path).skip(1).flat_map(first_names).collect()
}

/// One name, or those of a group at its outermost level.
fn first_names(rest: &str) -> Vec<String> {
    let Some(group) = rest.strip_prefix('{') else { return vec![name(rest)] };
    let (mut depth, mut names, mut fresh) = (1, Vec::new(), true);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 1 => fresh = true,
            _ if depth == 1 && fresh => {
                names.push(name(&group[at..]));
                fresh = false;
            }
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    names
}

fn name(code: &str) -> String {
    code.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

/// `src/mix/gain.rs` stands in `mix`, `src/time.rs` is `time`.
fn room_of(file: &Path) -> String {
    let inside = file.strip_prefix(concat!(env!("CARGO_MANIFEST_DIR"), "/src")).unwrap();
    let first = inside.components().next().unwrap().as_os_str().to_string_lossy();
    first.trim_end_matches(".rs").to_owned()
}

#[test]
fn a_group_of_imports_is_read_at_its_outermost_level() {
    let source = "use crate::{\n    mix::{Fader, Limiter},\n    time::Samples,\n};\nuse crate::packet::Reject; // crate::live\n";
    assert_eq!(imports_of(source), ["mix", "packet", "time"].map(String::from).into());
}
