//! Which packets' sound was there before they came, by a copy in a later one.

/// As many packets back as a copy may reach: a second of 20 ms packets.
pub(super) const REMEMBERED: u64 = 64;

/// The last of them, by sequence number.
#[derive(Debug)]
pub(super) struct Copies([u64; REMEMBERED as usize]);

impl Default for Copies {
    fn default() -> Self {
        Self([u64::MAX; REMEMBERED as usize])
    }
}

impl Copies {
    pub(super) fn insert(&mut self, sequence: u64) {
        self.0[place(sequence)] = sequence;
    }

    pub(super) fn contains(&self, sequence: u64) -> bool {
        self.0[place(sequence)] == sequence
    }
}

fn place(sequence: u64) -> usize {
    (sequence % REMEMBERED) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_in_a_place_counts() {
        let mut copies = Copies::default();
        copies.insert(3);
        assert!(copies.contains(3) && !copies.contains(3 + 64) && !copies.contains(4));
        copies.insert(3 + 64);
        assert!(!copies.contains(3) && copies.contains(3 + 64));
    }
}
