//! Who speaks, and what happens to each.

/// One speaker's lot.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Story {
    pub(crate) name: &'static str,
    pub(crate) told: &'static str,
    /// How much faster than the room's its clock runs.
    pub(crate) ppm: f64,
    /// The shortest way through its network.
    pub(crate) transit_ms: f64,
    /// Comes and goes, every three minutes or so.
    pub(crate) leaves: bool,
    /// Begins anew with another SSRC, or with other timestamps.
    pub(crate) restarts: bool,
    /// Its capture stands still for 100 ms to 3 s.
    pub(crate) stalls: bool,
    pub(crate) silence: Silence,
}

/// What it does while it says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Silence {
    /// It sends all the same.
    Sent,
    /// It sends nothing, and its timestamps run on.
    Counted,
    /// It sends nothing, its timestamps stand still, and it marks the first packet behind.
    Suppressed,
}

const STEADY: Story = Story {
    name: "",
    told: "",
    ppm: 0.0,
    transit_ms: 30.0,
    leaves: false,
    restarts: false,
    stalls: false,
    silence: Silence::Sent,
};

pub(crate) const STORIES: [Story; 8] = [
    Story { name: "fast", told: "+200 ppm", ppm: 200.0, ..STEADY },
    Story { name: "slow", told: "-200 ppm", ppm: -200.0, transit_ms: 80.0, ..STEADY },
    Story { name: "guest", told: "-150 ppm, comes and goes", ppm: -150.0, leaves: true, ..STEADY },
    Story {
        name: "reborn",
        told: "+120 ppm, SSRC and timestamps begin anew",
        ppm: 120.0,
        restarts: true,
        ..STEADY
    },
    Story { name: "laptop", told: "-90 ppm, capture stands still", ppm: -90.0, stalls: true, ..STEADY },
    Story { name: "pauses", told: "+200 ppm, DTX", ppm: 200.0, silence: Silence::Counted, ..STEADY },
    Story {
        name: "phone",
        told: "-200 ppm, silence suppressed, timestamps stand",
        ppm: -200.0,
        transit_ms: 50.0,
        silence: Silence::Suppressed,
        ..STEADY
    },
    Story {
        name: "unlucky",
        told: "+60 ppm, all of it",
        ppm: 60.0,
        leaves: true,
        restarts: true,
        stalls: true,
        silence: Silence::Counted,
        ..STEADY
    },
];

/// Lost, and so late that nobody hears them live: of all packets.
pub(crate) const LOST: f64 = 0.05;
pub(crate) const LATE: f64 = 0.10;
/// How late those are.
pub(crate) const LATE_MS: std::ops::Range<f64> = 150.0..1_500.0;
/// The mean of what the network adds to all others.
pub(crate) const JITTER_MS: f64 = 3.0;
