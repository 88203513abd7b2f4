//! 5. Many frames become one: gain, sums, limiter, levels.

mod gain;
mod level;
mod limiter;
mod sum;
mod true_peak;

pub use gain::{Db, Fader};
pub use level::Activity;
pub use limiter::Limiter;
pub use sum::{MixMinus, add};
