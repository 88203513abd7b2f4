//! How much one voice has to say: in comes what its packets tell while they still wait, out comes its weight when places
//! are few.

use super::Db;
use crate::time::{SampleTime, Samples};

/// Who has spoken keeps the floor for so long: the pauses between words and sentences are shorter.
const HANGOVER: Samples = Samples::from_ms(500);
/// Where its sender says that it falls silent, nothing more is to be heard of it after so long.
const REST: Samples = Samples::from_ms(100);
/// Loudness follows what packets with a voice in them tell, with this time constant, so that a cough is no speech: 300 ms.
const FOLLOW: Samples = Samples::from_ms(300);
/// A newcomer must be louder by so much than one who is heard: 6 dB.
const ADVANTAGE_DB: f32 = 6.0;

/// One voice's presence in the conversation.
#[derive(Clone, Copy, Debug)]
pub struct Presence {
    speaks_until: SampleTime,
    loudness: Db,
}

impl Presence {
    /// Notes the packet that is up next at `at` and lasts for `length`.
    ///
    /// # Real-time
    /// Safe.
    pub fn note(&mut self, voice: bool, loudness: Db, at: SampleTime, length: Samples) {
        if !voice {
            return;
        }
        if !self.speaks(at) {
            self.loudness = Db::SILENCE;
        }
        let share = length.min(FOLLOW).count() as f32 / FOLLOW.count() as f32;
        self.loudness.0 += (loudness.0.clamp(Db::SILENCE.0, 0.0) - self.loudness.0) * share;
        self.speaks_until = at + length + HANGOVER;
    }

    /// Its sender says at `at` that it falls silent for now, behind what is up next.
    ///
    /// # Real-time
    /// Safe.
    pub fn rest(&mut self, at: SampleTime) {
        self.speaks_until = self.speaks_until.min(at + REST);
    }

    /// Does it speak, or has it just spoken?
    ///
    /// # Real-time
    /// Safe.
    #[must_use]
    pub fn speaks(&self, now: SampleTime) -> bool {
        now < self.speaks_until
    }

    /// What it weighs against others: who speaks before who does not; of those who speak the louder one, and who is `heard`
    /// already has an advantage, so that speakers do not flutter; of those who do not, who is heard.
    ///
    /// # Real-time
    /// Safe.
    #[must_use]
    pub fn weight(&self, now: SampleTime, heard: bool) -> u32 {
        if !self.speaks(now) {
            return 1 + u32::from(heard);
        }
        let advantage = if heard { ADVANTAGE_DB } else { 0.0 };
        SPEAKS + ((self.loudness.0 - Db::SILENCE.0 + advantage) * STEPS_A_DB) as u32
    }
}

/// Above whatever weighs who does not speak.
const SPEAKS: u32 = 3;
const STEPS_A_DB: f32 = 256.0;

impl Default for Presence {
    fn default() -> Self {
        Self { speaks_until: SampleTime::ZERO, loudness: Db::SILENCE }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACKET: Samples = Samples::from_ms(20);

    /// Notes `packets` packets from `at_ms` on; the moment after them.
    fn talk(presence: &mut Presence, at_ms: u32, packets: u32, voice: bool, db: f32) -> SampleTime {
        let at = |n: u32| SampleTime::ZERO + Samples::from_ms(at_ms + n * 20);
        (0..packets).for_each(|n| presence.note(voice, Db(db), at(n), PACKET));
        at(packets)
    }

    #[test]
    fn a_speaker_keeps_the_floor_for_half_a_second() {
        let mut presence = Presence::default();
        let end = talk(&mut presence, 1000, 1, true, -30.0);
        assert!(presence.speaks(end + Samples::from_ms(499)));
        assert!(!presence.speaks(end + Samples::from_ms(500)));
        assert!(!Presence::default().speaks(SampleTime::ZERO));
    }

    #[test]
    fn a_sender_that_says_it_falls_silent_gives_the_floor_away() {
        let mut presence = Presence::default();
        let end = talk(&mut presence, 1000, 1, true, -30.0);
        presence.rest(end);
        assert!(presence.speaks(end + Samples::from_ms(99)) && !presence.speaks(end + Samples::from_ms(100)));
        presence.rest(end + Samples::from_ms(1000));
        assert!(!presence.speaks(end + Samples::from_ms(100)), "and does not get it back by that");
    }

    #[test]
    fn a_newcomer_must_be_louder_for_a_while() {
        let (mut heard, mut newcomer) = (Presence::default(), Presence::default());
        talk(&mut heard, 0, 200, true, -30.0);
        talk(&mut newcomer, 0, 200, true, -26.0);
        let now = SampleTime::ZERO + Samples::from_ms(4000);
        assert!(newcomer.weight(now, false) < heard.weight(now, true), "4 dB louder is not enough");
        let packets = (1..100).find(|n| {
            let now = talk(&mut newcomer, 4000 + n * 20, 1, true, -10.0);
            talk(&mut heard, 4000 + n * 20, 1, true, -30.0);
            newcomer.weight(now, false) > heard.weight(now, true)
        });
        assert!(packets.is_some_and(|packets| (2..10).contains(&packets)), "{packets:?}");
    }

    #[test]
    fn whoever_speaks_goes_before_the_loudest_noise() {
        let (mut speaker, mut noise) = (Presence::default(), Presence::default());
        let now = talk(&mut speaker, 0, 1, true, -60.0);
        talk(&mut noise, 0, 100, false, 0.0);
        assert!(speaker.weight(now, false) > noise.weight(now, true));
    }
}
