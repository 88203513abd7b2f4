//! 4. Faster, slower, invented.
