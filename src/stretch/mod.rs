//! 4. Faster, slower, invented: what happens to decoded sound before it is played.

mod fade;
mod pending;
mod splice;

pub use fade::Fade;
pub use pending::Pending;
