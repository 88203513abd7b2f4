//! Rooms in simulated time, for tests, benches and examples.
