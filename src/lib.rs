//! An audio engine for live audio rooms.
#![cfg_attr(rtsan, feature(sanitize))]

pub mod codec;
pub mod consent;
pub mod engine;
pub mod frame;
#[cfg(any(fuzzing, feature = "sim"))]
#[doc(hidden)]
pub mod fuzzing;
pub mod jitter;
#[cfg(feature = "live")]
pub mod live;
pub mod mix;
pub mod packet;
#[cfg(feature = "record")]
pub mod record;
#[cfg(feature = "room")]
pub mod room;
#[cfg(feature = "sim")]
pub mod sim;
pub mod speaker;
pub mod stretch;
pub mod time;
