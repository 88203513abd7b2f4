//! Who speaks, who hears, and one packet of a voice on its way to its recording.

use crate::time::{MediaTime, NtpTime, SampleTime, Samples};

/// A speaker's place in a room: the lane its packets come in by. Free again once its lane has come back retired.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "room", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
pub struct SpeakerId(pub u16);

impl SpeakerId {
    /// As an index.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// An output's place in a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BusId(pub u16);

impl BusId {
    /// As an index.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// The most lanes a room can have.
pub const MAX_SPEAKERS: usize = 1024;

const WORDS: usize = MAX_SPEAKERS / 64;

/// A set of speakers of one room. Mix-minus is a set, the listeners' mix is a set, "only the music" is a set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct SpeakerSet([u64; WORDS]);

impl SpeakerSet {
    /// Nobody.
    pub const NOBODY: Self = Self([0; WORDS]);
    /// Everybody, those who join later too.
    pub const EVERYBODY: Self = Self([u64::MAX; WORDS]);

    /// Everybody but `speaker`: what that speaker hears.
    #[must_use]
    pub fn everybody_but(speaker: SpeakerId) -> Self {
        Self::EVERYBODY.without(speaker)
    }

    /// This set and `speaker`.
    #[must_use]
    pub fn with(mut self, speaker: SpeakerId) -> Self {
        self.insert(speaker);
        self
    }

    /// This set, but for `speaker`.
    #[must_use]
    pub fn without(mut self, speaker: SpeakerId) -> Self {
        self.remove(speaker);
        self
    }

    /// Adds `speaker`; a place beyond [`MAX_SPEAKERS`] is nobody's.
    pub fn insert(&mut self, speaker: SpeakerId) {
        if let Some(word) = self.0.get_mut(speaker.index() / 64) {
            *word |= 1 << (speaker.index() % 64);
        }
    }

    /// Takes `speaker` out.
    pub fn remove(&mut self, speaker: SpeakerId) {
        if let Some(word) = self.0.get_mut(speaker.index() / 64) {
            *word &= !(1 << (speaker.index() % 64));
        }
    }

    /// Is `speaker` in it?
    #[must_use]
    pub fn contains(&self, speaker: SpeakerId) -> bool {
        self.0.get(speaker.index() / 64).is_some_and(|word| word >> (speaker.index() % 64) & 1 == 1)
    }

    /// Those in both.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        let mut both = *self;
        for (word, mask) in both.0.iter_mut().zip(&other.0) {
            *word &= mask;
        }
        both
    }

    /// Those in either.
    #[must_use]
    pub fn or(&self, other: &Self) -> Self {
        let mut either = *self;
        for (word, more) in either.0.iter_mut().zip(&other.0) {
            *word |= more;
        }
        either
    }

    /// Those who are not in the other.
    #[must_use]
    pub fn and_not(&self, other: &Self) -> Self {
        let mut rest = *self;
        for (word, mask) in rest.0.iter_mut().zip(&other.0) {
            *word &= !mask;
        }
        rest
    }

    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Nobody?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    /// Its members, lowest place first.
    pub fn iter(&self) -> impl Iterator<Item = SpeakerId> + '_ {
        self.0.iter().enumerate().flat_map(|(at, &word)| {
            std::iter::successors(Some(word), |left| Some(left & left.wrapping_sub(1)))
                .take_while(|left| *left != 0)
                .map(move |left| SpeakerId((at * 64) as u16 + left.trailing_zeros() as u16))
        })
    }
}

/// One packet of a voice, accepted from the network, as the recorder wants it: the coded bytes and where they belong on
/// the sender's own clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VoicePacket<'a> {
    /// Whose voice.
    pub speaker: SpeakerId,
    /// Counts the sender's restarts (a new SSRC, a jump of its clock); `media` compares within one epoch only.
    pub epoch: u32,
    /// The RTP sequence number, unwrapped; grows through restarts too.
    pub sequence: u64,
    /// Where its first sample lies on the sender's clock.
    pub media: MediaTime,
    /// When it reached the engine.
    pub arrived: SampleTime,
    /// How much sound it holds.
    pub duration: Samples,
    /// Its sender says that it is the first after a pause (the marker bit, RFC 3551 §4.1).
    pub marker: bool,
    /// The codec's bytes.
    pub payload: &'a [u8],
}

/// What a sender says of its own clock (an RTCP sender report), accepted from the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VoiceReport {
    /// Whose voice.
    pub speaker: SpeakerId,
    /// As [`VoicePacket::epoch`].
    pub epoch: u32,
    /// A moment of the sender's media clock.
    pub media: MediaTime,
    /// The same moment of its wall clock.
    pub wall: NtpTime,
    /// When this reached the engine.
    pub arrived: SampleTime,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_but_one_has_all_the_others() {
        let set = SpeakerSet::everybody_but(SpeakerId(64));
        assert!(!set.contains(SpeakerId(64)));
        assert!(set.contains(SpeakerId(63)) && set.contains(SpeakerId(1023)));
        assert_eq!(set.len(), MAX_SPEAKERS - 1);
    }

    #[test]
    fn members_come_lowest_first() {
        let set = SpeakerSet::NOBODY.with(SpeakerId(700)).with(SpeakerId(0)).with(SpeakerId(63));
        assert_eq!(set.iter().map(|id| id.0).collect::<Vec<_>>(), [0, 63, 700]);
        assert_eq!(set.and(&SpeakerSet::everybody_but(SpeakerId(0))).len(), 2);
    }

    #[test]
    fn a_place_outside_the_room_is_nobodys() {
        let mut set = SpeakerSet::NOBODY.with(SpeakerId(5000));
        assert!(set.is_empty() && !SpeakerSet::EVERYBODY.contains(SpeakerId(5000)));
        set.remove(SpeakerId(5000));
        assert_eq!(set, SpeakerSet::NOBODY);
    }
}
