//! Promises of the recorder, checked from outside: calls in, files out, files decoded.

mod crash;
mod gates;
mod place;
mod random;
mod stays;
mod support;
