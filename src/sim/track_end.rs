//! Where a speaker's last sound ends in its track: the packets that the recorder is given come in, the first sample
//! without any of them leaves. A track puts packets by the smallest transit of their run's first repair window, so this
//! does too: whoever leaves before that sample loses its last packet, whoever leaves later has a pause there.

use crate::{
    speaker::VoicePacket,
    time::{MediaTime, SampleTime, Samples},
};

/// How long a track waits for stragglers.
pub(super) const REPAIR: Samples = Samples::from_ms(2000);

/// A step of the transit by as much may be a capture that stood still, which its track then follows.
const STEP: Samples = Samples::from_ms(300);

/// One run of a sender's clock in its track.
#[derive(Clone, Copy, Debug)]
pub(super) struct TrackEnd {
    epoch: u32,
    since: SampleTime,
    transit: i64,
    end: MediaTime,
    /// A sender whose clock stood still is put elsewhere by its track.
    stalled: bool,
}

impl TrackEnd {
    /// What is known once `packet`, received in the tick at `now`, is recorded too.
    pub(super) fn after(before: Option<Self>, packet: &VoicePacket<'_>, now: SampleTime) -> Self {
        let transit = packet.media.transit(packet.arrived);
        let end = packet.media + packet.duration;
        let first = Self { epoch: packet.epoch, since: packet.arrived, transit, end, stalled: false };
        let mut run = before.filter(|run| run.epoch == packet.epoch).unwrap_or(first);
        if now < run.since + REPAIR {
            run.transit = run.transit.min(transit);
        }
        run.end = run.end.max(end);
        run.stalled |= transit - run.transit >= STEP.count() as i64;
        run
    }

    /// The first sample without sound, where that can be known.
    pub(super) fn sample(&self) -> Option<SampleTime> {
        let at = self.transit.saturating_add_unsigned(self.end.samples());
        u64::try_from(at).ok().filter(|_| !self.stalled).map(SampleTime::from_samples)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::speaker::SpeakerId;

    /// The end after packets of (number, arrival), each received as it arrives.
    fn end(packets: &[(u64, u64)]) -> Option<u64> {
        let mut run = None;
        for (number, arrived) in packets {
            let arrived = SampleTime::from_samples(*arrived);
            let packet = VoicePacket {
                speaker: SpeakerId(0),
                epoch: 0,
                sequence: *number,
                media: MediaTime::ORIGIN + Samples::new(960 * number),
                arrived,
                duration: Samples::new(960),
                payload: &[0xF8],
            };
            run = Some(TrackEnd::after(run, &packet, arrived));
        }
        run.and_then(|run| run.sample()).map(SampleTime::samples)
    }

    #[test]
    fn the_last_packet_ends_where_the_quickest_of_the_first_window_puts_it() {
        assert_eq!(end(&[(0, 2000), (2, 3000), (1, 3100)]), Some(1080 + 3 * 960));
        // Quicker than the first window: the track does not move any more.
        assert_eq!(end(&[(0, 2000), (200, 192_500)]), Some(2000 + 201 * 960));
    }

    #[test]
    fn a_clock_that_stood_still_leaves_it_open() {
        assert_eq!(end(&[(0, 0), (1, 960 + 14_399)]), Some(1920));
        assert_eq!(end(&[(0, 0), (1, 960 + 14_400)]), None);
    }
}
