//! One voice's life in a session, drawn at random: what its people do, what its sender sends, what its network delivers.

use crate::sim::Rng;

/// Something that is done to a voice, or to the whole recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    Join,
    Leave,
    Grant,
    Withdraw,
    Mute,
    Unmute,
    Pause,
    Resume,
}

/// A packet as it was sent.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    /// Unique in a life, and written into the payload.
    pub(super) number: u64,
    pub(super) stay: u32,
    pub(super) epoch: u32,
    /// On the sender's clock.
    pub(super) media: u64,
    /// Where it belongs on the room clock: the first of a run is punctual.
    pub(super) place: u64,
    pub(super) samples: u64,
    /// None if it was lost.
    pub(super) arrived: Option<u64>,
    pub(super) payload: Vec<u8>,
}

/// One voice of a session.
#[derive(Debug)]
pub(super) struct Life {
    /// In order of time.
    pub(super) acts: Vec<(u64, Act)>,
    /// In order of place.
    pub(super) sent: Vec<Sent>,
}

/// The first byte of each kind of packet: SILK, hybrid and CELT frames of every length, and how many of them.
const KINDS: [(u8, u64, u64); 12] = [
    (0x00, 480, 1),
    (0x08, 960, 1),
    (0x08, 960, 3),
    (0x10, 1_920, 1),
    (0x18, 2_880, 1),
    (0x18, 2_880, 2),
    (0x78, 960, 1),
    (0x70, 480, 2),
    (0xE0, 120, 4),
    (0xE8, 240, 2),
    (0xF0, 480, 1),
    (0xF8, 960, 1),
];

/// The most that a packet comes late: well within the repair window.
const JITTER: f64 = 7_200.0;

/// When everything is paused, at random.
pub(super) fn pauses(rng: &mut Rng) -> Vec<(u64, Act)> {
    let mut at = 0;
    let mut pauses = Vec::new();
    for _ in 0..6 {
        at += rng.between(48_000.0, 480_000.0) as u64;
        pauses.push((at, Act::Pause));
        at += rng.between(0.0, 30_000.0) as u64;
        pauses.push((at, Act::Resume));
    }
    pauses
}

impl Life {
    /// A life of so many stays.
    pub(super) fn draw(stays: u32, rng: &mut Rng) -> Self {
        let mut life = Self { acts: Vec::new(), sent: Vec::new() };
        let mut at = rng.between(0.0, 4_000.0) as u64;
        for stay in 1..=stays {
            let leaves = at + rng.between(9_600.0, 72_000.0) as u64;
            life.decide(at, leaves, rng);
            life.speak(stay, at, leaves, rng);
            // What is still under way when somebody leaves belongs to this stay.
            at = leaves + JITTER as u64 + 12_000 + rng.between(0.0, 4_000.0) as u64;
        }
        life
    }

    /// When nothing more happens.
    pub(super) fn end(&self) -> u64 {
        self.acts.last().map_or(0, |(at, _)| at + 48_000)
    }

    /// What is decided during a stay; half of all people agree at the door.
    fn decide(&mut self, from: u64, to: u64, rng: &mut Rng) {
        self.acts.push((from, Act::Join));
        if rng.chance(0.5) {
            self.acts.push((from, Act::Grant));
        }
        let acts = rng.bits() % 7;
        let when = |_| {
            let at = from + (rng.unit() * (to - from) as f64) as u64;
            std::iter::repeat_n(at, if rng.chance(0.1) { 2 } else { 1 })
        };
        let mut whens: Vec<u64> = (0..acts).flat_map(when).collect();
        whens.sort_unstable();
        let act = |rng: &mut Rng| match rng.bits() % 8 {
            0..=2 => Act::Grant,
            3 | 4 => Act::Withdraw,
            5 => Act::Mute,
            _ => Act::Unmute,
        };
        self.acts.extend(whens.into_iter().map(|at| (at, act(rng))));
        self.acts.push((to, Act::Leave));
    }

    /// One or two runs of the sender's clock in a stay.
    fn speak(&mut self, stay: u32, from: u64, to: u64, rng: &mut Rng) {
        let mut begin = from;
        let mut epoch = 0;
        while begin < to {
            let end = if rng.chance(0.3) { begin + (rng.unit() * (to - begin) as f64) as u64 } else { to };
            begin = self.run(stay, epoch, begin, end.max(begin + 1), rng) + 9_600;
            epoch += 1;
        }
    }

    /// One run: packets of one kind from `from` to `to` and a little beyond; where the last one ends.
    fn run(&mut self, stay: u32, epoch: u32, from: u64, to: u64, rng: &mut Rng) -> u64 {
        let (toc, frame, frames) = KINDS[(rng.bits() % KINDS.len() as u64) as usize];
        let samples = frame * frames;
        let origin = rng.bits() % 1_000_000;
        let (sleeps, wakes) = (rng.between(0.0, 1.5), rng.between(0.0, 12_000.0));
        let sleeps = from + (sleeps * (to - from) as f64) as u64;
        let (lossy, padded) = (rng.chance(0.5), rng.chance(0.5));
        let first = from + rng.bits() % samples;
        let (mut place, mut begun) = (first, false);
        while place < to + samples {
            if place >= sleeps && place < sleeps + wakes as u64 {
                place += samples;
                continue;
            }
            // Whoever sleeps at first is punctual with the first that it sends.
            let late = begun && rng.chance(0.3);
            let jitter = if late { (rng.unit() * JITTER) as u64 } else { 0 };
            let lost = begun && lossy && rng.chance(0.2);
            begun = true;
            let number = self.sent.len() as u64;
            self.sent.push(Sent {
                number,
                stay,
                epoch,
                media: origin + (place - first),
                place,
                samples,
                arrived: (!lost).then_some(place + jitter),
                payload: payload(toc, frames as u8, padded, number),
            });
            place += samples;
        }
        place
    }
}

/// A packet of so many frames whose sound is its number, with padding or without.
fn payload(toc: u8, frames: u8, padded: bool, number: u64) -> Vec<u8> {
    let mut sound = number.to_be_bytes().to_vec();
    if !padded && frames == 1 {
        return [&[toc][..], &sound].concat();
    }
    // Frames of one length each.
    sound.resize(sound.len().next_multiple_of(usize::from(frames)), 0);
    let head = [toc | 3, frames | if padded { 0x40 } else { 0 }];
    let (length, padding) = if padded { (&[4][..], &[0xFD, b'D', 12, 9][..]) } else { (&[][..], &[][..]) };
    [&head[..], length, &sound, padding].concat()
}

/// The number in a packet of the voice's, and whether it still has its padding; none in what fills a track.
pub(super) fn number(payload: &[u8]) -> Option<(u64, bool)> {
    let (toc, rest) = payload.split_first()?;
    let (sound, padded) = match (toc & 3, rest) {
        (0, sound) => (sound, false),
        (3, [head, _, sound @ ..]) if head & 0x40 != 0 => (sound, true),
        (3, [_, sound @ ..]) => (sound, false),
        _ => return None,
    };
    sound.first_chunk().map(|number| (u64::from_be_bytes(*number), padded))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::{opus, without_padding};

    #[test]
    fn a_packets_number_survives_its_padding() {
        for (toc, frame, frames) in KINDS {
            for padded in [false, true] {
                let sent = payload(toc, frames as u8, padded, 77);
                assert_eq!(opus::duration(&sent).map(|it| it.count()), Some(frame * frames));
                assert_eq!(number(&sent), Some((77, padded)));
                let Some((head, rest)) = without_padding(&sent) else { continue };
                assert_eq!(number(&[&head[..], rest].concat()), Some((77, false)));
            }
        }
        assert_eq!(number(&[0xF8, 0xFF, 0xFE]), None);
    }
}
