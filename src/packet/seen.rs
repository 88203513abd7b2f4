//! Which packets have come already: in comes an unwrapped sequence number, out comes whether it is new. A sliding bitmap,
//! as IPsec's replay window (RFC 4303 §3.4.3).

const WORDS: usize = 16;

/// How many sequence numbers are remembered: the newest and those right behind it, 20 s of 20 ms packets.
pub(super) const WINDOW: u64 = WORDS as u64 * 64;

/// What is known of a sequence number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sighting {
    /// It comes for the first time.
    Fresh,
    /// It has come before.
    Duplicate,
    /// It lies so far behind the newest that nobody knows.
    TooOld,
}

/// The last 1,024 sequence numbers of a lane.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    newest: u64,
    bits: [u64; WORDS],
}

impl Seen {
    /// Notes that `sequence` has come.
    ///
    /// # Real-time
    /// Safe.
    pub fn insert(&mut self, sequence: u64) -> Sighting {
        self.advance(sequence);
        if self.newest - sequence >= WINDOW {
            return Sighting::TooOld;
        }
        let (word, bit) = self.place(sequence);
        let sighting = if *word & bit == 0 { Sighting::Fresh } else { Sighting::Duplicate };
        *word |= bit;
        sighting
    }

    /// Makes room up to `sequence`, forgetting what falls out of the window.
    fn advance(&mut self, sequence: u64) {
        let steps = sequence.saturating_sub(self.newest).min(WINDOW);
        self.newest = self.newest.max(sequence);
        for back in 0..steps {
            let (word, bit) = self.place(sequence - back);
            *word &= !bit;
        }
    }

    fn place(&mut self, sequence: u64) -> (&mut u64, u64) {
        let word = (sequence / 64) as usize % WORDS;
        (&mut self.bits[word], 1 << (sequence % 64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashSet;

    #[test]
    fn the_window_is_1024_wide() {
        let mut seen = Seen::default();
        assert_eq!(seen.insert(5000), Sighting::Fresh);
        assert_eq!(seen.insert(5000 - 1023), Sighting::Fresh);
        assert_eq!(seen.insert(5000 - 1023), Sighting::Duplicate);
        assert_eq!(seen.insert(5000 - 1024), Sighting::TooOld);
        assert_eq!(seen.insert(u64::MAX), Sighting::Fresh);
        assert_eq!(seen.insert(5000), Sighting::TooOld);
    }

    #[test]
    fn a_stream_may_begin_at_zero() {
        let mut seen = Seen::default();
        assert_eq!(seen.insert(0), Sighting::Fresh);
        assert_eq!(seen.insert(0), Sighting::Duplicate);
        assert_eq!(seen.insert(1), Sighting::Fresh);
    }

    proptest! {
        #[test]
        fn it_agrees_with_a_set_of_everything(
            steps in proptest::collection::vec(prop_oneof![-3i64..5, -1100i64..1100, -9000i64..9000], 1..400),
        ) {
            let (mut seen, mut all, mut newest) = (Seen::default(), HashSet::new(), 0u64);
            let mut at = 20_000u64;
            for step in steps {
                at = at.saturating_add_signed(step);
                newest = newest.max(at);
                let expected = match newest - at {
                    1024.. => Sighting::TooOld,
                    _ if all.insert(at) => Sighting::Fresh,
                    _ => Sighting::Duplicate,
                };
                prop_assert_eq!(seen.insert(at), expected);
            }
        }
    }
}
