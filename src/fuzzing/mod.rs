//! What the fuzz targets do with their bytes; here, so that ordinary builds check it and `tests/corpus.rs` replays it.

mod engine_ops;
mod input;
mod jitter_ops;
mod packet;
#[cfg(feature = "record")]
mod recover;
#[cfg(feature = "room")]
mod room_log;
#[cfg(feature = "record")]
mod sealed_read;
#[cfg(feature = "record")]
mod session_read;

pub use engine_ops::engine_ops;
pub use jitter_ops::jitter_ops;
pub use packet::packet;
#[cfg(feature = "record")]
pub use recover::recover;
#[cfg(feature = "room")]
pub use room_log::room_log;
#[cfg(feature = "record")]
pub use sealed_read::sealed_read;
#[cfg(feature = "record")]
pub use session_read::session_read;
