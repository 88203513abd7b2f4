//! Why a datagram was turned away. Network input never fails; it is counted, one counter a reason.

/// Why a datagram was not taken. Each has its own exact counter in the lane's statistics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reject {
    /// Shorter than its own header, extension or padding says; or a padding of no bytes.
    Truncated,
    /// Not RTP version 2 (STUN, DTLS, garbage).
    NotRtp,
    /// RTCP on the same port (RFC 5761) that is no report of the present sender.
    Rtcp,
    /// A payload type this lane was not told to expect.
    PayloadType,
    /// No payload at all.
    Empty,
    /// The codec says that the payload is no packet of it, or that it lasts longer than 120 ms.
    Malformed,
    /// From before the first packet or before the last restart, or so far behind that its place is forgotten.
    TooOld,
    /// A lone packet far outside the sequence; taken as a restart only when a second one follows it.
    Stray,
    /// There is no such lane.
    NoLane,
}

impl Reject {
    /// Every reason, in the order of their counters.
    pub const ALL: [Self; 9] = [
        Self::Truncated,
        Self::NotRtp,
        Self::Rtcp,
        Self::PayloadType,
        Self::Empty,
        Self::Malformed,
        Self::TooOld,
        Self::Stray,
        Self::NoLane,
    ];

    /// Its counter's place in [`Reject::ALL`].
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// Its name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Truncated => "truncated",
            Self::NotRtp => "not_rtp",
            Self::Rtcp => "rtcp",
            Self::PayloadType => "payload_type",
            Self::Empty => "empty",
            Self::Malformed => "malformed",
            Self::TooOld => "too_old",
            Self::Stray => "stray",
            Self::NoLane => "no_lane",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_its_own_counter() {
        for (place, reason) in Reject::ALL.into_iter().enumerate() {
            assert_eq!(reason.index(), place);
        }
    }
}
