//! Policy: who may be recorded. No audio, no clock.
