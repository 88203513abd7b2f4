//! 1. Bytes become packets: RTP (RFC 3550, RFC 8285), the audio level (RFC 6464), what an Opus packet tells undecoded.

mod reject;

pub use reject::Reject;
