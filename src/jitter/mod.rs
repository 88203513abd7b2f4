//! 2. When does each packet play: slots, delay estimate, decision.
