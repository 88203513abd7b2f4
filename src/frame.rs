//! Sound as it travels inside the engine: `f32`, full scale ±1, interleaved when stereo. Other formats exist at the
//! edges only.

use dasp_sample::Sample;

/// How many channels a room has. Every frame in it has as many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Channels {
    /// One channel: the default, for speech.
    #[default]
    Mono,
    /// Left and right, interleaved.
    Stereo,
}

impl Channels {
    /// 1 or 2.
    #[must_use]
    pub const fn count(self) -> usize {
        match self {
            Self::Mono => 1,
            Self::Stereo => 2,
        }
    }
}

/// Converts 16-bit samples; `out` and `pcm` have the same length, the shorter one decides.
///
/// # Real-time
/// Safe.
pub fn from_i16(pcm: &[i16], out: &mut [f32]) {
    for (to, from) in out.iter_mut().zip(pcm) {
        *to = from.to_sample();
    }
}

/// Converts to 16-bit samples, saturating at full scale; the shorter slice decides.
///
/// # Real-time
/// Safe.
pub fn to_i16(frame: &[f32], out: &mut [i16]) {
    for (to, from) in out.iter_mut().zip(frame) {
        *to = from.to_sample();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sixteen_bit_samples_survive_the_round_trip() {
        let pcm: Vec<i16> = (i16::MIN..=i16::MAX).step_by(7).collect();
        let (mut frame, mut back) = (vec![0.0; pcm.len()], vec![0; pcm.len()]);
        from_i16(&pcm, &mut frame);
        to_i16(&frame, &mut back);
        assert_eq!(pcm, back);
    }

    #[test]
    fn too_loud_saturates_and_never_wraps() {
        let mut out = [0; 2];
        to_i16(&[1.5, -1.5], &mut out);
        assert_eq!(out, [i16::MAX, i16::MIN]);
    }
}
