//! `derived.json`: what was made out of a session, and who has it. When a voice is taken back, whatever holds it goes.

use super::{
    disk::{Disk as _, Folder},
    erase::erase,
    error::RecordError,
};
use serde::{Deserialize, Serialize};
use std::{
    fs, io,
    ops::Range,
    path::{Path, PathBuf},
};

/// Something that was made out of a session: a mix, a clip, a transcript, an export.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Derived {
    /// A file or a folder, from the session's folder or absolute.
    pub path: PathBuf,
    /// What it is, in a word: `mix`, `clip`, `transcript`, `export`.
    pub kind: String,
    /// The first room sample it is made of.
    pub from_sample: u64,
    /// The first room sample behind.
    pub to_sample: u64,
    /// Whose voices are in it.
    pub speakers: Vec<String>,
    /// Whom it was given to: who has to be told when it goes (GDPR article 19).
    #[serde(default)]
    pub recipients: Vec<String>,
}

impl Derived {
    /// Everything that was noted of the session in `dir`.
    ///
    /// # Errors
    /// The list cannot be read.
    pub fn of(dir: &Path) -> Result<Vec<Self>, RecordError> {
        let path = dir.join(FILE);
        let all = match fs::read(&path) {
            Ok(json) => serde_json::from_slice(&json).map_err(io::Error::from),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(error),
        };
        all.map_err(|source| RecordError::new(&path, "read", source))
    }

    /// Notes that this was made out of the session in `dir`. It takes the place of what was noted of the same path before; but what was
    /// given to somebody is still theirs, so that this holds whatever that held.
    ///
    /// # Errors
    /// The list cannot be read or written.
    pub fn note(mut self, dir: &Path) -> Result<(), RecordError> {
        let (before, mut all): (Vec<_>, Vec<_>) =
            Self::of(dir)?.into_iter().partition(|other| other.path == self.path);
        before
            .into_iter()
            .filter(|other| !other.recipients.is_empty())
            .for_each(|other| self.hold_too(other));
        all.push(self);
        write(dir, &all)
    }

    fn hold_too(&mut self, other: Self) {
        self.from_sample = self.from_sample.min(other.from_sample);
        self.to_sample = self.to_sample.max(other.to_sample);
        let union = |own: &mut Vec<String>, more: Vec<String>| {
            let new: Vec<_> = more.into_iter().filter(|name| !own.contains(name)).collect();
            own.extend(new);
        };
        union(&mut self.speakers, other.speakers);
        union(&mut self.recipients, other.recipients);
    }

    fn holds(&self, speaker: &str, range: &Range<u64>) -> bool {
        self.speakers.iter().any(|name| name == speaker)
            && self.from_sample < range.end
            && range.start < self.to_sample
    }
}

/// What holds `speaker` somewhere in `range`.
pub(super) fn what_holds(dir: &Path, speaker: &str, range: &Range<u64>) -> Result<Vec<Derived>, RecordError> {
    let all = Derived::of(dir)?.into_iter();
    Ok(all.filter(|derived| derived.holds(speaker, range)).collect())
}

/// Removes what holds `speaker` somewhere in `range`, and says what that was. The list is the last to change, so that
/// a crash leaves nothing behind unlisted.
pub(super) fn drop_what_holds(
    dir: &Path,
    speaker: &str,
    range: &Range<u64>,
) -> Result<Vec<Derived>, RecordError> {
    let (dropped, kept): (Vec<_>, Vec<_>) =
        Derived::of(dir)?.into_iter().partition(|derived| derived.holds(speaker, range));
    for derived in &dropped {
        let path = dir.join(&derived.path);
        erase(&path).map_err(|source| RecordError::new(&path, "remove", source))?;
    }
    if !dropped.is_empty() {
        write(dir, &kept)?;
    }
    Ok(dropped)
}

const FILE: &str = "derived.json";

fn write(dir: &Path, all: &[Derived]) -> Result<(), RecordError> {
    let json = serde_json::to_vec_pretty(all).map_err(io::Error::from);
    let written = json.and_then(|json| Folder::open(dir, true)?.replace(FILE, &json));
    written.map_err(|source| RecordError::new(&dir.join(FILE), "write", source))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mix(path: &str, to_sample: u64, speakers: &[&str]) -> Derived {
        Derived {
            path: path.into(),
            kind: "mix".into(),
            from_sample: 0,
            to_sample,
            speakers: speakers.iter().map(|name| (*name).to_owned()).collect(),
            recipients: vec!["feed".into()],
        }
    }

    #[test]
    fn what_was_given_to_somebody_is_remembered_when_its_file_is_made_anew() {
        let dir = tempfile::tempdir().unwrap();
        mix("a.wav", 50, &["a", "b"]).note(dir.path()).unwrap();
        Derived { recipients: Vec::new(), ..mix("a.wav", 100, &["b"]) }.note(dir.path()).unwrap();
        assert_eq!(Derived::of(dir.path()).unwrap(), [mix("a.wav", 100, &["b", "a"])]);
    }

    #[test]
    fn what_holds_a_voice_goes_and_the_rest_stays() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(Derived::of(dir.path()).unwrap(), []);
        let (all, others, early) =
            (mix("all.wav", 100, &["a", "b"]), mix("b.wav", 100, &["b"]), mix("early", 50, &["a"]));
        for derived in [&all, &others, &early, &all] {
            derived.clone().note(dir.path()).unwrap();
        }
        fs::write(dir.path().join("all.wav"), b"a and b").unwrap();
        fs::write(dir.path().join("b.wav"), b"b").unwrap();
        assert_eq!(drop_what_holds(dir.path(), "a", &(50..60)).unwrap(), [all]);
        assert_eq!(Derived::of(dir.path()).unwrap(), [others, early]);
        assert!(!dir.path().join("all.wav").exists() && dir.path().join("b.wav").exists());
    }
}
