//! 3. Payloads become samples and samples payloads.
