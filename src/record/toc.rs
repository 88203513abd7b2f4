//! What a packet's first bytes tell undecoded: how long it lasts, how many channels it has (RFC 6716 §3.1, §3.2).

/// The first byte of an Opus packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Toc(pub(super) u8);

impl Toc {
    /// The first byte of `payload`.
    pub(super) fn of(payload: &[u8]) -> Option<Self> {
        payload.first().copied().map(Self)
    }

    /// Was it encoded with two channels?
    pub(super) fn is_stereo(self) -> bool {
        self.0 & 0b100 != 0
    }

    /// Is it CELT alone, without SILK below it?
    pub(super) fn is_celt(self) -> bool {
        self.0 & 0x80 != 0
    }

    /// One frame's length in samples (RFC 6716 table 2).
    pub(super) fn frame_samples(self) -> u64 {
        let config = usize::from(self.0 >> 3);
        match config {
            0..=11 => [480, 960, 1920, 2880][config % 4],
            12..=15 => [480, 960][config % 2],
            _ => [120, 240, 480, 960][config % 4],
        }
    }

    /// The same configuration with one frame of no bytes: a decoder makes up what it would have been.
    pub(super) fn without_frames(self) -> [u8; 1] {
        [self.0 & !0b11]
    }
}

/// How many samples `payload` lasts, or `None` if it is no Opus packet: no frames, or more than 120 ms.
pub(super) fn duration_samples(payload: &[u8]) -> Option<u64> {
    let toc = Toc::of(payload)?;
    let frames = match toc.0 & 0b11 {
        0 => 1,
        1 | 2 => 2,
        _ => u64::from(payload.get(1)? & 0x3F),
    };
    let samples = frames * toc.frame_samples();
    (1..=5760).contains(&samples).then_some(samples)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(feature = "opus")]
    fn every_first_byte_lasts_as_long_as_libopus_says() {
        for toc in 0..=255 {
            for frames in 0..=63 {
                let payload = [toc, frames];
                let oracle = opus::packet::get_nb_samples(&payload, 48_000).ok().filter(|&n| n > 0);
                assert_eq!(duration_samples(&payload).map(|n| n as usize), oracle, "{payload:?}");
            }
        }
    }

    #[test]
    fn no_bytes_are_no_packet() {
        assert_eq!(duration_samples(&[]), None);
        assert_eq!(duration_samples(&[0xFB]), None);
    }
}
