//! 5. Many frames become one: gain, sums, limiter, levels.
//!
//! In the order that a voice meets them: a [`Fader`] sets its level on every mix, a [`Gate`] tells whether anything
//! of it is left, [`add`] or [`MixMinus`] sums it with
//! the others, a [`Limiter`] keeps the sum below full scale. Where there are more voices than places, [`Presence`] weighs
//! them while their packets still wait, and [`Selection`] chooses. [`Level`] and [`Activity`] tell how loud it is and whether
//! it speaks. All work on slices of `f32`, interleaved when stereo, and give the same samples in blocks of any length.

pub mod fade;
mod gain;
mod gate;
mod level;
mod limiter;
mod presence;
mod select;
mod sum;
mod syllables;
mod true_peak;

pub use gain::{Db, Fader};
pub use gate::Gate;
pub use level::{Activity, Level};
pub use limiter::Limiter;
pub use presence::Presence;
pub use select::Selection;
pub use sum::{MixMinus, add};
