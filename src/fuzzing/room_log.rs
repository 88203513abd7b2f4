//! A room's journal and what is handed out of it: whatever the bytes are, they are read or refused, and what is read is what
//! was written.

use super::input::Input;
use crate::{
    consent::Purpose,
    room::{Audit, ConsentRecord, Entry, Excerpt, Head, Journal, Moment, Person, Role, Room, Signed},
    speaker::SpeakerId,
    time::{SampleTime, UnixMs},
};

/// The bytes are a journal; then they are entries without their hashes, which a room goes on from.
///
/// # Panics
/// If what is read is not what was written, or a room does not come back from its own journal.
pub fn room_log(data: &[u8]) {
    let _ = (Signed::<Head>::read(data, None), Audit::of(data, data, None));
    let _ = (Signed::<ConsentRecord>::read(data, None), Signed::<Excerpt>::read(data, None));
    if let Ok(Journal { entries, torn_bytes }) = Journal::read(data) {
        let lines: String = entries.iter().map(|(entry, _)| line(entry)).collect();
        assert_eq!(lines.as_bytes(), &data[..data.len() - torn_bytes], "what was read is what was written");
    }
    let mut input = Input(data);
    let Some([at, wall, bit]) = input.bytes() else { return };
    let now = Moment { at: SampleTime::from_samples(1 << (at % 64)), wall: UnixMs(1 << (wall % 64)) };
    live_on(journal(input.0).as_bytes(), now, usize::from(bit));
}

/// A journal of all the entries that there are, in their order.
fn journal(data: &[u8]) -> String {
    let lines = data.split(|byte| *byte == b'\n');
    let entries = lines.filter_map(|line| serde_json::from_slice::<Entry>(line).ok());
    entries.zip(0..).map(|(entry, n)| line(&Entry { n, ..entry })).collect()
}

fn line(entry: &Entry) -> String {
    format!("{} {}\n", &entry.leaf().to_string()[..16], entry.to_json())
}

/// A room comes back, people come in, time goes on; and it comes back from that again.
fn live_on(journal: &[u8], now: Moment, bit: usize) {
    let Ok((mut room, torn)) = Room::replay(journal, now) else { return };
    assert_eq!(torn, 0, "whole lines");
    let host = Person::of(b"", "host");
    // A room that is over takes nobody in.
    let _ = room.join(host, Role::Host, Some(SpeakerId(0)), false, now);
    let _ = (room.record(host, now), room.agree(host, Purpose::Record, Some(now.wall), now));
    room.advance(Moment { wall: UnixMs(now.wall.0 / 2), ..now });
    let all = [journal, room.unwritten()].concat();
    room.written(room.unwritten().len());
    while room.poll().is_some() {}
    let (again, _) = Room::replay(&all, now).expect("its own journal");
    assert_eq!(again.log().root_of(room.log().len()), Some(room.log().root()));
    changed(all, bit);
}

/// One changed bit is found, or it hit the last line, which then was not written whole.
fn changed(mut journal: Vec<u8>, bit: usize) {
    let Some(whole) = Journal::read(&journal).ok().map(|journal| journal.entries) else { return };
    let place = bit * journal.len() / 256;
    journal[place] ^= 1 << (bit % 8);
    match Journal::read(&journal) {
        Ok(read) => assert!(read.torn_bytes > 0 && read.entries.len() < whole.len()),
        Err(damaged) => assert!(damaged.line <= whole.len()),
    }
}
