//! How loud a packet is, as its sender measured it (RFC 6464): in comes one header extension element.

/// The sender's own measure of one packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AudioLevel {
    /// The sender hears a voice in it.
    pub voice: bool,
    /// Decibels below the loudest possible: 0 is overload, 127 is silence.
    pub dbov: u8,
}

impl AudioLevel {
    /// Reads the element's data: one byte, padded in the two-byte form perhaps (RFC 6464 §3).
    pub(super) fn parse(data: &[u8]) -> Option<Self> {
        data.first().map(|byte| Self { voice: byte & 0x80 != 0, dbov: byte & 0x7F })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_top_bit_is_the_voice_and_the_rest_the_level() {
        assert_eq!(AudioLevel::parse(&[0x80]), Some(AudioLevel { voice: true, dbov: 0 }));
        assert_eq!(AudioLevel::parse(&[0x7F]), Some(AudioLevel { voice: false, dbov: 127 }));
        assert_eq!(AudioLevel::parse(&[]), None);
    }
}
