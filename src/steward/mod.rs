//! Carries out what a room decides: its journal is on disk before anything opens, gates are turned in the recordings of a
//! live room, files are cut, redacted and deleted, and the room is told. Policy stays in `room`, sound in `live` and
//! `record`; here is what lies between them, so that no server has to write it anew.
//!
//! One folder a room:
//!
//! | file | is |
//! |---|---|
//! | `room.log` | the room's journal, appended and synced |
//! | `item-N/` | what item N is: a recording, a copy for moderators, a clip, a transcript |
//! | `item-N/papers.json` | a clip's signed papers: see [`ClipManifest`](crate::room::ClipManifest) |
//! | `deleted-N.json` | the signed proof that item N was deleted: see [`Excerpt`](crate::room::Excerpt) |
//!
//! What a steward cannot do by itself leaves as an [`Order`]: news for screens, a transcript to be written, files to be
//! handed over.

mod cutting;
mod error;
mod files;
mod gates;
mod kept;
mod order;
mod sealing;

pub use error::StewardError;
pub use order::Order;

use crate::{
    live::{Control, RoomId},
    room::{Damaged, ItemId, Moment, Person, Refusal, Room, Rules, Signed, SigningKey, Statement},
};
use cutting::Cutting;
use gates::Takes;
use std::{
    collections::{BTreeMap, VecDeque},
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

/// One room's steward. Every request of its people goes through [`decide`](Self::decide), and time through
/// [`advance`](Self::advance), some times a second.
///
/// # Real-time
/// Never: it waits for the disk.
#[derive(Debug)]
pub struct Steward {
    room: Room,
    live: RoomId,
    folder: PathBuf,
    /// Where keys lie, if what is recorded is sealed.
    keys: Option<PathBuf>,
    log: File,
    key: SigningKey,
    /// What people's tracks are called.
    names: BTreeMap<Person, String>,
    takes: Takes,
    /// Clips that were granted and are not cut yet.
    cuttings: Vec<Cutting>,
    orders: VecDeque<Order>,
}

impl Steward {
    /// A room opens, under rules, in a folder that is made for it; `live` is where it sounds. `key` signs what is handed out.
    ///
    /// # Errors
    /// The folder is another room's already, or cannot be written.
    pub fn open(
        live: RoomId,
        folder: &Path,
        rules: Rules,
        by: Person,
        key: SigningKey,
        now: Moment,
    ) -> Result<Self, StewardError> {
        fs::create_dir_all(folder).map_err(|error| StewardError::disk(folder, error))?;
        let path = folder.join(LOG);
        let log = OpenOptions::new().write(true).create_new(true).open(&path);
        let log = log.map_err(|error| StewardError::disk(&path, error))?;
        Ok(Self::new(Room::open(rules, by, now), live, folder, log, key))
    }

    /// A room comes back from its folder after a crash: everything that was decided is known, gates are shut, recordings
    /// that broke off are finished, and clips that were granted are cut. `keys` is where keys lie, if recordings were
    /// [sealed](Self::seal).
    ///
    /// # Errors
    /// There is no room, its journal was changed, or the folder cannot be read.
    pub fn reopen(
        live: RoomId,
        folder: &Path,
        keys: Option<&Path>,
        key: SigningKey,
        now: Moment,
    ) -> Result<Self, StewardError> {
        let path = folder.join(LOG);
        let failed = |error| StewardError::disk(&path, error);
        let bytes = fs::read(&path).map_err(failed)?;
        let (room, torn) = Room::replay(&bytes, now)
            .map_err(|damaged: Damaged| failed(io::Error::new(io::ErrorKind::InvalidData, damaged)))?;
        let log = OpenOptions::new().append(true).open(&path).map_err(failed)?;
        log.set_len((bytes.len() - torn) as u64).map_err(failed)?;
        let mut steward = Self::new(room, live, folder, log, key);
        steward.keys = keys.map(Path::to_owned);
        steward.finish_what_broke_off(now);
        Ok(steward)
    }

    fn new(room: Room, live: RoomId, folder: &Path, log: File, key: SigningKey) -> Self {
        let (names, takes, folder) = (BTreeMap::new(), Takes::default(), folder.to_owned());
        let (cuttings, orders) = (Vec::new(), VecDeque::new());
        Self { room, live, folder, keys: None, log, key, names, takes, cuttings, orders }
    }

    /// The room, to be asked.
    #[must_use]
    pub fn room(&self) -> &Room {
        &self.room
    }

    /// What somebody's tracks are called, in this room and in its recordings: the name that was admitted to the live room.
    pub fn call(&mut self, who: Person, name: &str) {
        self.names.insert(who, name.to_owned());
    }

    /// Somebody requests something, and what follows is carried out. What shuts a gate is carried out before the journal is
    /// written, what opens one after that.
    ///
    /// # Errors
    /// It is refused, or the journal cannot be written: then nothing was opened, and all that waits is tried again with
    /// the next call.
    pub fn decide<T>(
        &mut self,
        control: &mut Control,
        now: Moment,
        request: impl FnOnce(&mut Room) -> Result<T, Refusal>,
    ) -> Result<T, StewardError> {
        let answer = request(&mut self.room);
        self.go(control, now)?;
        answer.map_err(StewardError::Refused)
    }

    /// Time passes: yeses lapse, what is due is deleted, what is finished is noted.
    ///
    /// # Errors
    /// The journal cannot be written.
    pub fn advance(&mut self, control: &mut Control, now: Moment) -> Result<(), StewardError> {
        self.room.advance(now);
        self.note_what_is_finished(now);
        self.cut_what_can_be(now);
        self.go(control, now)
    }

    /// The next thing that the server has to do, until there is none.
    #[must_use = "an order that is dropped is not carried out"]
    pub fn poll(&mut self) -> Option<Order> {
        self.orders.pop_front()
    }

    /// Signs a receipt, a head or an excerpt of this room's: a file's content.
    #[must_use]
    pub fn sign(&self, statement: impl Statement) -> String {
        Signed::sign(statement, &self.key).to_json()
    }

    /// Where an item's files are.
    #[must_use]
    pub fn folder_of(&self, item: ItemId) -> PathBuf {
        self.folder.join(format!("item-{}", item.0))
    }

    fn go(&mut self, control: &mut Control, now: Moment) -> Result<(), StewardError> {
        self.carry_out(control, now);
        while !self.room.unwritten().is_empty() {
            self.write()?;
            // What is carried out is reported, and that is an entry too.
            self.carry_out(control, now);
        }
        Ok(())
    }

    /// The journal first.
    fn write(&mut self) -> Result<(), StewardError> {
        let bytes = self.room.unwritten();
        let length = bytes.len();
        let before = self.log.metadata().map(|it| it.len());
        let written = self.log.write_all(bytes).and_then(|()| self.log.sync_data());
        if let Err(error) = written {
            // Half a line would stand in the way of the next.
            let _ = before.and_then(|before| self.log.set_len(before));
            return Err(StewardError::disk(&self.folder.join(LOG), error));
        }
        self.room.written(length);
        Ok(())
    }
}

const LOG: &str = "room.log";
