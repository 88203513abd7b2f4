//! 5. Many frames become one: gain, sums, limiter, levels.
