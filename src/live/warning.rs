//! What the machine does not allow.

use std::fmt;

/// Something the stage cannot do on this machine. It runs all the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Warning {
    /// A worker runs at ordinary priority: under load its ticks will be late.
    NotRealtime {
        /// Which worker.
        worker: usize,
        /// What the system said.
        why: String,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotRealtime { worker, why } => {
                write!(f, "worker {worker} runs at ordinary priority, ticks may be late under load: {why}")
            }
        }
    }
}
