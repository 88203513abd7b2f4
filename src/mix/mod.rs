//! 5. Many frames become one: gain, sums, limiter, levels.

mod gain;

pub use gain::{Db, Fader};
