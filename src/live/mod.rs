//! The stage: real-time threads that run many rooms. The only clock.
