//! 4. Faster, slower, invented: what happens to decoded sound before it is played.

mod fade;
mod noise;
mod pending;
mod seam;
mod splice;

pub use fade::Fade;
pub use pending::Pending;
pub use seam::Seam;
