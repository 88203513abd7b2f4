//! How playout follows its target: freely in pauses, a pitch period now and then in speech, not at all in music.
//!
//! Delay is raised, too, while the next packet is overdue and likely to come later than the sound that waits: that
//! costs nothing while nothing is overdue, which standing delay does.

use crate::time::Samples;

/// Above this delay over the target no more is added for an overdue packet: 300 ms.
const ENOUGH: i64 = 14_400;
/// An overdue packet raises the delay if the rise is worth it for more than 24 packets' time in a pause, where it is taken
/// back at once; in speech, where that takes longer, for more than 60…
pub(super) const RISE_IN_PAUSE: u64 = 24;
const RISE_IN_SPEECH: u64 = 60;
/// …and keeps it from falling from 6 on.
const KEEP: u64 = 6;
/// In a pause it is raised by 20 ms at least, and by 10 more up to 60 as long as that is worth it for more than 30 packets'.
pub(super) const LEAST_RISE: i64 = 960;
pub(super) const RISE_STEP: usize = 480;
pub(super) const MOST_RISE: i64 = 2880;
pub(super) const RISE_FURTHER: u64 = 30;
/// A pause frame is otherwise lengthened by up to 20 ms, and shortened by up to 18.
const PAUSE_SLOWER: i64 = 960;
const PAUSE_FASTER: i64 = 864;
/// In speech, nearer to the target than this is near enough: 8 ms below, 20 ms above it.
const NEAR_BELOW: i64 = 384;
const NEAR_ABOVE: i64 = 960;
/// One period may lead this far beyond the target: 1 ms below, 2 ms above.
const BELOW: i64 = 48;
const ABOVE: i64 = 96;
/// In speech a rise by less than a pull protects nothing: 10 ms.
const SPEECH_RISE: i64 = 480;
/// After one period speech is left alone for 50 ms.
const SPACING: i64 = 2400;
/// Of speech, 1/56 may be stretched; 400 ms at once if they were saved up, and 100 ms from the start. Of what is stretched
/// as a pause 1/32 counts too: so much of it is the soft edge of a word after all.
const SHARE: i64 = 56;
const MISTAKEN: i64 = 32;
const ALLOWANCE: i64 = 19_200;
const FIRST_ALLOWANCE: i64 = 4800;

/// What was decoded last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sound {
    /// Silence or background: time may pass as it likes.
    Pause,
    /// A voice: by pitch periods, sparingly.
    Speech,
    /// Anything else that goes on without pauses: not to be touched.
    Music,
}

/// What to do with the sound decoded last. How much is a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    /// Nothing.
    Stay,
    /// Make it shorter by up to this much.
    Faster(Samples),
    /// Make it longer by up to this much.
    Slower(Samples),
}

/// Where playout stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stand {
    /// Delay above the target.
    pub(super) excess: i64,
    /// For how many packets' time a rise is worth it, as the next packet is overdue.
    pub(super) hazard: u64,
    /// How far a pause should be lengthened if that is much.
    pub(super) rise: i64,
    /// Is there something to play behind what was decoded?
    pub(super) next_is_here: bool,
}

/// One lane's steering.
#[derive(Debug)]
pub(super) struct Steering {
    /// Until speech may be stretched again.
    rest: i64,
    /// How much speech may be stretched.
    allowance: i64,
}

impl Steering {
    pub(super) fn new() -> Self {
        Self { rest: 0, allowance: FIRST_ALLOWANCE }
    }

    /// What to do with the `length` of `sound` decoded last.
    pub(super) fn choose(&mut self, stand: Stand, sound: Sound, length: Samples) -> Move {
        let passed = length.count() as i64;
        self.rest = (self.rest - passed).max(0);
        match sound {
            Sound::Pause => return in_pause(stand),
            Sound::Music => return Move::Stay,
            Sound::Speech => self.allowance = (self.allowance + passed / SHARE).min(ALLOWANCE),
        }
        if self.rest == 0 && self.allowance > 0 { in_speech(stand) } else { Move::Stay }
    }

    /// So much of `sound` was stretched.
    pub(super) fn stretched(&mut self, sound: Sound, by: Samples) {
        let by = by.count() as i64;
        if sound == Sound::Pause {
            self.allowance = (self.allowance - by / MISTAKEN).max(self.allowance.min(-ALLOWANCE));
            return;
        }
        if by > 0 {
            self.rest = SPACING;
        }
        self.allowance -= by;
    }
}

impl Stand {
    /// How far to move, negative for a rise of the delay, which is `rise` at least if it is worth it for more packets than
    /// `worth`.
    fn wanted(&self, rise: i64, worth: u64) -> i64 {
        let drain = if self.next_is_here { self.excess } else { self.excess.min(PAUSE_SLOWER - 1) };
        match self.hazard {
            0..=KEEP => drain,
            _ if self.excess >= ENOUGH => {
                if self.next_is_here {
                    drain
                } else {
                    0
                }
            }
            hazard if hazard > worth => drain.min(-rise),
            _ => drain.min(0),
        }
    }
}

fn in_pause(stand: Stand) -> Move {
    let slower = stand.rise.max(PAUSE_SLOWER);
    by(stand.wanted(slower, RISE_IN_PAUSE).clamp(-slower, PAUSE_FASTER))
}

fn in_speech(stand: Stand) -> Move {
    match stand.wanted(SPEECH_RISE, RISE_IN_SPEECH) {
        wanted if wanted <= -NEAR_BELOW => by(wanted.min(-SPEECH_RISE) - ABOVE),
        wanted if wanted >= NEAR_ABOVE => by(wanted + BELOW),
        _ => Move::Stay,
    }
}

fn by(wanted: i64) -> Move {
    let amount = Samples::new(wanted.unsigned_abs());
    match wanted {
        0 => Move::Stay,
        1.. => Move::Faster(amount),
        _ => Move::Slower(amount),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACKET: Samples = Samples::from_ms(20);

    fn choose(excess_ms: i64, hazard: u64, sound: Sound) -> Move {
        let stand = Stand { excess: excess_ms * 48, hazard, rise: 0, next_is_here: true };
        Steering::new().choose(stand, sound, PACKET)
    }

    fn faster(ms: u32) -> Move {
        Move::Faster(Samples::from_ms(ms))
    }

    fn slower(ms: u32) -> Move {
        Move::Slower(Samples::from_ms(ms))
    }

    #[test]
    fn pauses_go_straight_to_the_target() {
        assert_eq!(choose(7, 0, Sound::Pause), faster(7));
        assert_eq!(choose(-7, 0, Sound::Pause), slower(7));
        assert_eq!(choose(500, 0, Sound::Pause), faster(18));
        assert_eq!(choose(-500, 0, Sound::Pause), slower(20));
        assert_eq!(choose(0, 0, Sound::Pause), Move::Stay);
    }

    #[test]
    fn speech_moves_by_periods_when_it_is_off_by_more_than_a_little() {
        assert_eq!(choose(19, 0, Sound::Speech), Move::Stay);
        assert_eq!(choose(20, 0, Sound::Speech), faster(21));
        assert_eq!(choose(-7, 0, Sound::Speech), Move::Stay);
        assert_eq!(choose(-9, 0, Sound::Speech), slower(12));
    }

    #[test]
    fn music_is_left_alone() {
        assert_eq!(choose(500, 0, Sound::Music), Move::Stay);
        assert_eq!(choose(-500, 99, Sound::Music), Move::Stay);
    }

    #[test]
    fn an_overdue_packet_raises_the_delay_or_keeps_it() {
        assert_eq!(choose(50, 25, Sound::Pause), slower(20));
        assert_eq!(choose(50, 61, Sound::Speech), slower(12));
        assert_eq!(choose(50, 60, Sound::Speech), Move::Stay);
        assert_eq!(choose(50, 7, Sound::Pause), Move::Stay);
        assert_eq!(choose(-50, 7, Sound::Pause), slower(20));
        assert_eq!(choose(300, 99, Sound::Pause), faster(18), "enough is enough");
    }

    #[test]
    fn what_nothing_follows_is_not_shortened_away() {
        let stand = Stand { excess: 5000, hazard: 0, rise: 0, next_is_here: false };
        assert_eq!(Steering::new().choose(stand, Sound::Pause, PACKET), faster(18));
    }

    #[test]
    fn no_more_than_a_56th_of_speech_is_stretched() {
        let mut steering = Steering::new();
        let mut stretched = 0;
        let packets = 50 * 600;
        for _ in 0..packets {
            let stand = Stand { excess: -4800, hazard: 0, rise: 0, next_is_here: true };
            if let Move::Slower(at_most) = steering.choose(stand, Sound::Speech, PACKET) {
                stretched += at_most.count();
                steering.stretched(Sound::Speech, at_most);
            }
        }
        // The allowance saved up at the start, and one move that overdraws it.
        assert!(stretched <= packets * 960 / SHARE as u64 + 2 * ALLOWANCE as u64, "{stretched}");
    }
}
