//! Tells when a limit bites, and when no more.

use super::{
    allowance::Purse,
    limits::{Alert, Limit},
};

/// What was told of limits, and what is to be told.
#[derive(Debug, Default)]
pub(super) struct Watch {
    /// How many packets each has refused, as of the last look.
    seen: [u64; Limit::ALL.len()],
    bites: [bool; Limit::ALL.len()],
    /// The disk was told to be too slow.
    behind: bool,
    alerts: Vec<Alert>,
}

impl Watch {
    /// A limit bites with the first packet that it refuses, and no more once a recording `owes` nothing for it.
    pub(super) fn look(&mut self, purse: &Purse, owes: bool) {
        let Self { seen, bites, alerts, .. } = self;
        for ((limit, seen), bites) in Limit::ALL.into_iter().zip(seen).zip(bites) {
            let refused = purse.refused(limit);
            if refused > *seen && !*bites {
                *bites = true;
                alerts.push(Alert::Limited(limit));
            } else if *bites && refused == *seen && !owes && !purse.has_reached(limit) {
                *bites = false;
                alerts.push(Alert::Unlimited(limit));
            }
            *seen = refused;
        }
    }

    /// Is what comes made safe too seldom?
    pub(super) fn look_how_far(&mut self, behind: bool) {
        if std::mem::replace(&mut self.behind, behind) != behind {
            self.alerts.push(if behind { Alert::Behind } else { Alert::CaughtUp });
        }
    }

    /// What is to be told, once.
    pub(super) fn take_alerts(&mut self) -> Vec<Alert> {
        std::mem::take(&mut self.alerts)
    }
}
