//! A seam: where a stretch of sound is cut out or repeated, and how the ends are joined.
//!
//! All positions count frames of `width` interleaved samples.

/// 10 ms: no cross-fade is longer.
pub(super) const LONGEST_FADE: usize = 480;

/// Two stretches that are cross-faded: `fade` long, one ends at `end`, the other `lag` before it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Seam {
    pub(super) end: usize,
    pub(super) lag: usize,
    pub(super) fade: usize,
    /// The correlation of the two, 0 to 1.
    pub(super) likeness: f32,
}

impl Seam {
    /// Takes `lag` out of `sound`: what follows moves to the front. The samples before and after the cross-fade stay as they
    /// are.
    ///
    /// # Real-time
    /// Safe.
    pub(super) fn cut(self, sound: &mut [f32], width: usize) {
        let Self { end, lag, fade, .. } = self;
        let from = end - lag - fade;
        for (at, (early, late)) in self.weights().into_iter().take(fade).enumerate() {
            for to in (from + at) * width..(from + at + 1) * width {
                sound[to] = sound[to] * early + sound[to + lag * width] * late;
            }
        }
        sound.copy_within(end * width.., (from + fade) * width);
    }

    /// Repeats `lag` within `room`, whose first `length` are sound; the rest of the room, at least `lag`, takes up what is
    /// moved back.
    ///
    /// # Real-time
    /// Safe.
    pub(super) fn repeat(self, room: &mut [f32], length: usize, width: usize) {
        let Self { end, lag, fade, .. } = self;
        room.copy_within((end - lag) * width..length * width, end * width);
        // Backwards, so that what is read has not been faded yet.
        for (at, (before, after)) in self.weights().into_iter().enumerate().take(fade).rev() {
            for to in (end - fade + at) * width..(end - fade + at + 1) * width {
                room[to] = room[to] * before + room[to - lag * width] * after;
            }
        }
    }

    /// A smooth step, raised where the two are not alike so that their power stays: noise would sink by 3 dB midway.
    fn weights(self) -> [(f32, f32); LONGEST_FADE] {
        let mut weights = [(0.0, 0.0); LONGEST_FADE];
        let step = ((self.fade + 1) as f32).recip();
        for (at, weight) in weights.iter_mut().take(self.fade).enumerate() {
            let way = (at + 1) as f32 * step;
            let rising = way * way * (3.0 - 2.0 * way);
            let falling = 1.0 - rising;
            let power = rising * rising + falling * falling + 2.0 * self.likeness * rising * falling;
            let gain = power.sqrt().recip();
            *weight = (falling * gain, rising * gain);
        }
        weights
    }
}
