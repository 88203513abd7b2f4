//! 4. Faster, slower, invented: what happens to decoded sound before it is played.

mod fade;
mod hiss;
mod low;
mod noise;
mod overhang;
mod pending;
mod period;
mod pitch;
mod quiet;
mod seam;
mod splice;

pub use fade::Fade;
pub use overhang::Overhang;
pub use pending::Pending;
